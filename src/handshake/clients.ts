/**
 * Which client a peer id is of (BEP 20): Azureus style, Shad0w style, Mainline style, and those that
 * have a way of their own. An id is what a peer says of itself, and anybody can say anything.
 *
 * @module
 */

import type { PeerId } from '../base/ids.ts';
import {
  AZUREUS_CLIENTS,
  DASHLESS,
  MAINLINE_CLIENTS,
  ODD_CLIENTS,
  SHADOW_CLIENTS,
} from './client-tables.ts';
import { digitOf, VERSION_STYLES } from './client-versions.ts';

/** How a peer id is written. `own`: in a way that only this client has. */
export type PeerIdStyle =
  | 'azureus'
  | 'shadow'
  | 'mainline'
  | 'own'
  /** Text that no list knows; it may be at random. */
  | 'unknown'
  /** No text at all: a client that does not want to be known, or an unknown one. */
  | 'random'
  /** The same byte twenty times. */
  | 'blank';

/** What a peer id says. */
export interface ClientIdentity {
  readonly style: PeerIdStyle;
  /** Absent when no list knows the id. */
  readonly name?: string;
  /** As the client writes it to its users; absent when the id does not tell. */
  readonly version?: string;
  /** Why the id is not to be believed, where it shows. */
  readonly doubt?: string;
}

export function identifyClient(id: PeerId): ClientIdentity {
  const text = String.fromCharCode(...id.bytes);
  return readCopied(text) ?? readKnown(id, text) ?? readUnknown(text);
}

/** `libtorrent 2.0.8`; `undefined` when the client is not known. */
export function formatClient({ name, version }: ClientIdentity): string | undefined {
  return name === undefined || version === undefined ? name : `${name} ${version}`;
}

/**
 * The client that `version`, the `v` of an extended handshake (BEP 10), names when it is another one
 * than the peer id does: one of the two lies. Programs on libtorrent may say their own name.
 */
export function otherClient(identity: ClientIdentity, version: string): string | undefined {
  const { name } = identity;
  const [said = ''] = version.split(/[\s/]+v?\d/);
  const other = KNOWN_NAMES.get(plain(said));
  if (name === undefined || other === undefined) return undefined;
  if (LIBRARIES.has(name) || LIBRARIES.has(other)) return undefined;
  return wordsOf(name).some((word) => plain(said).startsWith(word)) ? undefined : other;
}

/** The id as text: what is no printable ASCII as `\x` and two hex digits. */
export function showPeerId(id: PeerId): string {
  return Array.from(id.bytes, (byte) =>
    byte >= 0x20 && byte < 0x7f && byte !== BACKSLASH
      ? String.fromCharCode(byte)
      : `\\x${byte.toString(16).padStart(2, '0')}`,
  ).join('');
}

const BACKSLASH = 0x5c;
/** Letter, version and dashes; the rest is at random, and some have fewer dashes than they should. */
const SHADOW_LENGTH = 6;
/** Others build on them and may keep their ids. */
const LIBRARIES: ReadonlySet<string> = new Set(['libtorrent', 'anacrolix/torrent', 'WebTorrent']);

/** As {@link plain} makes them. */
const KNOWN_NAMES: ReadonlyMap<string, string> = new Map(
  [
    ...[...AZUREUS_CLIENTS.values()].map(([name]) => name),
    ...['aria2', 'Tixati', 'Azureus', 'Vuze', 'rTorrent'],
  ].map((name) => [plain(name), name]),
);

/** Letters and digits alone, in lower case; a µ is a u. */
function plain(text: string): string {
  return text
    .toLowerCase()
    .replace(/[µμ]/g, 'u')
    .replace(/[^a-z0-9]/g, '');
}

/** `Azureus/Vuze` is either of the two, `rTorrent (libTorrent)` as well. */
function wordsOf(name: string): readonly string[] {
  return name.split(/[/()]/).flatMap((part) => {
    const [first = ''] = part.trim().split(' ');
    return first === '' ? [] : [plain(first)];
  });
}

/** BitSpirit takes the first half of the id of whom it talks to, and BitComet did (BEP 20). */
function readCopied(text: string): ClientIdentity | undefined {
  if (!text.endsWith('UDP0') && !text.endsWith('HTTPBT')) return undefined;
  const own = readBitSpirit(text) ?? readBitComet(text);
  if (own !== undefined) return own;
  return { style: 'own', name: 'BitSpirit', doubt: 'it copies the id of its peer' };
}

