/** Messages of ut_holepunch: a third peer lets two that cannot be called call each other (BEP 55). @module */

import { concatBytes } from '../base/bytes.ts';
import { type Endpoint, encodeCompact } from '../base/endpoint.ts';
import { invariant, ProtocolError } from '../base/errors.ts';
import { formatIp } from '../base/ip.ts';
import { readUint32, writeUint32 } from './messages.ts';

/** Why a rendezvous did not come about; the codes of BEP 55, others are kept as numbers. */
export const HOLEPUNCH_ERROR = {
  noSuchPeer: 1,
  notConnected: 2,
  noSupport: 3,
  noSelf: 4,
} as const;

export type HolepunchMessage =
  /** "Let me and that one call each other." */
  | { readonly type: 'rendezvous'; readonly endpoint: Endpoint }
  /** "Call that one now, by uTP: it calls you." */
  | { readonly type: 'connect'; readonly endpoint: Endpoint }
  | { readonly type: 'error'; readonly endpoint: Endpoint; readonly code: number };

const TYPES = ['rendezvous', 'connect', 'error'] as const;
const FAMILIES = [4, 16] as const;
/** type and family, in front of the address. */
const HEAD = 2;

/** The endpoint's host must be a literal address. */
export function encodeHolepunch(message: HolepunchMessage): Uint8Array {
  const compact = encodeCompact(message.endpoint);
  invariant(compact !== undefined, `a literal address: ${message.endpoint.host}`);
  const code = new Uint8Array(4);
  if (message.type === 'error') writeUint32(code, 0, message.code);
  const family = compact.length === 6 ? 0 : 1;
  return concatBytes(Uint8Array.of(TYPES.indexOf(message.type), family), compact, code);
}

/**
 * `undefined` for a type that BEP 55 does not know. The port may be 0. Messages that are no errors may
 * end before their code, as those of libtorrent do.
 *
 * @throws {ProtocolError} a family that it does not know, or a wrong length.
 */
export function decodeHolepunch(payload: Uint8Array): HolepunchMessage | undefined {
  const [typeCode = -1, family = -1] = payload;
  const type = TYPES[typeCode];
  if (type === undefined && payload.length > HEAD) return undefined;
  const addressLength = FAMILIES[family] ?? Number.NaN;
  const codeAt = HEAD + addressLength + 2;
  if (type === undefined || !isWhole(type, payload.length - codeAt)) {
    throw new ProtocolError(`a ut_holepunch message of ${payload.length} bytes is malformed`, {
      rule: 'BEP 55 extension message',
    });
  }
  const endpoint = endpointAt(payload, codeAt);
  if (type !== 'error') return { type, endpoint };
  return { type, endpoint, code: readUint32(payload, codeAt) };
}

function endpointAt(payload: Uint8Array, end: number): Endpoint {
  const [high = 0, low = 0] = payload.subarray(end - 2);
  return { host: formatIp(payload.subarray(HEAD, end - 2)), port: (high << 8) | low };
}

/** `codeLength` bytes stand where the code does; NaN where the address has no known length. */
function isWhole(type: HolepunchMessage['type'], codeLength: number): boolean {
  return codeLength === 4 || (codeLength === 0 && type !== 'error');
}
