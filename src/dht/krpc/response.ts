/** Responses and errors: BEP 5, 32, 33, 42, 44 and 51. @module */

import { decodeUtf8Lossy } from '../../base/bytes.ts';
import { COMPACT_LENGTH, type Endpoint } from '../../base/endpoint.ts';
import type { BencodeNode } from '../../bencode/index.ts';
import { decodeEndpoint, NODE_INFO_LENGTH } from '../node-info.ts';
import {
  bounded,
  broken,
  type Envelope,
  entries,
  fixed,
  ID_BYTES,
  int64,
  PUBLIC_KEY_BYTES,
  ranged,
  SIGNATURE_BYTES,
} from './fields.ts';
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
export function decodeResponse(
  root: BencodeNode,
  { transaction, version }: Envelope,
): KrpcResponse {
  const given = root.get('r');
  const id = given === undefined ? undefined : fixed(given, 'id', ID_BYTES);
  if (given === undefined || id === undefined) {
    throw broken('response', `a response without an "id" of ${ID_BYTES} bytes`, given);
  }
  return {
    type: 'response',
    transaction,
    version,
    id,
    nodes: entries(given, 'nodes', NODE_INFO_LENGTH[4]),
    nodes6: entries(given, 'nodes6', NODE_INFO_LENGTH[6]),
    values: peersOf(given.get('values')),
    token: bounded(given, 'token', MAX_TOKEN_BYTES),
    seedBloom: fixed(given, 'BFsd', BLOOM_BYTES),
    peerBloom: fixed(given, 'BFpe', BLOOM_BYTES),
    samples: entries(given, 'samples', ID_BYTES),
    sampleTotal: ranged(given, 'num', 0, Number.MAX_SAFE_INTEGER),
    intervalSeconds: intervalOf(given),
    sequence: int64(given, 'seq'),
    publicKey: fixed(given, 'k', PUBLIC_KEY_BYTES),
    signature: fixed(given, 'sig', SIGNATURE_BYTES),
    value: given.get('v')?.raw,
    externalAddress: externalAddressOf(root),
  };
}

/** An error, whatever the shape of its list: the first integer is its code, the first string its text. */
export function decodeError(root: BencodeNode, { transaction, version }: Envelope): KrpcError {
  let code: number | undefined;
  let text: Uint8Array | undefined;
  for (const item of root.get('e')?.items() ?? []) {
    code ??= item.asNumber();
    text ??= item.asBytes();
  }
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

function peersOf(list: BencodeNode | undefined): readonly Uint8Array[] | undefined {
  if (list?.kind !== 'list') return undefined;
  const peers: Uint8Array[] = [];
  for (const item of list.items()) {
    const bytes = item.asBytes();
    if (bytes?.length !== COMPACT_LENGTH[4] && bytes?.length !== COMPACT_LENGTH[6]) continue;
    if (peers.push(bytes) === MAX_VALUES) break;
  }
  return peers;
}

/** BEP 51: "between 0 and 21600 seconds"; who asks for a longer time gets the longest. */
function intervalOf(given: BencodeNode): number | undefined {
  const seconds = ranged(given, 'interval', 0, Number.MAX_SAFE_INTEGER);
  return seconds === undefined ? undefined : Math.min(seconds, MAX_INTERVAL_SECONDS);
}

/** `ip` (BEP 42): an address with its port. */
function externalAddressOf(root: BencodeNode): Endpoint | undefined {
  const bytes = root.get('ip')?.asBytes();
  return bytes === undefined ? undefined : decodeEndpoint(bytes);
}

/** One line without control and direction characters. */
function printable(bytes: Uint8Array): string {
  const line = decodeUtf8Lossy(bytes).replace(/[\s\p{C}\p{Bidi_Control}]+/gu, ' ');
  return Array.from(line.trim()).slice(0, MAX_ERROR_CHARACTERS).join('').trimEnd();
}
