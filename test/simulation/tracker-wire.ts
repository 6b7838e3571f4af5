/** What goes over UDP between a tracker and each address, and senders that only pretend to be there. @module */

import type { Endpoint } from '../../src/base/endpoint.ts';
import type { Datagrams, Runtime } from '../../src/runtime/ports.ts';

/** Datagrams between the tracker and some addresses; bytes are those of their contents. */
export interface Traffic {
  readonly packetsIn: number;
  readonly bytesIn: number;
  readonly packetsOut: number;
  readonly bytesOut: number;
}

type Receiver = (bytes: Uint8Array, from: Endpoint) => void;

/** Stands between a tracker and its network. */
export class TrackerWire {
  readonly #traffic = new Map<string, { -readonly [Name in keyof Traffic]: number }>();
  #receive: Receiver = () => undefined;

  /** The runtime of a tracker with one socket. */
  tap(runtime: Runtime): Runtime {
    const { network } = runtime;
    return {
      ...runtime,
      network: {
        ...network,
        bindDatagrams: async (options) => this.#tap(await network.bindDatagrams(options)),
      },
    };
  }

  /** A datagram that says it comes from `from`. Who is there gets the answer, and did not ask. */
  forge(bytes: Uint8Array, from: Endpoint): void {
    this.#receive(bytes, from);
  }

  of(host: string): Traffic {
    return { ...NONE, ...this.#traffic.get(host) };
  }

  sum(hosts: Iterable<string>): Traffic {
    const sum = { ...NONE };
    for (const host of hosts) {
      const { packetsIn, bytesIn, packetsOut, bytesOut } = this.of(host);
      sum.packetsIn += packetsIn;
      sum.bytesIn += bytesIn;
      sum.packetsOut += packetsOut;
      sum.bytesOut += bytesOut;
    }
    return sum;
  }

  #tap(socket: Datagrams): Datagrams {
    return {
      local: socket.local,
      send: (bytes, to) => {
        const traffic = this.#with(to);
        traffic.packetsOut++;
        traffic.bytesOut += bytes.length;
        socket.send(bytes, to);
      },
      receive: (listener) => {
        this.#receive = (bytes, from) => {
          const traffic = this.#with(from);
          traffic.packetsIn++;
          traffic.bytesIn += bytes.length;
          listener(bytes, from);
        };
        socket.receive(this.#receive);
      },
      [Symbol.asyncDispose]: () => socket[Symbol.asyncDispose](),
    };
  }

  #with({ host }: Endpoint): { -readonly [Name in keyof Traffic]: number } {
    const known = this.#traffic.get(host) ?? { ...NONE };
    this.#traffic.set(host, known);
    return known;
  }
}

const NONE: Traffic = { packetsIn: 0, bytesIn: 0, packetsOut: 0, bytesOut: 0 };
