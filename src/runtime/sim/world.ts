/** The simulated world. @module */

import { InvariantError, invariant } from '../../base/errors.ts';
import { formatIp, parseIp } from '../../base/ip.ts';
import type { Millis } from '../ports.ts';
import type { HostCore, TcpLimits, WorldCore } from './core.ts';
import type { Digest } from './digest.ts';
import { SimHost } from './host.ts';
import { DEFAULT_HOST, type HostOptions, type PathOptions } from './host-options.ts';
import { Names } from './lookup.ts';
import { Paths } from './paths.ts';
import { SeededRandom } from './seeded-random.ts';
import { Slab } from './slab.ts';
import { Timeline } from './timeline.ts';
import type { Trace, TraceSubject } from './trace.ts';

export interface WorldOptions {
  /** Everything that is left to chance follows from it. */
  readonly seed: number;
  /**
   * Lets all promises settle that can: in Node a turn of the event loop (`setImmediate`). Pure code
   * has no way to tell when the last reaction to a reaction has run.
   */
  readonly settle: () => Promise<void>;
  /** A fast digest; by default the pure one of base/. */
  readonly digest?: Digest;
  /** What hosts are like that are not told otherwise. */
  readonly host?: Partial<HostOptions>;
  /** Keeps a line for each entry of the trace. */
  readonly keepLines?: boolean;
  /** More events than this are taken for a loop; default 50 million. */
  readonly maxEvents?: number;
  /** Milliseconds since 1970 at the beginning; default 2026-01-01. */
  readonly epochMs?: number;
  /** How patient TCP is; default 127 s for connecting, 120 s for silence. */
  readonly tcp?: Partial<TcpLimits>;
}

const MOST_EVENTS = 50_000_000;
const NEW_YEAR_2026 = 1_767_225_600_000;
/** Linux: six repetitions of the first question. */
const TCP: TcpLimits = { connectMs: 127_000, silenceMs: 120_000 };

/** Hosts, the network between them, and their time. */
export class World implements WorldCore {
  readonly timeline: Timeline;
  readonly random: SeededRandom;
  readonly paths: Paths = new Paths();
  readonly slab: Slab = new Slab();
  readonly tcp: TcpLimits;
  /** The name server: `world.names.set('tracker.example', ['10.0.0.2'])`. */
  readonly names: Names = new Names();
  readonly #options: WorldOptions;
  readonly #hosts: SimHost[] = [];
  readonly #byAddress = new Map<string, SimHost>();
  readonly #lans = new Map<string, SimHost[]>();

  constructor(options: WorldOptions) {
    this.#options = options;
    this.timeline = new Timeline({
      maxEvents: options.maxEvents ?? MOST_EVENTS,
      keepLines: options.keepLines ?? false,
    });
    this.random = new SeededRandom(options.seed);
    this.tcp = { ...TCP, ...options.tcp };
  }

  /** Virtual milliseconds since the beginning. */
  get now(): Millis {
    return this.timeline.now;
  }
  get trace(): Trace {
    return this.timeline.trace;
  }

  /** A new host at `address`, IPv4 or IPv6. */
  host(address: string, options: Partial<HostOptions> = {}): SimHost {
    const all = { ...DEFAULT_HOST, ...this.#options.host, ...options };
    const addresses = [address, ...all.addresses].map(canonical);
    const host = new SimHost(this, addresses, {
      index: this.#hosts.length,
      options: all,
      shared: {
        names: this.names,
        digest: this.#options.digest,
        epochMs: this.#options.epochMs ?? NEW_YEAR_2026,
        tlsFault: (from, to, secure) => this.#simHostAt(to.host, from)?.tlsFault(to.port, secure),
      },
    });
    for (const own of addresses) {
      invariant(!this.#byAddress.has(own), `the address ${own} is free`);
      this.#byAddress.set(own, host);
    }
    this.#hosts.push(host);
    for (const lan of new Set(all.lans)) {
      const neighbours = this.#lans.get(lan);
      if (neighbours === undefined) this.#lans.set(lan, [host]);
      else neighbours.push(host);
    }
    return host;
  }

  /** Sets what is special between two hosts. */
  path(a: SimHost, b: SimHost, options: PathOptions): void {
    this.paths.set(a, b, options);
  }

  /** Cuts the network between two groups; the returned function heals it. */
  partition(one: readonly SimHost[], other: readonly SimHost[]): () => void {
    return this.paths.partition(one, other);
  }

  /**
   * Lets virtual time run until `work` settles, and gives what it gives.
   *
   * @throws {InvariantError} when nothing is left that could settle it, or the budget of events is
   *   used up; and whatever a callback of the ports throws.
   */
  async run<T>(work: Promise<T>): Promise<T> {
    let settled = false;
    const settle = (): void => {
      settled = true;
    };
    work.then(settle, settle);
    for (;;) {
      await this.#options.settle();
      if (settled) return work;
      if (!this.timeline.step()) throw this.#deadlock();
    }
  }

  /** Lets time pass whatever happens in it. */
  async runFor(duration: Millis): Promise<void> {
    const end = this.timeline.now + duration;
    do await this.#options.settle();
    while (this.timeline.step(end));
    this.timeline.skipTo(end);
  }

  /** Lets time pass until nothing is left to happen. */
  async runToRest(): Promise<void> {
    do await this.#options.settle();
    while (this.timeline.step());
  }

  /** Sockets, connections, files and timers that nobody disposed, by host. */
  get open(): readonly string[] {
    return this.#hosts.flatMap((host) => host.open);
  }

  /** @throws {InvariantError} naming what is open. To be called at the end of each test. */
  assertClosed(): void {
    const { open } = this;
    if (open.length > 0) throw new InvariantError(`left open:\n  ${open.join('\n  ')}`);
  }

  hostAt(address: string, from: HostCore): HostCore | undefined {
    return this.#simHostAt(address, from);
  }

  neighbours(lan: string): readonly HostCore[] {
    return this.#lans.get(lan) ?? [];
  }

  subject(from: HostCore, to: HostCore, port: number): TraceSubject {
    const id = (from.index << 8) ^ to.index ^ (port << 16);
    return { id, text: () => `${from.address} > ${to.address}:${port}` };
  }

  #simHostAt(address: string, from: HostCore): SimHost | undefined {
    if (address.startsWith('127.') || address === '::1') return this.#hosts[from.index];
    return this.#byAddress.get(address) ?? this.#byAddress.get(canonical(address));
  }

  #deadlock(): InvariantError {
    const open = this.open.length === 0 ? 'nothing is open' : this.open.join('; ');
    return new InvariantError(
      `deadlock after ${Math.round(this.now)} virtual ms: nothing is left to happen (${open})`,
    );
  }
}

/** One spelling for each address. */
function canonical(address: string): string {
  const bytes = parseIp(address);
  return bytes === undefined ? address : formatIp(bytes);
}
