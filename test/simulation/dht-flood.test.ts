/** Floods, spoofed answers and forged items against nodes of the DHT. */

import { describe, expect, test } from 'vitest';
import { encodeUtf8, formatHex } from '../../src/base/bytes.ts';
import { formatIp, parseIp } from '../../src/base/ip.ts';
import {
  type Contact,
  type DhtItem,
  immutableTarget,
  makeSecureId,
  mutableTarget,
  publicKeyOf,
  type Realm,
  signItem,
} from '../../src/dht/index.ts';
import { decodeMessage, type KrpcQuery, KrpcWriter } from '../../src/dht/krpc/index.ts';
import { decodeNodes } from '../../src/dht/node-info.ts';
import { DhtNetwork, type SimulatedNode } from '../../src/simulation/index.ts';
import { BareNode } from '../dht/bare-node.ts';
import { makeWorld, TEST_SEED } from '../sim/world.ts';
import { type Answer, Attacker, idNear, nearestOf, nodesOf } from './dht-attackers.ts';

/** Whom the table would keep for the next run: those that are good. */
function goodOf({ table }: Realm, now: number): Set<string> {
  return new Set(decodeNodes(table.save(now), 4).map(({ endpoint }) => endpoint.host));
}

function realmOf({ node }: Pick<SimulatedNode, 'node'>): Realm {
  const [realm] = node.realms;
  if (realm === undefined) throw new RangeError('a node has a realm');
  return realm;
}

describe(`seed ${TEST_SEED}: a flood`, () => {
  test('from all hosts of a /24, which answer, leaves good nodes where they are', async () => {
    const world = makeWorld({ maxEvents: 1e9 });
    await using net = new DhtNetwork(world, { nodes: 300 });
    await using stack = new AsyncDisposableStack();
    await net.openWarm();
    net.startMaintenance();
    await world.runFor(10_000);
    const flooded = net.randomNode();
    const realm = realmOf(flooded);
    const before = goodOf(realm, world.now);
    const random = world.random.fork(FLOOD);
    const flooders: Attacker[] = [];
    for (let at = 0; at < 254; at++) {
      const address = `150.0.0.${at + 1}`;
      const id = idNear(realm.table.ownId, random);
      flooders.push(stack.use(await Attacker.open(world, { address, id, answer: () => ({}) })));
    }
    const friends = net.closest(flooded.contact.id, 20, flooded);
    const failures: unknown[] = [];
    let asked = 0;
    let answered = 0;
    for (let step = 0; step < 300; step++) {
      for (const flooder of flooders) {
        const id = step % 2 === 0 ? flooder.contact.id : Uint8Array.from(random.bytes(20));
        flooder.ask(flooded.contact.endpoint, 'find_node', { id, target: id });
      }
      const friend = friends[step % friends.length];
      if (friend !== undefined && step % 5 === 0) {
        asked++;
        const ping = friend.node.ping(flooded.contact.endpoint, NEVER);
        ping.then(
          () => answered++,
          (error: unknown) => failures.push(error),
        );
      }
      await world.runFor(100);
    }
    await world.runFor(10_000);
    expect(realm.counters.queriesIn).toBeGreaterThan(300 * 254);
    expect(realm.counters.refusedByRate).toBeGreaterThan(300 * 200);
    expect(failures).toEqual([]);
    expect(answered).toBe(asked);
    const after = goodOf(realm, world.now);
    expect([...before].filter((host) => !after.has(host))).toEqual([]);
    expect([...after].filter((host) => host.startsWith('150.')).length).toBeLessThanOrEqual(8);
  }, 60_000);

  test('of made-up ids from addresses that are not theirs changes no live node', async () => {
    await using bare = await BareNode.open();
    const { world, node } = bare;
    const { table } = realmOf({ node });
    const random = world.random.fork(FLOOD);
    for (let at = 0; at < 200; at++) {
      const host = `80.0.${at}.1`;
      const id = makeSecureId(parseIp(host) ?? new Uint8Array(4), random);
      table.answered({ id, endpoint: { host, port: 6881 } }, 50, world.now);
    }
    const before = goodOf(realmOf({ node }), world.now);
    const size = table.size;
    const writer = new KrpcWriter();
    let answered = 0;
    for (let count = 0; count < 100_000; count++) {
      const from = formatIp(Uint8Array.of(150, 1, random.below(256), random.below(256)));
      const near = random.chance(0.5) ? idNear(table.ownId, random) : random.bytes(20);
      bare.receive(writer.encode(pingOf(Uint8Array.from(near))), { host: from, port: 6881 });
      if (count % 500 > 0) continue;
      const friend = { host: `80.0.${(count / 500) % 200}.1`, port: 6881 };
      const sent = bare.receive(writer.encode(pingOf(new Uint8Array(20).fill(7))), friend);
      answered += sent.filter(({ to }) => to.host === friend.host).length;
      await world.runFor(100);
    }
    expect(answered).toBe(200);
    expect(table.size).toBe(size);
    expect(goodOf(realmOf({ node }), world.now)).toEqual(before);
    expect(table.replacements).toBeLessThan(300);
  }, 60_000);
});

