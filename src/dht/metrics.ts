/** Numbers of a node in the text format of Prometheus. @module */

import { formatHex } from '../base/bytes.ts';
import {
  counter,
  formatMetrics,
  gauge,
  type MetricFamily,
  type MetricSample,
} from '../base/metrics-text.ts';
import { QUERY_KINDS, type QueryKind, type RealmCounters } from './counters.ts';
import type { DhtReport, FamilyReport } from './report.ts';

/** What is told beside the report. */
export interface MetricsContext {
  readonly version: string;
  readonly readOnly: boolean;
  readonly uptimeSeconds: number;
  /** Of the whole process, in bytes; undefined where nobody knows. */
  readonly memoryBytes: number | undefined;
}

/** Lines end with a line feed, the last one too. */
export function dhtMetrics(report: DhtReport, context: MetricsContext): string {
  const families = [...gauges(report, context), ...counters(report)];
  return formatMetrics(
    'bip_dht_',
    families.filter(({ samples }) => samples.length > 0),
  );
}

function gauges(report: DhtReport, context: MetricsContext): MetricFamily[] {
  const { families } = report;
  const { memoryBytes } = context;
  const ids = families.map((family) => ({
    labels: { family: nameOf(family), id: formatHex(family.id) },
    value: 1,
  }));
  const readOnly = String(context.readOnly);
  return [
    gauge('info', 'What runs; always 1', [
      { labels: { version: context.version, read_only: readOnly }, value: 1 },
    ]),
    gauge('node_id', 'The id in the DHT of a family; always 1', ids),
    gauge('uptime_seconds', 'Seconds since the start', context.uptimeSeconds),
    gauge(
      'nodes',
      'Nodes in the routing table',
      each(report, ({ nodes }) => nodes),
    ),
    gauge(
      'good_nodes',
      'Nodes heard of lately',
      each(report, ({ goodNodes }) => goodNodes),
    ),
    gauge(
      'spare_nodes',
      'Nodes that wait for a place',
      each(report, ({ spares }) => spares),
    ),
    gauge(
      'secure_id',
      'Whether the id fits the address that others see (BEP 42)',
      families.flatMap((family) =>
        family.isSecure === undefined
          ? []
          : [{ labels: { family: nameOf(family) }, value: family.isSecure ? 1 : 0 }],
      ),
    ),
    gauge('torrents', 'Torrents whose peers are kept for others', report.torrents),
    gauge('peers', 'Peers that are kept for others', report.peers),
    gauge('items', 'Items that are kept for others', report.items),
    ...(memoryBytes === undefined
      ? []
      : [gauge('memory_bytes', 'Memory of the process', memoryBytes)]),
  ];
}

function counters(report: DhtReport): MetricFamily[] {
  const count = (name: keyof NumbersOf<RealmCounters>): MetricSample[] =>
    each(report, (family) => family.counters[name]);
  const { families } = report;
  return [
    counter(
      'queries_received_total',
      'Queries of others that break no rule',
      families.flatMap((family) => byKind(family, family.counters.kindsIn)),
    ),
    counter(
      'queries_sent_total',
      'Queries to others',
      families.flatMap((family) => byKind(family, family.counters.kindsOut)),
    ),
    counter('answers_total', 'Answers of others', count('answersIn')),
    counter('errors_total', 'Errors of others', count('errorsIn')),
    counter('timeouts_total', 'Queries that nobody answered', count('timeouts')),
    counter('dropped_total', 'Datagrams without an answer, by reason', families.flatMap(dropped)),
    counter('received_bytes_total', 'Bytes of datagrams', count('bytesIn')),
    counter('sent_bytes_total', 'Bytes of datagrams', count('bytesOut')),
  ];
}

/** The counters that are one number. */
type NumbersOf<T> = { [K in keyof T as T[K] extends number ? K : never]: number };

function each({ families }: DhtReport, value: (family: FamilyReport) => number): MetricSample[] {
  return families.map((family) => ({
    labels: { family: nameOf(family) },
    value: value(family),
  }));
}

function byKind(family: FamilyReport, counts: Readonly<Record<QueryKind, number>>): MetricSample[] {
  return QUERY_KINDS.map((kind) => ({
    labels: { family: nameOf(family), query: kind },
    value: counts[kind],
  }));
}

function dropped(family: FamilyReport): MetricSample[] {
  const { counters: counted } = family;
  const reasons = {
    rate: counted.refusedByRate,
    ignored: counted.ignored,
    undecodable: counted.undecodable,
    unasked: counted.unasked,
  };
  return Object.entries(reasons).map(([reason, value]) => ({
    labels: { family: nameOf(family), reason },
    value,
  }));
}

function nameOf({ family }: FamilyReport): string {
  return `ipv${family}`;
}
