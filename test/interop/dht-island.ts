/**
 * A program for island.py: lets Transmission download a torrent that only bip's DHT knows, at addresses
 * that Transmission does not take for impossible, and bip find Transmission. Prints the peers that bip was
 * told of in the end, as JSON.
 *
 * `node dht-island.ts TORRENT INFOHASH SOURCE OUT STATE`
 *
 * @module
 */

import { parseHex } from '../../src/base/bytes.ts';
import { formatEndpoint, parseEndpoint } from '../../src/base/endpoint.ts';
import { DhtCrowd, SEARCH_MS } from './dht-crowd.ts';
import { startLibtorrent } from './peers/libtorrent.ts';
import { startTransmission } from './peers/transmission.ts';
import { until } from './until.ts';

const [, , torrent = '', hex = '', source = '', out = '', state = ''] = process.argv;
const infoHash = parseHex(hex) ?? new Uint8Array(20);
const SEED = '10.99.0.41';
/** With eight nodes or less it takes its DHT for broken, and asks for nothing. */
const HOSTS = [
  '10.99.0.31',
  '10.99.0.32',
  '10.99.0.33',
  '10.99.0.34',
  '10.99.0.35',
  '10.99.0.36',
  '10.99.0.37',
  '10.99.0.38',
  '10.99.0.39',
  '10.99.0.40',
  SEED,
];
/** It makes friends with a node every two seconds. */
const DOWNLOADED_MS = 60_000;

await using bip = await DhtCrowd.open(HOSTS);
await using seed = await startLibtorrent({ mode: 'seed', torrent, dir: source, host: SEED });
await bip.node(HOSTS.indexOf(SEED)).dht.findPeers(infoHash, {
  signal: AbortSignal.timeout(SEARCH_MS),
  announce: { port: parseEndpoint(seed.address)?.port, seed: true },
});
await using transmission = await startTransmission({
  ...{ mode: 'download', torrent, dir: out, state, host: '10.99.0.71' },
  dhtNodes: bip.nodes.map(({ endpoint }) => endpoint),
});
await transmission.completed(DOWNLOADED_MS);
const peers = await until(
  async () => {
    const signal = AbortSignal.timeout(SEARCH_MS);
    const [found] = await bip.node(0).dht.findPeers(infoHash, { signal });
    const names = found?.peers.map(formatEndpoint) ?? [];
    return names.includes(transmission.address) && names;
  },
  { deadlineMs: SEARCH_MS, what: 'bip to find Transmission' },
);
process.stdout.write(
  `${JSON.stringify({ peers, seed: seed.address, transmission: transmission.address })}\n`,
);
