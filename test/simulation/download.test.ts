/** Whole downloads in virtual time: loss, dying peers, liars, full disks, power cuts. */

import { describe, expect, test } from 'vitest';
import { StorageError } from '../../src/base/errors.ts';
import type { HostOptions } from '../../src/runtime/sim/index.ts';
import { TEST_SEED } from '../sim/world.ts';
import { makeContent, type Peer, SwarmWorld, warnings } from './swarm-world.ts';

/** An ordinary line, so that transfers take time in which something can happen. */
const LINE: Partial<HostOptions> = { latencyMs: 20, upload: 500_000, download: 2_000_000 };

async function finish(swarm: SwarmWorld, peers: readonly Peer[]): Promise<void> {
  for (const peer of peers) await peer[Symbol.asyncDispose]();
  swarm.world.assertClosed();
}

test('from one seed: every byte, empty files too, and nothing is left open', async () => {
  const swarm = new SwarmWorld();
  await swarm.world.run(
    (async () => {
      const seed = await swarm.seed(LINE);
      const leecher = await swarm.start(swarm.host(LINE), { peers: [seed.endpoint] });
      await leecher.torrent.completed;
      expect(await swarm.digests(leecher.host)).toEqual(swarm.expected);
      expect(leecher.torrent.stats()).toMatchObject({
        done: 1_000_000,
        downloaded: 1_000_000,
        wasted: 0,
      });
      expect(seed.torrent.stats().uploaded).toBe(1_000_000);
      const files = leecher.events.flatMap((event) =>
        event.type === 'file' ? [event.path.join('/')] : [],
      );
      expect(files.toSorted()).toEqual([...swarm.content.files.keys()].toSorted());
      await finish(swarm, [leecher, seed]);
      expect(await leecher.runtime.files.list('/data')).toEqual(['album']);
    })(),
  );
});

test('by magnet: the metadata comes from the peer', async () => {
  const swarm = new SwarmWorld();
  await swarm.world.run(
    (async () => {
      const seed = await swarm.seed(LINE);
      const { infoHash } = swarm.content.metainfo;
      const nothing = { trackers: [], webSeeds: [], nodes: [] };
      const leecher = await swarm.start(swarm.host(LINE), {
        source: {
          type: 'magnet',
          magnet: {
            ...nothing,
            peers: [seed.endpoint],
            ...(infoHash === undefined ? {} : { infoHash }),
          },
        },
      });
      await leecher.torrent.completed;
      expect(await swarm.digests(leecher.host)).toEqual(swarm.expected);
      await finish(swarm, [leecher, seed]);
    })(),
  );
});

describe('bad networks', () => {
  test.each([1, 2, 3, 4, 5])('seed %i: loss of 5 in 100 on every line', async (offset) => {
    const swarm = new SwarmWorld(makeContent(), { seed: TEST_SEED * 1000 + offset });
    const line = { ...LINE, loss: 0.05, jitterMs: 10 };
    await swarm.world.run(
      (async () => {
        const seeds = [await swarm.seed(line), await swarm.seed(line)];
        const leecher = await swarm.start(swarm.host(line), {
          peers: seeds.map((seed) => seed.endpoint),
        });
        await leecher.torrent.completed;
        expect(await swarm.digests(leecher.host)).toEqual(swarm.expected);
        await finish(swarm, [leecher, ...seeds]);
      })(),
    );
  });

  test.each([1, 2, 3, 4, 5])(
    'peers die one after the other, the last one suffices, seed %i',
    async (offset) => {
      const swarm = new SwarmWorld(makeContent(2_000_000), { seed: TEST_SEED * 2000 + offset });
      await swarm.world.run(
        (async () => {
          const seeds = [
            await swarm.seed(LINE),
            await swarm.seed(LINE),
            await swarm.seed(LINE),
            await swarm.seed(LINE),
          ];
          const leecher = await swarm.start(swarm.host(LINE), {
            peers: seeds.map((seed) => seed.endpoint),
          });
          const { timeline, random } = swarm.world;
          for (const [at, seed] of seeds.slice(1).entries()) {
            timeline.after(200 + 300 * at + (random.uint32() % 200), () => {
              // One loses its cable, one its power, one closes all connections and its listener.
              if (at === 0) seed.host.offline = true;
              else if (at === 1) seed.host.crash();
              else void seed[Symbol.asyncDispose]();
            });
          }
          await leecher.torrent.completed;
          expect(await swarm.digests(leecher.host)).toEqual(swarm.expected);
          await leecher[Symbol.asyncDispose]();
          expect(leecher.host.open).toEqual([]);
          for (const seed of seeds)
            if (seed.host.runtime === seed.runtime) await seed[Symbol.asyncDispose]();
        })(),
      );
    },
  );

  test('the network falls apart and heals: the download goes on by itself', async () => {
    const swarm = new SwarmWorld();
    await swarm.world.run(
      (async () => {
        const seed = await swarm.seed(LINE);
        const leecher = await swarm.start(swarm.host(LINE), { peers: [seed.endpoint] });
        swarm.world.timeline.after(700, () => {
          const heal = swarm.world.partition([seed.host], [leecher.host]);
          seed.host.resetConnections();
          swarm.world.timeline.after(60_000, heal);
        });
        await leecher.torrent.completed;
        expect(swarm.world.now).toBeGreaterThan(60_000);
        expect(await swarm.digests(leecher.host)).toEqual(swarm.expected);
        await finish(swarm, [leecher, seed]);
      })(),
    );
  });

  test('a seed behind a NAT calls the leecher, which cannot call it', async () => {
    const swarm = new SwarmWorld();
    await swarm.world.run(
      (async () => {
        const host = swarm.host(LINE);
        const seed = await swarm.seed({
          ...LINE,
          nat: 'symmetric',
          peers: [{ host: host.address, port: 6881 }],
        });
        const leecher = await swarm.start(host, { peers: [seed.endpoint] });
        await leecher.torrent.completed;
        expect(await swarm.digests(leecher.host)).toEqual(swarm.expected);
        await finish(swarm, [leecher, seed]);
      })(),
    );
  });
});

