/** What became of writes to nodes: announces and items. @module */

import { formatEndpoint } from '../../src/base/endpoint.ts';
import { NetworkError } from '../../src/base/errors.ts';
import type { WriteResult } from '../../src/dht/index.ts';
import { printable } from '../cli/printable.ts';
import type { Reporter } from '../cli/reporter.ts';
import { nodeJson } from './tally.ts';
import { countOf } from './words.ts';

/** How many nodes did what. */
export interface WriteCounts {
  readonly stored: number;
  readonly refused: number;
  readonly timedOut: number;
}

export function countWrites(writes: readonly WriteResult[]): WriteCounts {
  const of = (wanted: WriteResult['outcome']): number =>
    writes.filter(({ outcome }) => outcome === wanted).length;
  return { stored: of('stored'), refused: of('refused'), timedOut: of('timedOut') };
}

/** Each node with what it made of the write. */
export function writesJson(writes: readonly WriteResult[], target: Uint8Array): readonly object[] {
  return writes.map(({ node, outcome, code, message }) => ({
    ...nodeJson(node, target),
    outcome,
    ...(code === undefined ? {} : { error: { code, message } }),
  }));
}

/** `8 nodes`, with those that did not in brackets. */
export function writesWords({ stored, refused, timedOut }: WriteCounts): string {
  const others = [
    ...(refused === 0 ? [] : [`${refused} refused`]),
    ...(timedOut === 0 ? [] : [`${timedOut} did not answer`]),
  ];
  return `${countOf(stored, 'node')}${others.length === 0 ? '' : ` (${others.join(', ')})`}`;
}

/** With `--verbose`. */
export function explainWrite(
  reporter: Reporter,
  { node, outcome, code, message }: WriteResult,
): void {
  const why = code === undefined ? '' : `, error ${code}: ${printable(message ?? '')}`;
  reporter.explain(`${formatEndpoint(node.endpoint)} ${OUTCOMES[outcome]}${why}`);
}

const OUTCOMES = { stored: 'took it', refused: 'refused', timedOut: 'did not answer' } as const;

/**
 * @param what completes "no node took …".
 * @throws {NetworkError} `BIP_DHT_NOT_STORED` when no node took it, with what they said.
 */
export function checkStored(writes: readonly WriteResult[], what: string): void {
  const { stored, refused, timedOut } = countWrites(writes);
  if (stored > 0) return;
  const said = new Set(
    writes.flatMap(({ code, message }) =>
      code === undefined ? [] : `${code} ${printable(message ?? '')}`,
    ),
  );
  const reasons = [
    ...(writes.length === 0 ? ['none of those that answered gave leave to'] : []),
    ...(timedOut === 0 ? [] : [`${timedOut} did not answer`]),
    ...(refused === 0 ? [] : [`${refused} refused (${[...said].slice(0, 3).join('; ')})`]),
  ];
  throw new NetworkError(`no node took ${what}: ${reasons.join(', ')}`, {
    code: 'BIP_DHT_NOT_STORED',
  });
}
