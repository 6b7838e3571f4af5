/** Numbers of a tracker in the text format of Prometheus, version 0.0.4. @module */

import type { TrackerState } from './tracker-state.ts';

/** Lines end with a line feed, the last one too. */
export function formatMetrics(state: TrackerState): string {
  return families(state).map(formatFamily).join('');
}

interface Family {
  /** Behind `bip_tracker_`. */
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly samples: readonly Sample[];
}
interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

function families(state: TrackerState): Family[] {
  return [...gauges(state), ...storeGauges(state), ...counters(state), ...faults(state)];
}

function gauges({ totals, version, workers, uptimeSeconds }: TrackerState): Family[] {
  return [
    gauge('info', 'What runs; always 1', [{ labels: { version }, value: 1 }]),
    gauge('workers', 'Threads that answer', [{ value: workers }]),
    gauge('uptime_seconds', 'Seconds since the start', [{ value: uptimeSeconds }]),
    gauge('swarms', 'Torrents with peers, or with completed downloads', [{ value: totals.swarms }]),
    gauge('peers', 'Peers by family of their address', [
      { labels: { family: 'ipv4' }, value: totals.peers4 },
      { labels: { family: 'ipv6' }, value: totals.peers6 },
    ]),
    gauge('seeders', 'Peers that have all', [{ value: totals.seeders }]),
    gauge('leechers', 'Peers that lack something', [{ value: totals.leechers }]),
    gauge('memory_used_bytes', 'Memory in use for swarms and peers', [{ value: totals.bytesUsed }]),
    gauge('memory_reserved_bytes', 'Memory set aside for swarms and peers', [
      { value: totals.bytesReserved },
    ]),
  ];
}

function storeGauges({ store }: TrackerState): Family[] {
  if (store === undefined) return [];
  return [
    gauge('store_up', 'Whether the shared store is there', [{ value: store.up ? 1 : 0 }]),
    gauge('store_pending', 'Announces that wait for the shared store', [{ value: store.pending }]),
  ];
}

function counters({ counters: counted }: TrackerState): Family[] {
  return [
    counter('announces_total', 'Announces that were answered with peers', [
      { labels: { protocol: 'http', family: 'ipv4' }, value: counted.announcesHttp4 },
      { labels: { protocol: 'http', family: 'ipv6' }, value: counted.announcesHttp6 },
      { labels: { protocol: 'udp', family: 'ipv4' }, value: counted.announcesUdp4 },
      { labels: { protocol: 'udp', family: 'ipv6' }, value: counted.announcesUdp6 },
    ]),
    counter('events_total', 'Announces with an event', [
      { labels: { event: 'completed' }, value: counted.completedEvents },
      { labels: { event: 'stopped' }, value: counted.stoppedEvents },
    ]),
    counter('scrapes_total', 'Scrapes', [{ value: counted.scrapes }]),
    counter('connects_total', 'Connects over UDP', [{ value: counted.connects }]),
    counter('received_bytes_total', 'Bytes of packets and requests', [{ value: counted.bytesIn }]),
    counter('sent_bytes_total', 'Bytes of packets and bodies', [{ value: counted.bytesOut }]),
  ];
}

function faults({ counters: counted }: TrackerState): Family[] {
  return [
    counter('refused_total', 'Requests that were refused, by reason', [
      { labels: { reason: 'not-listed' }, value: counted.refusedNotListed },
      { labels: { reason: 'address-denied' }, value: counted.refusedAddress },
      { labels: { reason: 'passkey' }, value: counted.refusedPasskey },
      { labels: { reason: 'full' }, value: counted.refusedFull },
      { labels: { reason: 'rate' }, value: counted.refusedRate },
      { labels: { reason: 'busy' }, value: counted.refusedBusy },
    ]),
    counter('errors_total', 'Answers with a reason for failure', [{ value: counted.errorsSent }]),
    counter('bad_requests_total', 'Packets and requests that make no sense', [
      { value: counted.badRequests },
    ]),
    counter('bad_connection_ids_total', 'Packets with a wrong or old connection id', [
      { value: counted.badConnectionIds },
    ]),
    counter('dropped_total', 'Packets without an answer because too many came from there', [
      { value: counted.droppedByRate },
    ]),
    counter(
      'displaced_connections_total',
      'Connections over HTTP that had to give their place to others',
      [{ value: counted.displacedConnections }],
    ),
  ];
}

function gauge(name: string, help: string, samples: readonly Sample[]): Family {
  return { name, type: 'gauge', help, samples };
}

function counter(name: string, help: string, samples: readonly Sample[]): Family {
  return { name, type: 'counter', help, samples };
}

function formatFamily({ name, type, help, samples }: Family): string {
  const full = `bip_tracker_${name}`;
  const lines = samples.map(({ labels, value }) => `${full}${formatLabels(labels)} ${value}\n`);
  return `# HELP ${full} ${help}\n# TYPE ${full} ${type}\n${lines.join('')}`;
}

function formatLabels(labels: Sample['labels']): string {
  if (labels === undefined) return '';
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return `{${pairs.join(',')}}`;
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
