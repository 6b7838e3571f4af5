/** Messages of ut_pex: who joined a swarm, and who left it, as one peer sees it (BEP 11). @module */

import { concatBytes } from '../base/bytes.ts';
import { COMPACT_LENGTH, decodeCompact, type Endpoint, encodeCompact } from '../base/endpoint.ts';
import { ProtocolError } from '../base/errors.ts';
import { type BencodeNode, decode, encode } from '../bencode/index.ts';

/** What BEP 11 tells of a peer; bits that it reserves are zero here. */
export const PEX_FLAG = {
  /** `e` in its extended handshake. */
  encryption: 0x01,
  /** A seed, or a partial one (BEP 21). */
  uploadOnly: 0x02,
  utp: 0x04,
  holepunch: 0x08,
  /** Who tells of it has called it: it can be reached. */
  reachable: 0x10,
} as const;

/** A peer that joined. */
export interface PexPeer {
  readonly endpoint: Endpoint;
  /** Bits of {@link PEX_FLAG}. */
  readonly flags: number;
}

export interface PexMessage {
  readonly added: readonly PexPeer[];
  readonly dropped: readonly Endpoint[];
}

/** Of each of `added` and `dropped` in one message of ours, both families together (BEP 11). */
export const MAX_PEX_SENT = 50;
/**
 * Of each of `added` and `dropped` in a message that we take: twice what BEP 11 allows, since it
 * leaves the first message open. What is beyond is passed over.
 */
export const MAX_PEX_TAKEN = 100;
/** Contacts of one message that make it an assault; bytes have their limit in the wire parser. */
const MAX_PEX_CONTACTS = 2_000;

const KNOWN_FLAGS = Object.values(PEX_FLAG).reduce<number>((all, bit) => all | bit, 0);
/** One dictionary of strings. */
const LIMITS = { maxDepth: 10, maxTokens: 1000 } as const;

/** Contacts without a literal address are left out; so are empty lists. */
export function encodePex({ added, dropped }: PexMessage): Uint8Array {
  const [added4, added6] = [inFamily(added, 4), inFamily(added, 6)];
  return encode({
    added: added4?.contacts,
    'added.f': added4?.flags,
    added6: added6?.contacts,
    'added6.f': added6?.flags,
    dropped: inFamily(dropped.map(withoutFlags), 4)?.contacts,
    dropped6: inFamily(dropped.map(withoutFlags), 6)?.contacts,
  });
}

/**
 * At most {@link MAX_PEX_TAKEN} of each list, each endpoint once, in the order of the message. Flags
 * that are missing, or as many as there are no peers, are zero.
 *
 * @throws {ProtocolError} no dictionary, lists that are cut off, or far too many contacts.
 */
export function decodePex(payload: Uint8Array): PexMessage {
  const root = decode(payload, { ...LIMITS, fullDecode: false });
  if (root.kind !== 'dictionary') throw violation('a ut_pex message is no dictionary');
  const added = [...readAdded(root, 4), ...readAdded(root, 6)];
  const dropped = [...readContacts(root, 'dropped', 4), ...readContacts(root, 'dropped', 6)];
  if (added.length + dropped.length > MAX_PEX_CONTACTS) {
    throw violation(`a ut_pex message names ${added.length + dropped.length} peers`);
  }
  return {
    added: once(added, ({ endpoint }) => endpoint),
    dropped: once(dropped, (endpoint) => endpoint),
  };
}

function inFamily(
  peers: readonly PexPeer[],
  family: 4 | 6,
): { readonly contacts: Uint8Array; readonly flags: Uint8Array } | undefined {
  const contacts: Uint8Array[] = [];
  const flags: number[] = [];
  for (const peer of peers) {
    const compact = encodeCompact(peer.endpoint);
    if (compact?.length !== COMPACT_LENGTH[family]) continue;
    contacts.push(compact);
    flags.push(peer.flags);
  }
  if (contacts.length === 0) return undefined;
  return { contacts: concatBytes(...contacts), flags: Uint8Array.from(flags) };
}

function withoutFlags(endpoint: Endpoint): PexPeer {
  return { endpoint, flags: 0 };
}

function readAdded(root: BencodeNode, family: 4 | 6): PexPeer[] {
  const contacts = readContacts(root, 'added', family, true);
  const flags = root.get(`added${SUFFIX[family]}.f`)?.asBytes();
  const fits = flags?.length === contacts.length;
  return contacts.flatMap((endpoint, at) =>
    endpoint.port === 0 ? [] : [{ endpoint, flags: fits ? (flags?.[at] ?? 0) & KNOWN_FLAGS : 0 }],
  );
}

const SUFFIX = { 4: '', 6: '6' } as const;

function readContacts(
  root: BencodeNode,
  list: 'added' | 'dropped',
  family: 4 | 6,
  keepPortZero = false,
): Endpoint[] {
  const node = root.get(`${list}${SUFFIX[family]}`);
  if (node === undefined) return [];
  const bytes = node.asBytes();
  if (bytes === undefined) throw violation(`${list}${SUFFIX[family]} of ut_pex is no string`);
  return decodeCompact(bytes, family, { keepPortZero });
}

/** The first of those with equal endpoints, and so many of them as are taken. */
function once<Entry>(
  entries: readonly Entry[],
  endpointOf: (entry: Entry) => Endpoint,
): readonly Entry[] {
  const seen = new Set<string>();
  const kept: Entry[] = [];
  for (const entry of entries) {
    if (kept.length === MAX_PEX_TAKEN) break;
    const { host, port } = endpointOf(entry);
    const key = `${host} ${port}`;
    if (seen.has(key)) continue;
    seen.add(key);
    kept.push(entry);
  }
  return kept;
}

function violation(message: string): ProtocolError {
  return new ProtocolError(message, { rule: 'BEP 11 extension message' });
}
