/**
 * `node serve.ts bip|npm|echo [NODE_MODULES]`: a node with the population of the bench on a loopback port, or
 * a socket that sends back what it gets. Prints its port; ends by a signal.
 *
 * @module
 */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { nodeRuntime } from '../../../src/runtime/node/index.ts';
import { fillBip, openBip } from './in-process.ts';
import { PEERS_PER_TORRENT, population, TORRENTS } from './population.ts';

interface NpmDht extends NodeJS.EventEmitter {
  listen(port: number, host: string): void;
  address(): { readonly port: number };
  addNode(node: { readonly id: Buffer; readonly host: string; readonly port: number }): void;
  _addPeer(peer: NpmPeer, infoHash: Buffer, from: NpmPeer): void;
}

interface NpmPeer {
  readonly host: string;
  readonly port: number;
}

type NpmDhtClass = new (options: {
  readonly bootstrap: false;
  readonly maxPeers: number;
}) => NpmDht;

/** With more of them it would ping some. */
const NPM_BUCKET = 20;

const KINDS: Readonly<Record<string, () => Promise<number>>> = {
  async bip() {
    const node = await openBip(nodeRuntime(), 0);
    fillBip(node, population());
    return node.port;
  },
  async npm() {
    const entry = join(process.argv[3] ?? '', 'bittorrent-dht', 'index.js');
    const { Client }: { readonly Client: NpmDhtClass } = await import(pathToFileURL(entry).href);
    const dht = new Client({ bootstrap: false, maxPeers: 2 * TORRENTS * PEERS_PER_TORRENT });
    dht.listen(0, '127.0.0.1');
    await once(dht, 'listening');
    const { infoHashes, peersOf, nodes } = population();
    const { _addPeer: addPeer } = dht;
    for (const [torrent, infoHash] of infoHashes.entries()) {
      for (const peer of peersOf(torrent)) {
        const named = { host: peer.subarray(0, 4).join('.'), port: 6881 };
        addPeer.call(dht, named, Buffer.from(infoHash), named);
      }
    }
    for (const { id, host, port } of nodes.slice(0, NPM_BUCKET)) {
      dht.addNode({ id: Buffer.from(id), host, port });
    }
    return dht.address().port;
  },
  async echo() {
    const udp = createSocket({ type: 'udp4', recvBufferSize: 2 ** 21, sendBufferSize: 2 ** 21 });
    udp.on('message', (packet, { address, port }) => udp.send(packet, port, address));
    udp.bind(0, '127.0.0.1');
    await once(udp, 'listening');
    return udp.address().port;
  },
};

const start = KINDS[process.argv[2] ?? ''];
if (start === undefined) throw new Error('serve.ts bip|npm|echo');
process.stdout.write(`${await start()}\n`);
