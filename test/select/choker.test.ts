import { expect, test } from 'vitest';
import { TitForTat } from '../../src/select/index.ts';

function random(): { uint32: () => number; bytes: (length: number) => Uint8Array } {
  let state = 7;
  return {
    uint32: () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state >>> 8;
    },
    bytes: (length) => new Uint8Array(length),
  };
}
const peers = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ peer: n, interested: true, rate: n * 1000 }));

test('while there are places, everybody interested is served', () => {
  const choker = new TitForTat<number>(random(), 4);
  const chosen = choker.choose([...peers(3), { peer: 9, interested: false, rate: 1e9 }]);
  expect([...chosen].toSorted((a, b) => a - b)).toEqual([0, 1, 2]);
});

test('the fastest keep their places, one place is for somebody else', () => {
  const choker = new TitForTat<number>(random(), 4);
  const chosen = choker.choose(peers(20));
  expect(chosen.size).toBe(4);
  for (const fast of [17, 18, 19]) expect(chosen.has(fast)).toBe(true);
});

test('the optimistic place changes hands every third round and reaches everybody in time', () => {
  const choker = new TitForTat<number>(random(), 4);
  const optimists = Array.from({ length: 1200 }, () => {
    const chosen = choker.choose(peers(20));
    return [...chosen].find((peer) => peer < 17);
  });
  expect(optimists.slice(0, 3)).toEqual(Array(3).fill(optimists[0]));
  expect(new Set(optimists).size).toBe(17);
});
