import { describe, expect, test } from 'vitest';
import {
  estimateByDensity,
  estimateByZones,
  shareOfSpace,
  type ZoneCount,
} from '../../../src/dht/crawl/estimate.ts';
import { SeededRandom } from '../../../src/runtime/sim/index.ts';

const zone = (answered: number, once = 0, twice = 0): ZoneCount => ({ answered, once, twice });

/** Counts of `zones` zones when so many ids are random. */
function randomZones(nodes: number, zones: number, random: SeededRandom): number[] {
  const counts = Array<number>(zones).fill(0);
  for (let at = 0; at < nodes; at++) {
    const place = random.below(zones);
    counts[place] = (counts[place] ?? 0) + 1;
  }
  return counts;
}

describe('by zones', () => {
  test('nothing from nothing', () => {
    expect(estimateByZones([], { total: 4, loss: 0 })).toBeUndefined();
  });

  test('all zones: what was found, give or take what a walk misses', () => {
    const zones = [zone(100), zone(120), zone(80), zone(100)];
    expect(estimateByZones(zones, { total: 4, loss: 0 })).toEqual({
      ...{ nodes: 400, low: 400, high: 401, method: 'zones', sample: 4, suspect: 0 },
    });
  });

  test('2 of 8: the mean times 8, and the error of simple random sampling', () => {
    const estimate = estimateByZones([zone(90), zone(130)], { total: 8, loss: 0 });
    // s² = 800; 8·√(¾·800/2) = 138.6, times 1.96, and 0.2 % of 880.
    expect(estimate).toMatchObject({ nodes: 880, low: 880 - 273, high: 880 + 273 });
  });

  test('zones that are alike by chance count as Poisson numbers', () => {
    const estimate = estimateByZones([zone(100), zone(100)], { total: 8, loss: 0 });
    // 8·√(¾·100/2) = 49, times 1.96, and 1.6.
    expect(estimate).toMatchObject({ nodes: 800, low: 702, high: 898 });
  });

  test('95 of 100 times the truth lies within', () => {
    const random = new SeededRandom(1);
    let right = 0;
    for (let turn = 0; turn < 1000; turn++) {
      const counts = randomZones(3000, 16, random).slice(0, 5);
      const estimate = estimateByZones(
        counts.map((count) => zone(count)),
        { total: 16, loss: 0 },
      );
      if (estimate && estimate.low <= 3000 && estimate.high >= 3000) right++;
    }
    expect(right).toBeGreaterThan(930);
    expect(right).toBeLessThan(995);
  });

  test('one zone that is crowded counts like others, and is named', () => {
    const crowded = [100, 101, 99, 5000, 100].map((count) => zone(count));
    const estimate = estimateByZones(crowded, { total: 100, loss: 0 });
    // The median and six times its root.
    expect(estimate).toMatchObject({ nodes: 100 * ((400 + 160) / 5), suspect: 1 });
    const empty = [100, 101, 99, 0, 100].map((count) => zone(count));
    expect(estimateByZones(empty, { total: 100, loss: 0 })).toMatchObject({
      ...{ nodes: 100 * ((400 + 40) / 5), suspect: 1 },
    });
    // Of three nobody can say which one is odd.
    expect(estimateByZones(crowded.slice(1, 4), { total: 3, loss: 0 })).toMatchObject({
      suspect: 0,
    });
  });

  test('who nobody named, and whose answers were lost, are added', () => {
    const unseen = estimateByZones([zone(100, 10, 8)], { total: 1, loss: 0 });
    // 10·9 / 2·9
    expect(unseen?.nodes).toBe(105);
    expect(unseen?.high).toBeGreaterThan(107);
    const lossy = estimateByZones([zone(990)], { total: 1, loss: 0.1 });
    expect(lossy?.nodes).toBe(1000);
    expect(lossy?.high).toBeGreaterThan(1004);
    expect(lossy?.low).toBeGreaterThanOrEqual(990);
  });
});

describe('by density', () => {
  test('nothing from nothing, and from points that are nodes', () => {
    expect(estimateByDensity([], 8)).toBeUndefined();
    expect(estimateByDensity([0, 0], 8)).toBeUndefined();
  });

  test('(k·P − 1) / Σd', () => {
    // 15 / 0.015; 1.96 · 1000 / √14 = 524.
    expect(estimateByDensity([0.01, 0.005], 8)).toEqual({
      ...{ nodes: 1000, low: 476, high: 1524, method: 'density', sample: 2, suspect: 0 },
    });
  });

  test('95 of 100 times the truth lies within', () => {
    const random = new SeededRandom(2);
    let right = 0;
    for (let turn = 0; turn < 300; turn++) {
      const ids = Array.from({ length: 1000 }, () => random.uint32());
      const distances = Array.from({ length: 5 }, () => {
        const point = random.uint32();
        const near = ids.map((id) => ((id ^ point) >>> 0) / 2 ** 32);
        return near.toSorted((one, other) => one - other)[7] ?? 1;
      });
      const estimate = estimateByDensity(distances, 8);
      if (estimate && estimate.low <= 1000 && estimate.high >= 1000) right++;
    }
    expect(right).toBeGreaterThan(270);
  });
});

test('distances as shares of the space', () => {
  const id = (...first: number[]): Uint8Array =>
    Uint8Array.from({ length: 20 }, (_, at) => first[at] ?? 0);
  expect(shareOfSpace(id(), id())).toBe(0);
  expect(shareOfSpace(id(0x80), id())).toBe(0.5);
  expect(shareOfSpace(id(0xff, 0x80), id(0xff))).toBe(1 / 512);
  expect(shareOfSpace(new Uint8Array(20), new Uint8Array(20).fill(0xff))).toBeLessThanOrEqual(1);
});
