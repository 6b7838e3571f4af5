/** bip's DHT with the DHTs of libtorrent, aria2 and rtorrent in one network on loopback. */

import { mkdir } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Endpoint, equalEndpoints, formatEndpoint } from '../../src/base/endpoint.ts';
import { parseMagnet } from '../../src/magnet/index.ts';
import { nodeRuntime } from '../../src/runtime/node/index.ts';
import { Session } from '../../src/session/index.ts';
import { bipJson } from './bip.ts';
import { expectContent } from './content.ts';
import { DhtClients, FOUND_MS } from './dht-clients.ts';
import { textAt, textsAt } from './json.ts';
import { describeWith } from './require.ts';

describeWith(['libtorrent', 'aria2', 'rtorrent'], 'a DHT of four kinds of nodes', () => {
  let clients: DhtClients;
  beforeAll(async () => {
    clients = await DhtClients.open();
  });
  afterAll(async () => {
    await clients[Symbol.asyncDispose]();
  });

  test('bip finds what each of them announced, and nobody else', async () => {
    for (const announced of clients.announced()) {
      const peers = await clients.found(announced, 3);
      // rtorrent stores ports with their bytes swapped, and gives them out so: of that host, too.
      const { peer } = announced;
      const swapped = { host: peer.host, port: ((peer.port & 0xff) << 8) | (peer.port >>> 8) };
      const isRight = (found: Endpoint): boolean =>
        equalEndpoints(found, peer) || equalEndpoints(found, swapped);
      expect(peers).toContainEqual(peer);
      expect(peers.filter((found) => !isRight(found))).toEqual([]);
    }
  });

  test('rtorrent finds what the others announced', async () => {
    const { rtorrent, scratch } = clients;
    for (const { torrent } of clients.announced('rtorrent')) {
      await rtorrent.load(torrent.path, scratch.to('rtorrent-out'));
      // It tells how many peers it was told of, and not which; there is but one so far. Up to 0.15 it
      // takes the wrong bytes for their addresses, and can call none of them.
      const found = (): Promise<number> => rtorrent.found(torrent.infoHash);
      await expect.poll(found, { timeout: FOUND_MS, message: torrent.name }).toBe(1);
    }
  });

  test('libtorrent finds what the others announced', async () => {
    const { libtorrent } = clients;
    const node = libtorrent.node(1);
    for (const { torrent, peer } of clients.announced('libtorrent')) {
      const { infoHash } = torrent;
      node.tell('peers', { infoHash });
      const found = (): readonly string[] =>
        libtorrent
          .answers({ event: 'peers', infoHash, at: formatEndpoint(node.endpoint) })
          .flatMap((answer) => textsAt(answer, 'peers'));
      await expect
        .poll(found, { timeout: FOUND_MS, message: torrent.name })
        .toContain(formatEndpoint(peer));
    }
  });

  test('a session of bip downloads by nothing but magnets, and is found, too', async () => {
    await using runtime = nodeRuntime();
    const host = '127.0.0.37';
    await using session = await Session.open(runtime, {
      ...{ host, bind: host, port: 0, signal: AbortSignal.timeout(FOUND_MS) },
      dht: {
        hosts: [host],
        bootstrap: [clients.bip.node(5).endpoint],
        readOnly: false,
        limitAddresses: false,
      },
    });
    await Promise.all(
      clients.announced().map(async ({ by, torrent, content }) => {
        const root = clients.scratch.to('bip-out', by);
        const source = { type: 'magnet', magnet: parseMagnet(torrent.magnet) } as const;
        await session.add({ source, root }).completed;
        await expectContent(root, content);
      }),
    );
    for (const { torrent } of clients.announced()) {
      await clients.found({ torrent, peer: { host, port: session.port } }, 2);
    }
  });

  test('bip magnet fetch and bip download need no more than an infohash and a node', async () => {
    const entries = clients.entries();
    await Promise.all(
      clients.announced().map(async ({ by, torrent, content }, index) => {
        const entry = entries[(index + 1) % entries.length]?.at ?? '';
        const how = ['--bootstrap', entry, '--timeout', '60s', '--port', '0'];
        const path = clients.scratch.to(`${by}-fetched.torrent`);
        const fetch = ['magnet', 'fetch', torrent.infoHash, '--output', path, ...how];
        const [fetched] = await bipJson(fetch, FOUND_MS);
        expect(textAt(fetched, 'infoHash')).toBe(torrent.infoHash);
        const dir = clients.scratch.to('bip-cli-out', by);
        await bipJson(['download', torrent.infoHash, '--output', dir, ...how], FOUND_MS);
        await expectContent(dir, content);
      }),
    );
  });

  test('bip dht ping tells who they are', async () => {
    const nodes = clients.entries();
    const pinged = await bipJson(['dht', 'ping', ...nodes.map(({ at }) => at)], FOUND_MS);
    expect(pinged.map((line) => textAt(line, 'address'))).toEqual(nodes.map(({ at }) => at));
    for (const [index, { client }] of nodes.entries()) {
      expect(textAt(pinged[index], 'client')).toMatch(client);
    }
  });

  test('bip dht lookup finds every peer, whichever kind of node it begins with', async () => {
    const entries = clients.entries();
    await Promise.all(
      clients.announced().map(async ({ torrent, peer }, index) => {
        const entry = entries[(index + 1) % entries.length]?.at ?? '';
        const args = ['dht', 'lookup', torrent.magnet, '--bootstrap', entry];
        const found = await bipJson(args, FOUND_MS);
        expect(found).toContainEqual({ type: 'peer', address: formatEndpoint(peer) });
      }),
    );
  });

  test('aria2 downloads what the others announced', async () => {
    const { aria2, scratch } = clients;
    const others = clients.announced('aria2');
    await Promise.all(
      others.map(async ({ by, torrent, content }) => {
        const dir = scratch.to('aria2-out', by);
        await mkdir(dir, { recursive: true });
        await aria2.completed(await aria2.add(torrent.path, dir), FOUND_MS);
        await expectContent(dir, content);
      }),
    );
  });
});
