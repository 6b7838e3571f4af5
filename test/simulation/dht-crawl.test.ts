/** Crawls of whole networks whose size is known. */

import { describe, expect, test } from 'vitest';
import { TEST_SEED } from '../sim/world.ts';
import { afterZones, CrawlScene, estimateOf, type Sent, shareOf } from './dht-crawl-scene.ts';

/** The most queries that any second has. */
function busiestSecond(sent: readonly Sent[]): number {
  let from = 0;
  return sent.reduce((most, { at }, to) => {
    while ((sent[from]?.at ?? at) <= at - 1000) from++;
    return Math.max(most, to - from + 1);
  }, 0);
}

/** Queries to the same address, of one kind. */
function mostAlike(sent: readonly Sent[], method: string): number {
  const counts = new Map<string, number>();
  for (const one of sent) {
    if (one.method === method) counts.set(one.to, (counts.get(one.to) ?? 0) + 1);
  }
  return Math.max(0, ...counts.values());
}

describe(`seed ${TEST_SEED}`, () => {
  test('3,000 nodes: all are found, at the rate, and counted', async () => {
    await using scene = await CrawlScene.of({ nodes: 3000 });
    const outcome = await scene.crawl({ rate: 100 });
    expect(outcome.failure).toBeUndefined();
    expect(shareOf(scene.reachable, outcome.found)).toBeGreaterThan(0.995);
    expect(outcome.found.size).toBe(outcome.events.filter(({ type }) => type === 'node').length);
    expect(outcome.report).toMatchObject({ zones: 16, zonesDone: 16 });
    const { nodes, low, high, suspect } = estimateOf(outcome);
    expect([low <= 3000, high >= 3000, suspect]).toEqual([true, true, 0]);
    expect(high - low).toBeLessThan(30);
    expect(nodes).toBeGreaterThan(2980);
    expect(busiestSecond(outcome.sent)).toBeLessThanOrEqual(101);
    // No node is asked for samples twice, and the way into zones costs little.
    expect(mostAlike(outcome.sent, 'sample_infohashes')).toBe(1);
    expect(outcome.sent.length).toBeLessThan(1.2 * 3000);
    expect(outcome.report.census.counts).toMatchObject({
      ...{ queries: outcome.sent.length, silent: 0, elsewhere: 0 },
      ...{ secure: outcome.found.size, sampling: outcome.found.size },
    });
  }, 120_000);

  test('behind NATs, read-only and lossy: those that answer are found', async () => {
    const host = { latencyMs: 40, jitterMs: 20, loss: 0.02 };
    await using scene = await CrawlScene.of({ nodes: 2000, natted: 0.3, readOnly: 0.1, host });
    const { reachable } = scene;
    const outcome = await scene.crawl({ rate: 200 });
    expect(shareOf(reachable, outcome.found)).toBeGreaterThan(0.99);
    const { low, high } = estimateOf(outcome);
    expect(low).toBeLessThanOrEqual(reachable.size);
    expect(high).toBeGreaterThanOrEqual(reachable.size);
    // Nobody is asked more than twice in a zone, by one question and by the other.
    expect(mostAlike(outcome.sent, 'sample_infohashes')).toBe(1);
  }, 120_000);

  test('a part of the zones tells the size, within the bounds that it states', async () => {
    await using scene = await CrawlScene.of({ nodes: 3000 });
    let right = 0;
    for (let turn = 0; turn < TURNS; turn++) {
      const outcome = await scene.crawl({ rate: 500, until: afterZones(6) });
      const { nodes, low, high, method } = estimateOf(outcome);
      if (low <= 3000 && 3000 <= high) right++;
      expect(method).toBe('zones');
      expect(Math.abs(nodes - 3000)).toBeLessThan(450);
      expect(high - low).toBeLessThan(900);
      expect(high - low).toBeGreaterThan(100);
    }
    // 95 of 100 are to be.
    expect(right).toBeGreaterThanOrEqual(TURNS - 2);
  }, 120_000);

  test('what it knows before the first zone: the density around a few points', async () => {
    await using scene = await CrawlScene.of({ nodes: 2000 });
    const outcome = await scene.crawl({ until: ({ type }) => type === 'node' });
    const { low, high, method } = estimateOf(outcome);
    expect([method, low <= 2000, high >= 2000]).toEqual(['density', true, true]);
    expect(high - low).toBeLessThan(2000);
  }, 60_000);

  test.each([[1], [2], [7], [8], [9], [30]])('a network of %d', async (nodes) => {
    await using scene = await CrawlScene.of({ nodes });
    const outcome = await scene.crawl();
    expect(outcome.failure).toBeUndefined();
    expect(outcome.found).toEqual(scene.reachable);
    expect(estimateOf(outcome)).toMatchObject({ low: nodes, nodes, method: 'zones' });
  });

  test('goes on where it was, and asks nobody again', async () => {
    await using scene = await CrawlScene.of({ nodes: 2000 });
    const first = await scene.crawl({ until: afterZones(3) });
    expect(String(first.failure)).toContain('enough');
    await scene.network.world.runFor(10_000);
    const second = await scene.crawl({ state: first.state });
    expect(second.failure).toBeUndefined();
    expect(shareOf(first.found, second.found)).toBe(0);
    const found = new Set([...first.found, ...second.found]);
    expect(shareOf(scene.reachable, found)).toBeGreaterThan(0.99);
    const answered = first.found.size + second.found.size;
    expect(second.report.census.counts.answered).toBe(answered);
    expect(second.report.zones).toBe(first.report.zones);
    expect(second.report.zonesDone).toBe(second.report.zones);
    expect(Math.abs(estimateOf(second).nodes - 2000)).toBeLessThan(20);
    const asked = second.sent.filter(({ method }) => method === 'sample_infohashes');
    expect(asked.filter(({ to }) => first.found.has(to))).toEqual([]);
    const third = await scene.crawl({ state: second.state });
    expect([third.failure, third.sent, third.events]).toEqual([undefined, [], []]);
    expect(third.report).toEqual(second.report);
  }, 60_000);

  test('no network, or none any more: an error, and those it cost are asked again', async () => {
    await using scene = await CrawlScene.of({ nodes: 1000 });
    await using nowhere = new CrawlScene({ nodes: 0 });
    expect((await nowhere.crawl()).failure).toMatchObject({ code: 'BIP_DHT_SILENT' });
    const cut = await scene.crawl({
      until: ({ type }) => {
        if (type === 'zone') scene.isCut = true;
        return false;
      },
    });
    expect(cut.failure).toMatchObject({ code: 'BIP_DHT_SILENT' });
    scene.isCut = false;
    const whole = await scene.crawl({ state: cut.state });
    expect(whole.failure).toBeUndefined();
    const found = new Set([...cut.found, ...whole.found]);
    expect(shareOf(scene.reachable, found)).toBeGreaterThan(0.99);
    expect(whole.report.census.counts.silent).toBe(0);
  }, 60_000);

  test('the same seed gives the same crawl', async () => {
    const run = async (): Promise<readonly Sent[]> => {
      await using scene = await CrawlScene.of({ nodes: 300 });
      return (await scene.crawl()).sent;
    };
    expect(await run()).toEqual(await run());
  }, 60_000);
});

const TURNS = 10;
