/** A Mainline DHT of any size in a simulated world, and what searches in it come to. @module */

import { compareBytes } from '../base/bytes.ts';
import { formatIp, parseIp } from '../base/ip.ts';
import {
  type Contact,
  compareDistance,
  DhtNode,
  type DhtOptions,
  type LookupEvent,
  type LookupSummary,
  makeSecureId,
} from '../dht/index.ts';
import type { Millis } from '../runtime/ports.ts';
import type { HostOptions, SeededRandom, SimHost, World } from '../runtime/sim/index.ts';
import { warmTable } from './warm-table.ts';

export interface DhtNetworkOptions {
  readonly nodes: number;
  /** Share of nodes that nobody reaches who was not written to, 0 to 1. */
  readonly natted: number;
  /** Share of nodes that answer no queries (BEP 43), 0 to 1. */
  readonly readOnly: number;
  /** Share of nodes that leave in an hour; each is replaced by a new one. */
  readonly churnPerHour: number;
  /** What hosts and their access to the network are like. */
  readonly host: Partial<HostOptions>;
  /** How nodes search, and whom they ask. */
  readonly node: Pick<DhtOptions, 'onlySecure' | 'alpha'>;
}

const DEFAULT_DHT_NETWORK: DhtNetworkOptions = {
  nodes: 1000,
  natted: 0,
  readOnly: 0,
  churnPerHour: 0,
  host: { latencyMs: 40, jitterMs: 20 },
  node: {},
};

/** One of the network, alive or gone. */
export interface SimulatedNode {
  readonly host: SimHost;
  readonly node: DhtNode;
  readonly contact: Contact;
  /** Whether others can find it: it answers, and can be reached. */
  readonly isPublic: boolean;
}

/** What one search came to. */
export interface SearchOutcome {
  readonly summary: LookupSummary;
  /** How many of the 8 closest nodes that live it found. */
  readonly found: number;
  /** How many there were to find: 8, or fewer in a network of few. */
  readonly wanted: number;
}

export interface WarmOptions {
  /** Nodes that others know, and that answer as they like. */
  readonly strangers?: readonly Contact[];
  readonly signal?: AbortSignal;
  /** Called now and then, with the share that is done, 0 to 1. */
  readonly onProgress?: (share: number) => void;
}

export class DhtNetwork implements AsyncDisposable {
  readonly world: World;
  readonly options: DhtNetworkOptions;
  readonly #random: SeededRandom;
  readonly #stopping = new AbortController();
  #alive: SimulatedNode[] = [];
  #made = 0;
  /** Nodes that are to leave by now, with fractions. */
  #leaving = 0;

  constructor(world: World, options: Partial<DhtNetworkOptions> = {}) {
    this.world = world;
    this.options = { ...DEFAULT_DHT_NETWORK, ...options };
    this.#random = world.random.fork(STREAM);
  }

  /** Those that live. */
  get nodes(): readonly SimulatedNode[] {
    return this.#alive;
  }

