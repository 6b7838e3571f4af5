/** A network in which some addresses do not exist: not called, not let in, not heard. @module */

import { type Endpoint, formatEndpoint } from '../base/endpoint.ts';
import { NetworkError } from '../base/errors.ts';
import type { IpRanges } from '../base/ip-ranges.ts';
import type { ByteStream, Datagrams, Network, StreamHandler } from '../runtime/ports.ts';

/** How often the gate was shut. */
export interface GateCounts {
  /** Connections that were not made. */
  readonly outgoing: number;
  /** Connections that were not taken. */
  readonly incoming: number;
  /** Packets that were neither sent nor received. */
  readonly packets: number;
}

/** Stands before a {@link Network}; the list may be replaced at any time. */
export class Gate {
  readonly network: Network;
  readonly #streams = new Set<GatedStream>();
  #blocked: IpRanges;
  #outgoing = 0;
  #incoming = 0;
  #packets = 0;

  constructor(network: Network, blocked: IpRanges) {
    this.#blocked = blocked;
    this.network = {
      bindDatagrams: async (options) => this.#guarded(await network.bindDatagrams(options)),
      connect: async (to, options) => {
        this.#refuse(to);
        const stream = await network.connect(to, options);
        try {
          // The list may have been replaced meanwhile.
          this.#refuse(to);
        } catch (error) {
          await stream[Symbol.asyncDispose]();
          throw error;
        }
        return this.#kept(stream);
      },
      listen: (accept, options) =>
        network.listen((stream) => {
          if (this.#blocks(stream.remote)) {
            this.#incoming++;
            void stream[Symbol.asyncDispose]();
          } else accept(this.#kept(stream));
        }, options),
    };
  }

  get counts(): GateCounts {
    return { outgoing: this.#outgoing, incoming: this.#incoming, packets: this.#packets };
  }

  /** From now on these are blocked, and connections to them are broken off. Returns how many those were. */
  replace(blocked: IpRanges): number {
    this.#blocked = blocked;
    const lost = [...this.#streams].filter(({ remote }) => this.#blocks(remote));
    for (const stream of lost) stream.breakOff(blockedError(stream.remote));
    return lost.length;
  }

  #refuse(to: Endpoint): void {
    if (!this.#blocks(to)) return;
    this.#outgoing++;
    throw blockedError(to);
  }

  #blocks({ host }: Endpoint): boolean {
    return this.#blocked.hasHost(host);
  }

  #kept(stream: ByteStream): ByteStream {
    const kept = new GatedStream(stream, () => this.#streams.delete(kept));
    this.#streams.add(kept);
    return kept;
  }

  #guarded(socket: Datagrams): Datagrams {
    return {
      local: socket.local,
      send: (bytes, to) => {
        if (this.#blocks(to)) this.#packets++;
        else socket.send(bytes, to);
      },
      receive: (listener) =>
        socket.receive((bytes, from) => {
          if (this.#blocks(from)) this.#packets++;
          else listener(bytes, from);
        }),
      [Symbol.asyncDispose]: () => socket[Symbol.asyncDispose](),
    };
  }
}

/** A stream that can be broken off by a third party. */
class GatedStream implements ByteStream {
  readonly #stream: ByteStream;
  readonly #forget: () => void;
  #handler: StreamHandler | undefined;
  #broken: Error | undefined;

  constructor(stream: ByteStream, forget: () => void) {
    this.#stream = stream;
    this.#forget = forget;
  }

  get local(): Endpoint {
    return this.#stream.local;
  }

  get remote(): Endpoint {
    return this.#stream.remote;
  }
  get transport(): ByteStream['transport'] {
    return this.#stream.transport;
  }

  get queuedBytes(): number {
    return this.#stream.queuedBytes;
  }

  open(handler: StreamHandler): void {
    if (this.#broken !== undefined) return handler.closed(this.#broken);
    this.#handler = handler;
    this.#stream.open({
      data: (bytes) => handler.data(bytes),
      drain: () => handler.drain(),
      closed: (error) => {
        this.#handler = undefined;
        this.#forget();
        if (error === undefined) handler.closed();
        else handler.closed(error);
      },
    });
  }

  write(bytes: Uint8Array): void {
    this.#stream.write(bytes);
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  breakOff(error: Error): void {
    this.#broken = error;
    this.#forget();
    const handler = this.#handler;
    this.#handler = undefined;
    void this.#stream[Symbol.asyncDispose]();
    handler?.closed(error);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#handler = undefined;
    this.#forget();
    await this.#stream[Symbol.asyncDispose]();
  }
}

function blockedError(to: Endpoint): NetworkError {
  return new NetworkError(`${formatEndpoint(to)} is on the blocklist`, { code: 'BIP_BLOCKED' });
}
