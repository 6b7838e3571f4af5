/** How peers that were probed look. @module */

import { formatHex } from '../../src/base/bytes.ts';
import { formatEndpoint } from '../../src/base/endpoint.ts';
import { ipFamily } from '../../src/base/ip.ts';
import { formatClient } from '../../src/handshake/index.ts';
import type { Attempt, ProbeReport } from '../../src/probe/index.ts';
import { tsv, type View } from '../cli/action.ts';
import { labelled } from '../cli/labelled.ts';
import { roundMillis } from '../cli/units.ts';
import { detailsOf } from './probe-details.ts';
import { probeRow } from './probe-row.ts';
import { takenTransports, transportsOf } from './probe-transports.ts';
import type { Probed, ProbedPeer } from './probed.ts';

export const probeView: View<Probed> = {
  terminal(probed, style) {
    if (!probed.alone || 'error' in probed) return probeRow(probed, style);
    const name = formatEndpoint(probed.named);
    return `${style.bold(name)}\n${labelled(detailsOf(probed.named, probed.report), style)}`;
  },
  plain(probed) {
    const name = formatEndpoint(probed.named);
    if (!('error' in probed)) return tsv(...fieldsOf(probed.report));
    return tsv(name, 'error', probed.error.code, probed.error.message);
  },
  json(probed) {
    if (!('error' in probed)) return peerJson(probed);
    const { code, message } = probed.error;
    return {
      address: formatEndpoint(probed.named),
      error: { code, message },
      transports: transportsJson(probed.attempts),
      attempts: probed.attempts.map(attemptJson),
    };
  },
};

function fieldsOf(report: ProbeReport): readonly (string | number | undefined)[] {
  const { endpoint, way, client, handshake, pieces, connectMs, handshakeMs, pex } = report;
  const share = pieces?.share;
  return [
    formatEndpoint(endpoint),
    'ok',
    formatClient(client),
    handshake.peerId.hex,
    way.transport,
    way.encryption,
    handshake.reserved.names.join(','),
    pieces?.have,
    pieces?.total,
    share === undefined ? undefined : Math.round(share * 1000) / 10,
    roundMillis(connectMs),
    roundMillis(handshakeMs),
    pex?.length,
    takenTransports(report.attempts).join(','),
  ];
}

function peerJson({ named, report }: ProbedPeer): object {
  const { endpoint, way, handshake, client, otherClient, extended, pieces, fault } = report;
  const address = formatEndpoint(endpoint);
  const name = formatEndpoint(named);
  return {
    address,
    name: name === address ? undefined : name,
    family: ipFamily(endpoint.host),
    transport: way.transport,
    encryption: way.encryption,
    peerId: handshake.peerId.hex,
    client: formatClient(client),
    clientName: client.name,
    clientVersion: client.version,
    peerIdStyle: client.style,
    peerIdDoubt: client.doubt,
    otherClient,
    infoHash: formatHex(handshake.infoHash),
    extensions: handshake.reserved.names,
    reserved: handshake.reserved.hex,
    extended: extended && { ...extended, messages: Object.fromEntries(extended.messages) },
    pieces,
    dhtPort: report.dhtPort,
    pex: report.pex?.map((peer) => ({ address: formatEndpoint(peer.endpoint), flags: peer.flags })),
    connectMs: roundMillis(report.connectMs),
    handshakeMs: roundMillis(report.handshakeMs),
    closedByPeer: report.closedByPeer,
    fault: fault && { code: fault.code, message: fault.message },
    transports: transportsJson(report.attempts),
    attempts: report.attempts.map(attemptJson),
  };
}

/** By the names of the transports that were tried. */
function transportsJson(attempts: readonly Attempt[]): object {
  return Object.fromEntries(
    transportsOf(attempts).map(({ transport, connectMs, error }) => [
      transport,
      {
        connected: connectMs !== undefined,
        connectMs: connectMs === undefined ? undefined : roundMillis(connectMs),
        accepted: error === undefined,
        error: error && { code: error.code, message: error.message },
      },
    ]),
  );
}

function attemptJson({ way, connectMs, error }: Attempt): object {
  const { transport, encryption } = way;
  return {
    transport,
    encryption,
    connectMs: connectMs === undefined ? undefined : roundMillis(connectMs),
    accepted: error === undefined,
    error: error && { code: error.code, message: error.message },
  };
}
