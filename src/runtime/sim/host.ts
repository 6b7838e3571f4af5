/** A machine of the simulated world. @module */

import { formatEndpoint } from '../../base/endpoint.ts';
import { InvariantError, invariant } from '../../base/errors.ts';
import { ipFamily } from '../../base/ip.ts';
import type { ByteStream, Millis, Runtime } from '../ports.ts';
import type {
  DatagramTarget,
  GroupTarget,
  HostCore,
  ListenTarget,
  OpenResource,
  StreamTarget,
  WorldCore,
} from './core.ts';
import { SimDisk } from './disk.ts';
import type { SimEvent } from './event-queue.ts';
import type { HostOptions } from './host-options.ts';
import { type SimCertificate, SimHttpConnection, type SimHttpHandler } from './http-server.ts';
import { interfacesOf, type SimInterface } from './interfaces.ts';
import { Nat } from './nat.ts';
import { SimListener } from './network.ts';
import { Pipe } from './pipe.ts';
import { hostRuntime, type Shared } from './runtime.ts';
import type { SeededRandom } from './seeded-random.ts';
import { Uplink } from './uplink.ts';
import { acceptWebSocket, type SimWebSocketHandler } from './web-socket.ts';

/** Ports that systems give to whoever asks for any (RFC 6335 §6). */
const EPHEMERAL = { first: 49_152, count: 16_384 } as const;

const TLS_FAULTS: Readonly<Record<Exclude<SimCertificate, 'good'>, string>> = {
  expired: 'its certificate has expired',
  'self-signed': 'its certificate is signed by itself',
  'wrong-name': 'its certificate is for another name',
};

/** A computer with its access to the network and its disk. */
export class SimHost implements HostCore {
  readonly world: WorldCore;
  readonly index: number;
  /** Its first address. */
  readonly address: string;
  readonly addresses: readonly string[];
  readonly options: HostOptions;
  readonly random: SeededRandom;
  readonly disk: SimDisk = new SimDisk();
  readonly up: Pipe;
  readonly down: Pipe;
  readonly uplink: Uplink;
  readonly nat: Nat;
  readonly datagramSockets: Readonly<Record<4 | 6, Map<number, DatagramTarget>>> = {
    4: new Map(),
    6: new Map(),
  };
  readonly interfaces: readonly SimInterface[];
  readonly groupSockets: Set<GroupTarget> = new Set();
  readonly listeners: Map<number, ListenTarget> = new Map();
  readonly streams: Set<StreamTarget> = new Set();
  readonly streamPorts: Set<number> = new Set();
  readonly certificates: Map<number, SimCertificate> = new Map();
  readonly #resources = new Set<OpenResource>();
  readonly #timers = new Set<SimEvent>();
  readonly #shared: Shared;
  #runtime: Runtime;
  #offline = false;
  #epoch = 0;
  #nextPort = 0;

  constructor(
    world: WorldCore,
    addresses: readonly string[],
    how: { readonly index: number; readonly options: HostOptions; readonly shared: Shared },
  ) {
    const [address] = addresses;
    invariant(address !== undefined && addresses.every(isLiteral), 'a host has literal addresses');
    this.world = world;
    this.address = address;
    this.addresses = addresses;
    this.index = how.index;
    this.options = how.options;
    this.interfaces = interfacesOf(addresses, how.options.lans);
    this.#shared = how.shared;
    this.random = world.random.fork(1000 + how.index);
    this.up = new Pipe(how.options.upload, how.options.queueMs);
    this.down = new Pipe(how.options.download, how.options.queueMs);
    this.uplink = new Uplink(this.up, world.timeline);
    this.nat = new Nat(how.options.nat);
    this.#runtime = hostRuntime(this, this.#shared);
  }

  toString(): string {
    return this.address;
  }

  /** The ports of what runs on this machine; a new object after a {@link crash}. */
  get runtime(): Runtime {
    return this.#runtime;
  }
  get epoch(): number {
    return this.#epoch;
  }

  /** While true the cable is pulled: nothing comes and goes. */
  get offline(): boolean {
    return this.#offline;
  }
  set offline(offline: boolean) {
    this.#offline = offline;
  }

  /** Breaks every connection, at both ends at once. */
  resetConnections(): void {
    for (const stream of [...this.streams]) stream.breakBoth('ECONNRESET');
  }