describe('liars', () => {
  const spoilt = (_path: string, bytes: Uint8Array): Uint8Array =>
    bytes.map((byte, at) => (at % 50_000 < 3 ? byte ^ 0xff : byte));

  test.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'one among three honest peers is found out and banned, seed %i',
    async (offset) => {
      const swarm = new SwarmWorld(makeContent(), { seed: TEST_SEED * 3000 + offset });
      await swarm.world.run(
        (async () => {
          const liar = await swarm.seed(LINE, spoilt);
          const honest = [await swarm.seed(LINE), await swarm.seed(LINE), await swarm.seed(LINE)];
          const peers = [liar, ...honest].map((peer) => peer.endpoint);
          const leecher = await swarm.start(swarm.host(LINE), { peers });
          await leecher.torrent.completed;
          expect(await swarm.digests(leecher.host)).toEqual(swarm.expected);
          const banned = leecher.events.filter(
            (event) => event.type === 'warning' && event.code === 'BIP_PEER_BANNED',
          );
          expect(banned).toHaveLength(1);
          expect(banned[0]).toMatchObject({ message: expect.stringContaining(liar.host.address) });
          await finish(swarm, [leecher, liar, ...honest]);
        })(),
      );
    },
  );

  test('alone it can stop the download, but nothing false is kept', async () => {
    const swarm = new SwarmWorld();
    await swarm.world.run(
      (async () => {
        const liar = await swarm.seed(LINE, (_path, bytes) => bytes.map((byte) => byte ^ 1));
        const leecher = await swarm.start(swarm.host(LINE), { peers: [liar.endpoint] });
        await leecher.host.sleep(60_000);
        expect(leecher.torrent.stats()).toMatchObject({ done: 0, peers: 0, state: 'downloading' });
        expect(warnings(leecher.events)).toContain('BIP_PEER_BANNED');
        await finish(swarm, [leecher, liar]);
      })(),
    );
  });
});

