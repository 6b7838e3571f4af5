import { describe, expect, test } from 'vitest';
import { formatHex } from '../../src/base/bytes.ts';
import { formatEndpoint } from '../../src/base/endpoint.ts';
import { parseIp } from '../../src/base/ip.ts';
import { encode } from '../../src/bencode/index.ts';
import {
  compareDistance,
  decodeState,
  encodeState,
  immutableTarget,
  isSecureId,
  mutableTarget,
  publicKeyOf,
  signItem,
} from '../../src/dht/index.ts';
import { DhtWorld, type Member, PORT, publicAddress, publicAddress6 } from './dht-world.ts';

const HASH = new Uint8Array(20).fill(0x5a);

async function peersSeenBy(dht: DhtWorld, { node }: Member): Promise<string[]> {
  const [found] = await dht.world.run(node.findPeers(HASH, { signal: dht.signal }));
  return (found?.peers ?? []).map(formatEndpoint).toSorted();
}

describe('peers', () => {
  test('that announce are found by everybody, each with the port that it says', async () => {
    await using dht = new DhtWorld();
    await dht.populate(30);
    const { world, signal } = dht;
    const announce = { port: 5000, seed: false };
    const [result] = await world.run(dht.member(3).node.findPeers(HASH, { signal, announce }));
    expect(result?.writes.map(({ outcome }) => outcome)).toEqual(Array(8).fill('stored'));
    const implied = { port: undefined, seed: false };
    await world.run(dht.member(4).node.findPeers(HASH, { signal, announce: implied }));
    const both = [`${publicAddress(3)}:5000`, `${publicAddress(4)}:${PORT}`];
    for (const at of [0, 9, 29]) expect(await peersSeenBy(dht, dht.member(at))).toEqual(both);
  });

  test('in a DHT of two, of which each keeps what there is no other node for', async () => {
    await using dht = new DhtWorld();
    await dht.populate(1);
    const { signal, world } = dht;
    const announce = { port: 5000, seed: true };
    const first = dht.member(0);
    const [alone] = await world.run(first.node.findPeers(HASH, { signal, announce }));
    expect([alone?.lookup.answered, alone?.writes]).toEqual([0, []]);
    await dht.populate(1);
    const second = dht.member(1);
    expect(await peersSeenBy(dht, second)).toEqual([`${publicAddress(0)}:5000`]);
    await world.run(second.node.findPeers(HASH, { signal, announce }));
    const both = [`${publicAddress(0)}:5000`, `${publicAddress(1)}:5000`];
    expect(await peersSeenBy(dht, first)).toEqual(both);
    const other = HASH.map((byte) => byte ^ 0xff);
    const [none] = await world.run(first.node.findPeers(other, { signal }));
    expect(none?.peers).toEqual([]);
  });

  test('are kept by who announces only if it is one of the closest, and answers', async () => {
    await using dht = new DhtWorld();
    await dht.populate(30);
    const { signal, world } = dht;
    const announce = { port: 5000, seed: false };
    const idOf = ({ node }: Member): Uint8Array => node.idOf(4) ?? HASH;
    const sorted = dht.members.toSorted((a, b) => compareDistance(HASH, idOf(a), idOf(b)));
    const silent = await dht.open(publicAddress(30), { readOnly: true, id: HASH });
    const seen: boolean[] = [];
    for (const { node } of [...sorted.slice(0, 1), ...sorted.slice(-1), silent]) {
      await world.run(node.findPeers(HASH, { signal, announce }));
      seen.push(node.stores.peers.has(HASH, world.now));
    }
    expect(seen).toEqual([true, false, false]);
  });

  test('are told one by one, each once, and the steps of the search with them', async () => {
    await using dht = new DhtWorld();
    await dht.populate(20);
    const { signal, world } = dht;
    const announce = { port: 5000, seed: false };
    await world.run(dht.member(3).node.findPeers(HASH, { signal, announce }));
    const told: string[] = [];
    const steps = new Map<string, number>();
    const [found] = await world.run(
      dht.member(9).node.findPeers(HASH, {
        signal,
        onPeer: (peer) => told.push(formatEndpoint(peer)),
        onEvent: ({ type }) => steps.set(type, (steps.get(type) ?? 0) + 1),
      }),
    );
    expect(told).toEqual([`${publicAddress(3)}:5000`]);
    expect(steps.get('asked')).toBe(found?.lookup.asked);
    expect(steps.get('answered')).toBe(found?.lookup.answered);
    expect(found?.lookup.closest).toHaveLength(8);
  });

  test('are counted by blooms, seeds apart (BEP 33)', async () => {
    await using dht = new DhtWorld();
    await dht.populate(25);
    const { signal, world } = dht;
    for (let at = 0; at < 12; at++) {
      const announce = { port: 5000, seed: at < 4 };
      await world.run(dht.member(at).node.findPeers(HASH, { signal, announce }));
    }
    const [found] = await world.run(dht.member(20).node.findPeers(HASH, { signal, scrape: true }));
    expect(Math.round(found?.scrape?.seeds.estimate() ?? 0)).toBe(4);
    expect(Math.round(found?.scrape?.leechers.estimate() ?? 0)).toBe(8);
    expect(found?.scrape?.answers).toBeGreaterThanOrEqual(8);
    const [leechers] = await world.run(
      dht.member(20).node.findPeers(HASH, { signal, noSeed: true }),
    );
    expect(leechers?.peers).toHaveLength(8);
  });

  test('over IPv6 live in a DHT of their own (BEP 32)', async () => {
    await using dht = new DhtWorld();
    for (let at = 0; at < 12; at++) {
      const bootstrap = at === 0 ? [] : [publicAddress(0), publicAddress6(0)];
      const member = await dht.open(
        publicAddress(at),
        { bootstrap: bootstrap.map((host) => ({ host, port: PORT })) },
        [publicAddress6(at)],
      );
      dht.members.push(member);
      await dht.world.run(member.node.join());
    }
    const { signal, world } = dht;
    const announce = { port: 5000, seed: false };
    await world.run(dht.member(3).node.findPeers(HASH, { signal, announce }));
    const found = await world.run(dht.member(9).node.findPeers(HASH, { signal }));
    expect(found.map(({ lookup }) => lookup.family)).toEqual([4, 6]);
    expect(found.map(({ peers }) => peers.map(formatEndpoint))).toEqual([
      [`${publicAddress(3)}:5000`],
      [`[${publicAddress6(3)}]:5000`],
    ]);
  });
});