test('answers with guessed transactions, or from elsewhere, are none', async () => {
  await using bare = await BareNode.open();
  const { world, node } = bare;
  const asked = { host: '80.0.0.1', port: 6881 };
  const ping = node.ping(asked, NEVER);
  await world.runFor(10);
  const [sent] = bare.sent;
  const query = sent && decodeMessage(sent.bytes);
  if (query?.type !== 'query') throw new Error('it pings');
  const transaction = query.transaction.slice();
  const random = world.random.fork(FLOOD);
  const writer = new KrpcWriter();
  const forged = { type: 'response', id: new Uint8Array(20).fill(6) } as const;
  for (let guess = 0; guess < 20_000; guess++) {
    const guessed = Uint8Array.from(random.bytes(1 + random.below(6)));
    bare.receive(writer.encode({ ...forged, transaction: guessed }), asked);
  }
  for (const from of [
    { host: '80.0.0.1', port: 6882 },
    { host: '80.0.0.2', port: 6881 },
  ]) {
    bare.receive(writer.encode({ ...forged, transaction }), from);
  }
  const { table, counters } = realmOf({ node });
  expect(counters.unasked).toBe(20_002);
  expect(table.size).toBe(0);
  const id = new Uint8Array(20).fill(5);
  bare.receive(writer.encode({ type: 'response', transaction, id }), asked);
  expect(await world.run(ping)).toMatchObject({ id });
});

describe(`seed ${TEST_SEED}: forged items`, () => {
  const SECRET = new Uint8Array(32).fill(1);
  const OTHER = new Uint8Array(32).fill(2);
  const NO_SALT = new Uint8Array(0);
  const genuine = signItem({
    ...{ secretKey: SECRET, salt: NO_SALT, sequence: 3n },
    value: encodeUtf8('7:genuine'),
  });
  const newer = { ...genuine, sequence: 9n, value: encodeUtf8('6:forged') };
  const others = signItem({
    ...{ secretKey: OTHER, salt: NO_SALT, sequence: 9n },
    value: encodeUtf8('6:others'),
  });
  const written: DhtItem = { type: 'immutable', value: encodeUtf8('9:immutable') };

  test.each<{ name: string; target: Uint8Array; item: DhtItem; forged: Answer }>([
    {
      name: 'a newer one without the signature for it',
      target: mutableTarget(publicKeyOf(SECRET), NO_SALT),
      item: genuine,
      forged: newer,
    },
    {
      name: 'one of another key',
      target: mutableTarget(publicKeyOf(SECRET), NO_SALT),
      item: genuine,
      forged: others,
    },
    {
      name: 'another value',
      target: immutableTarget(written.value),
      item: written,
      forged: { value: encodeUtf8('6:forged') },
    },
  ])(
    '$name',
    async ({ target, item, forged }) => {
      const world = makeWorld({ maxEvents: 1e9 });
      await using net = new DhtNetwork(world, { nodes: 300 });
      await using stack = new AsyncDisposableStack();
      await net.openWarm();
      const owner = net.randomNode();
      const [put] = await world.run(
        owner.node.putItem(target, { signal: NEVER, make: () => item }),
      );
      expect(put?.writes.filter(({ outcome }) => outcome === 'stored').length).toBe(8);
      const forgers = await surround(net, stack, { target, forged });

      const forgeries = new Map<string, number>();
      let found = 0;
      for (let count = 0; count < 50; count++) {
        const onForgery = ({ endpoint }: Pick<Contact, 'endpoint'>): void => {
          forgeries.set(endpoint.host, (forgeries.get(endpoint.host) ?? 0) + 1);
        };
        const { node } = net.randomNode();
        const [got] = await world.run(node.getItem(target, { signal: NEVER, onForgery }));
        if (got?.item === undefined) continue;
        found++;
        expect(formatHex(got.item.value)).toBe(formatHex(item.value));
      }
      expect(found).toBeGreaterThanOrEqual(45);
      const hosts = new Set(forgers.map(({ contact }) => contact.endpoint.host));
      expect(forgeries.size, 'they were asked').toBeGreaterThan(0);
      expect([...forgeries.keys()].filter((host) => !hosts.has(host))).toEqual([]);
    },
    60_000,
  );

  /** Eight nodes next to a target that give what is forged, and make themselves known. */
  async function surround(
    net: DhtNetwork,
    stack: AsyncDisposableStack,
    { target, forged }: { readonly target: Uint8Array; readonly forged: Answer },
  ): Promise<readonly Attacker[]> {
    const { world } = net;
    const random = world.random.fork(FLOOD);
    const contacts: Contact[] = [];
    const forgers: Attacker[] = [];
    for (let at = 0; at < 8; at++) {
      const forger = await Attacker.open(world, {
        address: `150.0.${at}.7`,
        id: idNear(target, random),
        answer: ({ method }) => ({
          ...(method === 'get' ? forged : {}),
          nodes: nodesOf(nearestOf(contacts, target, 8)),
          token: Uint8Array.of(1),
        }),
      });
      forgers.push(stack.use(forger));
      contacts.push(forger.contact);
    }
    for (let round = 0; round < 6; round++) {
      for (const forger of forgers) {
        for (const { contact } of net.closest(target, 32)) {
          forger.ask(contact.endpoint, 'ping');
        }
      }
      await world.runFor(10_000);
    }
    return forgers;
  }
});

function pingOf(id: Uint8Array): KrpcQuery {
  return {
    type: 'query',
    transaction: Uint8Array.of(1, 2),
    method: 'ping',
    args: { id },
    readOnly: false,
  };
}

const FLOOD = 8;
const NEVER = new AbortController().signal;
