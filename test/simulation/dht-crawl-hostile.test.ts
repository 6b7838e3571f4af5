/** Crawls among nodes that lie: what that costs, and what it changes. */

import { describe, expect, test } from 'vitest';
import { parseIp } from '../../src/base/ip.ts';
import { type Contact, makeSecureId } from '../../src/dht/index.ts';
import type { SeededRandom } from '../../src/runtime/sim/index.ts';
import { TEST_SEED } from '../sim/world.ts';
import {
  type Answer,
  Attacker,
  idNear,
  nearestOf,
  nodesOf,
  PORT,
  targetIn,
} from './dht-attackers.ts';
import { type CrawlOutcome, CrawlScene, estimateOf, shareOf } from './dht-crawl-scene.ts';

interface Attack {
  readonly nodes: number;
  readonly attackers: number;
  readonly addressOf: (at: number) => string;
  readonly idOf: (address: string, random: SeededRandom) => Uint8Array;
  /** What an attacker answers; `others` are those like it. */
  readonly answer: (
    target: Uint8Array,
    random: SeededRandom,
    others: readonly Contact[],
    method: string,
  ) => Answer;
}

interface Attacked extends CrawlOutcome {
  /** Of the honest nodes, those that were found, 0 to 1. */
  readonly share: number;
  /** Attackers that were found. */
  readonly attackers: number;
}

async function attacked({ nodes, attackers, addressOf, idOf, answer }: Attack): Promise<Attacked> {
  await using scene = new CrawlScene({ nodes });
  await using stack = new AsyncDisposableStack();
  const { world } = scene.network;
  const random = world.random.fork(ATTACK);
  const contacts: Contact[] = [];
  for (let at = 0; at < attackers; at++) {
    const address = addressOf(at);
    const attacker = await Attacker.open(world, {
      ...{ address, id: idOf(address, random) },
      answer: (query) => answer(targetIn(query), random, contacts, query.method),
    });
    contacts.push(stack.use(attacker).contact);
  }
  await scene.network.openWarm({ strangers: contacts });
  const outcome = await scene.crawl({ rate: 500 });
  const hosts = new Set(contacts.map(({ endpoint }) => `${endpoint.host}:${endpoint.port}`));
  return {
    ...outcome,
    share: shareOf(scene.reachable, outcome.found),
    attackers: [...outcome.found].filter((address) => hosts.has(address)).length,
  };
}

function secureId(address: string, random: SeededRandom): Uint8Array {
  return makeSecureId(parseIp(address) ?? new Uint8Array(4), random);
}

function randomAddress(random: SeededRandom): string {
  return `${160 + random.below(40)}.${random.below(256)}.${random.below(256)}.9`;
}

/** All ids of one zone. */
function idInZone(_: string, random: SeededRandom): Uint8Array {
  const id = Uint8Array.from(random.bytes(20));
  id[0] = 0x5a;
  return id;
}

const ownNetwork = (at: number): string => `150.${at >>> 8}.${at & 0xff}.7`;

