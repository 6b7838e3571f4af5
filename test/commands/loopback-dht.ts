/** A small DHT on real sockets of this machine, for commands that run as processes. @module */

import { formatHex } from '../../src/base/bytes.ts';
import { formatEndpoint } from '../../src/base/endpoint.ts';
import { encode } from '../../src/bencode/index.ts';
import {
  type DhtItem,
  DhtNode,
  encodeTorrentPointer,
  immutableTarget,
  mutableTarget,
  signItem,
} from '../../src/dht/index.ts';
import { nodeRuntime } from '../../src/runtime/node/index.ts';

/** What is to be found in it, by the names that examples give them. */
export interface LoopbackDht extends AsyncDisposable {
  readonly named: Readonly<Record<'node' | 'hash' | 'target' | 'key', string>>;
}

const NODES = 10;
const HASH = new Uint8Array(20).fill(0x5a);
const NO_SALT = new Uint8Array(0);
const SALT = new TextEncoder().encode('news');

/** A few nodes with a peer of a torrent, an item, and two items of a key: news, and a pointer to the torrent. */
export async function joinOnLoopback(): Promise<LoopbackDht> {
  const runtime = nodeRuntime();
  const ending = new AbortController();
  const { signal } = ending;
  const nodes: DhtNode[] = [];
  for (let at = 0; at < NODES; at++) {
    const [first] = nodes;
    const node = await DhtNode.open(runtime, {
      ...{ signal, port: 0, hosts: ['127.0.0.1'], readOnly: false, limitAddresses: false },
      // All examples ask from one address, and at once.
      limits: { queriesPerSecond: 10_000 },
      bootstrap: first === undefined ? [] : [{ host: '127.0.0.1', port: first.port }],
    });
    nodes.push(node);
    await node.join();
  }
  const [first, second] = nodes;
  if (first === undefined || second === undefined) throw new Error('there are no nodes');
  await second.findPeers(HASH, { signal, announce: { port: 6881, seed: true } });
  const secretKey = new Uint8Array(32).fill(7);
  const news = { secretKey, sequence: 1n, salt: SALT, value: encode('good news') };
  const pointer = { secretKey, sequence: 1n, salt: NO_SALT, value: encodeTorrentPointer(HASH) };
  const key = signItem(news).publicKey;
  const hello = encode('hello world');
  const put = async (target: Uint8Array, item: DhtItem, salt = NO_SALT): Promise<unknown> =>
    second.putItem(target, { signal, salt, make: () => item });
  await put(immutableTarget(hello), { type: 'immutable', value: hello });
  await put(mutableTarget(key, SALT), signItem(news), SALT);
  await put(mutableTarget(key, NO_SALT), signItem(pointer));
  return {
    named: {
      node: formatEndpoint({ host: '127.0.0.1', port: first.port }),
      hash: formatHex(HASH),
      target: formatHex(immutableTarget(hello)),
      key: formatHex(key),
    },
    async [Symbol.asyncDispose]() {
      ending.abort(new Error('the test ends'));
      for (const node of nodes) await node[Symbol.asyncDispose]();
      await runtime[Symbol.asyncDispose]();
    },
  };
}
