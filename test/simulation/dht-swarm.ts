/** A torrent, the hosts that have or want it, and a small DHT, in one simulated world. @module */

import { formatHex } from '../../src/base/bytes.ts';
import { type Endpoint, formatEndpoint } from '../../src/base/endpoint.ts';
import { DhtNode } from '../../src/dht/index.ts';
import { decodeMessage } from '../../src/dht/krpc/index.ts';
import type { Network } from '../../src/runtime/ports.ts';
import type { HostOptions, SimHost } from '../../src/runtime/sim/index.ts';
import type { SessionOptions } from '../../src/session/index.ts';
import { PORT, SwarmWorld } from './swarm-world.ts';

/** A question about a torrent as a node of the DHT got it. */
export interface Asked {
  readonly method: string;
  /** Hex. */
  readonly infoHash: string;
  readonly from: string;
  /** Of an announce. */
  readonly port: number | undefined;
  readonly at: number;
}

/** Every session takes part in the DHT, which it enters by the first node. */
export class DhtSwarm extends SwarmWorld implements AsyncDisposable {
  /** All that nodes were asked about torrents. */
  readonly asked: Asked[] = [];
  override session: Partial<SessionOptions> = {
    dht: { bootstrap: [nodeAddress(0)], readOnly: false },
  };
  readonly #nodes: DhtNode[] = [];
  /** Packets that nodes got, by the address of who sent them. */
  readonly #packets = new Map<string, number>();
  readonly #stopping = new AbortController();
  #sessions = 0;

  /** Opens so many nodes, one after the other, and lets them meet. */
  async populate(count: number): Promise<void> {
    for (let at = 0; at < count; at++) {
      const { host } = nodeAddress(at);
      const { runtime } = this.world.host(host);
      const network = this.#overheard(runtime.network);
      const node = await DhtNode.open(
        { ...runtime, network },
        {
          ...{ signal: this.#stopping.signal, port: PORT, hosts: [host], readOnly: false },
          bootstrap: at === 0 ? [] : [nodeAddress(0)],
        },
      );
      this.#nodes.push(node);
      await this.world.run(node.join());
    }
    await this.world.runFor(60_000);
  }

  /** Nobody on the internet may name hosts of a private network, so that these are none. */
  override host(options: Partial<HostOptions> = {}): SimHost {
    return this.world.host(`81.0.${this.#sessions++}.1`, options);
  }

  /** What was asked about the torrent, by this method, from this host. */
  askedBy({ address }: SimHost, method: string): readonly Asked[] {
    return this.asked.filter(
      (asked) =>
        asked.from.startsWith(`${address}:`) &&
        asked.method === method &&
        asked.infoHash === this.content.metainfo.infoHash?.hex,
    );
  }

  /** How many packets of any kind nodes got from this host. */
  heardFrom({ address }: SimHost): number {
    return this.#packets.get(address) ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort(new Error('the world ends'));
    await Promise.all(this.#nodes.map((node) => node[Symbol.asyncDispose]()));
  }

  #overheard(network: Network): Network {
    return {
      connect: (to, options) => network.connect(to, options),
      listen: (accept, options) => network.listen(accept, options),
      bindDatagrams: async (options) => {
        const socket = await network.bindDatagrams(options);
        return {
          local: socket.local,
          send: (bytes, to) => socket.send(bytes, to),
          receive: (listener) =>
            socket.receive((bytes, from) => {
              this.#hear(bytes, from);
              listener(bytes, from);
            }),
          [Symbol.asyncDispose]: () => socket[Symbol.asyncDispose](),
        };
      },
    };
  }

  #hear(bytes: Uint8Array, from: Endpoint): void {
    this.#packets.set(from.host, (this.#packets.get(from.host) ?? 0) + 1);
    const message = decodeMessage(bytes);
    if (message.type !== 'query') return;
    const { method, args } = message;
    const { infoHash, port } = args;
    if (infoHash === undefined) return;
    const asked = { method, infoHash: formatHex(infoHash), from: formatEndpoint(from), port };
    this.asked.push({ ...asked, at: this.world.now });
  }
}

/** Where a node of the DHT is, each in a network of its own. */
export function nodeAddress(at: number): Endpoint {
  return { host: `80.0.${at}.1`, port: PORT };
}