  /**
   * Opens all nodes with tables as they are after a long time: each knows some in every distance.
   *
   * @throws `signal.reason` when aborted.
   */
  async openWarm(options: WarmOptions = {}): Promise<void> {
    const { nodes } = this.options;
    for (let count = 0; count < nodes; count++) {
      this.#alive.push(await this.#open());
      await this.#breathe(count, count / nodes / 2, options);
    }
    const own = this.#alive.filter(({ isPublic }) => isPublic).map(({ contact }) => contact);
    const known = [...own, ...(options.strangers ?? [])];
    known.sort((one, other) => compareBytes(one.id, other.id));
    for (const [at, { node }] of this.#alive.entries()) {
      for (const { table } of node.realms) {
        warmTable(table, known, { random: this.#random, now: this.world.now });
      }
      await this.#breathe(at, 0.5 + at / nodes / 2, options);
    }
  }

  /** Opens nodes one after the other, each joining by one that is there. To be run by the world. */
  async openCold(): Promise<void> {
    for (let count = 0; count < this.options.nodes; count++) await this.#enter();
  }

  /** All nodes keep their tables from now on. */
  startMaintenance(): void {
    for (const { node } of this.#alive) this.#join(node);
  }

  /** Lets time pass, with nodes that leave and others that come. */
  async pass(duration: Millis): Promise<void> {
    const { churnPerHour, nodes } = this.options;
    const end = this.world.now + duration;
    while (this.world.now < end) {
      const step = Math.min(CHURN_STEP_MS, end - this.world.now);
      await this.world.runFor(step);
      this.#leaving += (churnPerHour * nodes * step) / HOUR_MS;
      for (; this.#leaving >= 1; this.#leaving--) await this.world.run(this.#replace());
    }
  }

  /** Searches for the closest nodes to a target from one that lives; to be run by the world. */
  async search(
    from: SimulatedNode,
    target: Uint8Array,
    onEvent: (event: LookupEvent) => void = () => undefined,
  ): Promise<SearchOutcome> {
    const { signal } = this.#stopping;
    const [summary] = await from.node.findNodes(target, { signal, onEvent });
    if (summary === undefined) throw new RangeError('the node has no realm');
    const truth = this.closest(target, K, from);
    const found = summary.closest.filter(({ id }) =>
      truth.some(({ contact }) => id !== undefined && compareBytes(contact.id, id) === 0),
    );
    return { summary, found: found.length, wanted: truth.length };
  }

  /** A target that nobody chose. */
  randomTarget(): Uint8Array {
    return Uint8Array.from(this.#random.bytes(20));
  }

  /** One of those that live. */
  randomNode(): SimulatedNode {
    const node = this.#alive[this.#random.below(this.#alive.length)];
    if (node === undefined) throw new RangeError('the network has no nodes');
    return node;
  }

  /** Those that live, can be found, and are closest to a target, nearest first. */
  closest(target: Uint8Array, count: number, except?: SimulatedNode): SimulatedNode[] {
    const nearest: SimulatedNode[] = [];
    for (const node of this.#alive) {
      if (!node.isPublic || node === except) continue;
      const last = nearest[count - 1];
      if (last && compareDistance(target, node.contact.id, last.contact.id) >= 0) continue;
      const place = nearest.findIndex(
        (other) => compareDistance(target, node.contact.id, other.contact.id) < 0,
      );
      nearest.splice(place < 0 ? nearest.length : place, 0, node);
      if (nearest.length > count) nearest.pop();
    }
    return nearest;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort(new Error('the network was taken down'));
    await Promise.all(this.#alive.map(({ node }) => node[Symbol.asyncDispose]()));
    this.#alive = [];
  }

  /** Lets others of this process have their turn, after every so many steps of long work. */
  async #breathe(step: number, share: number, { signal, onProgress }: WarmOptions): Promise<void> {
    if (step % BREATH > 0) return;
    await this.world.runFor(0);
    signal?.throwIfAborted();
    onProgress?.(share);
  }

  async #replace(): Promise<void> {
    const at = this.#random.below(this.#alive.length);
    const [gone] = this.#alive.splice(at, 1);
    await gone?.node[Symbol.asyncDispose]();
    const entered = await this.#open();
    this.#alive.push(entered);
    // Joining takes time in which others leave; the world goes on with it.
    this.#join(entered.node);
  }

  async #enter(): Promise<void> {
    const entered = await this.#open();
    this.#alive.push(entered);
    await entered.node.join();
  }

  #join(node: DhtNode): void {
    node.join().catch((error: unknown) => {
      if (!this.#stopping.signal.aborted) throw error;
    });
  }

  async #open(): Promise<SimulatedNode> {
    const { natted, readOnly, host: access, node: how } = this.options;
    const address = addressOf(this.#made++);
    const isNatted = this.#made > FIRST_PUBLIC && this.#random.chance(natted);
    const isReadOnly = this.#made > FIRST_PUBLIC && this.#random.chance(readOnly);
    const host = this.world.host(address, { ...access, nat: isNatted ? 'cone' : 'none' });
    const ip = parseIp(address) ?? new Uint8Array(4);
    const id = makeSecureId(ip, this.#random);
    const node = await DhtNode.open(host.runtime, {
      signal: this.#stopping.signal,
      port: PORT,
      hosts: [address],
      bootstrap: this.#someBootstrap(),
      readOnly: isReadOnly,
      id,
      ...how,
    });
    const contact = { id, endpoint: { host: address, port: PORT } };
    return { host, node, contact, isPublic: !isNatted && !isReadOnly };
  }

  /** Nodes that a new one begins with. */
  #someBootstrap(): { host: string; port: number }[] {
    const open = this.#alive.slice(0, MANY).filter(({ isPublic }) => isPublic);
    if (open.length === 0) return [];
    return Array.from({ length: BOOTSTRAPS }, () => {
      const one = open[this.#random.below(open.length)];
      return one?.contact.endpoint ?? { host: addressOf(0), port: PORT };
    });
  }
}

/** Public addresses, each in a /24 of its own. */
function addressOf(index: number): string {
  return formatIp(Uint8Array.of(20 + (index >>> 16), (index >>> 8) & 0xff, index & 0xff, 1));
}

const PORT = 6881;
const K = 8;
const STREAM = 77;
/** The first nodes can be reached, so that others can begin with them. */
const FIRST_PUBLIC = 16;
const BOOTSTRAPS = 3;
const MANY = 1000;
const BREATH = 64;
const HOUR_MS = 3_600_000;
const CHURN_STEP_MS = 1000;
