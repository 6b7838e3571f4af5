/** The list files of a tracker's owner: who and what is served. @module */

import { ProtocolError } from '../../base/errors.ts';
import { parseInfoHash } from '../../base/ids.ts';
import { type AddressNetwork, parseNetwork } from '../../base/ip-network.ts';
import { InfoHashSet } from './info-hash-set.ts';
import { NetworkSet } from './network-set.ts';
import { isPasskey } from './passkeys.ts';

/** What is not served. */
export interface DenyList {
  readonly infoHashes: InfoHashSet;
  readonly networks: NetworkSet;
}

/**
 * Infohashes: 40 or 64 hex digits or 32 characters of base32, one a line. Blank lines and what
 * follows a `#` do not count.
 *
 * @throws {ProtocolError} naming the line.
 */
export function parseAllowList(text: string): InfoHashSet {
  const infoHashes: Uint8Array[] = [];
  for (const { entry, line } of entriesOf(text)) {
    const infoHash = parseInfoHash(entry);
    if (infoHash === undefined) throw junk(entry, line, 'an infohash');
    infoHashes.push(infoHash.wire);
  }
  return InfoHashSet.of(infoHashes);
}

/**
 * Infohashes as in {@link parseAllowList}, and addresses and networks (`192.0.2.0/24`, `2001:db8::/32`).
 *
 * @throws {ProtocolError} naming the line.
 */
export function parseDenyList(text: string): DenyList {
  const infoHashes: Uint8Array[] = [];
  const networks: AddressNetwork[] = [];
  for (const { entry, line } of entriesOf(text)) {
    const infoHash = parseInfoHash(entry);
    const network = infoHash === undefined ? parseNetwork(entry) : undefined;
    if (infoHash !== undefined) infoHashes.push(infoHash.wire);
    else if (network !== undefined) networks.push(network);
    else throw junk(entry, line, 'an infohash, an address or a network');
  }
  return { infoHashes: InfoHashSet.of(infoHashes), networks: NetworkSet.of(networks) };
}

/**
 * Passkeys, one a line; what follows one after a space is a name for people.
 *
 * @throws {ProtocolError} naming the line, and not the passkey.
 */
export function parsePasskeys(text: string): ReadonlySet<string> {
  const passkeys = new Set<string>();
  for (const { entry, line } of entriesOf(text)) {
    const [passkey = ''] = entry.split(/\s/, 1);
    if (!isPasskey(passkey)) {
      throw new ProtocolError(
        `line ${line} begins with no passkey: 16 to 128 letters, digits, "-" and "_" are one`,
        { rule: 'bip list of passkeys' },
      );
    }
    passkeys.add(passkey);
  }
  return passkeys;
}

function* entriesOf(text: string): Generator<{ entry: string; line: number }, void, undefined> {
  // Editors of Windows begin files with a byte order mark.
  const lines = text.replace(/^\uFEFF/, '').split('\n');
  for (const [index, line] of lines.entries()) {
    const comment = line.indexOf('#');
    const entry = (comment < 0 ? line : line.slice(0, comment)).trim();
    if (entry !== '') yield { entry, line: index + 1 };
  }
}

function junk(entry: string, line: number, expected: string): ProtocolError {
  const shown = entry.length > MAX_SHOWN ? `${entry.slice(0, MAX_SHOWN)}…` : entry;
  return new ProtocolError(`line ${line}, ${JSON.stringify(shown)}, is not ${expected}`, {
    rule: 'bip list of what is served',
  });
}

/** More of a line that is wrong is not for reading. */
const MAX_SHOWN = 80;
