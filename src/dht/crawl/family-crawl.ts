/** The crawl of the DHT of one family. @module */

import { NetworkError } from '../../base/errors.ts';
import { bounded } from '../../runtime/aborting.ts';
import type { Clock, Random } from '../../runtime/ports.ts';
import type { Bootstrap } from '../bootstrap.ts';
import { randomIdWithPrefix } from '../distance.ts';
import type { KrpcResponse } from '../krpc/index.ts';
import type { LookupSummary } from '../lookup/events.ts';
import { Lookup } from '../lookup/lookup.ts';
import { type Asking, runLookup } from '../lookup/run.ts';
import { decodeNodes } from '../node-info.ts';
import { DEFAULT_ALPHA } from '../options.ts';
import { mayName } from '../plausible.ts';
import type { Realm } from '../realm.ts';
import { K } from '../search.ts';
import { Census, lossOf } from './census.ts';
import { estimateByDensity, estimateByZones, shareOfSpace, type ZoneCount } from './estimate.ts';
import type { CrawlEvent, FamilyCrawlReport } from './events.ts';
import { Networks } from './networks.ts';
import type { Pacer } from './pacer.ts';
import type { FamilyState } from './state.ts';
import { MAX_TAKEN, sweepZone } from './sweep.ts';
import { Zone } from './zone.ts';
import { MAX_ZONE_BITS, prefixOf, zoneOrder } from './zone-order.ts';

export interface FamilyCrawlOptions {
  readonly realm: Realm;
  readonly clock: Clock;
  readonly random: Random;
  readonly bootstrap: Bootstrap;
  readonly pacer: Pacer;
  readonly limitAddresses: boolean;
  /** Of an earlier run. */
  readonly state: FamilyState | undefined;
  readonly onEvent: (event: CrawlEvent) => void;
}

/** The zones that the id space is cut into, in the order in which they are asked. */
interface Plan {
  readonly bits: number;
  readonly seed: number;
  readonly order: Uint32Array;
}

export class FamilyCrawl {
  readonly #options: FamilyCrawlOptions;
  readonly #asking: Asking;
  readonly #census: Census;
  readonly #networks: Networks;
  readonly #distances: number[];
  readonly #done: Map<number, ZoneCount>;
  /** By their places in the order. */
  readonly #open = new Map<number, Zone>();
  /** Ends the work when there is no network any more. */
  readonly #ending = new AbortController();
  #plan: Plan | undefined;
  /** The first place that nobody has taken. */
  #next = 0;
  /** Zones from the first of the order on that are done without a gap. */
  readonly #sample: ZoneCount[] = [];
  /** Queries without an answer since the last answer. */
  #silence = 0;
  #listening: Promise<void> | undefined;

