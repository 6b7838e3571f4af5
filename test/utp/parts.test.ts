/** The small parts: numbers, delays, sizes, deadlines, memory. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Millis } from '../../src/runtime/ports.ts';
import { Deadlines, type Waiting } from '../../src/utp/deadlines.ts';
import { DelayHistory } from '../../src/utp/delays.ts';
import { HalfOpenCalls } from '../../src/utp/half-open.ts';
import { Ledbat } from '../../src/utp/ledbat.ts';
import { PacketPool } from '../../src/utp/packet-pool.ts';
import { PathMtu } from '../../src/utp/path-mtu.ts';
import { RoundTrip } from '../../src/utp/round-trip.ts';
import { unwrapSequence, wireSequence } from '../../src/utp/sequence.ts';

const MINUTE = 60_000;

describe('sequence numbers', () => {
  test('come back from the wire, however often they have gone round', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -1_000_000, max: 1_000_000_000 }),
        fc.integer({ min: -0x8000, max: 0x7fff }),
        (near, ahead) => {
          expect(unwrapSequence(wireSequence(near + ahead), near)).toBe(near + ahead);
        },
      ),
    );
  });
});

describe('delays', () => {
  function history(...delays: readonly number[]): DelayHistory {
    const made = new DelayHistory();
    for (const delay of delays) made.sample(delay >>> 0, 0);
    return made;
  }

  test('queueing is what is above the shortest', () => {
    expect(history().queueing).toBe(0);
    expect(history(5000).queueing).toBe(0);
    expect(history(5000, 9000, 9000, 9000, 9000).queueing).toBe(4000);
    expect(history(9000, 9000, 9000, 9000, 5000).queueing).toBe(0);
  });

  test('one sample that is late by itself is no queue', () => {
    expect(history(5000, 5000, 5000, 90_000).queueing).toBe(0);
  });

  test('the clocks need not agree, and may go round', () => {
    const made = history(-2000, -1000, -1000, -1000, -1000);
    expect(made.queueing).toBe(1000);
    for (let count = 0; count < 4; count++) made.sample(3000, 0);
    expect(made.queueing).toBe(5000);
  });

  test('the base is forgotten after ten minutes, and not before', () => {
    const made = history(1000);
    for (let minute = 1; minute <= 9; minute++) made.sample(5000, minute * MINUTE);
    for (let count = 0; count < 4; count++) made.sample(5000, 9.9 * MINUTE);
    expect(made.queueing).toBe(4000);
    for (let count = 0; count < 4; count++) made.sample(5000, 10 * MINUTE);
    expect(made.queueing).toBe(0);
  });

  test('after a long silence the base is new', () => {
    const made = history(1000);
    for (let count = 0; count < 4; count++) made.sample(7000, 60 * MINUTE);
    expect(made.queueing).toBe(0);
  });

  test('a clock that drifts is no queue: what falls in one direction is taken off the other', () => {
    // Ours is slower by 100 µs a second: delays of ours seem to grow, those of the other side to fall.
    const [ours, theirs, blind] = [new DelayHistory(), new DelayHistory(), new DelayHistory()];
    for (let second = 0; second < 590; second++) {
      const fell = theirs.sample((50_000 - 100 * second) >>> 0, second * 1000);
      if (fell > 0) ours.drifted(fell);
      ours.sample(20_000 + 100 * second, second * 1000);
      blind.sample(20_000 + 100 * second, second * 1000);
    }
    expect(ours.queueing).toBeLessThan(500);
    expect(blind.queueing).toBeGreaterThan(50_000);
  });

  test('a fall that is no drift is none of the other direction', () => {
    const ours = history(1000, 5000, 5000, 5000, 5000);
    ours.drifted(10_001);
    expect(ours.queueing).toBe(4000);
    ours.drifted(1000);
    expect(ours.queueing).toBe(3000);
  });
});

describe('LEDBAT', () => {
  const PACKET = 1000;

  function windows(ledbat: Ledbat, rounds: number, queueing: number): number {
    for (let round = 0; round < rounds; round++) {
      const { window } = ledbat;
      for (let at = 0; at < window; at += PACKET) ledbat.acked(PACKET, queueing, true);
    }
    return ledbat.window;
  }

  test('doubles in a round trip at the start, and grows by a packet afterwards', () => {
    const ledbat = new Ledbat(PACKET, 1e9);
    expect(windows(ledbat, 1, 0)).toBe(8 * PACKET);
    expect(windows(ledbat, 1, 0)).toBe(16 * PACKET);
    ledbat.lost();
    expect(ledbat.window).toBe(8 * PACKET);
    expect(windows(ledbat, 1, 0)).toBeCloseTo(9 * PACKET, -2);
  });

  test('does not grow while something else holds the sender back', () => {
    const ledbat = new Ledbat(PACKET, 1e9);
    for (let count = 0; count < 100; count++) ledbat.acked(PACKET, 0, false);
    expect(ledbat.window).toBe(4 * PACKET);
  });

  test('stands still at the target, and shrinks above it, to two packets at least', () => {
    const ledbat = new Ledbat(PACKET, 1e9);
    windows(ledbat, 6, 0);
    windows(ledbat, 3, 100_000);
    const before = ledbat.window;
    expect(windows(ledbat, 5, 100_000)).toBeCloseTo(before, -1);
    expect(windows(ledbat, 1, 200_000)).toBeLessThan(0.8 * before);
    expect(windows(ledbat, 200, 1_000_000)).toBe(2 * PACKET);
  });

  test('begins anew after a timeout, with one packet', () => {
    const ledbat = new Ledbat(PACKET, 1e9);
    windows(ledbat, 5, 0);
    const before = ledbat.window;
    ledbat.timedOut();
    expect(ledbat.window).toBe(PACKET);
    for (let count = 0; count < 1000 && ledbat.isSlowStart; count++) {
      ledbat.acked(PACKET, 0, true);
    }
    expect(ledbat.window).toBeLessThanOrEqual(before / 2 + 2 * PACKET);
  });

  test('never exceeds its limit', () => {
    expect(windows(new Ledbat(PACKET, 50_500), 10, 0)).toBe(50_500);
  });
});

describe('path MTU', () => {
  test.for([
    { host: '192.0.2.1', first: 548, best: 1472 },
    { host: '2001:db8::1', first: 1232, best: 1452 },
    { host: '127.0.0.1', first: 548, best: 16_612 },
    { host: '::1', first: 1232, best: 16_592 },
  ])('$host begins with $first and tries $best', ({ host, first, best }) => {
    const mtu = new PathMtu(host);
    expect([mtu.size, mtu.payload, mtu.candidate(0)]).toEqual([first, first - 20, best]);
    mtu.passed(best, 0);
    expect([mtu.size, mtu.candidate(0)]).toEqual([best, undefined]);
  });

  test('every size of a path is found, with few trials', () => {
    fc.assert(
      fc.property(fc.integer({ min: 548, max: 1472 }), (limit) => {
        const mtu = new PathMtu('192.0.2.1');
        let trials = 0;
        for (let size = mtu.candidate(0); size !== undefined; size = mtu.candidate(0)) {
          trials++;
          if (size <= limit) mtu.passed(size, 0);
          else mtu.failed(size, 0);
        }
        expect(trials).toBeLessThanOrEqual(10);
        expect(mtu.size).toBeLessThanOrEqual(limit);
      }),
    );
  });

  test('one loss says nothing, and what failed is tried again after a while', () => {
    const mtu = new PathMtu('192.0.2.1');
    mtu.failed(1472, 0);
    expect(mtu.candidate(0)).toBe(1472);
    for (let size = mtu.candidate(0); size !== undefined; size = mtu.candidate(0)) {
      mtu.failed(size, 0);
    }
    expect(mtu.candidate(599_999)).toBeUndefined();
    expect(mtu.candidate(600_000)).toBe(1472);
  });
});

describe('round trips', () => {
  test('a second before anything is known, half a second at least, and doubled', () => {
    const made = new RoundTrip();
    expect([made.timeout(0), made.timeout(1), made.timeout(9)]).toEqual([1000, 2000, 10_000]);
    made.sample(20);
    expect([made.mean, made.timeout(0)]).toEqual([20, 500]);
    for (let count = 0; count < 50; count++) made.sample(2000);
    expect(made.timeout(0)).toBeGreaterThan(1900);
  });
});

describe('deadlines', () => {
  interface Entry extends Waiting {
    at: Millis | undefined;
  }
  test('come in their order, whatever moved meanwhile', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 100 })), {
          maxLength: 50,
        }),
        (moves) => {
          const deadlines = new Deadlines<Entry>();
          const all = moves.map(([first]): Entry => {
            const each: Entry = { at: first, lookAt: undefined, deadline: () => each.at };
            deadlines.set(each);
            return each;
          });
          for (const [index, [, then]] of moves.entries()) {
            const each = all[index];
            if (each === undefined) continue;
            each.at = then;
            deadlines.set(each);
          }
          const seen: number[] = [];
          for (let now = 0; now <= 100; now++) {
            for (let due = deadlines.next(now); due !== undefined; due = deadlines.next(now)) {
              expect(due.at).toBe(now);
              seen.push(now);
              due.at = undefined;
            }
          }
          expect(seen).toEqual(moves.map(([, then]) => then).toSorted((a, b) => a - b));
        },
      ),
    );
  });
});

describe('half-open calls', () => {
  const from = { host: '192.0.2.1', port: 1 };
  const what = { called: 7, sequence: 500 };

  test('are taken once, by who saw the answer, within a minute', () => {
    const calls = new HalfOpenCalls();
    calls.add(from, 3, what, 0);
    expect(calls.take(from, 3, 500, 0)).toBeUndefined();
    expect(calls.take({ ...from, port: 2 }, 3, 499, 0)).toBeUndefined();
    expect(calls.take(from, 3, 499, 59_999)).toMatchObject(what);
    expect(calls.take(from, 3, 499, 59_999)).toBeUndefined();
    calls.add(from, 3, what, 0);
    expect(calls.take(from, 3, 499, 60_000)).toBeUndefined();
  });

  test('make room for the newest: the oldest goes', () => {
    const calls = new HalfOpenCalls();
    for (let id = 0; id < 1025; id++) calls.add(from, id, what, 0);
    expect(calls.size).toBe(1024);
    expect(calls.take(from, 0, 499, 0)).toBeUndefined();
    expect(calls.take(from, 1024, 499, 0)).toMatchObject(what);
  });
});

describe('memory of packets', () => {
  test('is used again, and given to strangers up to a limit', () => {
    const pool = new PacketPool(5000);
    const one = pool.acquire(1472);
    pool.release(one);
    expect(pool.acquire(1400)).toBe(one);
    expect(pool.lent).toBe(2048);
    expect(pool.tryAcquire(1472)).toHaveLength(2048);
    expect(pool.tryAcquire(1472)).toBeUndefined();
    expect(pool.tryAcquire(200)).toHaveLength(256);
  });
});
