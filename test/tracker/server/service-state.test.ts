/** Swarms that outlive the tracker. */

import { describe, expect, test } from 'vitest';
import { shareByRedis } from '../../../src/tracker/server/index.ts';
import { failureOf } from '../world.ts';
import { FakeRedis } from './fake-redis.ts';
import {
  CLIENT_FOUR,
  CLIENT_SIX,
  type Client,
  infoHashOf,
  LIFETIME_SECONDS,
  openService,
  peersOf,
  ServiceWorld,
} from './service-world.ts';

const OTHER = '203.0.113.2';

describe('state', () => {
  const state = { path: '/tracker.state', everyMs: 60_000 };

  /** A leecher, a seed over IPv6, and a swarm that only has a completed download. */
  async function populate({
    scene,
    client,
  }: {
    scene: ServiceWorld;
    client: Client;
  }): Promise<void> {
    await client.announce('udp4');
    await client.announce('http6', { left: 0, event: 'completed' });
    const quiet = { infoHash: infoHashOf(2), left: 0 };
    await client.announce('udp4', { ...quiet, event: 'completed' });
    await client.announce('udp4', { ...quiet, event: 'stopped' });
    expect(scene.events).toEqual([]);
  }

  async function counts(client: Client): Promise<unknown> {
    const files = await client.scrape('udp4', infoHashOf(1), infoHashOf(2));
    return files.map(({ seeders, leechers, completed }) => ({ seeders, leechers, completed }));
  }
  const POPULATED = [
    { seeders: 1, leechers: 1, completed: 1 },
    { seeders: 0, leechers: 0, completed: 1 },
  ];

  test('is written now and then and at the end, and read at the beginning', async () => {
    const { scene, service, client } = await openService({ state });
    await scene.play(async () => {
      expect(service.restored).toEqual({ swarms: 0, peers: 0 });
      await populate({ scene, client });
      await scene.pass(130);
      const saved = { type: 'saved', path: state.path, swarms: 2, peers: 2 };
      expect(scene.events).toEqual([saved, saved]);
      await client.announce('udp4', { infoHash: infoHashOf(3) });
      await service[Symbol.asyncDispose]();
      expect(scene.events[2]).toEqual({ ...saved, swarms: 3, peers: 3 });
      await scene.pass(600);
      await using next = await scene.serve({ state });
      expect(next.restored).toEqual({ swarms: 3, peers: 3 });
      expect(await counts(client)).toEqual(POPULATED);
      const other = scene.client(OTHER);
      expect(peersOf(await other.announce('http4'))).toEqual(
        [`[${CLIENT_SIX}]:6881`, `${CLIENT_FOUR}:6881`].toSorted(),
      );
    });
  });

  test('peers grow older while nobody looks', async () => {
    const { scene, service, client } = await openService({ state });
    await scene.play(async () => {
      await client.announce('udp4');
      await scene.pass(LIFETIME_SECONDS / 2);
      await client.announce('udp6');
      await service[Symbol.asyncDispose]();
      await scene.pass(LIFETIME_SECONDS / 2 + 10);
      const second = await scene.serve({ state });
      expect(second.restored).toEqual({ swarms: 1, peers: 1 });
      await second[Symbol.asyncDispose]();
      await scene.pass(LIFETIME_SECONDS / 2);
      const third = await scene.serve({ state });
      expect(third.restored).toEqual({ swarms: 0, peers: 0 });
      await third[Symbol.asyncDispose]();
    });
  });

  test('downloads are written to Redis once, however often the tracker begins anew', async () => {
    const scene = new ServiceWorld();
    const client = scene.client(CLIENT_FOUR);
    const { runtime } = scene.host;
    const redis = new FakeRedis(runtime.clock);
    const openShared = shareByRedis(runtime, { open: () => Promise.resolve(redis) });
    const shared = { url: 'redis://198.51.100.2', prefix: 'bip:' };
    await scene.play(async () => {
      for (let port = 1; port <= 3; port++) {
        await using _ = await scene.serve({ state, shared }, runtime, { openShared });
        await client.announce('http4', { port, left: 0, event: 'completed' });
        const [file] = await client.scrape('http4', infoHashOf(1));
        expect(file).toMatchObject({ seeders: port, completed: port });
      }
      redis.loseAll();
      await using _ = await scene.serve({ state, shared }, runtime, { openShared });
      await scene.pass(1);
      expect(redis.counts(infoHashOf(1).wire)).toEqual([3, 0, 3]);
    });
  });

  test('after a power cut it is what was written last, not what was being written', async () => {
    const { scene, client } = await openService({ state });
    await scene.play(async () => {
      await populate({ scene, client });
      await scene.pass(60);
      expect(scene.events).toMatchObject([{ type: 'saved', peers: 2 }]);
      await client.announce('udp4', { infoHash: infoHashOf(3) });
      scene.host.disk.latencyMs = 1000;
      await scene.pass(62);
      expect(await scene.host.runtime.files.list('/')).toContain('tracker.state.new');
      scene.host.crash();
      scene.host.disk.latencyMs = 0;
      expect(scene.events).toHaveLength(1);
      await using next = await scene.serve({ state });
      expect(next.restored).toEqual({ swarms: 2, peers: 2 });
      expect(await counts(client)).toEqual(POPULATED);
    });
  });

  test('a disk that is slow: one after the other, and the last one has all', async () => {
    const { scene, service, client } = await openService({ state: { ...state, everyMs: 1000 } });
    await scene.play(async () => {
      scene.host.disk.latencyMs = 10_000;
      for (let port = 1; port <= 10; port++) {
        await client.announce('udp4', { port });
        await scene.pass(60);
      }
      const began = scene.world.now;
      await service[Symbol.asyncDispose]();
      // What was under way and what was new, not one more for each that was due.
      expect(scene.world.now - began).toBeLessThan(3 * 60_000);
      scene.host.disk.latencyMs = 0;
      await using next = await scene.serve({ state });
      expect(next.restored).toEqual({ swarms: 1, peers: 10 });
    });
  });

  test('a disk that is full: told, and tried again', async () => {
    const { scene, service, client } = await openService({ state });
    await scene.play(async () => {
      await populate({ scene, client });
      await scene.pass(61);
      scene.host.disk.capacity = scene.host.disk.used;
      await client.announce('udp4', { port: 7 });
      await scene.pass(60);
      expect(scene.events[1]).toMatchObject({
        type: 'save-failed',
        error: { code: 'BIP_DISK_FULL', message: expect.stringContaining(state.path) },
      });
      await client.announce('udp4', { port: 8 });
      scene.host.disk.capacity = Number.POSITIVE_INFINITY;
      await service[Symbol.asyncDispose]();
      expect(scene.events[2]).toMatchObject({ type: 'saved', peers: 4 });
      await using next = await scene.serve({ state });
      expect(next.restored).toEqual({ swarms: 2, peers: 4 });
    });
  });

  test('a file that is damaged: nothing is opened, and the file is left as it is', async () => {
    const { scene, service, client } = await openService({ state });
    const { files } = scene.host.runtime;
    await scene.play(async () => {
      await populate({ scene, client });
      await service[Symbol.asyncDispose]();
      const bytes = await files.readFile(state.path, { maxBytes: 100_000 });
      for (const damaged of [
        bytes.slice(0, -1),
        bytes.map((byte, at) => (at === 60 ? ~byte : byte)),
      ]) {
        await files.writeFile(state.path, damaged);
        expect(await failureOf(scene.serve({ state }))).toMatchObject({
          name: 'ProtocolError',
          message: expect.stringContaining(state.path),
        });
        scene.world.assertClosed();
        expect(await files.readFile(state.path, { maxBytes: 100_000 })).toEqual(damaged);
      }
    });
  });
});
