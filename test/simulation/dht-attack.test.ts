/** Searches among nodes that want them to fail, in networks of real nodes. */

import { describe, expect, test } from 'vitest';
import { formatIp, parseIp } from '../../src/base/ip.ts';
import { type Contact, makeSecureId } from '../../src/dht/index.ts';
import type { SeededRandom } from '../../src/runtime/sim/index.ts';
import { DhtNetwork } from '../../src/simulation/index.ts';
import { makeWorld, TEST_SEED } from '../sim/world.ts';
import {
  Attacker,
  idNear,
  nearestOf,
  nodesOf,
  PORT,
  secureIdNear,
  targetIn,
  Victim,
} from './dht-attackers.ts';

interface SybilOptions {
  readonly count: number;
  /** Each in a /24 of its own. */
  readonly isSpread: boolean;
  /** Ids that follow from their addresses (BEP 42). */
  readonly isSecure: boolean;
  readonly onlySecure?: boolean;
}

interface SybilOutcome {
  /** Of the 8 honest nodes closest to the key, the share among the closest that a search found. */
  readonly found: number;
  /** The share of them that were asked and answered. */
  readonly reached: number;
  readonly queries: number;
}

/** Searches for a key that Sybils stand round, who make themselves known and name nobody else. */
async function amongSybils(options: SybilOptions): Promise<SybilOutcome> {
  const { count, isSpread, isSecure, onlySecure = false } = options;
  const world = makeWorld({ maxEvents: 1e9 });
  await using net = new DhtNetwork(world, { nodes: 1000, node: { onlySecure } });
  await using stack = new AsyncDisposableStack();
  await net.openWarm();
  const key = net.randomTarget();
  const random = world.random.fork(SYBILS);
  const sybils: Attacker[] = [];
  const contacts: Contact[] = [];
  for (let at = 0; at < count; at++) {
    const address = isSpread ? `150.0.${at}.7` : `150.0.0.${at + 1}`;
    const id = isSecure ? secureIdNear(address, key, random) : idNear(key, random);
    const answer = { token: Uint8Array.of(1, 2, 3, 4) };
    const sybil = await Attacker.open(world, {
      ...{ address, id },
      answer: (query) => ({ ...answer, nodes: nodesOf(nearestOf(contacts, targetIn(query), 8)) }),
    });
    sybils.push(stack.use(sybil));
    contacts.push(sybil.contact);
  }
  const neighbours = net.closest(key, 64);
  for (let round = 0; round < 6; round++) {
    for (const sybil of sybils) {
      for (const { contact } of neighbours) sybil.ask(contact.endpoint, 'ping');
    }
    await world.runFor(10_000);
  }
  return await searchesFor(net, key);
}

async function searchesFor(net: DhtNetwork, key: Uint8Array): Promise<SybilOutcome> {
  const sum = { found: 0, reached: 0, queries: 0 };
  for (let count = 0; count < SEARCHES; count++) {
    const from = net.randomNode();
    const truth = new Set(net.closest(key, 8, from).map(({ host }) => host.address));
    const { summary, found } = await net.world.run(
      net.search(from, key, ({ type, node }) => {
        if (type === 'answered' && truth.has(node.endpoint.host)) sum.reached++;
      }),
    );
    sum.found += found;
    sum.queries += summary.asked;
  }
  const share = (value: number): number => value / SEARCHES / 8;
  return {
    found: share(sum.found),
    reached: share(sum.reached),
    queries: sum.queries / SEARCHES,
  };
}

interface LiarOptions {
  /** What liars name when they are asked for a target; `truth` is what they should name. */
  readonly lie: (target: Uint8Array, random: SeededRandom, truth: readonly Contact[]) => Contact[];
  readonly victim?: { readonly addresses: readonly string[]; readonly ports: number };
}

interface LiarOutcome {
  /** Searches that found the 8 closest, liars that are nodes themselves among them. */
  readonly whole: number;
  readonly seconds: number;
  readonly mostSeconds: number;
  readonly queries: number;
  /** Packets to the victim, and of one search at most. */
  readonly packets: number;
  readonly mostPackets: number;
}

