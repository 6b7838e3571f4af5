/** `bip dht serve` as a process, with nodes of libtorrent around it. */

import { existsSync, statSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { formatEndpoint } from '../../src/base/endpoint.ts';
import { bipJson } from './bip.ts';
import { isRecord, textsAt } from './json.ts';
import { BipDhtNode } from './peers/bip-dht-node.ts';
import { LibtorrentDht } from './peers/libtorrent-dht.ts';
import { describeWith } from './require.ts';
import { openScratch, type Scratch } from './scratch.ts';

const HOST = '127.0.0.91';
const OTHERS = ['127.0.0.92', '127.0.0.93'];
const HASH = 'ab'.repeat(20);
const FOUND_MS = 30_000;

describeWith(['libtorrent'], 'bip dht serve', () => {
  let scratch: Scratch;
  let libtorrent: LibtorrentDht;
  let bip: BipDhtNode;

  beforeAll(async () => {
    scratch = await openScratch();
    const flags = ['--table', scratch.to('table'), '--log-every', '1s', '--stats', '0'];
    bip = await BipDhtNode.start(HOST, flags);
    libtorrent = await LibtorrentDht.start(OTHERS);
    // They know nobody but bip, by which they find each other.
    for (const node of libtorrent.nodes) node.tell('know', { at: bip.endpoint });
  });
  afterAll(async () => {
    await bip[Symbol.asyncDispose]();
    await libtorrent[Symbol.asyncDispose]();
    await scratch[Symbol.asyncDispose]();
  });

  test('nodes of libtorrent find each other by it, and it joins them', async () => {
    await libtorrent.knows(2);
    const stats = await bip.heard('stats', ({ families }) => sizesOf(families)[0] === 2);
    expect(stats).toMatchObject({ families: [{ family: 'ipv4', nodeId: bip.id }] });
    await bip.heard('joined');
  });

  test('what one of them announces another one finds, and it is kept here', async () => {
    const [one, other] = [libtorrent.node(0), libtorrent.node(1)];
    await one.ask('announce', { infoHash: HASH }, { event: 'announcing', infoHash: HASH });
    await bip.heard('stats', ({ torrents, peers }) => torrents === 1 && peers === 1);
    const wanted = { event: 'peers', infoHash: HASH, at: formatEndpoint(other.endpoint) };
    other.tell('peers', { infoHash: HASH });
    await expect
      .poll(() => libtorrent.answers(wanted).flatMap((answer) => textsAt(answer, 'peers')), {
        timeout: FOUND_MS,
      })
      .toContain(formatEndpoint(one.endpoint));
  });

  test('its numbers are read over HTTP', async () => {
    const [listening] = bip.told('listening');
    const url = String(listening?.['stats']);
    const document: unknown = await (await fetch(url)).json();
    expect(document).toMatchObject({ readOnly: false, torrents: 1, peers: 1 });
    const metrics = await (await fetch(new URL('metrics', url))).text();
    expect(metrics).toMatch(/^bip_dht_nodes\{family="ipv4"\} 2$/m);
    expect(metrics).toMatch(/^bip_dht_queries_received_total\{.*"announce_peer"\} [1-9]\d*$/m);
    expect(metrics).toMatch(/^bip_dht_memory_bytes \d{7,}$/m);
  });

  test('with its table it comes back as the same node, and needs nobody named', async () => {
    const { id, endpoint } = bip;
    expect(await bip.stop()).toMatchObject({ code: 130 });
    const [saved] = bip.told('saved').slice(-1);
    expect(saved).toMatchObject({ nodes: 2 });
    expect(statSync(scratch.to('table')).size).toBeGreaterThan(2 * 26);
    const flags = ['--table', scratch.to('table'), '--log-every', '1s'];
    bip = await BipDhtNode.start(HOST, [...flags, '--port', String(endpoint.port)]);
    expect(bip.told('listening')[0]).toMatchObject({ restored: { nodes: 2 } });
    expect([bip.id, bip.endpoint]).toEqual([id, endpoint]);
    await bip.heard('joined', ({ nodeId, nodes }) => nodeId === id && nodes === 2);
    // What others announced with it is gone; whom it asks has it still.
    const entry = ['--bootstrap', formatEndpoint(endpoint)];
    const found = await bipJson(['dht', 'lookup', HASH, ...entry], FOUND_MS);
    const peer = formatEndpoint(libtorrent.node(0).endpoint);
    expect(found).toContainEqual({ type: 'peer', address: peer });
  });

  test('a port that is taken, and a table that is none', async () => {
    const taken = BipDhtNode.start(HOST, ['--port', String(bip.endpoint.port)]);
    await expect(taken).rejects.toThrow('ended with 1');
    await expect(BipDhtNode.start(HOST, ['--table', process.execPath])).rejects.toThrow(
      'ended with 4',
    );
    expect(existsSync(process.execPath)).toBe(true);
  });
});

/** How many nodes are known in each family. */
function sizesOf(families: unknown): readonly unknown[] {
  return Array.isArray(families) ? families.filter(isRecord).map((family) => family['nodes']) : [];
}
