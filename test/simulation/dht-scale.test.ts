/** Searches in whole networks of DHT nodes. */

import { describe, expect, test } from 'vitest';
import { DhtNetwork, type DhtNetworkOptions } from '../../src/simulation/index.ts';
import { makeWorld, TEST_SEED } from '../sim/world.ts';

interface Outcome {
  /** Of the 8 closest that live, how many were found, from 0 to 1. */
  readonly share: number;
  /** Searches that found all 8, from 0 to 1. */
  readonly whole: number;
  readonly hops: number;
  readonly mostHops: number;
  /** Queries of one search. */
  readonly queries: number;
  /** Virtual seconds of one search. */
  readonly seconds: number;
}

async function searches(net: DhtNetwork, count: number): Promise<Outcome> {
  const sum = { share: 0, whole: 0, hops: 0, queries: 0, seconds: 0 };
  let mostHops = 0;
  for (let at = 0; at < count; at++) {
    const search = net.search(net.randomNode(), net.randomTarget());
    const { summary, found } = await net.world.run(search);
    sum.share += found / 8;
    sum.whole += found === 8 ? 1 : 0;
    sum.hops += summary.hops;
    sum.queries += summary.asked;
    sum.seconds += summary.elapsedMs / 1000;
    mostHops = Math.max(mostHops, summary.hops);
  }
  const mean = (value: number): number => value / count;
  return {
    share: mean(sum.share),
    whole: mean(sum.whole),
    hops: mean(sum.hops),
    queries: mean(sum.queries),
    seconds: mean(sum.seconds),
    mostHops,
  };
}

async function outcomeOf(options: Partial<DhtNetworkOptions>, count: number): Promise<Outcome> {
  await using net = new DhtNetwork(makeWorld({ maxEvents: 1e9 }), options);
  await net.openWarm();
  return await searches(net, count);
}

describe(`seed ${TEST_SEED}`, () => {
  test('10,000 nodes: 1,000 searches find the 8 closest in few hops', async () => {
    const outcome = await outcomeOf({ nodes: 10_000 }, 1000);
    expect(outcome.whole).toBe(1);
    expect(outcome.mostHops).toBeLessThanOrEqual((1.2 * Math.log2(10_000)) / 3 + 3);
    expect(outcome.queries).toBeLessThan(25);
    expect(outcome.seconds).toBeLessThan(1);
  }, 180_000);

  test('of lossy packets 5 % are lost on each access: most searches still find all', async () => {
    const outcome = await outcomeOf(
      { nodes: 1000, host: { latencyMs: 40, jitterMs: 20, loss: 0.05 } },
      300,
    );
    expect(outcome.share).toBeGreaterThan(0.93);
    expect(outcome.whole).toBeGreaterThan(0.6);
    expect(outcome.seconds).toBeLessThan(3);
  }, 60_000);

  test('a third cannot be reached, a tenth does not answer: searches go round them', async () => {
    const outcome = await outcomeOf({ nodes: 1000, natted: 0.33, readOnly: 0.1 }, 300);
    expect(outcome.share).toBeGreaterThan(0.99);
  }, 60_000);

  test('nodes that join one after the other by one of them find each other', async () => {
    await using net = new DhtNetwork(makeWorld(), { nodes: 300 });
    await net.world.run(net.openCold());
    await net.world.runFor(120_000);
    const outcome = await searches(net, 100);
    expect(outcome.share).toBeGreaterThan(0.99);
  }, 60_000);

  test.each([
    [0.1, 0.98, 0.9],
    [0.5, 0.95, 0.75],
  ])(
    '%d of 300 nodes leave in an hour and others come',
    async (churnPerHour, share, whole) => {
      const options = { nodes: 300, churnPerHour };
      await using net = new DhtNetwork(makeWorld({ maxEvents: 1e9 }), options);
      await net.openWarm();
      net.startMaintenance();
      await net.pass(20 * 60_000);
      const outcome = await searches(net, 100);
      expect(outcome.share).toBeGreaterThan(share);
      expect(outcome.whole).toBeGreaterThan(whole);
    },
    120_000,
  );

  test('the same seed gives the same trace', async () => {
    const run = async (): Promise<string> => {
      const world = makeWorld();
      await using net = new DhtNetwork(world, { nodes: 100, natted: 0.2 });
      await net.openWarm();
      await searches(net, 20);
      return world.trace.hash;
    };
    expect(await run()).toBe(await run());
  }, 60_000);
});
