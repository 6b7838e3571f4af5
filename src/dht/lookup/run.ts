/** Joins a search to a realm: asks whom it names, and tells it what became of that. @module */

import type { Endpoint } from '../../base/endpoint.ts';
import type { Clock, Millis } from '../../runtime/ports.ts';
import { KRPC_ERROR, type KrpcResponse, type QueryArguments } from '../krpc/index.ts';
import { decodeNodes } from '../node-info.ts';
import { mayName } from '../plausible.ts';
import type { Realm } from '../realm.ts';
import type { Candidate } from './candidate.ts';
import type { LookupEvent, LookupSummary } from './events.ts';
import type { Lookup } from './lookup.ts';

/** What is asked of each node. */
export interface LookupQuestion {
  readonly method: 'find_node' | 'get_peers' | 'get';
  readonly args: Omit<QueryArguments, 'id'>;
}

export interface RunOptions {
  readonly clock: Clock;
  readonly question: LookupQuestion;
  readonly signal: AbortSignal;
  readonly onEvent: (event: LookupEvent) => void;
  /** Called before the event; the bytes in `response` are valid during the call only. */
  readonly onAnswer: (response: KrpcResponse, from: Candidate) => void;
  /** Nodes to begin with whose names are still being looked up. */
  readonly coming: readonly Promise<readonly Endpoint[]>[];
}

/** What a search needs of a realm. */
export type Asking = Pick<Realm, 'family' | 'ask'>;

/**
 * Runs a search to its end.
 *
 * @throws `signal.reason` when aborted.
 */
export function runLookup(
  realm: Asking,
  lookup: Lookup,
  options: RunOptions,
): Promise<LookupSummary> {
  return new Promise((resolve, reject) => {
    new Run(realm, lookup, options).start(resolve, reject);
  });
}

class Run {
  readonly #realm: Asking;
  readonly #lookup: Lookup;
  readonly #options: RunOptions;
  readonly #startedAt: Millis;
  /** Nodes that were asked for nodes alone, and are waited for. */
  #asides = 0;
  /** Names that are still being looked up. */
  #coming = 0;
  readonly #counts = { asked: 0, answered: 0, timedOut: 0, refused: 0 };
  #ended = false;
  #end: (end: () => void) => void = () => undefined;
  #resolve: (summary: LookupSummary) => void = () => undefined;

  constructor(realm: Asking, lookup: Lookup, options: RunOptions) {
    this.#realm = realm;
    this.#lookup = lookup;
    this.#options = options;
    this.#startedAt = options.clock.now();
  }

  start(resolve: (summary: LookupSummary) => void, reject: (reason: unknown) => void): void {
    const { signal } = this.#options;
    const onAbort = (): void => this.#end(() => reject(signal.reason));
    this.#resolve = resolve;
    this.#end = (end) => {
      if (this.#ended) return;
      this.#ended = true;
      signal.removeEventListener('abort', onAbort);
      end();
    };
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    this.#expect();
    this.#step();
  }

