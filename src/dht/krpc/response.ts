/** Responses and errors: BEP 5, 32, 33, 42, 44 and 51. @module */

import { decodeUtf8Lossy } from '../../base/bytes.ts';
import { COMPACT_LENGTH, type Endpoint } from '../../base/endpoint.ts';
import { decodeEndpoint, NODE_INFO_LENGTH } from '../node-info.ts';
import {
  broken,
  type Envelope,
  type Fields,
  ID_BYTES,
  PUBLIC_KEY_BYTES,
  SIGNATURE_BYTES,
} from './fields.ts';
import { RETURNED, RETURNED_KEYS, TOP } from './keys.ts';
import {
  KRPC_ERROR,
  type KrpcError,
  type KrpcResponse,
  MAX_ERROR_CHARACTERS,
  MAX_TOKEN_BYTES,
} from './model.ts';

/** More peers than fit into the 1024 bytes of BEP 32 are not taken from one response. */
export const MAX_VALUES = 128;
/** BEP 51. */
export const MAX_INTERVAL_SECONDS = 21_600;

/** Whatever is not as it should be is left out. @throws {ProtocolError} without the sender's id. */
export function decodeResponse(root: Fields, { transaction, version }: Envelope): KrpcResponse {
  const given = root.dictionary(TOP.r, RETURNED_KEYS);
  const id = given?.fixed(RETURNED.id, ID_BYTES);
  if (given === undefined || id === undefined) {
    throw broken('response', `a response without an "id" of ${ID_BYTES} bytes`, root.offset(TOP.r));
  }
  return {
    type: 'response',
    transaction,
    version,
    id,
    nodes: given.entries(RETURNED.nodes, NODE_INFO_LENGTH[4]),
    nodes6: given.entries(RETURNED.nodes6, NODE_INFO_LENGTH[6]),
    values: peersOf(given),
    token: given.bounded(RETURNED.token, MAX_TOKEN_BYTES),
    seedBloom: given.fixed(RETURNED.BFsd, BLOOM_BYTES),
    peerBloom: given.fixed(RETURNED.BFpe, BLOOM_BYTES),
    samples: given.entries(RETURNED.samples, ID_BYTES),
    sampleTotal: given.ranged(RETURNED.num, 0, Number.MAX_SAFE_INTEGER),
    intervalSeconds: intervalOf(given),
    sequence: given.int64(RETURNED.seq),
    publicKey: given.fixed(RETURNED.k, PUBLIC_KEY_BYTES),
    signature: given.fixed(RETURNED.sig, SIGNATURE_BYTES),
    value: given.raw(RETURNED.v),
    externalAddress: externalAddressOf(root),
  };
}

/** An error, whatever the shape of its list: the first integer is its code, the first string its text. */
export function decodeError(root: Fields, { transaction, version }: Envelope): KrpcError {
  let code: number | undefined;
  let text: Uint8Array | undefined;
  root.list(TOP.e, (item) => {
    if (item instanceof Uint8Array) text ??= item;
    else if (typeof item === 'number') code ??= item;
  });
  return {
    type: 'error',
    transaction,
    version,
    code: code ?? KRPC_ERROR.generic,
    message: text === undefined ? '' : printable(text),
    externalAddress: externalAddressOf(root),
  };
}

/** BEP 33. */
const BLOOM_BYTES = 256;

function peersOf(given: Fields): readonly Uint8Array[] | undefined {
  const peers: Uint8Array[] = [];
  const isList = given.list(RETURNED.values, (item) => {
    if (item instanceof Uint8Array && isPeer(item) && peers.length < MAX_VALUES) peers.push(item);
  });
  return isList ? peers : undefined;
}

function isPeer({ length }: Uint8Array): boolean {
  return length === COMPACT_LENGTH[4] || length === COMPACT_LENGTH[6];
}

/** BEP 51: "between 0 and 21600 seconds"; who asks for a longer time gets the longest. */
function intervalOf(given: Fields): number | undefined {
  const seconds = given.ranged(RETURNED.interval, 0, Number.MAX_SAFE_INTEGER);
  return seconds === undefined ? undefined : Math.min(seconds, MAX_INTERVAL_SECONDS);
}

/** `ip` (BEP 42): an address with its port. */
function externalAddressOf(root: Fields): Endpoint | undefined {
  const bytes = root.bytes(TOP.ip);
  return bytes === undefined ? undefined : decodeEndpoint(bytes);
}

/** One line without control and direction characters. */
function printable(bytes: Uint8Array): string {
  const line = decodeUtf8Lossy(bytes).replace(/[\s\p{C}\p{Bidi_Control}]+/gu, ' ');
  return Array.from(line.trim()).slice(0, MAX_ERROR_CHARACTERS).join('').trimEnd();
}
