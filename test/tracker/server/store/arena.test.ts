import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SeededRandom } from '../../../../src/runtime/sim/index.ts';
import { Arena } from '../../../../src/tracker/server/store/arena.ts';
import { createHandle } from '../../../../src/tracker/server/store/layout.ts';
import { familyShape, unitsOf } from '../../../../src/tracker/server/store/size-classes.ts';

function arenaOf(maxBytes: number): Arena {
  const limits = { maxPeers: 1_000_000, maxSwarms: 1, maxBytes, peerLifetimeSeconds: 100 };
  const handle = createHandle({ ...limits, shared: false, random: new SeededRandom(1) });
  const arena = new Arena(handle, new Int32Array(handle.table));
  arena.format();
  return arena;
}

test('chunks are of 1, 2, 3, 4, 6, 8, 12 … units', () => {
  const units = Array.from({ length: 10 }, (_, sizeClass) => unitsOf(sizeClass));
  expect(units).toEqual([1, 2, 3, 4, 6, 8, 12, 16, 24, 32]);
});

test.each([[4 as const], [6 as const]])(
  'chunks of IPv%i hold more the larger they are',
  (family) => {
    const { capacity, slots, hot, maxClass } = familyShape(family, 2 ** 20);
    for (let sizeClass = 1; sizeClass <= maxClass; sizeClass++) {
      const peers = capacity[sizeClass] ?? 0;
      const index = slots[sizeClass] ?? 0;
      expect(peers).toBeGreaterThan((capacity[sizeClass - 1] ?? 0) - 1);
      expect(peers * (hot + 5) + index).toBeLessThanOrEqual(unitsOf(sizeClass) * 8);
      // What the index must leave free, and what it must not waste.
      expect(index === 0 ? peers <= 40 : index * 3 >= peers * 4 && index < peers * 3).toBe(true);
      expect(Number.isInteger(Math.log2(index || 1))).toBe(true);
    }
  },
);

test('no two chunks overlap, and all that was given back can be had again', () => {
  const step = fc.record({ sizeClass: fc.nat(12), release: fc.nat(20), keep: fc.boolean() });
  fc.assert(
    fc.property(fc.integer({ min: 300, max: 60_000 }), fc.array(step), (bytes, steps) => {
      const arena = arenaOf(bytes);
      const owners = new Uint8Array(arena.units);
      let held: { unit: number; sizeClass: number }[] = [];
      const release = ({ unit, sizeClass }: { unit: number; sizeClass: number }): void => {
        owners.fill(0, unit, unit + unitsOf(sizeClass));
        arena.release(unit, sizeClass);
      };
      for (const { sizeClass, release: which, keep } of steps) {
        const unit = keep ? arena.allocate(sizeClass) : -1;
        if (unit >= 0) {
          const mine = owners.subarray(unit, unit + unitsOf(sizeClass));
          expect(mine).toHaveLength(unitsOf(sizeClass));
          expect(mine.includes(1)).toBe(false);
          mine.fill(1);
          held.push({ unit, sizeClass });
        } else {
          const gone = held[which];
          held = held.filter((chunk) => chunk !== gone);
          if (gone !== undefined) release(gone);
        }
        expect(arena.used).toBe(owners.reduce((sum, owned) => sum + owned, 0));
      }
      for (const chunk of held) release(chunk);
      expect(arena.used).toBe(0);
      for (let unit = 0; unit < arena.units; unit++) {
        expect(arena.allocate(0)).toBeGreaterThanOrEqual(0);
      }
      expect(arena.allocate(0)).toBe(-1);
    }),
    { numRuns: 60 },
  );
});
