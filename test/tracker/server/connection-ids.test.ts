import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseIp } from '../../../src/base/ip.ts';
import { ServerConnectionIds } from '../../../src/tracker/server/connection-ids.ts';

const KEY = Uint8Array.from({ length: 16 }, (_, at) => 7 * at);
const addresses = fc.oneof(
  fc.uint8Array({ minLength: 4, maxLength: 4 }),
  fc.uint8Array({ minLength: 16, maxLength: 16 }),
);
const seconds = fc.integer({ min: 0, max: 0xffffffff - 1000 });

function ip(text: string): Uint8Array {
  const bytes = parseIp(text);
  if (bytes === undefined) throw new Error(`no address: ${text}`);
  return bytes;
}

function idFor(address: Uint8Array, now: number): Uint8Array {
  const id = new Uint8Array(8);
  new ServerConnectionIds(KEY).write(id, 0, address, now);
  return id;
}

describe('connection ids', () => {
  test('another worker with the same key knows them, for two minutes', () => {
    const other = new ServerConnectionIds(KEY);
    fc.assert(
      fc.property(addresses, seconds, fc.nat(300), (address, made, age) => {
        expect(other.check(idFor(address, made), 0, address, made + age)).toBe(age <= 120);
      }),
    );
  });

  test.each([
    [0, true],
    [120, true],
    [121, false],
    [-1, false],
    [-120, false],
  ])('made %i seconds ago: %s', (age, valid) => {
    const address = ip('192.0.2.1');
    const ids = new ServerConnectionIds(KEY);
    expect(ids.check(idFor(address, 1000), 0, address, 1000 + age)).toBe(valid);
  });

  test('seconds that wrap around 32 bits', () => {
    const address = ip('192.0.2.1');
    const id = idFor(address, 2 ** 32 - 10);
    const ids = new ServerConnectionIds(KEY);
    expect(ids.check(id, 0, address, 2 ** 32 + 50)).toBe(true);
    expect(ids.check(id, 0, address, 2 ** 32 + 200)).toBe(false);
  });

  test('are good for their address only', () => {
    const ids = new ServerConnectionIds(KEY);
    fc.assert(
      fc.property(addresses, addresses, (mine, other) => {
        fc.pre(mine.join('.') !== other.join('.'));
        expect(ids.check(idFor(mine, 5), 0, other, 5)).toBe(false);
      }),
    );
  });

  test('mean nothing under another key', () => {
    const other = new ServerConnectionIds(new Uint8Array(16));
    const address = ip('2001:db8::1');
    expect(other.check(idFor(address, 5), 0, address, 5)).toBe(false);
  });

  test('any changed bit is noticed', () => {
    const address = ip('192.0.2.1');
    const ids = new ServerConnectionIds(KEY);
    for (let bit = 0; bit < 64; bit++) {
      const id = idFor(address, 1000);
      id[bit >>> 3] = (id[bit >>> 3] ?? 0) ^ (1 << (bit & 7));
      expect(ids.check(id, 0, address, 1000)).toBe(false);
    }
  });

  test('are written to where they are wanted, and nowhere else', () => {
    const address = ip('192.0.2.1');
    const out = new Uint8Array(24).fill(0xee);
    const ids = new ServerConnectionIds(KEY);
    ids.write(out, 8, address, 77);
    expect(out.subarray(8, 16)).toEqual(idFor(address, 77));
    expect([...out.subarray(0, 8), ...out.subarray(16)]).toEqual(
      Array.from({ length: 16 }, () => 0xee),
    );
    expect(ids.check(out, 8, address, 77)).toBe(true);
  });

  test('a sender with a short address leaves nothing for the next one', () => {
    const ids = new ServerConnectionIds(KEY);
    ids.write(new Uint8Array(8), 0, ip('2001:db8::ffff'), 9);
    expect(ids.check(idFor(ip('192.0.2.1'), 9), 0, ip('192.0.2.1'), 9)).toBe(true);
  });
});
