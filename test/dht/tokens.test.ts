import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatHex } from '../../src/base/bytes.ts';
import { TOKEN_BYTES, Tokens } from '../../src/dht/tokens.ts';
import { SeededRandom } from '../../src/runtime/sim/seeded-random.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const IP = Uint8Array.of(192, 0, 2, 1);

const addresses = fc.oneof(
  fc.uint8Array({ minLength: 4, maxLength: 4 }),
  fc.uint8Array({ minLength: 16, maxLength: 16 }),
);
/** Clocks have any origin, and may stand before it. */
const times = fc.integer({ min: -1_000_000_000, max: 1_000_000_000_000_000 });

function tokens(seed = 1): Tokens {
  return new Tokens(new SeededRandom(seed));
}

describe('tokens', () => {
  test('are good for five minutes at least and ten at most, whenever they were issued', () => {
    const own = tokens();
    fc.assert(
      fc.property(addresses, times, fc.nat(5 * MINUTE), (ip, now, part) => {
        const token = own.issue(ip, now);
        expect(own.check(token, ip, now)).toBe(true);
        expect(own.check(token, ip, now + part)).toBe(true);
        expect(own.check(token, ip, now + 10 * MINUTE + 20 * part)).toBe(false);
      }),
    );
  });

  test.each([
    [0, 0, true],
    [0, 5 * MINUTE - 1, true],
    [0, 5 * MINUTE, true],
    [0, 10 * MINUTE - 1, true],
    [0, 10 * MINUTE, false],
    [5 * MINUTE - 1, 10 * MINUTE - 1, true],
    [5 * MINUTE - 1, 10 * MINUTE, false],
    [0, 24 * HOUR, false],
    [0, 10_000 * HOUR, false],
    // The clock went back: what was issued in a period that has not come is not good.
    [5 * MINUTE, 5 * MINUTE - 1, false],
    [24 * HOUR, 0, false],
  ])('issued at %i ms and shown at %i ms: %s', (issued, shown, good) => {
    const own = tokens();
    expect(own.check(own.issue(IP, issued), IP, shown)).toBe(good);
  });

  test('are the same within a period, and others in the next', () => {
    const own = tokens();
    const first = formatHex(own.issue(IP, 0));
    expect(formatHex(own.issue(IP, 5 * MINUTE - 1))).toBe(first);
    const later = Array.from({ length: 1_000 }, (_, at) => own.issue(IP, (at + 1) * 5 * MINUTE));
    expect(new Set([first, ...later.map((token) => formatHex(token))]).size).toBe(1_001);
  });

  test('are good for their address only', () => {
    const own = tokens();
    fc.assert(
      fc.property(addresses, addresses, times, (mine, other, now) => {
        fc.pre(mine.join('.') !== other.join('.'));
        expect(own.check(own.issue(mine, now), other, now)).toBe(false);
      }),
    );
  });

  test('an address of IPv4 is not that of IPv6 which begins with it', () => {
    const own = tokens();
    const six = new Uint8Array(16);
    six.set(IP);
    expect(own.check(own.issue(IP, 0), six, 0)).toBe(false);
    expect(own.check(own.issue(six, 0), IP, 0)).toBe(false);
  });

  test('of another node are worth nothing', () => {
    expect(tokens(2).check(tokens(1).issue(IP, 0), IP, 0)).toBe(false);
    expect(tokens(1).check(tokens(1).issue(IP, 0), IP, 0)).toBe(true);
  });

  test('with one bit changed, cut or longer are refused', () => {
    const own = tokens();
    const token = own.issue(IP, 0);
    expect(token).toHaveLength(TOKEN_BYTES);
    for (let bit = 0; bit < 8 * TOKEN_BYTES; bit++) {
      const changed = token.slice();
      changed[bit >>> 3] = (changed[bit >>> 3] ?? 0) ^ (1 << (bit & 7));
      expect(own.check(changed, IP, 0), `bit ${bit}`).toBe(false);
    }
    for (let length = 0; length < TOKEN_BYTES; length++) {
      expect(own.check(token.subarray(0, length), IP, 0)).toBe(false);
    }
    expect(own.check(Uint8Array.of(...token, 0), IP, 0)).toBe(false);
  });

  test('that strangers make up are refused', () => {
    const own = tokens();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), addresses, times, (token, ip, now) => {
        expect(own.check(token, ip, now)).toBe(false);
      }),
    );
  });
});
