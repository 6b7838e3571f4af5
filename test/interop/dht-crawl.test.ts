/** The built bip crawls a DHT of libtorrent and bip on loopback. */

import { expect, test } from 'vitest';
import { formatHex } from '../../src/base/bytes.ts';
import { formatEndpoint } from '../../src/base/endpoint.ts';
import { bipJson } from './bip.ts';
import { bytesOf } from './content.ts';
import { SEARCH_MS } from './dht-crowd.ts';
import { DhtPair } from './dht-pair.ts';
import { at, textAt } from './json.ts';
import { describeWith } from './require.ts';
import { openScratch } from './scratch.ts';

describeWith(['libtorrent'], 'a crawl', () => {
  test('finds nodes of bip and libtorrent, their clients and infohashes, and goes on', async () => {
    await using pair = await DhtPair.open();
    await using scratch = await openScratch();
    const hashes = Array.from({ length: 10 }, (_, number) => bytesOf(`hash ${number}`, 20));
    for (const hash of hashes) await pair.peers(0, hash, { announce: { port: 4000, seed: false } });
    const [one] = pair.libtorrent.nodes.map(({ endpoint }) => formatEndpoint(endpoint));
    const argv = ['dht', 'crawl', '--bootstrap', one ?? '', '--samples', '--rate', '100'];
    const state = ['--state', scratch.to('crawl.state')];
    const lines = await bipJson([...argv, ...state], SEARCH_MS);
    const nodes = lines.filter((line) => at(line, 'type') === 'node');
    const clients = new Map(
      nodes.map((line) => [textAt(line, 'address'), textAt(line, 'client').split(' ')[0]]),
    );
    expect(clients).toEqual(
      new Map([
        ...pair.bip.nodes.map(({ endpoint }) => [formatEndpoint(endpoint), 'bip'] as const),
        ...pair.libtorrent.nodes.map(
          ({ endpoint }) => [formatEndpoint(endpoint), 'libtorrent'] as const,
        ),
      ]),
    );
    const listed = lines.flatMap((line) => textAt(line, 'infoHash') || []);
    expect(listed.toSorted()).toEqual(hashes.map(formatHex).toSorted());
    const count = pair.others + 1;
    const family = {
      ...{ family: 4, zones: 1, zonesDone: 1, nodesAnswered: count, nodesSampled: count },
      estimate: { nodes: count, low: count, high: count },
    };
    expect(lines.at(-1)).toMatchObject({ type: 'done', nodes: count, families: [family] });
    const again = await bipJson([...argv, ...state], SEARCH_MS);
    expect(again).toHaveLength(1);
    expect(again[0]).toMatchObject({ type: 'done', nodes: 0, infoHashes: 0, families: [family] });
  });
});
