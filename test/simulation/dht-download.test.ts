/** Sessions that find each other in a small DHT, in virtual time. */

import { describe, expect, test } from 'vitest';
import type { Magnet } from '../../src/magnet/index.ts';
import type { HostOptions } from '../../src/runtime/sim/index.ts';
import type { SessionOptions, TorrentOptions } from '../../src/session/index.ts';
import { DhtSwarm, nodeAddress } from './dht-swarm.ts';
import { makeContent, type Peer, PORT, type SwarmContent, warnings } from './swarm-world.ts';

const LINE: Partial<HostOptions> = { latencyMs: 20, upload: 500_000, download: 2_000_000 };
const MINUTE = 60_000;
const NODES = 12;
/** Of the eight nodes that are to keep an announce the sessions themselves may be some. */
const ALMOST_ALL = 6;

const PRIVATE = makeContent(200_000, 32_768, { private: true });

/** A link that names nothing but the torrent, and what is given besides. */
function magnetOf(
  { metainfo: { infoHash } }: SwarmContent,
  more: Partial<Magnet> = {},
): TorrentOptions['source'] {
  if (infoHash === undefined) throw new Error('the torrent is of v1');
  const nothing = { trackers: [], webSeeds: [], peers: [], nodes: [] };
  return { type: 'magnet', magnet: { infoHash, ...nothing, ...more } };
}

function notes({ events }: Peer): string {
  return events.flatMap((event) => (event.type === 'note' ? [event.message] : [])).join('\n');
}

/** A DHT of a few nodes, in which the torrent's sessions are to meet. */
async function populated(content: SwarmContent = makeContent()): Promise<DhtSwarm> {
  const swarm = new DhtSwarm(content);
  await swarm.populate(NODES);
  return swarm;
}

async function closed(peers: readonly Peer[], swarm: DhtSwarm): Promise<void> {
  await swarm.world.run(Promise.all(peers.map(({ session }) => session[Symbol.asyncDispose]())));
  await swarm[Symbol.asyncDispose]();
  swarm.world.assertClosed();
}

test('a magnet that names nothing but the torrent leads to every byte', async () => {
  const swarm = await populated();
  const seed = await swarm.world.run(swarm.seed(LINE));
  await swarm.world.runFor(MINUTE);
  const announced = swarm.askedBy(seed.host, 'announce_peer');
  expect(announced.length).toBeGreaterThanOrEqual(ALMOST_ALL);
  expect(new Set(announced.map(({ port }) => port))).toEqual(new Set([PORT]));
  const source = magnetOf(swarm.content);
  const leecher = await swarm.world.run(swarm.start(swarm.host(LINE), { source }));
  await swarm.world.run(leecher.torrent.completed);
  expect(await swarm.digests(leecher.host)).toEqual(swarm.expected);
  expect(notes(leecher)).toMatch(/the DHT named 1 peer, and [678] of its nodes know us now/);
  await closed([seed, leecher], swarm);
});

test('who waits alone is found by who comes later', async () => {
  const swarm = await populated();
  const source = magnetOf(swarm.content);
  const leecher = await swarm.world.run(swarm.start(swarm.host(LINE), { source }));
  await swarm.world.runFor(8 * MINUTE);
  // It looks again after 1 and 2 and 4 minutes, then less and less often.
  const searches = swarm.askedBy(leecher.host, 'get_peers').map(({ at }) => at);
  const gaps = searches
    .slice(1)
    .map((at, index) => Math.round((at - (searches[index] ?? 0)) / MINUTE));
  expect(gaps.filter((gap) => gap > 0)).toEqual([1, 2, 4]);
  const seed = await swarm.world.run(swarm.seed(LINE));
  await swarm.world.run(leecher.torrent.completed);
  expect(await swarm.digests(leecher.host)).toEqual(swarm.expected);
  await closed([seed, leecher], swarm);
});

test('an announce is said again every quarter of an hour', async () => {
  const swarm = await populated();
  const seed = await swarm.world.run(swarm.seed(LINE));
  const began = swarm.world.now;
  await swarm.world.runFor(61 * MINUTE);
  const rounds = swarm
    .askedBy(seed.host, 'announce_peer')
    .map(({ at }) => Math.round((at - began) / MINUTE));
  expect([...new Set(rounds)]).toEqual([0, 15, 30, 45, 60]);
  await closed([seed], swarm);
});

describe('private torrents (BEP 27)', () => {
  test('are neither looked for nor announced, though the session is in the DHT', async () => {
    const swarm = await populated(PRIVATE);
    const seed = await swarm.world.run(swarm.seed(LINE));
    const leecher = await swarm.world.run(
      swarm.start(swarm.host(LINE), { peers: [seed.endpoint] }),
    );
    await swarm.world.run(leecher.torrent.completed);
    await swarm.world.runFor(31 * MINUTE);
    expect(swarm.asked).toEqual([]);
    for (const peer of [seed, leecher]) {
      expect(notes(peer)).toContain('the torrent is private: it stays out of the DHT');
    }
    await closed([seed, leecher], swarm);
  });

  test('a magnet that turns out to be one is looked for no longer, nor called who was named', async () => {
    const swarm = await populated(PRIVATE);
    const seed = await swarm.world.run(swarm.seed(LINE));
    // Somebody who cannot be reached is in the DHT under its hash.
    const stranger = swarm.host({ ...LINE, nat: 'symmetric' });
    const strange = await swarm.world.run(
      swarm.start(stranger, { source: magnetOf(swarm.content) }),
    );
    await swarm.world.runFor(30_000);
    const source = magnetOf(swarm.content, { peers: [seed.endpoint] });
    const leecher = await swarm.world.run(swarm.start(swarm.host(LINE), { source }));
    await swarm.world.run(leecher.torrent.completed);
    expect(notes(leecher)).toContain('turns out to be private: it leaves the DHT');
    const before = swarm.askedBy(leecher.host, 'get_peers').length;
    expect(before).toBeGreaterThan(0);
    const called = leecher.torrent.swarm.dialer.pool.size;
    await swarm.world.runFor(31 * MINUTE);
    expect(swarm.askedBy(leecher.host, 'get_peers')).toHaveLength(before);
    expect(called).toBe(1);
    await closed([seed, leecher, strange], swarm);
  });
});