/** Searches in a network in which every tenth node answers with lies. */
async function amongLiars({ lie, victim }: LiarOptions): Promise<LiarOutcome> {
  const world = makeWorld({ maxEvents: 1e9 });
  await using net = new DhtNetwork(world, { nodes: 900 });
  await using stack = new AsyncDisposableStack();
  const random = world.random.fork(LIARS);
  const liars: Contact[] = [];
  for (let at = 0; at < 100; at++) {
    const address = `150.0.${at}.7`;
    const id = makeSecureId(parseIp(address) ?? new Uint8Array(4), random);
    const liar = await Attacker.open(world, {
      ...{ address, id },
      answer: (query) => {
        const target = targetIn(query);
        const truth = net.closest(target, 8).map(({ contact }) => contact);
        return { nodes: nodesOf(lie(target, random, truth)) };
      },
    });
    liars.push(stack.use(liar).contact);
  }
  await net.openWarm({ strangers: liars });
  const hit = victim && stack.use(await Victim.open(world, victim.addresses, victim.ports));
  const sum = { whole: 0, seconds: 0, queries: 0 };
  const most = { seconds: 0, packets: 0 };
  for (let count = 0; count < SEARCHES; count++) {
    const before = hit?.packets ?? 0;
    const target = net.randomTarget();
    const { summary, found } = await world.run(net.search(net.randomNode(), target));
    const isLiar = new Set(liars.map(({ endpoint }) => endpoint.host));
    const among = summary.closest.filter(({ endpoint }) => isLiar.has(endpoint.host));
    sum.whole += found + among.length >= 8 ? 1 : 0;
    sum.seconds += summary.elapsedMs / 1000;
    sum.queries += summary.asked;
    most.seconds = Math.max(most.seconds, summary.elapsedMs / 1000);
    await world.runFor(1000);
    most.packets = Math.max(most.packets, (hit?.packets ?? 0) - before);
  }
  return {
    whole: sum.whole / SEARCHES,
    seconds: sum.seconds / SEARCHES,
    mostSeconds: most.seconds,
    queries: sum.queries / SEARCHES,
    packets: hit?.packets ?? 0,
    mostPackets: most.packets,
  };
}

/** Sixteen, as many as are taken of an answer. */
function named(make: (at: number) => Contact): Contact[] {
  return Array.from({ length: 16 }, (_, at) => make(at));
}

describe(`seed ${TEST_SEED}: Sybils round a key`, () => {
  test('from one /24 there are two, whatever ids they have', async () => {
    const free = await amongSybils({ count: 100, isSpread: false, isSecure: false });
    expect(free.found).toBeGreaterThanOrEqual(0.7);
    expect(free.reached).toBeGreaterThan(0.8);
    expect(free.queries).toBeLessThan(20);
    const secure = await amongSybils({ count: 100, isSpread: false, isSecure: true });
    expect(secure.found).toBeGreaterThanOrEqual(0.7);
  }, 60_000);

  test('of 8 in networks of their own, with ids that they chose, half count', async () => {
    const { found, reached } = await amongSybils({ count: 8, isSpread: true, isSecure: false });
    expect(found).toBeGreaterThanOrEqual(0.5);
    expect(reached).toBeGreaterThan(0.55);
  }, 60_000);

  test('100 of them shut the honest out, unless ids have to be secure', async () => {
    const sybils = { count: 100, isSpread: true, isSecure: false };
    expect((await amongSybils(sybils)).found).toBeLessThan(0.1);
    const secure = await amongSybils({ ...sybils, onlySecure: true });
    expect(secure.found).toBeGreaterThan(0.9);
    expect(secure.queries).toBeLessThan(20);
  }, 60_000);

  test('with ids that their addresses allow, few of 100 come near', async () => {
    const { found, reached } = await amongSybils({ count: 100, isSpread: true, isSecure: true });
    expect(found).toBeGreaterThanOrEqual(0.25);
    expect(reached).toBeGreaterThan(found);
  }, 60_000);
});

