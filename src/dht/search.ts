/** Searches in one realm: whom they begin with, and how they are run. @module */

import type { Endpoint } from '../base/endpoint.ts';
import type { Clock } from '../runtime/ports.ts';
import type { KrpcResponse } from './krpc/index.ts';
import type { Candidate } from './lookup/candidate.ts';
import type { LookupEvent, LookupSummary } from './lookup/events.ts';
import { Lookup } from './lookup/lookup.ts';
import { type LookupQuestion, runLookup } from './lookup/run.ts';
import type { Realm } from './realm.ts';
import type { Stores } from './stores.ts';

/** Whom a search may begin with. */
export interface Beginning {
  /** Known already. */
  readonly endpoints: readonly Endpoint[];
  /** Names that are still being looked up; none of them rejects. */
  readonly coming: readonly Promise<readonly Endpoint[]>[];
}

/** What searches in one realm have in common. */
export interface SearchContext {
  readonly realm: Realm;
  readonly stores: Stores;
  readonly clock: Clock;
  /** Nodes to begin with when the table has none that answer. */
  readonly bootstrap: Beginning;
  readonly policy: SearchPolicy;
}

export interface SearchPolicy {
  readonly limitAddresses: boolean;
  /** Only nodes with ids that follow from their addresses (BEP 42). */
  readonly onlySecure: boolean;
  /** Queries of one search at once. */
  readonly alpha: number;
}

export interface SearchOptions {
  readonly question: LookupQuestion;
  readonly signal: AbortSignal;
  readonly onEvent?: ((event: LookupEvent) => void) | undefined;
  /** The bytes in `response` are valid during the call only. */
  readonly onAnswer?: ((response: KrpcResponse, from: Candidate) => void) | undefined;
}

export interface Search {
  readonly summary: LookupSummary;
  /** All that answered, nearest first. */
  readonly answered: readonly Candidate[];
}

/**
 * Searches for the nodes closest to `target`, asking each the question.
 *
 * @throws `signal.reason` when aborted.
 */
export async function search(
  context: SearchContext,
  target: Uint8Array,
  options: SearchOptions,
): Promise<Search> {
  const { realm, clock, bootstrap, policy } = context;
  const { question, signal, onEvent = ignore, onAnswer = ignore } = options;
  const lookup = new Lookup({ target, ownId: realm.table.ownId, k: K, ...policy });
  for (const contact of realm.seedsFor(target, SEEDS)) lookup.add(contact, 0);
  const { endpoints, coming } = bootstrap;
  for (const endpoint of endpoints) lookup.addNameless(endpoint);
  const how = { clock, question, signal, onEvent, onAnswer, coming };
  const summary = await runLookup(realm, lookup, how);
  return { summary, answered: lookup.answeredOnes() };
}

/** Nodes closest to a key that are responsible for it (BEP 5 "Routing Table"). */
export const K = 8;

/** More than k, since some will not answer. */
const SEEDS = 16;

function ignore(): void {}
