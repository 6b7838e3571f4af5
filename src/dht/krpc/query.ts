/** Queries: BEP 5, 32, 33, 43, 44 and 51. @module */

import { equalBytes } from '../../base/bytes.ts';
import { ProtocolError } from '../../base/errors.ts';
import { decode } from '../../bencode/index.ts';
import {
  type Envelope,
  type Fields,
  ID_BYTES,
  PUBLIC_KEY_BYTES,
  SIGNATURE_BYTES,
} from './fields.ts';
import { ARGUMENT, ARGUMENT_KEYS, TOP } from './keys.ts';
import {
  KRPC_ERROR,
  type KrpcMalformed,
  type KrpcQuery,
  MAX_TOKEN_BYTES,
  type QueryArguments,
  type Want,
} from './model.ts';

/** Of arguments that a method does not need, those that are right. */
export function decodeQuery(root: Fields, envelope: Envelope): KrpcQuery | KrpcMalformed {
  const name = root.bytes(TOP.q);
  if (name === undefined) return malformed(envelope, KRPC_ERROR.unknownMethod, 'no method "q"');
  const given = root.dictionary(TOP.a, ARGUMENT_KEYS);
  const id = given?.fixed(ARGUMENT.id, ID_BYTES);
  if (given === undefined || id === undefined) {
    return malformed(envelope, KRPC_ERROR.protocol, `no "id" of ${ID_BYTES} bytes`);
  }
  const method = methodOf(name);
  const args = decodeArguments(given, id);
  const fault = faultOf(method, args, given);
  if (fault !== undefined) return malformed(envelope, KRPC_ERROR.protocol, fault);
  const { transaction, version } = envelope;
  const readOnly = root.flag(TOP.ro) ?? false;
  return { type: 'query', transaction, version, method, args, readOnly };
}

function malformed(
  { transaction, version }: Envelope,
  code: KrpcMalformed['code'],
  message: string,
): KrpcMalformed {
  return { type: 'malformed', transaction, version, code, message };
}

/** Names that come often, so that no text is made for each query. */
const METHODS = ['get_peers', 'find_node', 'ping', 'announce_peer', 'get', 'put'].map((method) => ({
  method,
  bytes: Uint8Array.from(method, (character) => character.charCodeAt(0)),
}));

/** One character for each byte, so that no other name becomes one that is known. */
function methodOf(name: Uint8Array): string {
  for (const { method, bytes } of METHODS) if (equalBytes(bytes, name)) return method;
  return String.fromCharCode(...name);
}

function decodeArguments(given: Fields, id: Uint8Array): QueryArguments {
  return {
    id,
    target: given.fixed(ARGUMENT.target, ID_BYTES),
    infoHash: given.fixed(ARGUMENT.info_hash, ID_BYTES),
    want: wantOf(given),
    port: given.ranged(ARGUMENT.port, 1, 0xffff),
    impliedPort: given.flag(ARGUMENT.implied_port),
    token: given.bounded(ARGUMENT.token, MAX_TOKEN_BYTES),
    seed: given.flag(ARGUMENT.seed),
    noSeed: given.flag(ARGUMENT.noseed),
    scrape: given.flag(ARGUMENT.scrape),
    sequence: given.int64(ARGUMENT.seq),
    compareSequence: given.int64(ARGUMENT.cas),
    publicKey: given.fixed(ARGUMENT.k, PUBLIC_KEY_BYTES),
    salt: given.bytes(ARGUMENT.salt),
    signature: given.fixed(ARGUMENT.sig, SIGNATURE_BYTES),
    value: given.raw(ARGUMENT.v),
  };
}

/** BEP 32: unknown strings are passed over; a list of nothing else asks for nothing special. */
function wantOf(given: Fields): Want | undefined {
  let [n4, n6] = [false, false];
  given.list(ARGUMENT.want, (item) => {
    if (!(item instanceof Uint8Array)) return;
    n4 ||= equalBytes(item, N4);
    n6 ||= equalBytes(item, N6);
  });
  return n4 || n6 ? { n4, n6 } : undefined;
}

const N4 = Uint8Array.of(0x6e, 0x34);
const N6 = Uint8Array.of(0x6e, 0x36);

/** What keeps a query from being answered, as the text of an error; `undefined` when nothing does. */
function faultOf(method: string, args: QueryArguments, given: Fields): string | undefined {
  switch (method) {
    case 'find_node':
    case 'get':
    case 'sample_infohashes':
      return args.target === undefined ? `no "target" of ${ID_BYTES} bytes` : undefined;
    case 'get_peers':
      return args.infoHash === undefined ? NO_INFO_HASH : undefined;
    case 'announce_peer':
      return announceFault(args);
    case 'put':
      return putFault(args, given);
    default:
      return undefined;
  }
}

const NO_INFO_HASH = `no "info_hash" of ${ID_BYTES} bytes`;
const NO_TOKEN = `no "token" of 1 to ${MAX_TOKEN_BYTES} bytes`;

function announceFault({ infoHash, impliedPort, port, token }: QueryArguments): string | undefined {
  if (infoHash === undefined) return NO_INFO_HASH;
  if (port === undefined && impliedPort !== true) return 'no "port" from 1 to 65535';
  return token === undefined ? NO_TOKEN : undefined;
}

/**
 * What is there but wrong is not passed over here: without its `cas` or `k` a put would do something
 * else than it was meant to.
 */
function putFault(args: QueryArguments, given: Fields): string | undefined {
  if (args.token === undefined) return NO_TOKEN;
  if (args.value === undefined) return 'no "v"';
  for (const [key, name] of OF_MUTABLE_ITEMS) {
    if (args[name] === undefined && given.offset(ARGUMENT[key]) !== undefined)
      return `"${key}" is not valid`;
  }
  return mutablePutFault(args) ?? (isCanonical(args.value) ? undefined : '"v" is not canonical');
}

const OF_MUTABLE_ITEMS = [
  ['cas', 'compareSequence'],
  ['k', 'publicKey'],
  ['salt', 'salt'],
  ['seq', 'sequence'],
  ['sig', 'signature'],
] as const;

function mutablePutFault({ publicKey, sequence, signature }: QueryArguments): string | undefined {
  if (publicKey === undefined) return undefined;
  if (sequence === undefined) return 'no "seq" beside "k"';
  return signature === undefined ? 'no "sig" beside "k"' : undefined;
}

/** BEP 44: a put of, e.g., a dictionary with unsorted keys must be refused. */
function isCanonical(value: Uint8Array): boolean {
  try {
    decode(value, { strict: true });
    return true;
  } catch (error) {
    if (error instanceof ProtocolError) return false;
    throw error;
  }
}
