/** From the state of a node to the numbers that are told of it. @module */

import { formatHex } from '../../src/base/bytes.ts';
import {
  type DhtReport,
  type Family,
  type FamilyReport,
  QUERY_KINDS,
  type QueryKind,
} from '../../src/dht/index.ts';
import type { Millis } from '../../src/runtime/ports.ts';
import type {
  ByKind,
  FamilyName,
  FamilyNumbers,
  FamilyRates,
  NodeNumbers,
} from './serve-events.ts';

/** What is known beside the report. */
export interface Surroundings {
  readonly elapsedMs: Millis;
  readonly memoryBytes: number | undefined;
}

export function familyName(family: Family): FamilyName {
  return family === 4 ? 'ipv4' : 'ipv6';
}

export function numbersOf(report: DhtReport, around: Surroundings): NodeNumbers {
  return { ...report, families: report.families.map(familyNumbers), ...known(around) };
}

/** With rates; `rates` has seen the report. */
export function numbersWithRates(
  report: DhtReport,
  rates: Rates,
  around: Surroundings,
): NodeNumbers<FamilyRates> {
  const families = report.families.map((family) => ({
    ...familyNumbers(family),
    queriesInPerSecond: rates.of(family.family, 'kindsIn'),
    queriesOutPerSecond: rates.of(family.family, 'kindsOut'),
  }));
  return { ...report, families, ...known(around) };
}

/** All kinds together. */
export function sumOf(counts: ByKind): number {
  return QUERY_KINDS.reduce((sum, kind) => sum + counts[kind], 0);
}

/** How fast counters grow, by reports that come again and again. */
export class Rates {
  readonly #windowMs: Millis;
  readonly #seen: { readonly at: Millis; readonly report: DhtReport }[] = [];

  /** Over the last so many milliseconds, or since the report before the last if that is longer. */
  constructor(windowMs: Millis) {
    this.#windowMs = windowMs;
  }

  add(report: DhtReport, at: Millis): void {
    this.#seen.push({ at, report });
    while (this.#seen.length > 2 && (this.#seen[1]?.at ?? at) <= at - this.#windowMs) {
      this.#seen.shift();
    }
  }

  /** Queries a second, with one decimal. */
  of(family: Family, which: 'kindsIn' | 'kindsOut'): ByKind {
    const [first] = this.#seen;
    const last = this.#seen.at(-1);
    const seconds = ((last?.at ?? 0) - (first?.at ?? 0)) / 1000;
    const countIn = (report: DhtReport | undefined, kind: QueryKind): number =>
      report?.families.find((one) => one.family === family)?.counters[which][kind] ?? 0;
    return byKind((kind) => {
      const more = countIn(last?.report, kind) - countIn(first?.report, kind);
      return seconds <= 0 ? 0 : Math.round((more / seconds) * 10) / 10;
    });
  }
}

function familyNumbers(report: FamilyReport): FamilyNumbers {
  const { family, id, externalHost, isSecure, nodes, goodNodes, counters } = report;
  return {
    family: familyName(family),
    nodeId: formatHex(id),
    ...(externalHost === undefined ? {} : { externalIp: externalHost }),
    ...(isSecure === undefined ? {} : { secure: isSecure }),
    nodes,
    goodNodes,
    queriesIn: counters.kindsIn,
    queriesOut: counters.kindsOut,
    answers: counters.answersIn,
    timeouts: counters.timeouts,
    refused: counters.refusedByRate,
    bytesIn: counters.bytesIn,
    bytesOut: counters.bytesOut,
  };
}

function known({
  elapsedMs,
  memoryBytes,
}: Surroundings): Pick<NodeNumbers, 'elapsedMs' | 'memoryBytes'> {
  return {
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    elapsedMs: Math.round(elapsedMs),
  };
}

function byKind(count: (kind: QueryKind) => number): ByKind {
  return {
    ping: count('ping'),
    find_node: count('find_node'),
    get_peers: count('get_peers'),
    announce_peer: count('announce_peer'),
    get: count('get'),
    put: count('put'),
    sample_infohashes: count('sample_infohashes'),
    other: count('other'),
  };
}
