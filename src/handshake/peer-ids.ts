/** Peer ids: making our own, and reading those of others (BEP 20). @module */

import { decodeUtf8Lossy, encodeUtf8 } from '../base/bytes.ts';
import { PeerId } from '../base/ids.ts';
import type { Random } from '../runtime/ports.ts';

/** Name and version as bip says them in its extended handshake, `v` (BEP 10). */
export const OUR_VERSION = 'bip 0.1.0';

/** `-BP` and four digits of the version (BEP 20 Azureus style). */
const PREFIX = '-BP0100-';

/** A fresh id: the prefix and 12 random bytes, so that two runs are never taken for one. */
export function makePeerId(random: Random): PeerId {
  const bytes = new Uint8Array(20);
  bytes.set(encodeUtf8(PREFIX));
  bytes.set(random.bytes(20 - PREFIX.length), PREFIX.length);
  return new PeerId(bytes);
}

/**
 * What the id says of the client, e.g. `-LT2080-`: the printable prefix of Azureus style ids, or
 * the leading printable characters of others; empty when there are none.
 */
export function peerIdPrefix(id: PeerId): string {
  const text = decodeUtf8Lossy(id.bytes);
  return (
    /^-[A-Za-z0-9~]{2}[\x21-\x7e]{4}-/.exec(text)?.[0] ?? /^[\x21-\x7e]{0,8}/.exec(text)?.[0] ?? ''
  );
}
