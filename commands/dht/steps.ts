/** The steps of a search, told. @module */

import { formatHex } from '../../src/base/bytes.ts';
import { formatEndpoint } from '../../src/base/endpoint.ts';
import type { LookupEvent } from '../../src/dht/index.ts';
import type { Millis } from '../../src/runtime/ports.ts';
import { tsv } from '../cli/action.ts';
import { printable } from '../cli/printable.ts';
import type { Reporter } from '../cli/reporter.ts';
import type { Style } from '../cli/style.ts';
import { formatMillis, roundMillis } from '../cli/units.ts';
import { clientName, clientOr, showVersion } from './client-name.ts';
import { distanceBits, nodeJson, type Tally } from './tally.ts';
import { countOf } from './words.ts';

/** A step, when it happened, and what is looked for. */
export interface Step {
  readonly event: LookupEvent;
  /** Since the beginning of the search. */
  readonly elapsedMs: Millis;
  readonly target: Uint8Array;
}

export function stepJson({ event, elapsedMs, target }: Step): object {
  return {
    type: event.type,
    ...nodeJson(event.node, target),
    ...outcomeJson(event),
    elapsedMs: roundMillis(elapsedMs),
  };
}

/** For people: `answered  40 ms  hop 1  147 bits  192.0.2.1:6881  8 nodes, 3 new`; nothing for a question. */
export function stepLine(
  { event, target }: Omit<Step, 'elapsedMs'>,
  style: Style,
): string | undefined {
  if (event.type === 'asked') return undefined;
  const { node } = event;
  const rtt = 'rttMs' in event ? formatMillis(event.rttMs) : '';
  const bits = node.id === undefined ? '' : `${distanceBits(target, node.id)} bits`;
  const columns = [
    WORDS[event.type].padEnd(9),
    rtt.padStart(8),
    `hop ${node.hop}`.padEnd(6),
    bits.padStart(8),
    formatEndpoint(node.endpoint).padEnd(21),
    outcomeWords(event),
  ];
  const line = columns.join('  ').trimEnd();
  return `${event.type === 'answered' ? line : style.dim(line)}\n`;
}

/** Listens to a search: counts its nodes, draws the counts, and explains each step with `--verbose`. */
export function follow(
  reporter: Reporter,
  tally: Tally,
  target: Uint8Array,
): (event: LookupEvent) => void {
  return (event) => {
    tally.add(event);
    explainStep(reporter, event, target);
    reporter.status([`${tally.answered} of ${tally.asked} nodes answered`]);
  };
}

/** With `--verbose`. */
export function explainStep(reporter: Reporter, event: LookupEvent, target: Uint8Array): void {
  if (!reporter.verbose) return;
  const line = stepLine({ event, target }, reporter.style);
  if (line !== undefined) reporter.explain(line.trimEnd());
}

/** `type address id hop distance milliseconds nodes new peers client`. */
export function stepTsv({ event, target }: Step): string {
  const { type, node } = event;
  const answer = event.type === 'answered' ? event : undefined;
  return tsv(
    ...[type, formatEndpoint(node.endpoint), node.id && formatHex(node.id), node.hop],
    node.id && distanceBits(target, node.id),
    'rttMs' in event ? roundMillis(event.rttMs) : undefined,
    ...[answer?.named, answer?.fresh, answer?.values],
    clientOr(answer?.version),
  );
}

const WORDS = {
  answered: 'answered',
  slow: 'slow',
  timedOut: 'silent',
  refused: 'refused',
} as const;

function outcomeJson(event: LookupEvent): object {
  switch (event.type) {
    case 'answered': {
      const { rttMs, named, fresh, values, version } = event;
      return {
        rttMs: roundMillis(rttMs),
        nodes: named,
        newNodes: fresh,
        peers: values,
        version: version && showVersion(version),
        client: version && clientName(version),
      };
    }
    case 'refused': {
      const { rttMs, code, message } = event;
      return { rttMs: roundMillis(rttMs), code, message };
    }
    case 'asked':
    case 'slow':
    case 'timedOut':
      return {};
  }
}

function outcomeWords(event: LookupEvent): string {
  switch (event.type) {
    case 'answered': {
      const { named, fresh, values, version } = event;
      const client = clientOr(version);
      return [
        `${countOf(named, 'node')}, ${fresh} new`,
        ...(values === 0 ? [] : [countOf(values, 'peer')]),
        ...(client === undefined ? [] : [client]),
      ].join(', ');
    }
    case 'refused':
      return `error ${event.code}: ${printable(event.message)}`;
    case 'asked':
    case 'slow':
    case 'timedOut':
      return '';
  }
}