describe(`seed ${TEST_SEED}`, () => {
  test('made-up nodes without end cost a few queries each, and change nothing', async () => {
    const { share, report, sent, ...outcome } = await attacked({
      ...{ nodes: 1000, attackers: 50, addressOf: ownNetwork, idOf: secureId },
      answer: (target, random) => ({
        nodes: nodesOf(
          Array.from({ length: 30 }, () => ({
            id: idNear(target, random),
            endpoint: { host: randomAddress(random), port: PORT },
          })),
        ),
      }),
    });
    expect(outcome.failure).toBeUndefined();
    expect(share).toBeGreaterThan(0.95);
    expect(outcome.attackers).toBeGreaterThan(45);
    expect(Math.abs(estimateOf({ report, sent, ...outcome }).nodes - 1050)).toBeLessThan(50);
    // Of an answer 16 names are taken, and each is tried twice.
    expect(report.census.counts.silent).toBeLessThanOrEqual(16 * 100);
    expect(sent.length).toBeLessThan(1.3 * 1050 + 2 * 16 * 100);
  }, 60_000);

  test('many nodes of one network count as few', async () => {
    const outcome = await attacked({
      ...{ nodes: 1000, attackers: 200, idOf: secureId },
      addressOf: (at) => `150.0.0.${at + 1}`,
      answer: (target, _, others) => ({ nodes: nodesOf(nearestOf(others, target, 16)) }),
    });
    expect(outcome.share).toBeGreaterThan(0.95);
    expect(outcome.attackers).toBeLessThanOrEqual(64 + 8);
    expect(Math.abs(estimateOf(outcome).nodes - 1000)).toBeLessThan(100);
  }, 60_000);

  test('who crowds one zone from many networks is counted, and hardly changes the estimate', async () => {
    const outcome = await attacked({
      ...{ nodes: 2000, attackers: 1000, addressOf: ownNetwork, idOf: idInZone },
      answer: (target, _, others) => ({ nodes: nodesOf(nearestOf(others, target, 16)) }),
    });
    // Of the honest ones those of that zone are hard to find in the crowd, one in eight at most.
    expect(outcome.share).toBeGreaterThan(0.85);
    const { nodes, suspect } = estimateOf(outcome);
    expect(suspect).toBe(1);
    expect(Math.abs(nodes - 2000)).toBeLessThan(250);
  }, 60_000);

  test('ids that are others than was said, or another one each time, do not count', async () => {
    const outcome = await attacked({
      ...{ nodes: 1000, attackers: 100, addressOf: ownNetwork, idOf: secureId },
      answer: (_, random) => ({ id: Uint8Array.from(random.bytes(20)), nodes: new Uint8Array(0) }),
    });
    expect(outcome.share).toBeGreaterThan(0.95);
    const { zones = 0, census } = outcome.report;
    expect(zones).toBeGreaterThanOrEqual(4);
    expect(census.counts.elsewhere).toBeGreaterThan(50);
    expect(Math.abs(estimateOf(outcome).nodes - 1000)).toBeLessThan(100);
  }, 60_000);

  test('old clients that do not answer what they do not know are found, and taken for no loss', async () => {
    const outcome = await attacked({
      ...{ nodes: 400, attackers: 100, addressOf: ownNetwork, idOf: secureId },
      answer: (target, _, others, method) =>
        method === 'sample_infohashes'
          ? undefined
          : { version: Uint8Array.of(0x4a, 0x43), nodes: nodesOf(nearestOf(others, target, 8)) },
    });
    expect(outcome.share).toBeGreaterThan(0.98);
    expect(outcome.attackers).toBeGreaterThan(97);
    const { counts, versions } = outcome.report.census;
    expect(counts).toMatchObject({ sampling: outcome.found.size - outcome.attackers, silent: 0 });
    expect(versions.get('4a43')).toEqual({ nodes: outcome.attackers, sampling: 0 });
    const { nodes, high } = estimateOf(outcome);
    expect(Math.abs(nodes - 500)).toBeLessThan(10);
    expect(high).toBeLessThan(515);
  }, 60_000);

  test('floods of made-up samples are cut', async () => {
    const outcome = await attacked({
      ...{ nodes: 200, attackers: 20, addressOf: ownNetwork, idOf: secureId },
      answer: (_, random) => ({
        samples: random.bytes(20 * 60),
        sampleTotal: Number.MAX_SAFE_INTEGER,
        intervalSeconds: 0,
      }),
    });
    expect(outcome.attackers).toBe(20);
    expect(outcome.report.census.counts).toMatchObject({
      ...{ samples: 20 * 50, total: 20 * 100_000, sampling: outcome.found.size },
    });
    const samples = outcome.events.flatMap((event) =>
      event.type === 'node' ? (event.node.samples?.length ?? 0) : [],
    );
    expect(Math.max(...samples)).toBe(50);
  }, 60_000);
});

const ATTACK = 4242;
