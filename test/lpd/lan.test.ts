/** Stories of hosts on one network that find each other by nothing but multicast. */

import { expect, test } from 'vitest';
import { encodeUtf8 } from '../../src/base/bytes.ts';
import { encodeAnnounce } from '../../src/lpd/codec.ts';
import { MAX_NEIGHBOURS } from '../../src/lpd/neighbours.ts';
import { hashOf, Lan, type Member } from './lan.ts';

const MINUTE = 60_000;
const ONE = hashOf(1);
const TWO = hashOf(2);

function peersOf({ peers }: Member, infoHash: Uint8Array): readonly string[] {
  return [...new Set(peers.get(infoHash[0] ?? 0))].toSorted();
}

test('two hosts with one torrent find each other, a third with another finds nobody', async () => {
  const lan = new Lan();
  const [a, b, c] = [
    await lan.open(),
    await lan.open(lan.host(), { port: 7000 }),
    await lan.open(),
  ];
  a.join(ONE);
  b.join(ONE);
  c.join(TWO);
  await lan.world.runFor(1_000);
  expect(peersOf(a, ONE)).toEqual(['10.0.0.2:7000']);
  expect(peersOf(b, ONE)).toEqual(['10.0.0.1:6881']);
  expect(peersOf(c, TWO)).toEqual([]);
  expect(c.heard.length).toBeGreaterThan(1);
  await lan.close();
});

test('who comes later is answered within a minute, and then it is quiet again', async () => {
  const lan = new Lan();
  const early = await lan.open();
  early.join(ONE);
  await lan.world.runFor(10_000);
  const late = await lan.open();
  const from = lan.world.now;
  late.join(ONE);
  await lan.world.runFor(4 * MINUTE);
  expect(peersOf(early, ONE)).toEqual(['10.0.0.2:6881']);
  expect(peersOf(late, ONE)).toEqual(['10.0.0.1:6881']);
  // The answer keeps the minute; it is the first that the other hears, who answers once, a minute later.
  expect(early.announces).toHaveLength(2);
  expect((early.announces[1]?.at ?? 0) - from).toBeLessThanOrEqual(MINUTE);
  expect(late.announces).toHaveLength(2);
  await lan.close();
});

test('a torrent is announced every five minutes, whatever happens at most once a minute', async () => {
  const lan = new Lan();
  const member = await lan.open();
  for (let first = 1; first <= 100; first++) member.join(hashOf(first));
  await lan.world.runFor(61 * MINUTE);
  const { announces, heard } = member;
  for (const [at, announce] of announces.entries()) {
    expect(announce.at - (announces[at - 1]?.at ?? -MINUTE)).toBeGreaterThanOrEqual(MINUTE);
    expect(announce.torrents).toBeLessThanOrEqual(24);
  }
  // Its own announces come back to it, one each.
  expect(heard).toHaveLength(announces.length);
  expect(heard.every(({ own }) => own)).toBe(true);
  const times = new Map<number, number>();
  for (const { announce } of heard) {
    for (const [first = 0] of announce.infoHashes) times.set(first, (times.get(first) ?? 0) + 1);
  }
  expect(times.size).toBe(100);
  for (const count of times.values()) expect(count).toBeGreaterThanOrEqual(12);
  await lan.close();
});

test('one torrent is announced every five minutes', async () => {
  const lan = new Lan();
  const member = await lan.open();
  member.join(ONE);
  await lan.world.runFor(16 * MINUTE);
  const gaps = member.announces.map(({ at }) => Math.round(at / MINUTE));
  expect(gaps).toEqual([0, 5, 10, 15]);
  await lan.close();
});

test('what comes back is no peer, and what was left is not announced', async () => {
  const lan = new Lan();
  const member = await lan.open();
  const other = await lan.open();
  const leave = member.join(ONE);
  other.join(ONE);
  await lan.world.runFor(1_000);
  expect(peersOf(member, ONE)).toEqual(['10.0.0.2:6881']);
  expect(member.heard.filter(({ own }) => own)).toHaveLength(1);
  leave();
  leave();
  const before = member.announces.length;
  await lan.world.runFor(20 * MINUTE);
  expect(member.announces).toHaveLength(before);
  await lan.close();
});

