/**
 * One bound UDP socket for several protocols, told apart by how their datagrams begin: a peer knows one
 * port of ours, whatever it speaks.
 *
 * @module
 */

import type { Endpoint } from '../base/endpoint.ts';
import type { BindOptions, Datagrams, Network } from './ports.ts';

/** A protocol: its name, and whether a datagram looks like one of its. The first that says so gets it. */
export interface DatagramProtocol {
  readonly name: string;
  readonly owns: (bytes: Uint8Array) => boolean;
}

type Receiver = (bytes: Uint8Array, from: Endpoint) => void;

/** Sockets by where they are bound, each shared by the protocols that bind there. */
export class SharedDatagrams {
  readonly #network: Pick<Network, 'bindDatagrams'>;
  readonly #protocols: readonly DatagramProtocol[];
  readonly #sockets = new Map<string, Promise<SharedSocket>>();

  constructor(network: Pick<Network, 'bindDatagrams'>, protocols: readonly DatagramProtocol[]) {
    this.#network = network;
    this.#protocols = protocols;
  }

  /**
   * `bindDatagrams` for one protocol: where another one of these is bound to the same address and port
   * already, both have the same socket, which is closed when none of them uses it any more. What is
   * bound twice by one protocol, or to any free port, is a socket of its own.
   */
  for(name: string): Pick<Network, 'bindDatagrams'> {
    return { bindDatagrams: (options) => this.#bind(name, options) };
  }

  async #bind(
    name: string,
    options: BindOptions & { readonly signal: AbortSignal },
  ): Promise<Datagrams> {
    if (options.port === undefined || options.port === 0) {
      return (await this.#open(options)).part(name);
    }
    const key = keyOf(options.host, options.port);
    const bound = this.#sockets.get(key);
    // Nothing is awaited when there is none: who asks next has to find ours.
    const known = bound === undefined ? undefined : await bound.catch(() => undefined);
    if (known !== undefined && !known.has(name)) return known.part(name);
    return (await this.#open(options)).part(name);
  }

  #open(options: BindOptions & { readonly signal: AbortSignal }): Promise<SharedSocket> {
    const socket = this.#network.bindDatagrams(options).then((datagrams) => {
      const key = keyOf(options.host, datagrams.local.port);
      const shared = new SharedSocket(datagrams, this.#protocols, () => this.#sockets.delete(key));
      this.#sockets.set(key, Promise.resolve(shared));
      return shared;
    });
    if (options.port !== undefined && options.port !== 0) {
      const key = keyOf(options.host, options.port);
      // Who asks while it is being bound waits for it; a failure is its own, and is not kept.
      if (!this.#sockets.has(key)) this.#sockets.set(key, socket);
      socket.catch(() => {
        if (this.#sockets.get(key) === socket) this.#sockets.delete(key);
      });
    }
    return socket;
  }
}

function keyOf(host: string | undefined, port: number): string {
  return `${port} ${host ?? ''}`;
}

class SharedSocket {
  readonly #datagrams: Datagrams;
  readonly #protocols: readonly DatagramProtocol[];
  readonly #receivers = new Map<string, Receiver>();
  readonly #released: () => void;
  #closing: Promise<void> | undefined;

  constructor(datagrams: Datagrams, protocols: readonly DatagramProtocol[], released: () => void) {
    this.#datagrams = datagrams;
    this.#protocols = protocols;
    this.#released = released;
    datagrams.receive((bytes, from) => this.#receive(bytes, from));
  }

  has(name: string): boolean {
    return this.#receivers.has(name) || this.#closing !== undefined;
  }

  /** The share of one protocol. */
  part(name: string): Datagrams {
    this.#receivers.set(name, () => undefined);
    let disposal: Promise<void> | undefined;
    return {
      local: this.#datagrams.local,
      send: (bytes, to) => {
        if (disposal === undefined) this.#datagrams.send(bytes, to);
      },
      receive: (listener) => {
        if (disposal === undefined) this.#receivers.set(name, listener);
      },
      [Symbol.asyncDispose]: () => {
        disposal ??= this.#release(name);
        return disposal;
      },
    };
  }

  async #release(name: string): Promise<void> {
    this.#receivers.delete(name);
    if (this.#receivers.size > 0) return;
    this.#released();
    this.#closing ??= Promise.resolve(this.#datagrams[Symbol.asyncDispose]());
    await this.#closing;
  }

  #receive(bytes: Uint8Array, from: Endpoint): void {
    for (const { name, owns } of this.#protocols) {
      if (!owns(bytes)) continue;
      this.#receivers.get(name)?.(bytes, from);
      return;
    }
  }
}