describe('items', () => {
  test('that never change are found by their hash', async () => {
    await using dht = new DhtWorld();
    await dht.populate(20);
    const { signal, world } = dht;
    const value = encode('Hello World!');
    const target = immutableTarget(value);
    const make = () => ({ type: 'immutable', value }) as const;
    const [put] = await world.run(dht.member(2).node.putItem(target, { signal, make }));
    expect(put?.writes.filter(({ outcome }) => outcome === 'stored')).toHaveLength(8);
    const [got] = await world.run(dht.member(11).node.getItem(target, { signal }));
    expect(got?.item).toEqual({ type: 'immutable', value });
    // Who wrote and who asks may be among the eight closest.
    expect(got?.copies).toBeGreaterThanOrEqual(6);
  });

  test('that change are found by their key, the newest wins, cas guards', async () => {
    await using dht = new DhtWorld();
    await dht.populate(20);
    const { signal, world } = dht;
    const secretKey = new Uint8Array(32).fill(7);
    const salt = new Uint8Array([0x6e]);
    const target = mutableTarget(publicKeyOf(secretKey), salt);
    const put = async (text: string, sequence: bigint, compareSequence?: bigint) => {
      const item = signItem({ secretKey, salt, sequence, value: encode(text) });
      const options = { signal, salt, make: () => item, compareSequence };
      const [result] = await world.run(dht.member(2).node.putItem(target, options));
      return [...new Set(result?.writes.map(({ outcome, code }) => code ?? outcome))];
    };
    expect(await put('one', 1n)).toEqual(['stored']);
    expect(await put('two', 2n, 1n)).toEqual(['stored']);
    expect(await put('three', 3n, 1n), 'another sequence').toEqual([301]);
    expect(await put('old', 1n), 'an old sequence').toEqual([302]);
    const [got] = await world.run(dht.member(11).node.getItem(target, { signal, salt }));
    expect(got?.item).toMatchObject({ type: 'mutable', sequence: 2n, value: encode('two') });
    const [unsalted] = await world.run(dht.member(11).node.getItem(target, { signal }));
    expect(unsalted?.item, 'of another target').toBeUndefined();
  });
});

