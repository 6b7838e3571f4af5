/** Samples and blooms across bip and libtorrent (BEP 51, 33), over IPv6 (BEP 32), and amid rubbish. */

import { networkInterfaces } from 'node:os';
import { expect, test } from 'vitest';
import { encodeUtf8, formatHex, parseHex } from '../../src/base/bytes.ts';
import { type Endpoint, equalEndpoints, formatEndpoint } from '../../src/base/endpoint.ts';
import { parseIp } from '../../src/base/ip.ts';
import { immutableTarget, PeerBloom } from '../../src/dht/index.ts';
import { bipJson } from './bip.ts';
import { bytesOf } from './content.ts';
import { SEARCH_MS } from './dht-crowd.ts';
import { DhtPair, theOnly } from './dht-pair.ts';
import { rubbish, sendFrom } from './dht-rubbish.ts';
import { numberAt, textAt, textsAt } from './json.ts';
import { describeWith } from './require.ts';
import { openScratch } from './scratch.ts';
import { makeTorrent } from './torrent.ts';
import { until } from './until.ts';

const TARGET = bytesOf('anywhere', 20);
/** Of both, in one answer. */
const MAX_SAMPLES = 20;
/** Addresses that send rubbish, and how many packets each: so few that none is ignored for it. */
const SENDERS = 60;
const RUBBISH = 40;
const IPV6_IS_THERE = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === '::1'),
);

describeWith(['libtorrent'], 'extensions of the DHT', () => {
  test('bip and libtorrent give each other samples of the infohashes that they know', async () => {
    await using pair = await DhtPair.open();
    const hashes = Array.from({ length: 30 }, (_, number) => bytesOf(`hash ${number}`, 20));
    for (const hash of hashes) await pair.peers(0, hash, { announce: { port: 4000, seed: false } });
    const known = new Set(hashes.map(formatHex));
    const neighbour = formatEndpoint(pair.bip.node(0).endpoint);
    const expectSample = (samples: readonly string[], total: unknown): void => {
      expect(new Set(samples).size).toBe(MAX_SAMPLES);
      expect(samples.filter((sample) => !known.has(sample))).toEqual([]);
      expect(total).toBe(hashes.length);
    };
    const { endpoint } = pair.bip.node(1);
    const answer = { event: 'sample', at: formatEndpoint(endpoint) };
    const ofBip = await pair.libtorrent
      .node(0)
      .ask('sample', { at: endpoint, target: TARGET }, answer);
    expectSample(textsAt(ofBip, 'samples'), ofBip['total']);
    expect(textsAt(ofBip, 'nodes')).toContain(neighbour);
    for (const { endpoint: asked } of pair.libtorrent.nodes) {
      const signal = AbortSignal.timeout(SEARCH_MS);
      const sample = await pair.bip.node(2).dht.sample(asked, { target: TARGET, signal });
      expectSample((sample.samples ?? []).map(formatHex), sample.total);
      expect(sample.nodes.map((node) => formatEndpoint(node.endpoint))).toContain(neighbour);
    }
    const entry = formatEndpoint(pair.libtorrent.node(0).endpoint);
    const lines = await bipJson(['dht', 'sample', '--bootstrap', entry], SEARCH_MS);
    const walked = lines.flatMap((line) => textAt(line, 'infoHash') || []);
    expect(walked.length).toBeGreaterThanOrEqual(MAX_SAMPLES);
    expect(walked.filter((sample) => !known.has(sample))).toEqual([]);
    expect(lines.at(-1)).toMatchObject({ type: 'done', nodesSampled: pair.others + 1 });
  });

  test('seeds and leechers of bip and libtorrent are counted, wherever they are stored', async () => {
    await using pair = await DhtPair.open();
    await using scratch = await openScratch();
    const dir = scratch.to('seeded');
    const content = new Map([['seeded', bytesOf('seeded', 1000)]]);
    const { path, infoHash } = await makeTorrent({ dir, content });
    const hash = parseHex(infoHash) ?? TARGET;
    await pair.peers(0, hash, { announce: { port: 5000, seed: true } });
    await pair.peers(1, hash, { announce: { port: 5001, seed: false } });
    pair.libtorrent.node(0).tell('announce', { torrent: path, dir });
    pair.libtorrent.node(1).tell('announce', { infoHash });
    await until(async () => (await pair.peers(2, hash)).peers.length === 4, {
      deadlineMs: SEARCH_MS,
      what: 'all four to have announced',
    });
    const { scrape } = await pair.peers(2, hash, { scrape: true });
    expect(scrape?.answers).toBe(pair.others);
    const seeds = [pair.bip.node(0), pair.libtorrent.node(0)].map((node) => node.endpoint.host);
    const leechers = [pair.bip.node(1), pair.libtorrent.node(1)].map((node) => node.endpoint.host);
    expect(scrape?.seeds.bytes).toEqual(bloomOf(seeds));
    expect(scrape?.leechers.bytes).toEqual(bloomOf(leechers));
    for (const { endpoint } of [...pair.bip.nodes.slice(0, 2), ...pair.libtorrent.nodes]) {
      const given = await bloomsOf(pair, endpoint, hash);
      const missing = (bloom: PeerBloom, hosts: readonly string[]): readonly string[] =>
        hosts.filter((host) => host !== endpoint.host && !bloom.has(ipOf(host)));
      expect(missing(given.seeds, seeds)).toEqual([]);
      expect(missing(given.leechers, leechers)).toEqual([]);
    }
  });

  test('bip dht announce and scrape, with libtorrent on the other side', async () => {
    await using pair = await DhtPair.open();
    const hash = bytesOf('announced', 20);
    const infoHash = formatHex(hash);
    const [one, other] = pair.libtorrent.nodes.map((node) => formatEndpoint(node.endpoint));
    // First, since libtorrent then takes the command for a node, and waits for it after its end.
    pair.libtorrent.node(0).tell('announce', { infoHash });
    await until(async () => (await pair.peers(2, hash)).peers.length === 1, {
      deadlineMs: SEARCH_MS,
      what: 'libtorrent to have announced',
    });
    const from = ['--bind', '127.0.0.81', '--bootstrap', one ?? ''];
    const announce = ['dht', 'announce', infoHash, '--port', '5002', '--seed', ...from];
    const [announced] = await bipJson(announce, SEARCH_MS);
    expect(numberAt(announced, 'stored')).toBe(pair.others + 1);
    const peers = { event: 'peers', at: other, infoHash };
    const found = await pair.libtorrent.node(1).ask('peers', { infoHash }, peers);
    expect(new Set(textsAt(found, 'peers'))).toEqual(new Set([one, '127.0.0.81:5002']));
    const scrape = ['dht', 'scrape', infoHash, '--bootstrap', other ?? ''];
    const [scraped] = await bipJson(scrape, SEARCH_MS);
    expect(scraped).toMatchObject({ infoHash, seeders: 1, leechers: 1, nodes: pair.others + 1 });
  });

  test.skipIf(!IPV6_IS_THERE)('peers and items are found over IPv6', async () => {
    const hosts = { bip: ['::1', '::1', '::1'], libtorrent: ['::1', '::1'] };
    await using pair = await DhtPair.open(hosts);
    const [one, other] = [bytesOf('one', 20), bytesOf('other', 20)];
    const node = pair.libtorrent.node(0);
    node.tell('announce', { infoHash: one });
    const isFound = async (): Promise<boolean> =>
      (await pair.peers(0, one)).peers.some((peer) => equalEndpoints(peer, node.endpoint));
    await until(isFound, { deadlineMs: SEARCH_MS, what: 'the peer that libtorrent announced' });
    const { writes } = await pair.peers(1, other, { announce: { port: 5000, seed: false } });
    expect(writes.map(({ outcome }) => outcome)).toEqual(pair.all('stored'));
    const peers = { event: 'peers', at: formatEndpoint(node.endpoint), infoHash: formatHex(other) };
    const found = await node.ask('peers', { infoHash: other }, peers);
    expect(textsAt(found, 'peers')).toEqual(['[::1]:5000']);
    const value = encodeUtf8('14:over IPv6, too');
    expect(await pair.put(2, { type: 'immutable', value })).toEqual(pair.all('stored'));
    const target = formatHex(immutableTarget(value));
    const item = await node.ask('get', { target }, { event: 'item', target });
    expect(item).toMatchObject({ value: formatHex(value) });
  });

  test('rubbish from many addresses keeps no node from its work', async () => {
    await using pair = await DhtPair.open();
    const { dht, endpoint } = pair.bip.node(0);
    const { counters } = theOnly(dht.realms);
    const seen = (): number => counters.queriesIn + counters.undecodable + counters.unasked;
    for (let last = 1; last <= SENDERS; last++) {
      const from = `127.0.2.${last}`;
      const packets = rubbish(from, RUBBISH);
      const before = seen();
      await sendFrom(from, endpoint, packets);
      await until(() => seen() >= before + packets.length, {
        deadlineMs: SEARCH_MS,
        what: 'the rubbish to have been looked at',
        log: () => JSON.stringify(counters),
      });
    }
    expect(counters.undecodable).toBeGreaterThan(SENDERS);
    expect(counters.malformed).toBeGreaterThan(SENDERS);
    const value = encodeUtf8('9:all right');
    expect(await pair.put(0, { type: 'immutable', value })).toEqual(pair.all('stored'));
    const asked = { at: endpoint, target: TARGET };
    const answer = { event: 'sample', at: formatEndpoint(endpoint) };
    const sample = await pair.libtorrent.node(1).ask('sample', asked, answer);
    expect(textsAt(sample, 'nodes')).toContain(formatEndpoint(pair.libtorrent.node(0).endpoint));
  });
});