test('of two that want one torrent on one host each is told, and neither is a peer of the other', async () => {
  const lan = new Lan();
  const member = await lan.open();
  const leave = member.join(ONE);
  member.join(ONE);
  const other = await lan.open();
  other.join(ONE);
  await lan.world.runFor(1_000);
  expect(member.peers.get(1)?.length).toBeGreaterThanOrEqual(1);
  leave();
  await lan.world.runFor(6 * MINUTE);
  expect(member.announces.length).toBeGreaterThanOrEqual(2);
  expect(peersOf(other, ONE)).toEqual(['10.0.0.1:6881']);
  await lan.close();
});

test('a host in two networks is found in each by its address there, over IPv4 and IPv6', async () => {
  const lan = new Lan();
  const host = lan.world.host('10.0.1.1', {
    addresses: ['10.0.2.1', 'fd00:1::1'],
    lans: ['one', 'two', 'one'],
  });
  const router = await lan.open(host);
  expect(router.lpd.doors.map((door) => `${door.interface} ${door.address}`)).toEqual([
    'eth0 10.0.1.1',
    'eth0 fd00:1::1',
    'eth1 10.0.2.1',
  ]);
  const one = await lan.open(
    lan.world.host('10.0.1.2', { addresses: ['fd00:1::2'], lans: ['one', 'one'] }),
  );
  const two = await lan.open(lan.world.host('10.0.2.2', { lans: ['two'] }));
  for (const member of [router, one, two]) member.join(ONE);
  await lan.world.runFor(1_000);
  expect(peersOf(one, ONE)).toEqual(['10.0.1.1:6881', '[fd00:1::1]:6881']);
  expect(peersOf(two, ONE)).toEqual(['10.0.2.1:6881']);
  expect(peersOf(router, ONE)).toEqual(['10.0.1.2:6881', '10.0.2.2:6881', '[fd00:1::2]:6881']);
  await lan.close();
});

test('a host that keeps to one address is neither heard nor found elsewhere', async () => {
  const lan = new Lan();
  const dual = { addresses: ['10.0.2.1', 'fd00:1::1'], lans: ['one', 'two', 'one'] };
  const picky = await lan.open(lan.world.host('10.0.1.1', dual), { address: '10.0.2.1' });
  const one = await lan.open(lan.world.host('10.0.1.2', { lans: ['one'] }));
  const two = await lan.open(lan.world.host('10.0.2.2', { lans: ['two'] }));
  for (const member of [picky, one, two]) member.join(ONE);
  await lan.world.runFor(1_000);
  expect(picky.lpd.doors).toEqual([{ interface: 'eth1', family: 4, address: '10.0.2.1' }]);
  expect([peersOf(picky, ONE), peersOf(one, ONE)]).toEqual([['10.0.2.2:6881'], []]);
  await lan.close();
});

test('on loopback a host meets nobody else', async () => {
  const lan = new Lan();
  const member = await lan.open(lan.host(), { address: '127.0.0.1' });
  const other = await lan.open();
  member.join(ONE);
  other.join(ONE);
  await lan.world.runFor(1_000);
  expect([peersOf(member, ONE), peersOf(other, ONE)]).toEqual([[], []]);
  expect(member.heard.map(({ own }) => own)).toEqual([true]);
  await lan.close();
});

test('two on one machine, both on loopback, find each other', async () => {
  const lan = new Lan();
  const host = lan.host();
  const one = await lan.open(host, { address: '127.0.0.1', port: 1_001 });
  const two = await lan.open(host, { address: '127.0.0.1', port: 1_002 });
  one.join(ONE);
  two.join(ONE);
  await lan.world.runFor(1_000);
  expect([peersOf(one, ONE), peersOf(two, ONE)]).toEqual([['127.0.0.1:1002'], ['127.0.0.1:1001']]);
  await lan.close();
});

test('lost announces are made up for by the next ones', async () => {
  const lan = new Lan({ seed: 3 });
  const [a, b] = [await lan.open(lan.host({ loss: 0.5 })), await lan.open(lan.host({ loss: 0.5 }))];
  a.join(ONE);
  b.join(ONE);
  await lan.world.runFor(120 * MINUTE);
  expect([peersOf(a, ONE), peersOf(b, ONE)]).toEqual([['10.0.0.2:6881'], ['10.0.0.1:6881']]);
  await lan.close();
});