  /**
   * The power goes off and comes back at once: nothing that ran goes on, no promise of it settles,
   * connections are gone without a word, and the disk has only what was synced.
   */
  crash(): void {
    this.#epoch++;
    for (const stream of [...this.streams]) stream.vanish();
    const { 4: four, 6: six } = this.datagramSockets;
    const sockets = [...four.values(), ...six.values(), ...this.groupSockets];
    for (const socket of new Set(sockets)) socket.close();
    for (const listener of [...this.listeners.values()]) listener.close();
    for (const timer of this.#timers) this.world.timeline.cancel(timer);
    this.#timers.clear();
    this.#resources.clear();
    this.certificates.clear();
    this.disk.crash();
    this.#runtime = hostRuntime(this, this.#shared);
  }

  /** Serves HTTP, with a certificate HTTPS, on `port`; the returned function ends that. */
  serveHttp(
    port: number,
    handler: SimHttpHandler,
    { certificate }: { readonly certificate?: SimCertificate } = {},
  ): () => void {
    const wait = (delay: Millis): Promise<void> => this.sleep(delay);
    const accept = (stream: ByteStream): void =>
      void new SimHttpConnection(stream, { handler, wait });
    return this.#serve(port, accept, certificate);
  }

  /** Serves WebSockets on `port` in the same way. */
  serveWebSockets(
    port: number,
    handler: SimWebSocketHandler,
    { certificate }: { readonly certificate?: SimCertificate } = {},
  ): () => void {
    return this.#serve(port, (stream) => acceptWebSocket(stream, handler), certificate);
  }

  #serve(
    port: number,
    accept: (stream: ByteStream) => void,
    certificate: SimCertificate | undefined,
  ): () => void {
    invariant(!this.listeners.has(port), `port ${port} of ${this.address} is free`);
    const listener = new SimListener(this, accept, { host: this.address, port });
    // Part of the scene: nobody has to dispose it.
    this.closed(listener);
    if (certificate !== undefined) this.certificates.set(port, certificate);
    return () => {
      listener.close();
      this.certificates.delete(port);
    };
  }

  /** What is wrong with the server at `port` for a client that wants it secured or not. */
  tlsFault(port: number, wantsSecure: boolean): string | undefined {
    const certificate = this.certificates.get(port);
    if (!wantsSecure) {
      const where = formatEndpoint({ host: this.address, port });
      return certificate === undefined ? undefined : `${where} broke off the answer`;
    }
    if (certificate === undefined) return 'it does not speak TLS';
    return certificate === 'good' ? undefined : TLS_FAULTS[certificate];
  }

  /** What runs here and was not disposed. */
  get open(): readonly string[] {
    const timers = this.#timers.size > 0 ? [`${this.#timers.size} timers`] : [];
    return [...[...this.#resources].map(String), ...timers].map(
      (what) => `${this.address}: ${what}`,
    );
  }

  opened(resource: OpenResource): void {
    this.#resources.add(resource);
  }
  closed(resource: OpenResource): void {
    this.#resources.delete(resource);
  }

  addressFor(other: string): string {
    const wanted = other.includes(':');
    if (this.address.includes(':') === wanted) return this.address;
    return this.addresses.find((address) => address.includes(':') === wanted) ?? this.address;
  }

  freePort(taken: { has(port: number): boolean }): number {
    for (let tries = 0; tries < EPHEMERAL.count; tries++) {
      const port = EPHEMERAL.first + (this.#nextPort++ % EPHEMERAL.count);
      if (!taken.has(port)) return port;
    }
    throw new InvariantError(`no port of ${this.address} is free`);
  }

  /** A timer of what runs here: it dies with it. */
  timer(at: Millis, wake: () => void): SimEvent {
    const { timeline } = this.world;
    const subject = { id: this.index, text: () => this.address };
    const event = timeline.at(at, () => {
      this.#timers.delete(event);
      timeline.trace.add('timer', timeline.now, subject);
      wake();
    });
    this.#timers.add(event);
    return event;
  }

  cancelTimer(event: SimEvent): void {
    this.#timers.delete(event);
    this.world.timeline.cancel(event);
  }

  /** Settles after `delay`, unless the power goes off before. */
  sleep(delay: Millis): Promise<void> {
    const epoch = this.#epoch;
    return new Promise((resolve) => {
      this.world.timeline.after(delay, () => {
        if (this.#epoch === epoch) resolve();
      });
    });
  }
}

function isLiteral(address: string): boolean {
  return ipFamily(address) !== undefined;
}
