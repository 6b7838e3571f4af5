import { expect, test } from 'vitest';
import { Dice } from '../../src/dht/dice.ts';

test.each([1, 2, 7, 500])('all numbers below %i are equally likely', (end) => {
  const dice = new Dice(end);
  const counts = new Int32Array(end);
  for (let turn = 0; turn < 400 * end; turn++) {
    const number = dice.below(end);
    counts[number] = (counts[number] ?? 0) + 1;
  }
  // 400 each; five standard deviations are 100.
  expect(Math.min(...counts)).toBeGreaterThanOrEqual(300);
  expect(Math.max(...counts)).toBeLessThanOrEqual(500);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(400 * end);
});

test('the same seed gives the same numbers, another seed others', () => {
  const row = (seed: number): number[] => {
    const dice = new Dice(seed);
    return Array.from({ length: 20 }, () => dice.below(1_000));
  };
  expect(row(5)).toEqual(row(5));
  expect(row(5)).not.toEqual(row(6));
});