  /** Late comers are asked when nobody else is left to ask. */
  #expect(): void {
    const { coming } = this.#options;
    this.#coming = coming.length;
    for (const one of coming) {
      void one.then((endpoints) =>
        this.#after(() => {
          this.#coming--;
          for (const endpoint of endpoints) this.#lookup.addNameless(endpoint);
        }),
      );
    }
  }

  /** Asks as many as may be asked, or ends. */
  #step(): void {
    if (this.#ended) return;
    for (const candidate of this.#lookup.take()) this.#ask(candidate);
    if (this.#isDone) this.#end(() => this.#resolve(this.#summary()));
  }

  /** Who has hardly anybody waits for those who are still coming. */
  get #isDone(): boolean {
    if (!this.#lookup.isDone || this.#asides > 0) return false;
    return this.#coming === 0 || !this.#lookup.isStarving;
  }

  #ask(candidate: Candidate): void {
    const { method, args } = this.#options.question;
    this.#counts.asked++;
    this.#tell({ type: 'asked', ...this.#where(candidate) });
    const { id, endpoint } = candidate;
    this.#realm.ask({ id, endpoint }, method, args, {
      answered: (response, rttMs) => this.#after(() => this.#answered(candidate, response, rttMs)),
      refused: ({ code, message }, rttMs) =>
        this.#after(() => {
          this.#counts.refused++;
          this.#lookup.refused(candidate);
          this.#tell({ type: 'refused', ...this.#where(candidate), code, message, rttMs });
          if (code === KRPC_ERROR.unknownMethod) this.#askForNodes(candidate);
        }),
      slow: () =>
        this.#after(() => {
          this.#lookup.slow(candidate);
          this.#tell({ type: 'slow', ...this.#where(candidate) });
          // Some do not answer what they do not know.
          if (method === 'get') this.#askForNodes(candidate);
        }),
      timedOut: () =>
        this.#after(() => {
          this.#counts.timedOut++;
          this.#lookup.failed(candidate);
          this.#tell({ type: 'timedOut', ...this.#where(candidate) });
        }),
    });
  }

  #after(what: () => void): void {
    if (this.#ended) return;
    what();
    this.#step();
  }

  #answered(candidate: Candidate, response: KrpcResponse, rttMs: Millis): void {
    this.#counts.answered++;
    this.#lookup.answered(candidate, response.id, rttMs);
    candidate.token = response.token?.slice();
    const { named, fresh } = this.#addNodes(candidate, response);
    this.#options.onAnswer(response, candidate);
    const values = response.values?.length ?? 0;
    const version = response.version?.slice();
    this.#tell({
      type: 'answered',
      ...this.#where(candidate),
      ...{ rttMs, named, fresh, values, version },
    });
    if (this.#nodesIn(response) === undefined) this.#askForNodes(candidate);
  }

  /**
   * Old nodes that know peers name no nodes, and to others the question is unknown. While hardly anybody
   * else is known, they are asked for nodes alone: else a search that begins with them ends there.
   */
  #askForNodes(candidate: Candidate): void {
    const { method } = this.#options.question;
    const isWorth = method !== 'find_node' && this.#lookup.isStarving;
    if (!isWorth || candidate.wasAskedForNodes) return;
    candidate.wasAskedForNodes = true;
    this.#asides++;
    let isAwaited = true;
    const settle = (response?: KrpcResponse): void =>
      this.#after(() => {
        if (isAwaited) this.#asides--;
        isAwaited = false;
        if (response !== undefined) this.#addNodes(candidate, response);
      });
    const { id, endpoint } = candidate;
    this.#realm.ask(
      { id, endpoint },
      'find_node',
      { target: this.#lookup.target },
      {
        answered: settle,
        refused: () => settle(),
        slow: () => settle(),
        timedOut: () => settle(),
      },
    );
  }

  #addNodes(from: Candidate, response: KrpcResponse): Named {
    const { family } = this.#realm;
    const bytes = this.#nodesIn(response);
    if (bytes === undefined) return { named: 0, fresh: 0 };
    const contacts = decodeNodes(bytes, family).slice(0, MAX_NAMED);
    const fresh = contacts.filter(
      (contact) =>
        mayName(from.endpoint, contact.endpoint) && this.#lookup.add(contact, from.hop + 1, from),
    );
    return { named: contacts.length, fresh: fresh.length };
  }

  #nodesIn({ nodes, nodes6 }: KrpcResponse): Uint8Array | undefined {
    return this.#realm.family === 4 ? nodes : nodes6;
  }

  #where({ endpoint, id, hop }: Candidate): Pick<LookupEvent, 'family' | 'node'> {
    return { family: this.#realm.family, node: { endpoint, id, hop } };
  }

  #tell(event: LookupEvent): void {
    this.#options.onEvent(event);
  }

  #summary(): LookupSummary {
    const closest = this.#lookup.closest();
    return {
      family: this.#realm.family,
      closest,
      ...this.#counts,
      hops: Math.max(0, ...closest.map(({ hop }) => hop)),
      elapsedMs: this.#options.clock.now() - this.#startedAt,
    };
  }
}

interface Named {
  readonly named: number;
  readonly fresh: number;
}

/** Nodes taken of one answer; k is 8, and some send 16. */
const MAX_NAMED = 16;
