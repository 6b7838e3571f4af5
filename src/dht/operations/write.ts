/** Writes to the nodes closest to a key, with the tokens that they gave (BEP 5, 44). @module */

import type { KrpcError, QueryArguments } from '../krpc/index.ts';
import type { Candidate } from '../lookup/candidate.ts';
import { closestOf } from '../lookup/choice.ts';
import type { LookupNode } from '../lookup/events.ts';
import { K, type SearchContext } from '../search.ts';

/** What one node made of a write. */
export interface WriteResult {
  readonly node: LookupNode;
  readonly outcome: 'stored' | 'refused' | 'timedOut';
  /** Of a refusal. */
  readonly code?: number;
  readonly message?: string;
}

export interface WriteOptions {
  readonly method: 'announce_peer' | 'put';
  /** Without id and token. */
  readonly argsFor: (node: Candidate) => Omit<QueryArguments, 'id' | 'token'>;
  readonly signal: AbortSignal;
  readonly onWrite?: ((result: WriteResult) => void) | undefined;
}

/**
 * Writes to the k closest of `answered` (nearest first) that gave a token.
 *
 * @throws `signal.reason` when aborted.
 */
export function writeToClosest(
  context: SearchContext,
  answered: readonly Candidate[],
  options: WriteOptions,
): Promise<readonly WriteResult[]> {
  const able = answered.filter(({ token }) => token !== undefined);
  const nodes = closestOf(able, K);
  return Promise.all(nodes.map((node) => write(context, node, options)));
}

function write(
  { realm }: SearchContext,
  node: Candidate,
  { method, argsFor, signal, onWrite }: WriteOptions,
): Promise<WriteResult> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    const end = (result: WriteResult): void => {
      signal.removeEventListener('abort', onAbort);
      if (signal.aborted) return;
      onWrite?.(result);
      resolve(result);
    };
    const { token } = node;
    const attempt = (left: number): void =>
      realm.ask(
        node,
        method,
        { ...argsFor(node), token },
        {
          answered: () => end({ node, outcome: 'stored' }),
          refused: ({ code, message }: KrpcError) =>
            end({ node, outcome: 'refused', code, message }),
          slow: () => undefined,
          timedOut: () => {
            // A write that comes twice does no harm; one that is lost does.
            if (left > 0 && !signal.aborted) attempt(left - 1);
            else end({ node, outcome: 'timedOut' });
          },
        },
      );
    attempt(WRITE_RETRIES);
  });
}

const WRITE_RETRIES = 1;