describe('a session that knows no node', () => {
  /** Enters the DHT by whoever tells it of a node. */
  function lonely(swarm: DhtSwarm, options: Partial<TorrentOptions>): Promise<Peer> {
    return startWith(swarm, { bootstrap: [], readOnly: false }, options);
  }

  async function startWith(
    swarm: DhtSwarm,
    dht: SessionOptions['dht'],
    options: Partial<TorrentOptions>,
  ): Promise<Peer> {
    const { session } = swarm;
    swarm.session = dht === undefined ? {} : { dht };
    try {
      return await swarm.world.run(swarm.start(swarm.host(LINE), options));
    } finally {
      swarm.session = session;
    }
  }

  test('learns of one by the PORT message of a peer', async () => {
    const swarm = await populated();
    const seed = await swarm.world.run(swarm.seed(LINE));
    const leecher = await lonely(swarm, { peers: [seed.endpoint] });
    await swarm.world.runFor(MINUTE);
    const announced = swarm.askedBy(leecher.host, 'announce_peer');
    expect(announced.length).toBeGreaterThanOrEqual(ALMOST_ALL);
    expect(warnings(leecher.events)).toEqual([]);
    await closed([seed, leecher], swarm);
  });

  test.each([true, false])(
    'learns of none that answers nobody (BEP 43): read-only is %s',
    async (readOnly) => {
      const swarm = await populated();
      const other = await startWith(
        swarm,
        { bootstrap: [nodeAddress(0)], readOnly },
        { source: magnetOf(swarm.content), dht: false },
      );
      const learner = await lonely(swarm, { peers: [other.endpoint] });
      await swarm.world.runFor(2 * MINUTE);
      expect(swarm.heardFrom(learner.host) > 0).toBe(!readOnly);
      await closed([other, learner], swarm);
    },
  );

  test('learns of none by a peer of a private torrent', async () => {
    const swarm = await populated(PRIVATE);
    const seed = await swarm.world.run(swarm.seed(LINE));
    const leecher = await lonely(swarm, { peers: [seed.endpoint] });
    await swarm.world.run(leecher.torrent.completed);
    const questions = swarm.heardFrom(leecher.host);
    await swarm.world.runFor(10 * MINUTE);
    expect([questions, swarm.heardFrom(leecher.host)]).toEqual([0, 0]);
    await closed([seed, leecher], swarm);
  });

  test('leaves a seed at peace, whom others may call all the same', async () => {
    const swarm = new DhtSwarm();
    const seed = await swarm.world.run(swarm.seed(LINE));
    await swarm.world.runFor(10 * MINUTE);
    expect(warnings(seed.events)).toEqual([]);
    expect(notes(seed)).toContain('no node of the DHT answers');
    await closed([seed], swarm);
  });

  test.each([
    ['of a magnet', (swarm: DhtSwarm) => magnetOf(swarm.content, { nodes: [nodeAddress(3)] })],
    [
      'of a torrent',
      ({ content: { metainfo } }: DhtSwarm) =>
        ({ type: 'metainfo', metainfo: { ...metainfo, nodes: [nodeAddress(3)] } }) as const,
    ],
  ])('begins with the nodes %s', async (_, sourceOf) => {
    const swarm = await populated();
    const seed = await swarm.world.run(swarm.seed(LINE));
    await swarm.world.runFor(MINUTE);
    const leecher = await lonely(swarm, { source: sourceOf(swarm) });
    await swarm.world.run(leecher.torrent.completed);
    expect(await swarm.digests(leecher.host)).toEqual(swarm.expected);
    await closed([seed, leecher], swarm);
  });

  test('says so once when nothing else can lead to a peer', async () => {
    const swarm = new DhtSwarm();
    const leecher = await lonely(swarm, { source: magnetOf(swarm.content) });
    await swarm.world.runFor(10 * MINUTE);
    expect(warnings(leecher.events)).toEqual(['BIP_DHT_ALONE']);
    const trackers = ['http://10.9.9.9/announce'];
    const other = await lonely(swarm, { source: magnetOf(swarm.content, { trackers }) });
    await swarm.world.runFor(10 * MINUTE);
    expect(warnings(other.events)).not.toContain('BIP_DHT_ALONE');
    expect(notes(other)).toContain('no node of the DHT answers');
    await closed([leecher, other], swarm);
  });
});

test.each([0, 5, 45, 90, 300, 1_000, 5_000, 100_000])(
  'ended after %i ms, while it searches, nothing is left open',
  async (after) => {
    const swarm = await populated();
    const source = magnetOf(swarm.content);
    const leecher = await swarm.world.run(swarm.start(swarm.host(LINE), { source }));
    await swarm.world.runFor(after);
    await swarm.world.run(leecher.session[Symbol.asyncDispose]());
    expect(leecher.host.open).toEqual([]);
    await leecher.session[Symbol.asyncDispose]();
    await closed([], swarm);
  },
);