test('a node tells who it is, and where it sees us', async () => {
  await using dht = new DhtWorld();
  await dht.populate(8);
  const { world, signal } = dht;
  const [one, other] = [dht.member(1), dht.member(2)];
  const pong = await world.run(one.node.ping(other.endpoint, signal));
  expect(pong).toMatchObject({
    rttMs: 80,
    isSecure: true,
    externalAddress: one.endpoint,
    version: Uint8Array.of(0x42, 0x50, 0, 1),
  });
  expect(formatHex(pong.id)).toBe(formatHex(other.node.idOf(4) ?? HASH));
  const nobody = world.run(one.node.ping({ host: '81.0.0.1', port: 1 }, signal));
  await expect(nobody).rejects.toMatchObject({ code: 'BIP_TIMEOUT', waitedMs: 8000 });
  const six = one.node.ping({ host: '2001:db8::1', port: 1 }, signal);
  await expect(six).rejects.toMatchObject({ code: 'BIP_NO_FAMILY' });
});

test('a node tells some of the torrents that it knows (BEP 51)', async () => {
  await using dht = new DhtWorld();
  await dht.populate(10);
  const { world, signal } = dht;
  const announce = { port: 5000, seed: false };
  await world.run(dht.member(3).node.findPeers(HASH, { signal, announce }));
  const [found] = await world.run(dht.member(3).node.findPeers(HASH, { signal }));
  const [nearest] = found?.lookup.closest ?? [];
  if (nearest === undefined) throw new Error('somebody is the nearest');
  const sample = await world.run(
    dht.member(9).node.sample(nearest.endpoint, { target: HASH, signal }),
  );
  expect(sample.samples?.map(formatHex)).toEqual([formatHex(HASH)]);
  expect(sample.total).toBe(1);
  expect(sample.intervalSeconds).toBeGreaterThan(0);
  expect(sample.nodes.length).toBeGreaterThan(0);
});

test('ids follow from the address that others see (BEP 42)', async () => {
  await using dht = new DhtWorld();
  await dht.populate(20);
  await dht.world.runFor(60_000);
  for (const { host, node } of dht.members) {
    const ip = parseIp(host.address);
    if (ip === undefined) throw new Error('an address');
    expect(node.realms[0]?.externalHost).toBe(host.address);
    expect(isSecureId(node.idOf(4) ?? HASH, ip)).toBe(true);
  }
});

test('a read-only node asks, and is neither answered for nor known (BEP 43)', async () => {
  await using dht = new DhtWorld();
  await dht.populate(12);
  const reader = await dht.open(publicAddress(50), { readOnly: true });
  dht.members.push(reader);
  await dht.world.run(reader.node.join());
  expect(reader.node.realms[0]?.table.size).toBeGreaterThanOrEqual(8);
  await dht.world.runFor(120_000);
  const known = dht.members
    .slice(0, 12)
    .flatMap(({ node }) =>
      node.realms.flatMap(({ table }) => table.closest(HASH, 99, dht.world.now)),
    );
  expect(known.some(({ endpoint }) => endpoint.host === reader.host.address)).toBe(false);
  const asked = dht.world.run(dht.member(0).node.ping(reader.endpoint, dht.signal));
  await expect(asked).rejects.toMatchObject({ code: 'BIP_TIMEOUT' });
});

test('a node that comes back with its state needs no router, and keeps its id', async () => {
  await using dht = new DhtWorld();
  await dht.populate(15);
  await dht.world.runFor(60_000);
  const { host, node } = dht.member(7);
  const id = node.idOf(4);
  const state = decodeState(encodeState(node.save()));
  await node[Symbol.asyncDispose]();
  host.crash();
  const { DhtNode } = await import('../../src/dht/index.ts');
  await using again = await DhtNode.open(host.runtime, {
    signal: dht.signal,
    port: PORT,
    hosts: [host.address],
    bootstrap: [],
    readOnly: false,
    state,
  });
  await dht.world.run(again.join());
  expect(again.realms[0]?.table.size).toBeGreaterThanOrEqual(8);
  expect(again.idOf(4)).toEqual(id);
});

test('nodes that join a small network all at once get to know each other', async () => {
  await using dht = new DhtWorld();
  for (let at = 0; at < 8; at++) dht.members.push(await dht.open(publicAddress(at)));
  await dht.world.run(Promise.all(dht.members.map(({ node }) => node.join())));
  await dht.world.runFor(60_000);
  const sizes = dht.members.map(({ node }) => node.realms[0]?.table.size);
  expect(sizes).toEqual(sizes.map(() => dht.members.length - 1));
});

