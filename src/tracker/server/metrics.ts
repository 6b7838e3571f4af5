/** Numbers of a tracker in the text format of Prometheus, version 0.0.4. @module */

import { counter, formatMetrics, gauge, type MetricFamily } from '../../base/metrics-text.ts';
import type { TrackerState } from './tracker-state.ts';

/** Lines end with a line feed, the last one too. */
export function trackerMetrics(state: TrackerState): string {
  return formatMetrics('bip_tracker_', families(state));
}

function families(state: TrackerState): MetricFamily[] {
  return [...gauges(state), ...storeGauges(state), ...counters(state), ...faults(state)];
}

function gauges({ totals, version, workers, uptimeSeconds }: TrackerState): MetricFamily[] {
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

function storeGauges({ store }: TrackerState): MetricFamily[] {
  if (store === undefined) return [];
  return [
    gauge('store_up', 'Whether the shared store is there', [{ value: store.up ? 1 : 0 }]),
    gauge('store_pending', 'Announces that wait for the shared store', [{ value: store.pending }]),
  ];
}

function counters({ counters: counted }: TrackerState): MetricFamily[] {
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

function faults({ counters: counted }: TrackerState): MetricFamily[] {
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
