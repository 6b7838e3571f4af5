/** How the answers of nodes that were pinged look. @module */

import { formatHex } from '../../src/base/bytes.ts';
import { type Endpoint, formatEndpoint } from '../../src/base/endpoint.ts';
import type { BipError } from '../../src/base/errors.ts';
import { ipScope } from '../../src/base/ip-scope.ts';
import type { PingResult } from '../../src/dht/index.ts';
import { tsv, type View } from '../cli/action.ts';
import { labelled } from '../cli/labelled.ts';
import type { Style } from '../cli/style.ts';
import { formatMillis, roundMillis } from '../cli/units.ts';
import { clientName, clientOr, showVersion } from './client-name.ts';

/** A node that answered, or did not. */
export type Pinged =
  | { readonly named: Endpoint; readonly endpoint: Endpoint; readonly answer: PingResult }
  | { readonly named: Endpoint; readonly error: BipError };

export const pingView: View<Pinged> = {
  terminal(pinged, style) {
    const name = formatEndpoint(pinged.named);
    if ('error' in pinged) return `${style.bold(name)}\n${style.red(pinged.error.message)}\n\n`;
    return `${style.bold(name)}\n${details(pinged, style)}\n`;
  },
  plain(pinged) {
    if ('error' in pinged) {
      const { code, message } = pinged.error;
      return tsv(formatEndpoint(pinged.named), 'error', code, message);
    }
    const { endpoint, answer } = pinged;
    const { id, rttMs, version, isSecure, externalAddress } = answer;
    return tsv(
      ...[formatEndpoint(endpoint), 'ok', formatHex(id), roundMillis(rttMs)],
      isSecure ? 'secure' : 'insecure',
      clientOr(version),
      externalAddress && formatEndpoint(externalAddress),
    );
  },
  json(pinged) {
    if ('error' in pinged) {
      const { code, message } = pinged.error;
      return { address: formatEndpoint(pinged.named), error: { code, message } };
    }
    const { named, endpoint, answer } = pinged;
    const { id, rttMs, version, isSecure, externalAddress } = answer;
    const name = formatEndpoint(named);
    const address = formatEndpoint(endpoint);
    return {
      address,
      name: name === address ? undefined : name,
      nodeId: formatHex(id),
      rttMs: roundMillis(rttMs),
      version: version && showVersion(version),
      client: version && clientName(version),
      secure: isSecure,
      externalAddress: externalAddress && formatEndpoint(externalAddress),
    };
  },
};

type Answered = Extract<Pinged, { readonly answer: PingResult }>;

function details({ named, endpoint, answer }: Answered, style: Style): string {
  const { id, rttMs, version, isSecure, externalAddress } = answer;
  const address = formatEndpoint(endpoint);
  return labelled(
    [
      ['answered', [`in ${formatMillis(rttMs)}`]],
      ['address', address === formatEndpoint(named) ? [] : [address]],
      ['id', [formatHex(id)]],
      ['BEP 42', [verdict(endpoint, isSecure)]],
      ['client', version === undefined ? [] : [clientWords(version)]],
      ['sees us at', externalAddress === undefined ? [] : [formatEndpoint(externalAddress)]],
    ],
    style,
  );
}

function verdict({ host }: Endpoint, isSecure: boolean): string {
  if (!isSecure) return 'the id does not follow from the address';
  return ipScope(host) === 'global'
    ? 'the id follows from the address'
    : 'any id is right at an address that is not of the internet';
}

function clientWords(version: Uint8Array): string {
  const name = clientName(version);
  const shown = showVersion(version);
  return name === undefined ? shown : `${name} (${shown})`;
}
