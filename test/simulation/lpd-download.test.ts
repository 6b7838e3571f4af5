/** Sessions on one network that find each other by nothing but local discovery, in virtual time. */

import { describe, expect, test } from 'vitest';
import { encodeAnnounce, LPD_GROUPS } from '../../src/lpd/codec.ts';
import type { Magnet } from '../../src/magnet/index.ts';
import type { HostOptions } from '../../src/runtime/sim/index.ts';
import type { TorrentOptions } from '../../src/session/index.ts';
import { makeContent, type Peer, SwarmWorld } from './swarm-world.ts';

const HOME: Partial<HostOptions> = { latencyMs: 0.2, upload: 5_000_000, lans: ['home'] };
const MINUTE = 60_000;
const { signal } = new AbortController();

function atHome(content = makeContent(200_000)): SwarmWorld {
  const swarm = new SwarmWorld(content);
  swarm.session = { lpd: {} };
  return swarm;
}

/** A link that names nothing but the torrent, and what is given besides. */
function magnetOf(swarm: SwarmWorld, more: Partial<Magnet> = {}): TorrentOptions['source'] {
  const { infoHash } = swarm.content.metainfo;
  if (infoHash === undefined) throw new Error('the torrent is of v1');
  const nothing = { trackers: [], webSeeds: [], peers: [], nodes: [] };
  return { type: 'magnet', magnet: { infoHash, ...nothing, ...more } };
}

function notes({ events }: Peer): string {
  return events.flatMap((event) => (event.type === 'note' ? [event.message] : [])).join('\n');
}

async function closed(swarm: SwarmWorld, ...peers: readonly Peer[]): Promise<void> {
  await swarm.world.run(Promise.all(peers.map(({ session }) => session[Symbol.asyncDispose]())));
  swarm.world.assertClosed();
}

test('a magnet that names nothing but the torrent leads to every byte', async () => {
  const swarm = atHome();
  const seed = await swarm.world.run(swarm.seed(HOME));
  await swarm.world.runFor(2_000);
  const began = swarm.world.now;
  const source = magnetOf(swarm);
  const leecher = await swarm.world.run(swarm.start(swarm.host(HOME), { source }));
  await swarm.world.run(leecher.torrent.completed);
  expect(await swarm.digests(leecher.host)).toEqual(swarm.expected);
  // The seed hears of it at once, and calls.
  expect(swarm.world.now - began).toBeLessThan(10_000);
  expect(notes(seed)).toContain(`the local network has a peer at ${leecher.host.address}:6881`);
  await closed(swarm, seed, leecher);
});

test('who waits is found by the seed that comes later, or finds it', async () => {
  const swarm = atHome();
  const source = magnetOf(swarm);
  const leecher = await swarm.world.run(swarm.start(swarm.host(HOME), { source }));
  await swarm.world.runFor(3 * MINUTE);
  const began = swarm.world.now;
  const seed = await swarm.world.run(swarm.seed(HOME));
  await swarm.world.run(leecher.torrent.completed);
  expect(swarm.world.now - began).toBeLessThan(10_000);
  expect(notes(leecher)).toContain(`the local network has a peer at ${seed.host.address}:6881`);
  await closed(swarm, seed, leecher);
});

test('over IPv6 alone, and in the second of two networks', async () => {
  const swarm = atHome();
  const far = { ...HOME, addresses: ['10.5.0.1'], lans: ['far', 'home'] };
  const seed = await swarm.world.run(swarm.seed(far));
  const host = swarm.world.host('fd00::2', {
    ...HOME,
    addresses: ['10.5.0.2'],
    lans: ['v6', 'home'],
  });
  const source = magnetOf(swarm);
  const leecher = await swarm.world.run(swarm.start(host, { source }));
  const third = swarm.world.host('fd00::3', { ...HOME, lans: ['v6'] });
  const other = await swarm.world.run(swarm.start(third, { source }));
  await swarm.world.run(other.torrent.completed);
  expect(await swarm.digests(third)).toEqual(swarm.expected);
  expect(notes(other) + notes(leecher)).toContain('the local network has a peer at [fd00::');
  await closed(swarm, seed, leecher, other);
});

