import { describe, expect, test } from 'vitest';
import { PeerPool } from '../../src/session/peer-pool.ts';

const at = (n: number) => ({ host: `192.0.2.${n}`, port: 6881 });

test('each address is called once at a time; those that failed least go first', () => {
  const pool = new PeerPool();
  for (const n of [1, 2]) expect(pool.add(at(n), 'tracker')).toBe(true);
  expect(pool.add(at(1), 'tracker')).toBe(false);
  expect(pool.next(0)).toEqual(at(1));
  expect(pool.next(0)).toEqual(at(2));
  expect(pool.next(0)).toBeUndefined();
  pool.released(at(1), false, 0);
  pool.released(at(2), true, 0);
  expect(pool.next(20_000)).toEqual(at(2));
});

describe('pauses after failures', () => {
  test('grow, and after three an address from a tracker is forgotten', () => {
    const pool = new PeerPool();
    pool.add(at(1), 'tracker');
    let now = 0;
    const pauses: number[] = [];
    while (pool.next(now) !== undefined) {
      pool.released(at(1), false, now);
      const next = pool.nextAt();
      if (next === undefined) break;
      pauses.push(next - now);
      now = next;
    }
    expect(pauses).toEqual([15_000, 30_000]);
    expect(pool.size).toBe(0);
  });

  test('an address that the user named is tried for ever, at most 15 s apart', () => {
    const pool = new PeerPool();
    pool.add(at(1), 'tracker');
    pool.add(at(1), 'user');
    let now = 0;
    for (let n = 0; n < 50; n++) {
      expect(pool.next(now)).toEqual(at(1));
      pool.released(at(1), false, now);
      const next = pool.nextAt() ?? -1;
      expect(next - now).toBeLessThanOrEqual(15_000);
      now = next;
    }
  });
});

test('banned is banned, whatever the port; on loopback the port counts', () => {
  const pool = new PeerPool();
  pool.add(at(1), 'tracker');
  pool.ban({ host: '192.0.2.1', port: 5 });
  expect(pool.size).toBe(0);
  expect(pool.add(at(1), 'user')).toBe(false);
  expect(pool.isBanned({ host: '192.0.2.1', port: 99 })).toBe(true);
  pool.ban({ host: '127.0.0.1', port: 5 });
  expect(pool.isBanned({ host: '127.0.0.1', port: 6 })).toBe(false);
  expect(pool.isBanned({ host: '127.0.0.1', port: 5 })).toBe(true);
});

test('who is known from the DHT alone is forgotten with it, even while connected', () => {
  const pool = new PeerPool();
  for (const n of [1, 2, 3, 4]) pool.add(at(n), 'dht');
  pool.add(at(2), 'tracker');
  pool.add(at(3), 'user');
  pool.add(at(5), 'tracker');
  pool.add(at(5), 'dht');
  expect(pool.next(0)).toEqual(at(1));
  pool.forget('dht');
  pool.released(at(1), true, 0);
  const rest: unknown[] = [];
  for (let next = pool.next(1e9); next !== undefined; next = pool.next(1e9)) rest.push(next);
  expect(rest).toEqual([at(2), at(3), at(5)]);
});

test('our own address and port 0 are never called; the pool has a limit', () => {
  const pool = new PeerPool();
  pool.add(at(1), 'user');
  pool.next(0);
  pool.isOurselves(at(1));
  pool.released(at(1), false, 0);
  expect(pool.next(1e9)).toBeUndefined();
  expect(pool.add({ host: '192.0.2.9', port: 0 }, 'user')).toBe(false);
  for (let n = 0; n < 5_000; n++)
    pool.add({ host: `10.${n >> 8}.${n & 255}.1`, port: 1 }, 'tracker');
  expect(pool.size).toBe(3_000);
  expect(pool.add({ host: '198.51.100.1', port: 1 }, 'user')).toBe(true);
});

test('who is known from a tracker as well is kept when the local network is left', () => {
  const pool = new PeerPool();
  pool.add(at(1), 'lpd');
  pool.add(at(2), 'lpd');
  pool.add(at(2), 'tracker');
  pool.add(at(3), 'tracker');
  pool.add(at(3), 'lpd');
  pool.add(at(4), 'dht');
  pool.add(at(4), 'lpd');
  pool.forget('lpd');
  expect([pool.size, pool.next(0), pool.next(0)]).toEqual([2, at(2), at(3)]);
});
