/**
 * The extension protocol (BEP 10): the extended handshake, and the messages of ut_metadata (BEP 9).
 *
 * @module
 */

import { concatBytes } from '../base/bytes.ts';
import { ProtocolError } from '../base/errors.ts';
import { formatIp, parseIp } from '../base/ip.ts';
import { type BencodeInput, type BencodeNode, decode, encode } from '../bencode/index.ts';

/** Depth and tokens of any extended message: names, numbers and one inner dictionary. */
const LIMITS = { maxDepth: 10, maxTokens: 1000 } as const;
/** BEP 9: metadata travels in pieces of 16 KiB. */
export const METADATA_PIECE_LENGTH = 16_384;
/** Largest info dictionary taken from peers; libtorrent's limit of `metadata_size`. */
const MAX_METADATA_LENGTH = 31_457_280;
/** Extension ids are one byte, 0 is the handshake and "off" (BEP 10). */
const MAX_EXTENSION_ID = 255;
const MAX_REQQ = 1_000_000;

/** What the extended handshake says; absent or senseless entries are left out. */
export interface ExtendedHandshake {
  /** Extension names with the ids by which that side wants to be addressed; 0 switches one off. */
  readonly messages: ReadonlyMap<string, number>;
  /** Name and version of the client, `v`. */
  readonly version?: string;
  /** How many outstanding requests that side takes, `reqq`. */
  readonly reqq?: number;
  /** Bytes of the info dictionary (BEP 9). */
  readonly metadataSize?: number;
  /** The TCP port on which that side listens, `p`; one of 0 is not told. */
  readonly port?: number;
  /** Our address as that side sees it, `yourip`. */
  readonly yourIp?: string;
  /** BEP 21: that side downloads nothing. */
  readonly uploadOnly?: boolean;
  /** That side would rather have its connections encrypted, `e`. */
  readonly prefersEncryption?: boolean;
}

export function encodeExtendedHandshake(handshake: ExtendedHandshake): Uint8Array {
  const yourIp = handshake.yourIp === undefined ? undefined : parseIp(handshake.yourIp);
  return encode({
    m: new Map<string, BencodeInput>(handshake.messages),
    v: handshake.version,
    reqq: handshake.reqq,
    metadata_size: handshake.metadataSize,
    p: handshake.port === 0 ? undefined : handshake.port,
    yourip: yourIp,
    upload_only: handshake.uploadOnly === undefined ? undefined : Number(handshake.uploadOnly),
    e: handshake.prefersEncryption === undefined ? undefined : Number(handshake.prefersEncryption),
  });
}

/** @throws {ProtocolError} no bencoded dictionary; single entries of a wrong type are passed over. */
export function decodeExtendedHandshake(payload: Uint8Array): ExtendedHandshake {
  const root = decode(payload, { ...LIMITS, fullDecode: false });
  if (root.kind !== 'dictionary') {
    throw new ProtocolError('the extended handshake is no dictionary', {
      rule: 'BEP 10 handshake',
    });
  }
  const ip = root.get('yourip')?.asBytes();
  return {
    messages: readMessages(root.get('m')),
    ...optional('version', root.get('v')?.asText()),
    ...optional('reqq', within(root.get('reqq'), 1, MAX_REQQ)),
    ...optional('metadataSize', within(root.get('metadata_size'), 1, MAX_METADATA_LENGTH)),
    ...optional('port', within(root.get('p'), 1, 65_535)),
    ...optional('yourIp', ip?.length === 4 || ip?.length === 16 ? formatIp(ip) : undefined),
    ...optional('uploadOnly', flag(root.get('upload_only'))),
    ...optional('prefersEncryption', flag(root.get('e'))),
  };
}

/** BEP 10: what a later handshake says is added to the earlier ones, or replaces it. */
export function addHandshake(
  before: ExtendedHandshake | undefined,
  later: ExtendedHandshake,
): ExtendedHandshake {
  const messages = new Map([...(before?.messages ?? []), ...later.messages]);
  return { ...before, ...later, messages };
}

function readMessages(node: BencodeNode | undefined): Map<string, number> {
  const messages = new Map<string, number>();
  for (const [key] of node?.entries() ?? []) {
    const name = asAscii(key);
    const id = name === undefined ? undefined : within(node?.get(name), 0, MAX_EXTENSION_ID);
    if (name !== undefined && id !== undefined) messages.set(name, id);
  }
  return messages;
}

function asAscii(bytes: Uint8Array): string | undefined {
  return bytes.every((byte) => byte >= 0x20 && byte < 0x7f)
    ? String.fromCharCode(...bytes)
    : undefined;
}

function within(node: BencodeNode | undefined, min: number, max: number): number | undefined {
  const value = node?.asNumber();
  return value !== undefined && value >= min && value <= max ? value : undefined;
}

function flag(node: BencodeNode | undefined): boolean | undefined {
  const value = node?.asNumber();
  return value === undefined ? undefined : value !== 0;
}

function optional<Key extends string, Value>(
  key: Key,
  value: Value | undefined,
): { [K in Key]?: Value } {
  const entry: { [K in Key]?: Value } = {};
  if (value !== undefined) entry[key] = value;
  return entry;
}

/** A message of ut_metadata (BEP 9). */
export type MetadataMessage =
  | { readonly type: 'request'; readonly piece: number }
  | {
      readonly type: 'data';
      readonly piece: number;
      /** Bytes of the whole info dictionary, as the sender says. */
      readonly totalSize: number;
      /** A view of the payload. */
      readonly data: Uint8Array;
    }
  | { readonly type: 'reject'; readonly piece: number };

const METADATA_TYPE = { request: 0, data: 1, reject: 2 } as const;

export function encodeMetadataMessage(message: MetadataMessage): Uint8Array {
  const head = encode({
    msg_type: METADATA_TYPE[message.type],
    piece: message.piece,
    total_size: message.type === 'data' ? message.totalSize : undefined,
  });
  return message.type === 'data' ? concatBytes(head, message.data) : head;
}

/**
 * `undefined` for a message type that BEP 9 does not know ("must be ignored").
 * @throws {ProtocolError} no such dictionary, or numbers out of range.
 */
export function decodeMetadataMessage(payload: Uint8Array): MetadataMessage | undefined {
  const root = decode(payload, { ...LIMITS, fullDecode: false });
  const type = root.get('msg_type')?.asNumber();
  const piece = within(root.get('piece'), 0, MAX_METADATA_LENGTH / METADATA_PIECE_LENGTH);
  if (type === undefined || piece === undefined) {
    throw new ProtocolError('a ut_metadata message without type or piece', {
      rule: 'BEP 9 extension message',
    });
  }
  if (type === METADATA_TYPE.request) return { type: 'request', piece };
  if (type === METADATA_TYPE.reject) return { type: 'reject', piece };
  if (type !== METADATA_TYPE.data) return undefined;
  const totalSize = within(root.get('total_size'), 1, MAX_METADATA_LENGTH);
  const data = payload.subarray(root.end);
  if (totalSize === undefined || data.length > METADATA_PIECE_LENGTH) {
    throw new ProtocolError('a ut_metadata piece without a sensible size', {
      rule: 'BEP 9 data message',
    });
  }
  return { type: 'data', piece, totalSize, data };
}