test('a flood of one is kept out, and others are heard through it', async () => {
  const lan = new Lan();
  const member = await lan.open();
  member.join(ONE);
  const shout = await lan.stranger();
  let port = 0;
  const flood = (): void => {
    port = (port % 65_000) + 1;
    shout(encodeAnnounce({ port, infoHashes: [ONE], cookie: undefined }, 4));
  };
  for (let at = 0; at < 60_000; at += 2) lan.world.timeline.after(at, flood);
  await lan.world.runFor(30_000);
  const friend = await lan.open();
  friend.join(ONE);
  await lan.world.runFor(40_000);
  const known = peersOf(member, ONE);
  expect(known).toContain('10.0.0.3:6881');
  // A burst, and one a second.
  expect(known.length).toBeLessThanOrEqual(MAX_NEIGHBOURS);
  expect(member.heard.length).toBeLessThan(40 + 70 + 10);
  expect(member.lpd.counters.dropped).toBeGreaterThan(29_000);
  expect(member.announces.length).toBeLessThanOrEqual(2);
  await lan.close();
});

test('a flood of many is bounded, too, and what it names is forgotten in time', async () => {
  const lan = new Lan();
  const member = await lan.open();
  member.join(ONE);
  for (let at = 0; at < 250; at++) {
    const shout = await lan.stranger(lan.world.host(`10.0.7.${at}`, { lans: ['home'] }));
    const bytes = encodeAnnounce({ port: 1, infoHashes: [ONE], cookie: undefined }, 4);
    for (let round = 0; round < 60; round++)
      lan.world.timeline.after(round * 1_000, () => shout(bytes));
  }
  await lan.world.runFor(2 * MINUTE);
  expect(peersOf(member, ONE)).toHaveLength(MAX_NEIGHBOURS);
  expect(member.heard.length).toBeLessThan(200 + 61 * 20 + 10);
  expect(member.lpd.counters.dropped).toBeGreaterThan(13_000);
  expect(member.announces.length).toBeLessThanOrEqual(3);
  await lan.world.runFor(20 * MINUTE);
  const friend = await lan.open();
  friend.join(ONE);
  await lan.world.runFor(1_000);
  expect(peersOf(member, ONE)).toHaveLength(MAX_NEIGHBOURS + 1);
  await lan.close();
});

test('what is no announce is counted, and who is nobody is no peer', async () => {
  const lan = new Lan();
  const member = await lan.open();
  member.join(ONE);
  const shout = await lan.stranger();
  shout(encodeUtf8('M-SEARCH * HTTP/1.1\r\n\r\n'));
  shout(encodeUtf8(''));
  await lan.world.runFor(1_000);
  expect(member.lpd.counters).toEqual({ dropped: 0, invalid: 2 });
  expect(peersOf(member, ONE)).toEqual([]);
  await lan.close();
});

test('an address or interface that is not there is refused, and so is a machine without any', async () => {
  const lan = new Lan();
  const host = lan.host();
  const refused = { name: 'NetworkError', code: 'BIP_ADDRESS' };
  await expect(lan.open(host, { address: '192.0.2.1' })).rejects.toMatchObject(refused);
  await expect(lan.open(host, { interfaces: ['eth7'] })).rejects.toMatchObject(refused);
  await expect(lan.open(host, { families: [6], interfaces: ['eth0'] })).rejects.toMatchObject(
    refused,
  );
  expect(host.open).toEqual([]);
});

test('equal seeds give equal stories', async () => {
  const story = async (seed: number): Promise<string> => {
    const lan = new Lan({ seed });
    for (let at = 0; at < 5; at++) {
      (await lan.open(lan.host({ loss: 0.1, jitterMs: 5 }))).join(ONE);
    }
    await lan.world.runFor(20 * MINUTE);
    await lan.close();
    return lan.world.trace.hash;
  };
  expect(await story(7)).toBe(await story(7));
  expect(await story(7)).not.toBe(await story(8));
});
