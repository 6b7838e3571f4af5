/** UDP through a SOCKS5 proxy: UDP ASSOCIATE (RFC 1928 §7). @module */

import { concatBytes } from '../base/bytes.ts';
import { type Endpoint, equalEndpoints } from '../base/endpoint.ts';
import { BipError } from '../base/errors.ts';
import { ipFamily } from '../base/ip.ts';
import type { Clock, Datagrams, Millis, Network } from '../runtime/ports.ts';
import { decodeUdp, encodeUdpHeader } from './socks5/codec.ts';
import type { Tunnel } from './tunnel.ts';

/** The proxy relays packets as long as its connection stands. */
export interface Association {
  readonly tunnel: Tunnel;
  /** Where the proxy takes packets for others: a literal address. */
  readonly relay: Endpoint;
}

export interface RelayOptions {
  readonly clock: Clock;
  readonly network: Pick<Network, 'bindDatagrams'>;
  /** The address that the user of the socket asked for: it tells the family of what is sent. */
  readonly host: string;
  /** The local address to send from; any when absent. */
  readonly bind: string | undefined;
  readonly door: {
    /** @throws {BipError} when the proxy cannot be reached, or refuses. */
    associate(signal: AbortSignal): Promise<Association>;
  };
}

/** A socket whose packets all go to the proxy and come from there, wrapped. */
export class RelayedDatagrams implements Datagrams {
  readonly local: Endpoint;
  readonly #options: RelayOptions;
  readonly #family: 4 | 6;
  readonly #socket: Datagrams;
  readonly #stopping = new AbortController();
  #association: Association | undefined;
  #listener: ((bytes: Uint8Array, from: Endpoint) => void) | undefined;
  #pauseMs: Millis = FIRST_PAUSE;
  #cancelTimer: (() => void) | undefined;
  #renewal: Promise<void> | undefined;

  private constructor(socket: Datagrams, association: Association, options: RelayOptions) {
    this.local = { host: options.host, port: socket.local.port };
    this.#socket = socket;
    this.#options = options;
    this.#family = ipFamily(association.relay.host) ?? 4;
    socket.receive((bytes, from) => this.#receive(bytes, from));
    this.#use(association);
  }

  /** @throws what `door` throws, and `signal.reason` when aborted. */
  static async open(options: RelayOptions, signal: AbortSignal): Promise<RelayedDatagrams> {
    const association = await options.door.associate(signal);
    try {
      const host = options.bind ?? ANY[ipFamily(association.relay.host) ?? 4];
      const socket = await options.network.bindDatagrams({ host, signal });
      return new RelayedDatagrams(socket, association, options);
    } catch (error) {
      await association.tunnel[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** `to` may be a name, which the proxy looks up. While there is no association, packets are lost. */
  send(bytes: Uint8Array, to: Endpoint): void {
    const header = encodeUdpHeader(to);
    if (this.#association === undefined || header === undefined) return;
    this.#socket.send(concatBytes(header, bytes), this.#association.relay);
  }

  receive(listener: (bytes: Uint8Array, from: Endpoint) => void): void {
    this.#listener = listener;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort(new Error('the socket was closed'));
    this.#cancelTimer?.();
    await this.#renewal;
    const association = this.#association;
    this.#association = undefined;
    await association?.tunnel[Symbol.asyncDispose]();
    await this.#socket[Symbol.asyncDispose]();
  }

  #receive(bytes: Uint8Array, from: Endpoint): void {
    const relay = this.#association?.relay;
    if (relay === undefined || !equalEndpoints(relay, from)) return;
    const packet = decodeUdp(bytes);
    if (packet !== undefined) this.#listener?.(packet.payload, packet.from);
  }

  #use(association: Association): void {
    this.#association = association;
    association.tunnel.open({
      // Nothing belongs there.
      data: () => undefined,
      drain: () => undefined,
      closed: () => {
        if (this.#association !== association) return;
        this.#association = undefined;
        association.tunnel[Symbol.asyncDispose]().catch(() => undefined);
        this.#later();
      },
    });
  }

  #later(): void {
    const { clock } = this.#options;
    if (this.#stopping.signal.aborted) return;
    this.#cancelTimer = clock.schedule(clock.now() + this.#pauseMs, () => {
      this.#renewal = this.#renew();
    });
    this.#pauseMs = Math.min(2 * this.#pauseMs, LAST_PAUSE);
  }

  async #renew(): Promise<void> {
    const { signal } = this.#stopping;
    try {
      const association = await this.#options.door.associate(signal);
      // A socket cannot change its family.
      if (signal.aborted || ipFamily(association.relay.host) !== this.#family) {
        await association.tunnel[Symbol.asyncDispose]();
        return this.#later();
      }
      this.#pauseMs = FIRST_PAUSE;
      this.#use(association);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof BipError)) throw error;
      this.#later();
    }
  }
}

const ANY = { 4: '0.0.0.0', 6: '::' } as const;
/** Until a proxy that hung up is asked again; it doubles with each time that it refuses. */
const FIRST_PAUSE: Millis = 1000;
const LAST_PAUSE: Millis = 60_000;