interface Blooms {
  readonly seeds: PeerBloom;
  readonly leechers: PeerBloom;
}

/** What one node tells of a torrent, asked by the last node of bip. */
function bloomsOf({ bip }: DhtPair, endpoint: Endpoint, infoHash: Uint8Array): Promise<Blooms> {
  const realm = theOnly(bip.node(2).dht.realms);
  return new Promise((resolve, reject) => {
    const fail = (what: string): void => reject(new Error(`${endpoint.host} ${what}`));
    realm.ask(
      { id: undefined, endpoint },
      'get_peers',
      { infoHash, scrape: true },
      {
        answered: ({ seedBloom, peerBloom }) => {
          if (seedBloom === undefined || peerBloom === undefined) fail('gave no blooms');
          else resolve({ seeds: new PeerBloom(seedBloom), leechers: new PeerBloom(peerBloom) });
        },
        refused: ({ message }) => fail(`refused: ${message}`),
        slow: () => undefined,
        timedOut: () => fail('did not answer'),
      },
    );
  });
}

function bloomOf(hosts: readonly string[]): Uint8Array {
  const bloom = new PeerBloom();
  for (const host of hosts) bloom.insert(ipOf(host));
  return bloom.bytes;
}

function ipOf(host: string): Uint8Array {
  const ip = parseIp(host);
  if (ip === undefined) throw new Error(`${host} is no address`);
  return ip;
}