  constructor(options: FamilyCrawlOptions) {
    const { realm, pacer, state, random } = options;
    this.#options = options;
    this.#census = new Census(state?.census);
    this.#networks = new Networks(
      state?.networksKey ?? random.bytes(NETWORKS_KEY_BYTES).slice(),
      state?.networks,
    );
    this.#distances = [...(state?.distances ?? [])];
    this.#done = new Map(state?.done);
    if (state !== undefined) this.#restore(state);
    this.#asking = {
      family: realm.family,
      ask: (to, method, args, handler) =>
        pacer.ask(to.endpoint, (done) => {
          this.#census.asked();
          realm.ask(to, method, args, {
            answered: (response, rttMs) => {
              done();
              handler.answered(response, rttMs);
            },
            refused: (error, rttMs) => {
              done();
              handler.refused(error, rttMs);
            },
            slow: () => handler.slow(),
            timedOut: () => {
              done();
              handler.timedOut();
            },
          });
        }),
    };
  }

  /**
   * Asks all zones that were not asked.
   *
   * @throws {NetworkError} `BIP_DHT_SILENT` when nobody answers, or nobody answers any more.
   * @throws `signal.reason` when aborted.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    try {
      await bounded({ signal, also: this.#ending.signal, clock }, async (either) => {
        this.#plan ??= await this.#survey(either);
        const plan = this.#plan;
        const workers = Array.from({ length: ZONES_AT_ONCE }, () => this.#work(plan, either));
        await Promise.all(workers);
      });
    } catch (error) {
      this.#ending.abort(error);
      // Who was taken for silent may be alive.
      if (error instanceof NetworkError) {
        for (const zone of this.#open.values()) this.#census.forgive(zone.forgive());
      }
      throw error;
    }
  }

  get report(): FamilyCrawlReport {
    const plan = this.#plan;
    const total = plan?.order.length;
    const loss = Math.min(lossOf(this.#census.state), MAX_LOSS);
    return {
      family: this.#options.realm.family,
      zones: total,
      zonesDone: this.#done.size,
      coverage: plan === undefined ? [] : coverageOf(plan.order, this.#done.keys()),
      estimate:
        (total === undefined ? undefined : estimateByZones(this.#sample, { total, loss })) ??
        estimateByDensity(this.#distances, K),
      census: this.#census.state,
    };
  }

  /** Undefined as long as there is nothing to go on with. */
  save(): FamilyState | undefined {
    const plan = this.#plan;
    if (plan === undefined) return undefined;
    const entered = [...this.#open].filter(([, zone]) => zone.entered);
    return {
      bits: plan.bits,
      seed: plan.seed,
      distances: this.#distances,
      done: this.#done,
      open: entered.map(([place, zone]) => ({ place, nodes: [...zone.nodes] })),
      census: this.#census.state,
      networksKey: this.#networks.key,
      networks: this.#networks.save(),
    };
  }

  #restore({ bits, seed, open }: FamilyState): void {
    this.#plan = { bits, seed, order: zoneOrder(bits, seed) };
    for (const { place, nodes } of open) {
      const zone = this.#makeZone(this.#plan, place);
      for (const node of nodes) zone.restore({ ...node });
      zone.entered = true;
      this.#open.set(place, zone);
    }
    this.#extendSample();
  }

  /** Looks at some random points, to see how many zones there are to be. */
  async #survey(signal: AbortSignal): Promise<Plan> {
    const { random } = this.#options;
    let isSmall = false;
    while (this.#distances.length < POINTS && !isSmall) {
      const target = random.bytes(20).slice();
      const { closest } = await this.#approach(target, signal);
      const last = closest[K - 1]?.id;
      isSmall = last === undefined;
      if (last !== undefined) this.#distances.push(shareOfSpace(target, last));
    }
    if (isSmall) this.#distances.length = 0;
    const nodes = estimateByDensity(this.#distances, K)?.nodes ?? 0;
    const bits = Math.floor(Math.log2(Math.max(1, nodes / ZONE_NODES)));
    const plan = { bits: Math.min(bits, MAX_ZONE_BITS), seed: random.uint32() };
    return { ...plan, order: zoneOrder(plan.bits, plan.seed) };
  }

  async #work(plan: Plan, signal: AbortSignal): Promise<void> {
    for (;;) {
      while (this.#done.has(this.#next)) this.#next++;
      const place = this.#next++;
      if (place >= plan.order.length) return;
      const zone = this.#open.get(place) ?? this.#makeZone(plan, place);
      this.#open.set(place, zone);
      if (!zone.entered) await this.#enter(zone, signal);
      await this.#sweep(zone, signal);
      if (this.#silence > SUSPICIOUS_SILENCE) await this.#listen(signal);
      this.#open.delete(place);
      const count = zone.count();
      this.#done.set(place, count);
      this.#extendSample();
      const { family } = this.#options.realm;
      this.#options.onEvent({ type: 'zone', family, nodes: count.answered });
    }
  }

  #makeZone({ bits, order }: Plan, place: number): Zone {
    const { limitAddresses, random } = this.#options;
    return new Zone({
      ...{ bits, limitAddresses, random },
      prefix: prefixOf(order[place] ?? 0, bits),
      mayAsk: (endpoint) => this.#networks.hasRoom(endpoint),
    });
  }

  /** Zones are asked several at once, and small ones are done sooner: they are not to count before others. */
  #extendSample(): void {
    for (;;) {
      const count = this.#done.get(this.#sample.length);
      if (count === undefined) return;
      this.#sample.push(count);
    }
  }

  /** Finds the first nodes of a zone. */
  async #enter(zone: Zone, signal: AbortSignal): Promise<void> {
    const target = randomIdWithPrefix(zone.prefix, zone.bits, this.#options.random);
    await this.#approach(target, signal, zone);
    zone.entered = true;
  }

  async #sweep(zone: Zone, signal: AbortSignal): Promise<void> {
    const { realm, pacer, onEvent } = this.#options;
    await sweepZone(zone, {
      ...{ realm, pacer, signal, census: this.#census },
      onFound: (node) => {
        this.#networks.count(node.endpoint);
        onEvent({ type: 'node', node });
      },
      onPulse: (isAlive) => {
        this.#silence = isAlive ? 0 : this.#silence + 1;
        // It ends the work if it fails.
        if (this.#silence > MAX_SILENCE) this.#listen(signal).catch(() => undefined);
      },
    });
  }

  /** Nobody has answered for long: whether there is a network at all. */
  #listen(signal: AbortSignal): Promise<void> {
    this.#listening ??= this.#sound(signal).finally(() => {
      this.#listening = undefined;
    });
    return this.#listening;
  }

  async #sound(signal: AbortSignal): Promise<void> {
    try {
      await this.#approach(this.#options.random.bytes(20).slice(), signal);
      this.#silence = 0;
    } catch (error) {
      this.#ending.abort(error);
      throw error;
    }
  }

  /** Searches for a point, and tells a zone of all nodes on the way. */
  async #approach(target: Uint8Array, signal: AbortSignal, zone?: Zone): Promise<LookupSummary> {
    const { realm, clock, bootstrap, limitAddresses } = this.#options;
    const lookup = new Lookup({
      ...{ target, ownId: realm.table.ownId, k: K, alpha: DEFAULT_ALPHA, limitAddresses },
      onlySecure: false,
    });
    for (const contact of realm.seedsFor(target, SEEDS)) lookup.add(contact, 0);
    const { endpoints, coming } = await bootstrap.begin(realm, signal);
    for (const endpoint of endpoints) lookup.addNameless(endpoint);
    const summary = await runLookup(this.#asking, lookup, {
      ...{ clock, signal, coming },
      question: { method: 'find_node', args: { target } },
      onEvent: () => undefined,
      onAnswer: (response, { endpoint }) => {
        for (const named of this.#namedIn(response)) {
          if (mayName(endpoint, named.endpoint)) zone?.add(named);
        }
      },
    });
    if (summary.answered === 0) throw silenceOf(summary);
    for (const { id, endpoint } of lookup.answeredOnes()) {
      if (id !== undefined) zone?.add({ id, endpoint }, 0);
    }
    return summary;
  }

  #namedIn({ nodes, nodes6 }: KrpcResponse): ReturnType<typeof decodeNodes> {
    const { family } = this.#options.realm;
    const bytes = (family === 4 ? nodes : nodes6) ?? new Uint8Array(0);
    return decodeNodes(bytes, family).slice(0, MAX_TAKEN);
  }
}

