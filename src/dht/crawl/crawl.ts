/** A crawl of the DHT, of all families that a node takes part in. @module */

import { formatEndpoint } from '../../base/endpoint.ts';
import { NetworkError } from '../../base/errors.ts';
import { bounded } from '../../runtime/aborting.ts';
import { Bootstrap } from '../bootstrap.ts';
import type { DhtRuntime } from '../options.ts';
import type { Realm } from '../realm.ts';
import type { Router } from '../routers.ts';
import type { CrawlEvent, FamilyCrawlReport } from './events.ts';
import { FamilyCrawl } from './family-crawl.ts';
import { networkOf } from './networks.ts';
import { Pacer } from './pacer.ts';
import type { CrawlState } from './state.ts';

export interface CrawlOptions {
  /** One or two, of a node that is not disposed before the end. */
  readonly realms: readonly Realm[];
  readonly bootstrap: readonly Router[];
  /** Queries a second, all families together. */
  readonly rate: number;
  /** Queries that wait for an answer at once. */
  readonly concurrency: number;
  /** Few nodes of a network; to be off where all are on one machine. Default true. */
  readonly limitAddresses?: boolean;
  /** Of an earlier run, to go on with. */
  readonly state?: CrawlState | undefined;
  readonly onEvent: (event: CrawlEvent) => void;
}

/**
 * Walks through the id space zone by zone, in an order that chance decides, and asks every node of a zone
 * once: for nodes near a point in its surroundings, and for samples of its infohashes. A part of the zones
 * is enough to estimate how many nodes there are, since ids are random.
 *
 * Memory: the nodes of the zones that are being asked (four of a family, of 8192 nodes at most), a count for
 * each zone (65,536 at most), 1 MiB of counts of networks, and 1024 versions of clients.
 */
export class Crawl {
  readonly #runtime: DhtRuntime;
  readonly #options: CrawlOptions;
  readonly #pacer: Pacer;
  readonly #bootstrap: Bootstrap;
  readonly #families: readonly FamilyCrawl[];

  constructor(runtime: DhtRuntime, options: CrawlOptions) {
    const { clock, random } = runtime;
    const { realms, rate, concurrency, limitAddresses = true, state, onEvent } = options;
    this.#runtime = runtime;
    this.#options = options;
    const placeOf = limitAddresses ? networkOf : formatEndpoint;
    this.#pacer = new Pacer({ clock, rate, concurrency, placeOf });
    this.#bootstrap = new Bootstrap(runtime, options.bootstrap);
    this.#families = realms.map((realm) => {
      const { family } = realm;
      const common = { realm, clock, random, bootstrap: this.#bootstrap, pacer: this.#pacer };
      return new FamilyCrawl({ ...common, limitAddresses, state: state?.[family], onEvent });
    });
  }

  /**
   * Crawls until all was asked. To be called once.
   *
   * @throws {NetworkError} `BIP_DHT_SILENT` when nobody answers in any family, or not any more.
   * @throws `signal.reason` when aborted.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#runtime;
    const broken = new AbortController();
    const silent: NetworkError[] = [];
    try {
      await bounded({ signal, also: broken.signal, clock }, (either) =>
        Promise.all(
          this.#families.map(async (family) => {
            const error = await this.#runOne(family, either).catch((bug: unknown) => {
              broken.abort(bug);
              throw bug;
            });
            if (error !== undefined) silent.push(error);
          }),
        ),
      );
    } finally {
      this.#pacer.stop();
      this.#bootstrap[Symbol.dispose]();
    }
    const [first] = silent;
    if (first !== undefined && silent.length === this.#families.length) throw first;
  }

  /** How far it is, by family. */
  get reports(): readonly FamilyCrawlReport[] {
    return this.#families.map(({ report }) => report);
  }

  /** How many queries wait for an answer. */
  get flying(): number {
    return this.#pacer.flying;
  }

  /** What to keep for the next run; families that take no part in this one stay as they were. */
  save(): CrawlState {
    const own = this.#families.map((crawl) => [crawl.report.family, crawl.save()] as const);
    const there = own.filter(([, state]) => state !== undefined);
    return { ...this.#options.state, ...Object.fromEntries(there) };
  }

  /** A machine may have addresses of a family, and no way to anybody; the others go on. */
  async #runOne(family: FamilyCrawl, signal: AbortSignal): Promise<NetworkError | undefined> {
    try {
      await family.run(signal);
      return undefined;
    } catch (error) {
      if (signal.aborted || !(error instanceof NetworkError)) throw error;
      const { family: number } = family.report;
      this.#options.onEvent({ type: 'silent', family: number, error });
      return error;
    }
  }
}