describe('disks', () => {
  test('a full disk ends the download with a clear error; with room it goes on where it was', async () => {
    const swarm = new SwarmWorld();
    await swarm.world.run(
      (async () => {
        const seed = await swarm.seed(LINE);
        const host = swarm.host(LINE);
        host.disk.capacity = 400_000;
        const first = await swarm.start(host, { peers: [seed.endpoint] });
        await expect(first.torrent.completed).rejects.toThrow(StorageError);
        const kept = first.torrent.stats().done;
        expect(kept).toBeGreaterThan(200_000);
        await first[Symbol.asyncDispose]();
        host.disk.capacity = Number.POSITIVE_INFINITY;
        const second = await swarm.start(host, { peers: [seed.endpoint] });
        await second.torrent.completed;
        expect(second.torrent.stats().downloaded).toBe(1_000_000 - kept);
        expect(await swarm.digests(host)).toEqual(swarm.expected);
        await finish(swarm, [second, seed]);
      })(),
    );
  });

  test('a power cut loses at most what was not on the medium; the rest is not fetched again', async () => {
    const swarm = new SwarmWorld();
    await swarm.world.run(
      (async () => {
        const seed = await swarm.seed(LINE);
        const host = swarm.host(LINE);
        await swarm.start(host, { peers: [seed.endpoint] });
        await seed.host.sleep(1_200);
        host.crash();
        const again = await swarm.start(host, { peers: [seed.endpoint] });
        await again.torrent.completed;
        expect(await swarm.digests(host)).toEqual(swarm.expected);
        await finish(swarm, [again, seed]);
      })(),
    );
  });

  test('stopped and started again, nothing that was there is fetched or hashed again', async () => {
    const swarm = new SwarmWorld();
    await swarm.world.run(
      (async () => {
        const seed = await swarm.seed(LINE);
        const host = swarm.host(LINE);
        const first = await swarm.start(host, { peers: [seed.endpoint] });
        await seed.host.sleep(1_200);
        await first[Symbol.asyncDispose]();
        const kept = first.torrent.stats().done;
        expect(kept).toBeGreaterThan(100_000);
        host.disk.fail({ operation: 'read', path: /\.bin$/, error: 'EIO' });
        const second = await swarm.start(host, { peers: [seed.endpoint] });
        await second.torrent.completed;
        expect(second.torrent.stats().downloaded).toBe(1_000_000 - kept);
        await finish(swarm, [second, seed]);
      })(),
    );
  });

  test('a file of another size is left alone', async () => {
    const swarm = new SwarmWorld();
    await swarm.world.run(
      (async () => {
        const host = swarm.host(LINE);
        await host.runtime.files.makeDirectory('/data/album');
        await host.runtime.files.writeFile('/data/album/second.bin', new Uint8Array(5).fill(9));
        const leecher = await swarm.start(host);
        await expect(leecher.torrent.completed).rejects.toThrow('/data/album/second.bin');
        await finish(swarm, [leecher]);
        const kept = await host.runtime.files.readFile('/data/album/second.bin', { maxBytes: 100 });
        expect(kept).toEqual(new Uint8Array(5).fill(9));
      })(),
    );
  });

  test('a seed that cannot read what it promised says so and lives on', async () => {
    const swarm = new SwarmWorld();
    await swarm.world.run(
      (async () => {
        const broken = await swarm.seed(LINE);
        broken.host.disk.fail({ operation: 'read', path: /first\.bin$/, error: 'EIO', times: 1 });
        const whole = await swarm.seed(LINE);
        const leecher = await swarm.start(swarm.host(LINE), {
          peers: [broken.endpoint, whole.endpoint],
        });
        await leecher.torrent.completed;
        expect(await swarm.digests(leecher.host)).toEqual(swarm.expected);
        await finish(swarm, [leecher, broken, whole]);
      })(),
    );
  });
});

test('leechers help each other: the seed sends far less than all of them get', async () => {
  const swarm = new SwarmWorld(makeContent(2_000_000));
  await swarm.world.run(
    (async () => {
      const seed = await swarm.seed({ ...LINE, upload: 300_000 });
      const leechers: Peer[] = [];
      for (let n = 0; n < 6; n++) {
        const peers = [seed.endpoint, ...leechers.map((peer) => peer.endpoint)];
        leechers.push(await swarm.start(swarm.host(LINE), { peers }));
      }
      await Promise.all(leechers.map((peer) => peer.torrent.completed));
      for (const peer of leechers) expect(await swarm.digests(peer.host)).toEqual(swarm.expected);
      expect(seed.torrent.stats().uploaded).toBeLessThan(0.7 * 6 * 2_000_000);
      const wasted = leechers.reduce((sum, peer) => sum + peer.torrent.stats().wasted, 0);
      // End-game: an idle peer is asked for one open block at a time, and what is on its way comes.
      expect(wasted).toBeLessThan(leechers.length * 6 * 2 * 16_384);
      await finish(swarm, [...leechers, seed]);
    })(),
  );
});

test('who is slow with the last blocks holds up nobody, and is not asked for again and again', async () => {
  const swarm = new SwarmWorld(makeContent(2_000_000));
  await swarm.world.run(
    (async () => {
      const slow = await swarm.seed({ ...LINE, upload: 2_000 });
      const fast = await swarm.seed({ ...LINE, upload: 4_000_000 });
      const leecher = await swarm.start(swarm.host({ ...LINE, download: 8_000_000 }), {
        peers: [slow.endpoint, fast.endpoint],
      });
      const began = swarm.world.now;
      await leecher.torrent.completed;
      // A block of the slow seed is eight seconds on its way.
      expect(swarm.world.now - began).toBeLessThan(5_000);
      expect(await swarm.digests(leecher.host)).toEqual(swarm.expected);
      expect(leecher.torrent.stats().wasted).toBeLessThan(4 * 16_384);
      await finish(swarm, [leecher, slow, fast]);
    })(),
  );
});

test('the same seed gives the same trace, another seed another', async () => {
  const run = async (seed: number): Promise<string> => {
    const swarm = new SwarmWorld(makeContent(300_000), { seed });
    const line = { ...LINE, loss: 0.02, jitterMs: 5 };
    await swarm.world.run(
      (async () => {
        const seeds = [await swarm.seed(line), await swarm.seed(line)];
        const leecher = await swarm.start(swarm.host(line), {
          peers: seeds.map((peer) => peer.endpoint),
        });
        await leecher.torrent.completed;
        await finish(swarm, [leecher, ...seeds]);
      })(),
    );
    return swarm.world.trace.hash;
  };
  const first = await run(7);
  expect(await run(7)).toBe(first);
  expect(await run(8)).not.toBe(first);
});
