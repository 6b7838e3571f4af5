import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Random } from '../../src/runtime/ports.ts';
import { TrackerTiers } from '../../src/tracker/index.ts';

/** A small seeded generator (xorshift32). */
function seeded(seed: number): Random {
  let state = seed | 1;
  return {
    uint32() {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return state >>> 0;
    },
    bytes: (length) => new Uint8Array(length),
  };
}

describe('TrackerTiers (BEP 12)', () => {
  test('shuffles inside tiers and keeps their order', () => {
    const orders = new Set<string>();
    for (let seed = 1; seed <= 200; seed++) {
      const tiers = new TrackerTiers([['a', 'b', 'c'], ['d'], ['e', 'f']], seeded(seed * 7919));
      const [first, second, third] = tiers.tiers;
      expect(first?.toSorted()).toEqual(['a', 'b', 'c']);
      expect(second).toEqual(['d']);
      expect(third?.toSorted()).toEqual(['e', 'f']);
      expect(tiers.order).toEqual(tiers.tiers.flat());
      orders.add(tiers.order.join(''));
    }
    expect(orders.size).toBe(12);
  });

  test('who answers goes first in its tier', () => {
    const tiers = new TrackerTiers(
      [
        ['a', 'b', 'c'],
        ['d', 'e'],
      ],
      seeded(5),
    );
    const last = tiers.tiers[0]?.at(-1) ?? '';
    const others = tiers.tiers[0]?.slice(0, -1) ?? [];
    tiers.answered(last);
    expect(tiers.tiers[0]).toEqual([last, ...others]);
    tiers.answered(last);
    expect(tiers.tiers[0]).toEqual([last, ...others]);
    tiers.answered('e');
    expect(tiers.tiers[1]).toEqual(['e', 'd']);
    const before = tiers.order;
    tiers.answered('unknown');
    expect(tiers.order).toEqual(before);
  });

  test('repeated URLs are asked once and empty tiers are dropped', () => {
    const tiers = new TrackerTiers([[], ['a', 'a'], ['a'], ['b', 'a']], seeded(1));
    expect(tiers.tiers).toEqual([['a'], ['b']]);
  });

  test('always a permutation of the distinct URLs', () => {
    const urls = fc.array(fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f')));
    fc.assert(
      fc.property(urls, fc.integer(), (lists, seed) => {
        const { order } = new TrackerTiers(lists, seeded(seed));
        expect(order.toSorted()).toEqual([...new Set(lists.flat())].toSorted());
      }),
    );
  });

  test('what a caller does to a list does not reach in', () => {
    const tiers = new TrackerTiers([['a']], seeded(1));
    expect(tiers.tiers).not.toBe(tiers.tiers);
  });
});