function readKnown(id: PeerId, text: string): ClientIdentity | undefined {
  return (
    readAzureus(text) ??
    readBitComet(text) ??
    readBitSpirit(text) ??
    readOdd(text) ??
    readShadow(text) ??
    readMainline(text) ??
    readShareaza(id)
  );
}

function readAzureus(text: string): ClientIdentity | undefined {
  const letters = text.slice(1, 3);
  const client = AZUREUS_CLIENTS.get(letters);
  if (text[0] !== '-' || client === undefined) return undefined;
  if (text[7] !== '-' && !DASHLESS.has(letters)) return undefined;
  const [name, style] = client;
  const version = VERSION_STYLES[style](text.slice(3));
  return {
    style: 'azureus',
    name,
    ...(version === undefined ? {} : { version }),
    ...(letters === 'ZT' && text.startsWith('bLAde', 8)
      ? { doubt: 'clients that are no ZipTorrent end so' }
      : {}),
  };
}

/** `exbc`, a byte before and one behind the dot of the version. */
function readBitComet(text: string): ClientIdentity | undefined {
  const mod = /^(?:exbc|FUTB|xUTB)/.exec(text)?.[0];
  if (mod === undefined) return undefined;
  const isBitLord = text.startsWith('LORD', 6);
  const [major, minor] = [text.charCodeAt(4), text.charCodeAt(5)];
  const digits = isBitLord && major > 0 ? 1 : 2;
  return {
    style: 'own',
    name: isBitLord ? 'BitLord' : 'BitComet',
    version: `${major}.${String(minor).padStart(digits, '0')}`,
    ...(mod === 'exbc' ? {} : { doubt: `a changed BitComet writes ${mod}` }),
  };
}

/** `\0`, the version, `BS`. */
function readBitSpirit(text: string): ClientIdentity | undefined {
  if (text[0] !== '\0' || text.slice(2, 4) !== 'BS') return undefined;
  return { style: 'own', name: 'BitSpirit', version: String(text.charCodeAt(1) || 1) };
}

function readOdd(text: string): ClientIdentity | undefined {
  for (const { pattern, name, version } of ODD_CLIENTS) {
    const match = pattern.exec(text);
    if (match === null) continue;
    const groups = match.slice(1).filter((group) => group !== undefined);
    const said = version ?? (groups.length === 0 ? undefined : groups.join('.'));
    return { style: 'own', name, ...(said === undefined ? {} : { version: said }) };
  }
  return undefined;
}

function readShadow(text: string): ClientIdentity | undefined {
  const [all, letter = '', digits = ''] = /^([A-Z])((?:\d[0-9A-Za-z.]{0,4})?)--+/.exec(text) ?? [];
  const name = SHADOW_CLIENTS.get(letter);
  if (name === undefined || all === undefined || all.length < SHADOW_LENGTH) return undefined;
  const version = Array.from(digits, (digit) => digitOf(digit) ?? digit).join('.');
  return { style: 'shadow', name, ...(version === '' ? {} : { version }) };
}

function readMainline(text: string): ClientIdentity | undefined {
  const [, letter = '', ...numbers] = /^([A-Z])(\d{1,3})-(\d{1,3})-(\d{1,3})-/.exec(text) ?? [];
  const name = MAINLINE_CLIENTS.get(letter);
  if (name === undefined) return undefined;
  return { style: 'mainline', name, version: numbers.join('.') };
}

/** Shareaza of old: the last four bytes follow from the first sixteen, none of which is zero. */
function readShareaza({ bytes }: PeerId): ClientIdentity | undefined {
  const follows = [16, 17, 18, 19].every(
    (at) => bytes[at] === ((bytes[at % 16] ?? 0) ^ (bytes[15 - (at % 16)] ?? 0)),
  );
  if (!follows || bytes.subarray(0, 16).includes(0) || isBlank(bytes)) return undefined;
  return { style: 'own', name: 'Shareaza' };
}

function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === bytes[0]);
}

function readUnknown(text: string): ClientIdentity {
  if (/^(.)\1*$/s.test(text)) return { style: 'blank' };
  if (/^-[A-Za-z0-9~#@]{2}[\x21-\x7e]{4}-/.test(text)) return { style: 'unknown' };
  // Twelve bytes at random are all printable once in 150,000 times.
  return { style: /^[\x20-\x7e]{12}/.test(text) ? 'unknown' : 'random' };
}