describe(`seed ${TEST_SEED}: every tenth node names`, () => {
  const deadHost = (random: SeededRandom): string =>
    formatIp(Uint8Array.of(90 + random.below(8), random.below(256), random.below(256), 1));

  test('nobody', async () => {
    const outcome = await amongLiars({ lie: () => [] });
    expect(outcome.whole).toBeGreaterThan(0.98);
    expect(outcome.seconds).toBeLessThan(1);
  }, 60_000);

  test('dead nodes next to the target', async () => {
    const outcome = await amongLiars({
      lie: (target, random) =>
        named(() => ({
          id: idNear(target, random),
          endpoint: { host: deadHost(random), port: PORT },
        })),
    });
    expect(outcome.whole).toBeGreaterThan(0.98);
    expect(outcome.seconds).toBeLessThan(4);
    expect(outcome.mostSeconds).toBeLessThan(15);
    expect(outcome.queries).toBeLessThan(30);
  }, 60_000);

  test('the ports of a victim: it gets few packets', async () => {
    const outcome = await amongLiars({
      victim: { addresses: ['99.1.1.1'], ports: 64 },
      lie: (target, random) =>
        named(() => ({
          id: idNear(target, random),
          endpoint: { host: '99.1.1.1', port: PORT + random.below(64) },
        })),
    });
    expect(outcome.whole).toBeGreaterThan(0.98);
    expect(outcome.packets).toBeGreaterThan(0);
    expect(outcome.packets / SEARCHES).toBeLessThan(4);
    expect(outcome.mostPackets).toBeLessThanOrEqual(7);
  }, 60_000);

  test('the hosts of a network that is a victim: they get few packets together', async () => {
    const addresses = Array.from({ length: 16 }, (_, at) => `99.1.1.${at + 1}`);
    const outcome = await amongLiars({
      victim: { addresses, ports: 16 },
      lie: (target, random) =>
        named((at) => ({
          id: idNear(target, random),
          endpoint: { host: addresses[at] ?? '', port: PORT + random.below(16) },
        })),
    });
    expect(outcome.whole).toBeGreaterThan(0.98);
    expect(outcome.packets).toBeGreaterThan(0);
    expect(outcome.packets / SEARCHES).toBeLessThan(8);
    expect(outcome.mostPackets).toBeLessThanOrEqual(15);
  }, 60_000);

  test.each([
    ['near', (target: Uint8Array, random: SeededRandom) => idNear(target, random)],
    ['far', (_: Uint8Array, random: SeededRandom) => Uint8Array.from(random.bytes(20))],
  ])(
    'the closest nodes with wrong ids, %s ones',
    async (_name, idOf) => {
      const outcome = await amongLiars({
        lie: (target, random, truth) =>
          truth.map(({ endpoint }) => ({ id: idOf(target, random), endpoint })),
      });
      expect(outcome.whole).toBeGreaterThan(0.98);
      expect(outcome.seconds).toBeLessThan(1);
      expect(outcome.queries).toBeLessThan(20);
    },
    60_000,
  );

  test.each([
    ['the closest nodes at wrong ports', 0],
    ['other hosts of the networks of the closest nodes', 70],
  ])(
    '%s, with closer ids',
    async (_name, from) => {
      const outcome = await amongLiars({
        lie: (target, random, truth) =>
          truth.map(({ endpoint }, at) => ({
            id: idNear(target, random),
            endpoint: { host: neighbourOf(endpoint.host, from === 0 ? 0 : from + at), port: 7000 },
          })),
      });
      expect(outcome.whole).toBeGreaterThan(0.93);
      expect(outcome.seconds).toBeLessThan(4);
    },
    60_000,
  );
});

/** Another host of its /24; 0 for itself. */
function neighbourOf(host: string, last: number): string {
  return last === 0 ? host : host.replace(/\d+$/u, `${last}`);
}

const SEARCHES = 100;
const SYBILS = 5;
const LIARS = 6;
