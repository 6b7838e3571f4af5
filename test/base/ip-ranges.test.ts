/** Ranges of addresses, against a list that is looked through. */

import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareBytes } from '../../src/base/bytes.ts';
import { parseIp } from '../../src/base/ip.ts';
import { IpRangesBuilder } from '../../src/base/ip-ranges.ts';

/** Few different bytes, so that ranges meet. */
const addresses = (width: 4 | 16): fc.Arbitrary<Uint8Array> =>
  fc
    .array(fc.constantFrom(0, 1, 2, 254, 255), { minLength: width, maxLength: width })
    .map((bytes) => Uint8Array.from(bytes));

const anyFamily = fc.constantFrom<4 | 16>(4, 16);

test('holds what was added, and nothing else', () => {
  const scenes = anyFamily.chain((width) =>
    fc.tuple(
      fc.array(fc.tuple(addresses(width), addresses(width)), { maxLength: 20 }),
      fc.array(addresses(width), { minLength: 1, maxLength: 30 }),
    ),
  );
  fc.assert(
    fc.property(scenes, ([pairs, asked]) => {
      const builder = new IpRangesBuilder();
      const good = pairs.filter(([first, last]) => {
        const isGood = compareBytes(first, last) <= 0;
        expect(builder.add(first, last)).toBe(isGood);
        return isGood;
      });
      const ranges = builder.build();
      expect(ranges.size).toBeLessThanOrEqual(good.length);
      for (const address of [...asked, ...good.flat()]) {
        const expected = good.some(
          ([first, last]) => compareBytes(first, address) <= 0 && compareBytes(address, last) <= 0,
        );
        expect(ranges.has(address)).toBe(expected);
      }
    }),
  );
});

function rangesOf(...pairs: readonly (readonly [string, string])[]): IpRangesBuilder {
  const builder = new IpRangesBuilder();
  const bytes = (text: string): Uint8Array => parseIp(text) ?? new Uint8Array(0);
  for (const [first, last] of pairs) builder.add(bytes(first), bytes(last));
  return builder;
}

test('ranges that meet or touch are one', () => {
  const ranges = rangesOf(
    ['10.0.0.0', '10.0.0.9'],
    ['10.0.0.5', '10.0.0.20'],
    ['10.0.0.21', '10.0.0.30'],
    ['10.0.0.32', '10.0.0.32'],
    ['255.255.255.255', '255.255.255.255'],
    ['0.0.0.0', '0.0.0.0'],
  ).build();
  expect(ranges.size).toBe(4);
  expect(ranges.hasHost('10.0.0.30')).toBe(true);
  expect(ranges.hasHost('10.0.0.31')).toBe(false);
  expect(ranges.hasHost('0.0.0.1')).toBe(false);
  expect(ranges.hasHost('255.255.255.255')).toBe(true);
});

test('IPv4 in IPv6 is IPv4, names lie nowhere', () => {
  const ranges = rangesOf(['::ffff:192.0.2.0', '::ffff:192.0.2.255']).build();
  expect(ranges.hasHost('192.0.2.7')).toBe(true);
  expect(ranges.hasHost('::ffff:192.0.2.7')).toBe(true);
  expect(ranges.hasHost('::192.0.2.7')).toBe(false);
  expect(ranges.hasHost('example.org')).toBe(false);
});

test('families do not mix', () => {
  const builder = new IpRangesBuilder();
  expect(builder.add(new Uint8Array(4), new Uint8Array(16))).toBe(false);
  expect(builder.build().size).toBe(0);
});

test('hundreds of thousands of ranges, more than the builder began with', () => {
  const builder = new IpRangesBuilder();
  const count = 200_000;
  // In a wild order: 7919 is prime to the count.
  for (let at = 0; at < count; at++) {
    const number = ((at * 7919) % count) * 16;
    const first = Uint8Array.of(number >>> 24, number >>> 16, number >>> 8, number);
    const last = Uint8Array.of(number >>> 24, number >>> 16, number >>> 8, number + 3);
    builder.add(first, last);
  }
  const ranges = builder.build();
  expect(ranges.size).toBe(count);
  for (const at of [0, 1, 77_777, count - 1]) {
    const number = at * 16 + 3;
    const inside = Uint8Array.of(number >>> 24, number >>> 16, number >>> 8, number);
    const behind = inside.slice();
    behind[3] = number + 1;
    expect([ranges.has(inside), ranges.has(behind)]).toEqual([true, false]);
  }
});