test('two nodes that know of nobody are alone, until one is named to the other', async () => {
  await using dht = new DhtWorld();
  const events: string[] = [];
  const onEvent = ({ type }: { readonly type: string }): void => void events.push(type);
  const one = await dht.open(publicAddress(1), { onEvent });
  const other = await dht.open(publicAddress(2));
  dht.members.push(one, other);
  await dht.world.run(Promise.all([one.node.join(), other.node.join()]));
  expect(events).toEqual(['alone']);
  one.node.suggest(other.endpoint);
  await dht.world.runFor(60_000);
  expect(events.at(-1)).toBe('joined');
  expect(one.node.realms[0]?.table.size).toBe(1);
  expect(other.node.realms[0]?.table.size).toBe(1);
});

test('a search ends at once when it is given up, and so does a node in the middle of one', async () => {
  await using dht = new DhtWorld();
  await dht.populate(12);
  const stopping = new AbortController();
  const search = dht.member(3).node.findPeers(HASH, { signal: stopping.signal });
  await dht.world.runFor(30);
  stopping.abort(new Error('enough'));
  await expect(dht.world.run(search)).rejects.toThrow('enough');
  const late = await dht.open(publicAddress(90));
  const joining = late.node.join();
  await dht.world.runFor(30);
  await dht.world.run(late.node[Symbol.asyncDispose]());
  await dht.world.run(joining);
});

test('nothing is left when nodes are gone', async () => {
  const dht = new DhtWorld();
  await dht.populate(6);
  await dht.world.runFor(1000);
  await dht[Symbol.asyncDispose]();
  expect(dht.world.open).toEqual([]);
});

describe('an id that is saved with its port', () => {
  const id = new Uint8Array(20).fill(0x77);
  test.each([
    [PORT, true],
    [undefined, true],
    [PORT + 1, false],
  ])('%s', async (port, isKept) => {
    await using dht = new DhtWorld();
    const state = { 4: { id, nodes: new Uint8Array(0) }, ...(port && { port }) };
    const { node } = await dht.open(publicAddress(1), { state });
    expect(formatHex(node.idOf(4) ?? HASH) === formatHex(id)).toBe(isKept);
    await node[Symbol.asyncDispose]();
  });
});

test('a node that nobody answers keeps the nodes of the run before', async () => {
  await using dht = new DhtWorld();
  await dht.populate(15);
  const { 4: saved } = dht.member(7).node.save();
  if (saved === undefined) throw new Error('there is a state');
  for (const { host } of dht.members) host.crash();
  const state = { 4: saved };
  const { node } = await dht.open(publicAddress(50), { state, bootstrap: [] });
  await dht.world.run(node.join());
  expect(node.save()[4]?.nodes).toEqual(saved.nodes);
  await node[Symbol.asyncDispose]();
});

test('queries are counted by their kind, on both sides', async () => {
  await using dht = new DhtWorld();
  await dht.populate(2);
  const [one, other] = [dht.member(0), dht.member(1)];
  const asked = (): number | undefined => one.node.realms[0]?.counters.kindsOut.ping;
  const heard = (): number | undefined => other.node.realms[0]?.counters.kindsIn.ping;
  const before = [asked() ?? 0, heard() ?? 0];
  await dht.world.run(one.node.ping(other.endpoint, dht.signal));
  expect([asked(), heard()]).toEqual(before.map((count) => count + 1));
  const { counters } = one.node.realms[0] ?? {};
  const sum = Object.values(counters?.kindsOut ?? {}).reduce((all, count) => all + count, 0);
  expect(sum).toBe(counters?.queriesOut);
});

test('a first node that is called by another one has joined at once', async () => {
  await using dht = new DhtWorld();
  const joined: number[] = [];
  const onEvent = ({ type }: { readonly type: string }): void => {
    if (type === 'joined') joined.push(dht.world.now);
  };
  const first = await dht.open(publicAddress(1), { onEvent });
  dht.members.push(first);
  await dht.world.run(first.node.join());
  const second = await dht.open(publicAddress(2));
  dht.members.push(second);
  await dht.world.run(second.node.join());
  await dht.world.runFor(12_000);
  // Whoever is alone asks again after half a minute only.
  expect(joined).toHaveLength(1);
});