function coverageOf(order: Uint32Array, done: Iterable<number>): readonly number[] {
  const parts = Math.min(order.length, MAX_PARTS);
  const each = order.length / parts;
  const shares = Array<number>(parts).fill(0);
  for (const place of done) {
    const part = Math.floor((order[place] ?? 0) / each);
    shares[part] = (shares[part] ?? 0) + 1 / each;
  }
  return shares;
}

/** Of a network that loses more, nothing can be said. */
const MAX_LOSS = 0.5;
/** A line of a terminal has room for so many. */
const MAX_PARTS = 64;

function silenceOf({ family, asked }: LookupSummary): NetworkError {
  const help = '--bootstrap HOST:PORT names others';
  return new NetworkError(
    asked === 0
      ? `none of the nodes to begin with has an address of IPv${family} here; ${help}`
      : `no node of the DHT of IPv${family} answered; ${asked} were asked; ${help}`,
    { code: 'BIP_DHT_SILENT' },
  );
}

const NETWORKS_KEY_BYTES = 16;
/** Points of the survey: with 8 nodes each, the standard error is a sixth. */
const POINTS = 5;
/** At least as many nodes, and not twice as many, are to be in a zone. */
const ZONE_NODES = 128;
/** So that there is somebody to ask while the last of a zone are waited for. */
const ZONES_AT_ONCE = 4;
/** More than k, since some will not answer. */
const SEEDS = 16;
/** So many without an answer when a zone ends may be the last of it, or all of it. */
const SUSPICIOUS_SILENCE = 32;
/** Queries in a row without an answer, after which it is looked whether there is a network. */
const MAX_SILENCE = 256;
