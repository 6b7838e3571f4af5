/** A whole node without a network: packets are handed to it one by one. @module */

import type { Endpoint } from '../../src/base/endpoint.ts';
import { InvariantError } from '../../src/base/errors.ts';
import { DhtNode, type DhtOptions } from '../../src/dht/index.ts';
import type { Datagrams, Network } from '../../src/runtime/ports.ts';
import type { World } from '../../src/runtime/sim/index.ts';
import { makeWorld } from '../sim/world.ts';

/** One datagram that the node sent, copied. */
export interface Sent {
  readonly bytes: Uint8Array;
  readonly to: Endpoint;
}

const OWN_ADDRESS = '198.18.0.1';

export class BareNode implements AsyncDisposable {
  readonly world: World;
  readonly node: DhtNode;
  readonly #wire: Wire;

  private constructor(world: World, node: DhtNode, wire: Wire) {
    this.world = world;
    this.node = node;
    this.#wire = wire;
  }

  static async open(options: Partial<DhtOptions> = {}): Promise<BareNode> {
    const world = makeWorld();
    const wire = new Wire();
    const { runtime } = world.host(OWN_ADDRESS);
    const node = await DhtNode.open(
      { ...runtime, network: wire },
      {
        signal: new AbortController().signal,
        port: 6881,
        hosts: [OWN_ADDRESS],
        bootstrap: [],
        readOnly: false,
        ...options,
      },
    );
    return new BareNode(world, node, wire);
  }

  /** What the node sends when it gets a datagram. */
  receive(bytes: Uint8Array, from: Endpoint): readonly Sent[] {
    this.#wire.sent = [];
    this.#wire.receiver(bytes, from);
    return this.#wire.sent;
  }

  /** What it has sent since it last got something. */
  get sent(): readonly Sent[] {
    return this.#wire.sent;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.node[Symbol.asyncDispose]();
  }
}

class Wire implements Network {
  sent: Sent[] = [];
  receiver: (bytes: Uint8Array, from: Endpoint) => void = () => undefined;

  async bindDatagrams({ host = OWN_ADDRESS, port = 0 }): Promise<Datagrams> {
    return {
      local: { host, port },
      send: (bytes, to) => void this.sent.push({ bytes: bytes.slice(), to }),
      receive: (listener) => {
        this.receiver = listener;
      },
      [Symbol.asyncDispose]: async () => undefined,
    };
  }

  async connect(): Promise<never> {
    throw new InvariantError('the DHT connects to nobody');
  }

  async listen(): Promise<never> {
    throw new InvariantError('the DHT listens for nobody');
  }
}
