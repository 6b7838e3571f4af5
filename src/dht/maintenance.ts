/** Keeps a node known to its neighbours, its tables good, and its stores small (BEP 5). @module */

import { bounded } from '../runtime/aborting.ts';
import type { Clock, Millis } from '../runtime/ports.ts';
import type { Repeating } from '../runtime/repeating.ts';
import type { DhtEvent } from './options.ts';
import type { Realm } from './realm.ts';
import { K, type SearchContext, search } from './search.ts';
import type { Stores } from './stores.ts';

export interface MaintenanceOptions {
  readonly realms: readonly Realm[];
  readonly stores: Stores;
  readonly clock: Clock;
  readonly repeating: Repeating;
  readonly signal: AbortSignal;
  readonly context: (realm: Realm, signal: AbortSignal) => Promise<SearchContext>;
  readonly onEvent: (event: DhtEvent) => void;
}

export class Maintenance {
  readonly #options: MaintenanceOptions;
  readonly #stopping = new AbortController();
  /** Searches under way, one for a realm at most. */
  readonly #searches = new Map<Realm, Promise<void>>();
  /** The id under which the realm's neighbours know it, and when it was found out that none do. */
  readonly #joinedAs = new Map<Realm, Uint8Array>();
  readonly #retryAt = new Map<Realm, Millis>();
  /** When those that know few look around again, and how long they wait then. */
  readonly #more = new Map<Realm, { readonly at: Millis; readonly pauseMs: Millis }>();

  constructor(options: MaintenanceOptions) {
    this.#options = options;
  }

  /** Settles when the neighbours of all realms were looked for once. */
  async start(): Promise<void> {
    const { realms, repeating, stores, clock } = this.#options;
    repeating.every(TICK_MS, () => {
      for (const realm of realms) this.#tick(realm);
    });
    repeating.every(SWEEP_MS, () => {
      stores.peers.sweep(clock.now());
      stores.items.sweep(clock.now());
    });
    await Promise.all(realms.map((realm) => this.#run(realm, () => this.#join(realm))));
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the node was disposed'));
    await Promise.all(this.#searches.values());
  }

  get #isEnding(): boolean {
    return this.#stopping.signal.aborted || this.#options.signal.aborted;
  }

  #tick(realm: Realm): void {
    if (this.#isEnding) return;
    realm.pingSome(PINGS);
    if (this.#searches.has(realm)) return;
    const { clock } = this.#options;
    const now = clock.now();
    if (this.#joinedAs.get(realm) !== realm.table.ownId) {
      // Who was alone, and was called, asks the caller at once.
      const mayAsk = realm.table.size > 0 || now >= (this.#retryAt.get(realm) ?? 0);
      if (mayAsk) void this.#run(realm, () => this.#join(realm));
      return;
    }
    const target = this.#wantsMore(realm, now) ? realm.table.ownId : realm.table.takeRefresh(now);
    if (target !== undefined) void this.#run(realm, () => this.#look(realm, target));
  }

  /** Who comes to a small network early knows few: whoever came since is looked for, less and less often. */
  #wantsMore(realm: Realm, now: Millis): boolean {
    if (realm.table.size >= K) return false;
    const { at, pauseMs } = this.#more.get(realm) ?? { at: now, pauseMs: TICK_MS };
    if (now < at) return false;
    this.#more.set(realm, { at: now + pauseMs, pauseMs: Math.min(2 * pauseMs, MORE_MS) });
    return true;
  }

  /** Looks for the nodes closest to ourselves, who so learn of us. */
  async #join(realm: Realm): Promise<void> {
    const { onEvent, clock } = this.#options;
    const { family, table } = realm;
    const { ownId } = table;
    await this.#look(realm, ownId);
    if (table.size > 0) {
      this.#joinedAs.set(realm, ownId);
      onEvent({ type: 'joined', family, nodes: table.size });
    } else {
      this.#retryAt.set(realm, clock.now() + RETRY_MS);
      onEvent({ type: 'alone', family });
    }
  }

  async #look(realm: Realm, target: Uint8Array): Promise<void> {
    const { signal, clock, context } = this.#options;
    const question = { method: 'find_node', args: { target } } as const;
    await bounded({ signal, also: this.#stopping.signal, clock }, async (either) =>
      search(await context(realm, either), target, { question, signal: either }),
    );
  }

  /** Runs one search of a realm; the end of the node is no failure of it. */
  #run(realm: Realm, what: () => Promise<void>): Promise<void> {
    const running = what()
      .catch((error: unknown) => {
        if (!this.#isEnding) throw error;
      })
      .finally(() => this.#searches.delete(realm));
    this.#searches.set(realm, running);
    return running;
  }
}

/** How often it is looked for what is due. */
const TICK_MS = 5000;
/** Nodes pinged at once. */
const PINGS = 4;
const SWEEP_MS = 60_000;
/** Until routers are asked again, when nobody answers. */
const RETRY_MS = 30_000;
/** The longest pause of those that know few. */
const MORE_MS = 5 * 60_000;
