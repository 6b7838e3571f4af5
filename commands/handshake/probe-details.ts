/** Everything about one peer, in words. @module */

import { type Endpoint, formatEndpoint } from '../../src/base/endpoint.ts';
import { ipFamily } from '../../src/base/ip.ts';
import { formatClient, showPeerId } from '../../src/handshake/index.ts';
import type { ExtendedHandshake } from '../../src/peer/index.ts';
import type { Attempt, Holdings, PexPeer, ProbeReport } from '../../src/probe/index.ts';
import type { Row } from '../cli/labelled.ts';
import { formatMillis, formatSize } from '../cli/units.ts';
import {
  attemptsByEncryption,
  TRANSPORT_NAMES,
  transportsOf,
  transportWords,
} from './probe-transports.ts';

export function detailsOf(named: Endpoint, report: ProbeReport): readonly Row[] {
  const { endpoint, handshake, extended, connectMs, handshakeMs, pex, fault } = report;
  const address = formatEndpoint(endpoint);
  const took = `connected in ${formatMillis(connectMs)}, shook hands in ${formatMillis(handshakeMs)}`;
  return [
    ['answered', [took]],
    ['address', address === formatEndpoint(named) ? [] : [address]],
    ['by', [`${TRANSPORT_NAMES[report.way.transport]}${familyWords(endpoint)}`]],
    ['transports', transportsOf(report.attempts).map(transportWords)],
    ['encryption', attemptsByEncryption(report).map(attemptWords)],
    ['client', [clientWords(report)]],
    ['peer id', [showPeerId(handshake.peerId)]],
    ['doubt', doubtsOf(report)],
    ['extensions', handshake.reserved.features.map(({ title }) => title)],
    ...extendedRows(extended),
    ['DHT port', report.dhtPort === undefined ? [] : [String(report.dhtPort)]],
    ['has', report.pieces === undefined ? [] : [holdingsWords(report.pieces)]],
    ['names', pex === undefined ? [] : pexWords(pex)],
    ['but', endOf(report)],
    ['fault', fault === undefined ? [] : [fault.message]],
  ];
}

/** Nothing for a name that a proxy looks up. */
function familyWords({ host }: Endpoint): string {
  const family = ipFamily(host);
  return family === undefined ? '' : ` over IPv${family}`;
}

/** `all`, `none`, `12 of 40 pieces (30 %)`, `12 pieces`. */
function holdingsWords({ source, have, total, share }: Holdings): string {
  const said = source === 'have-all' || source === 'have-none' ? ` (says ${source})` : '';
  if (have === undefined || share === 1) return `all pieces${said}`;
  if (total === undefined)
    return have === 0 ? `no pieces${said}` : `${have} pieces of an unknown number`;
  return `${have} of ${total} pieces (${percent(share ?? 0)})`;
}

/** Never 0 % or 100 % of what is neither. */
export function percent(share: number): string {
  const rounded = Math.round(share * 100);
  if (share > 0 && rounded === 0) return '<1 %';
  return share < 1 && rounded === 100 ? '>99 %' : `${rounded} %`;
}

/** What a way is called. */
export function wayWords({ way }: Attempt): string {
  return way.encryption === 'none' ? 'plain' : way.encryption;
}

function attemptWords(attempt: Attempt): string {
  const { error } = attempt;
  return `${wayWords(attempt)}: ${error === undefined ? 'accepted' : `refused (${error.message})`}`;
}

function clientWords({ client }: ProbeReport): string {
  const known = formatClient(client);
  if (known !== undefined) return known;
  if (client.style === 'blank') return 'unknown: the peer id is blank';
  return client.style === 'random'
    ? 'unknown: the peer id is random'
    : 'unknown: nobody is known to write such a peer id';
}

function doubtsOf({ client, otherClient, extended }: ProbeReport): readonly string[] {
  return [
    ...(client.doubt === undefined ? [] : [client.doubt]),
    ...(otherClient === undefined
      ? []
      : [`the peer id says ${client.name}, the extended handshake ${extended?.version}`]),
  ];
}

function extendedRows(extended: ExtendedHandshake | undefined): readonly Row[] {
  if (extended === undefined) return [];
  const { version, messages, reqq, metadataSize, yourIp, port, uploadOnly } = extended;
  const names = [...messages].map(([name, id]) => (id === 0 ? `${name} (off)` : `${name} ${id}`));
  return [
    ['calls itself', version === undefined ? [] : [version]],
    ['messages', names.length === 0 ? [] : [names.join(', ')]],
    ['takes', reqq === undefined ? [] : [`${reqq} requests at once`]],
    ['metadata', metadataSize === undefined ? [] : [formatSize(metadataSize)]],
    ['listens on', port === undefined ? [] : [`port ${port}`]],
    ['sees us at', yourIp === undefined ? [] : [yourIp]],
    ['uploads only', uploadOnly === undefined ? [] : [uploadOnly ? 'yes' : 'no']],
  ];
}

function pexWords(pex: readonly PexPeer[]): readonly string[] {
  if (pex.length === 0) return ['no peers'];
  return pex.map(({ endpoint, flags }) => [formatEndpoint(endpoint), ...flags].join(' '));
}

function endOf({ closedByPeer, fault }: ProbeReport): readonly string[] {
  return closedByPeer && fault === undefined ? ['closed the connection before we did'] : [];
}