test.each([
  ['in another network', { ...HOME, lans: ['office'] }, {}],
  ['that is told to do without', HOME, { lpd: false }],
])('a host %s is not found', async (_, options, more) => {
  const swarm = atHome();
  const seed = await swarm.world.run(swarm.seed(HOME));
  const source = magnetOf(swarm);
  const leecher = await swarm.world.run(swarm.start(swarm.host(options), { source, ...more }));
  await swarm.world.runFor(11 * MINUTE);
  expect(leecher.torrent.state).toBe('metadata');
  expect(notes(seed) + notes(leecher)).not.toContain('local network');
  await closed(swarm, seed, leecher);
});

describe('private torrents (BEP 27)', () => {
  const PRIVATE = makeContent(200_000, 32_768, { private: true });

  test('are neither announced nor taken', async () => {
    const swarm = atHome(PRIVATE);
    const ear = await eavesdrop(swarm);
    const seed = await swarm.world.run(swarm.seed(HOME));
    const leecher = await swarm.world.run(swarm.start(swarm.host(HOME)));
    await swarm.world.runFor(11 * MINUTE);
    expect(leecher.torrent.stats().done).toBe(0);
    expect(ear.heard).toEqual([]);
    await ear[Symbol.asyncDispose]();
    await closed(swarm, seed, leecher);
  });

  test('a magnet that turns out to be one is announced no longer', async () => {
    const swarm = atHome(PRIVATE);
    const ear = await eavesdrop(swarm);
    const seed = await swarm.world.run(swarm.seed(HOME));
    const source = magnetOf(swarm, { peers: [seed.endpoint] });
    const leecher = await swarm.world.run(swarm.start(swarm.host(HOME), { source }));
    await swarm.world.run(leecher.torrent.completed);
    expect(notes(leecher)).toContain('turns out to be private: it leaves');
    const before = ear.heard.length;
    await swarm.world.runFor(11 * MINUTE);
    expect(ear.heard).toHaveLength(before);
    await ear[Symbol.asyncDispose]();
    await closed(swarm, seed, leecher);
  });
});

test('a flood of peers that are none does not keep a download from its seed', async () => {
  const swarm = atHome();
  const infoHash = swarm.content.metainfo.infoHash?.wire ?? new Uint8Array(20);
  const bully = await swarm.host(HOME).runtime.network.bindDatagrams({
    multicast: { interface: 'eth0', hops: 1 },
    signal,
  });
  let port = 0;
  for (let at = 0; at < 120_000; at += 10) {
    swarm.world.timeline.after(at, () => {
      port = (port % 60_000) + 1;
      bully.send(
        encodeAnnounce({ port, infoHashes: [infoHash], cookie: undefined }, 4),
        LPD_GROUPS[4],
      );
    });
  }
  const leecher = await swarm.world.run(swarm.start(swarm.host(HOME), { source: magnetOf(swarm) }));
  await swarm.world.runFor(MINUTE);
  expect(leecher.torrent.swarm.dialer.pool.size).toBeLessThanOrEqual(100);
  const seed = await swarm.world.run(swarm.seed(HOME));
  await swarm.world.run(leecher.torrent.completed);
  expect(await swarm.digests(leecher.host)).toEqual(swarm.expected);
  await bully[Symbol.asyncDispose]();
  await closed(swarm, seed, leecher);
});

test('an address that the machine has not does not keep a session from opening', async () => {
  const swarm = atHome();
  const reasons: string[] = [];
  swarm.session = {
    lpd: { address: '192.0.2.77', onUnavailable: ({ message }) => reasons.push(message) },
  };
  const peer = await swarm.world.run(swarm.start(swarm.host(HOME)));
  expect(reasons).toEqual(['this machine has no address 192.0.2.77']);
  await closed(swarm, peer);
});

interface Ear extends AsyncDisposable {
  readonly heard: readonly Uint8Array[];
}

/** The announces that anybody on the network hears. */
async function eavesdrop(swarm: SwarmWorld): Promise<Ear> {
  const group = { address: LPD_GROUPS[4].host, interfaces: ['eth0'] };
  const { network } = swarm.host(HOME).runtime;
  const stop = new AbortController();
  const socket = await network.bindDatagrams({ group, port: 6771, signal: stop.signal });
  const heard: Uint8Array[] = [];
  socket.receive((bytes) => heard.push(bytes.slice()));
  return { heard, [Symbol.asyncDispose]: () => socket[Symbol.asyncDispose]() };
}
