/** Nodes in the compact forms of BEP 5 (26 bytes, IPv4) and BEP 32 (38 bytes, IPv6). @module */

import { COMPACT_LENGTH, type Endpoint, encodeCompact } from '../base/endpoint.ts';
import { invariant } from '../base/errors.ts';
import { formatIp } from '../base/ip.ts';
import type { Contact, Family } from './contact.ts';

/** Bytes of one node: its id, address and port. */
export const NODE_INFO_LENGTH = { 4: 26, 6: 38 } as const;

/** All whole entries; those with port 0 cannot be reached and are left out. Ids are views of `bytes`. */
export function decodeNodes(bytes: Uint8Array, family: Family): Contact[] {
  const length = NODE_INFO_LENGTH[family];
  const contacts: Contact[] = [];
  for (let at = 0; at + length <= bytes.length; at += length) {
    const endpoint = readEndpoint(bytes, at + ID_LENGTH, family);
    if (endpoint.port !== 0) contacts.push({ id: bytes.subarray(at, at + ID_LENGTH), endpoint });
  }
  return contacts;
}

/**
 * All `contacts`, which are of one family.
 *
 * @throws {InvariantError} for a contact of another family, or an id that has not 20 bytes.
 */
export function encodeNodes(contacts: readonly Contact[], family: Family): Uint8Array<ArrayBuffer> {
  const length = NODE_INFO_LENGTH[family];
  const bytes = new Uint8Array(contacts.length * length);
  let at = 0;
  for (const { id, endpoint } of contacts) {
    const compact = encodeCompact(endpoint);
    invariant(
      id.length === ID_LENGTH && compact?.length === COMPACT_LENGTH[family],
      `nodes of IPv${family} have ids of ${ID_LENGTH} bytes and addresses of IPv${family}`,
    );
    bytes.set(id, at);
    bytes.set(compact, at + ID_LENGTH);
    at += length;
  }
  return bytes;
}

/** The 6 or 18 bytes of a compact address at `at`, whatever the port; they have to be there. */
export function readEndpoint(bytes: Uint8Array, at: number, family: Family): Endpoint {
  const end = at + COMPACT_LENGTH[family] - 2;
  const port = ((bytes[end] ?? 0) << 8) | (bytes[end + 1] ?? 0);
  return { host: formatIp(bytes.subarray(at, end)), port };
}

/** Exactly one compact address, of the family that its length tells; `undefined` for other lengths. */
export function decodeEndpoint(bytes: Uint8Array): Endpoint | undefined {
  if (bytes.length === COMPACT_LENGTH[4]) return readEndpoint(bytes, 0, 4);
  return bytes.length === COMPACT_LENGTH[6] ? readEndpoint(bytes, 0, 6) : undefined;
}

const ID_LENGTH = 20;
