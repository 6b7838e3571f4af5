import { expect, test } from 'vitest';
import { SeededRandom } from '../../../src/runtime/sim/index.ts';

test('a seed gives one sequence, another seed another', () => {
  const draw = (seed: number): number[] => {
    const random = new SeededRandom(seed);
    return Array.from({ length: 5 }, () => random.uint32());
  };
  expect(draw(1)).toEqual(draw(1));
  expect(new Set([0, 1, 2, 3, 2 ** 31].flatMap(draw)).size).toBe(25);
});

test('a fork does not depend on what was drawn before', () => {
  const fresh = new SeededRandom(7);
  const used = new SeededRandom(7);
  used.bytes(100);
  expect(used.fork(3).uint32()).toBe(fresh.fork(3).uint32());
  expect(fresh.fork(3).uint32()).not.toBe(fresh.fork(4).uint32());
});

test('chances and ranges hold', () => {
  const random = new SeededRandom(11);
  let hits = 0;
  for (let round = 0; round < 10_000; round++) {
    if (random.chance(0.3)) hits++;
    const below = random.below(7);
    expect(below >= 0 && below < 7 && Number.isInteger(below)).toBe(true);
  }
  // 8 standard deviations.
  expect(Math.abs(hits - 3000)).toBeLessThan(370);
  expect([random.chance(0), random.chance(1)]).toEqual([false, true]);
});
