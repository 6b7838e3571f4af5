/** How the answers to announces look. @module */

import { formatEndpoint } from '../../src/base/endpoint.ts';
import type { AnnounceResponse } from '../../src/tracker/index.ts';
import { tsv, type View } from '../cli/action.ts';
import { formatDuration, formatMillis, roundMillis } from '../cli/units.ts';
import type { Rendering } from './rendering.ts';
import type { Result } from './result.ts';
import { resultView } from './result-view.ts';

const rendering: Rendering<AnnounceResponse> = {
  columns: () => COLUMNS,
  rows({ response }) {
    const { seeders, leechers, peers, intervalSeconds, rttMs, exchange } = response;
    const cells = [
      seeders ?? '',
      leechers ?? '',
      peers.length,
      formatDuration(intervalSeconds * 1000),
      formatMillis(rttMs),
      exchange.family,
    ];
    return [cells.map(String)];
  },
  /** The distinct peers of all trackers. */
  footer(outcomes) {
    const addresses = outcomes.flatMap((shown) =>
      'response' in shown ? shown.response.peers.map(formatEndpoint) : [],
    );
    return [...new Set(addresses)];
  },
  warning: (response) => response.warning,
  details({ response }) {
    const { seeders, leechers, externalIp, warning, peers, remote, rttMs } = response;
    return [
      ['answered', [`${formatEndpoint(remote)} in ${formatMillis(rttMs)}`]],
      ['seeders', present(seeders)],
      ['leechers', present(leechers)],
      ['interval', [interval(response)]],
      ['external ip', present(externalIp)],
      ['warning', present(warning)],
      ['peers', peers.length === 0 ? [noPeers(response)] : peers.map(formatEndpoint)],
    ];
  },
  brief({ response }) {
    const { seeders = '?', leechers = '?', peers, rttMs } = response;
    const counts = `${seeders} seeders  ${leechers} leechers  ${peers.length} peers`;
    return `${counts}  ${formatMillis(rttMs)}`;
  },
  /** `tracker ok seeders leechers interval rttMs peers`. */
  lines({ tracker, response }) {
    const { seeders, leechers, intervalSeconds, rttMs, peers } = response;
    const addresses = peers.map(formatEndpoint).join(' ');
    return tsv(tracker, 'ok', seeders, leechers, intervalSeconds, roundMillis(rttMs), addresses);
  },
  json(response) {
    return {
      address: formatEndpoint(response.remote),
      interval: response.intervalSeconds,
      minInterval: response.minIntervalSeconds,
      seeders: response.seeders,
      leechers: response.leechers,
      peers: response.peers.map(formatEndpoint),
      externalIp: response.externalIp,
      warning: response.warning,
      rttMs: roundMillis(response.rttMs),
    };
  },
};

export const announceView: View<Result<AnnounceResponse>> = resultView(rendering);

function present(value: string | number | undefined): string[] {
  return value === undefined ? [] : [String(value)];
}

function noPeers({ exchange }: AnnounceResponse): string {
  return exchange.transport.startsWith('ws')
    ? 'none that bip could call: they speak WebRTC'
    : 'none';
}

function interval({ intervalSeconds, minIntervalSeconds }: AnnounceResponse): string {
  const least =
    minIntervalSeconds === undefined
      ? ''
      : `, not before ${formatDuration(minIntervalSeconds * 1000)}`;
  return `${formatDuration(intervalSeconds * 1000)}${least}`;
}

const COLUMNS = [
  { title: 'seeders', width: 7, align: 'right' },
  { title: 'leechers', width: 8, align: 'right' },
  { title: 'peers', width: 5, align: 'right' },
  { title: 'interval', width: 8, align: 'right' },
  { title: 'time', width: 8, align: 'right' },
  { title: 'ip', width: 2, align: 'right' },
] as const;
