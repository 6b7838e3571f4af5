/**
 * Queries of announces and scrapes (BEP 3, 7, 48): where each parameter stands in the text, found in
 * one pass; values are raw bytes behind percent-escapes, and `+` is a plus.
 *
 * @module
 */

/** Parameters that a tracker looks at; others are skipped. */
const PARAMETERS = [
  'info_hash',
  'peer_id',
  'port',
  'left',
  'event',
  'numwant',
  'compact',
  'no_peer_id',
  'ip',
  'ipv4',
  'ipv6',
  'passkey',
] as const;
export type QueryParameter = (typeof PARAMETERS)[number];

const INDEX: ReadonlyMap<string, number> = new Map(PARAMETERS.map((name, at) => [name, at]));
const INFO_HASH = 0;

/** A query with more parameters, known or not, is not read. */
export const MAX_PARAMETERS = 300;

/** The value has a broken escape or a character that is no byte. */
export const MALFORMED = -1;
/** The value is longer than the room for it. */
export const TOO_LONG = -2;

/**
 * One query at a time; the object is used again for the next one. Of a parameter that is repeated
 * the first one counts, but `info_hash` of a scrape, which may stand there many times.
 */
export class TrackerQuery {
  #target = '';
  #path = '';
  /** Where the value of each parameter begins; 0 when it is missing. */
  readonly #from = new Int32Array(PARAMETERS.length);
  readonly #to = new Int32Array(PARAMETERS.length);
  /** Where the values of all `info_hash` begin and end, by turns. */
  readonly #hashes: number[] = [];
  readonly #scratch = new Uint8Array(LONGEST_TEXT);

  /** Path and query, as sent. False when it has too many parameters. */
  read(target: string): boolean {
    this.#target = target;
    this.#from.fill(0);
    this.#hashes.length = 0;
    const mark = target.indexOf('?');
    this.#path = mark < 0 ? target : target.slice(0, mark);
    return mark < 0 || this.#split(mark + 1);
  }

  /** As sent, with its escapes. */
  get path(): string {
    return this.#path;
  }

  has(name: QueryParameter): boolean {
    return this.#from[indexOf(name)] !== 0;
  }

  /** How many `info_hash` there are. */
  get infoHashCount(): number {
    return this.#hashes.length / 2;
  }

  /** Length of the value, which is written to `into`; or {@link MALFORMED}, {@link TOO_LONG}. */
  infoHash(index: number, into: Uint8Array): number {
    return unescape(this.#target, into, {
      from: this.#hashes[2 * index] ?? 0,
      to: this.#hashes[2 * index + 1] ?? 0,
    });
  }

  /** Length of the value (0 when it is missing), which is written to `into`; or as above. */
  bytes(name: QueryParameter, into: Uint8Array): number {
    const at = indexOf(name);
    const from = this.#from[at] ?? 0;
    return from === 0 ? 0 : unescape(this.#target, into, { from, to: this.#to[at] ?? 0 });
  }

  /** The value, one character a byte; `undefined` when it is missing, broken or long. */
  text(name: QueryParameter): string | undefined {
    if (!this.has(name)) return undefined;
    const at = indexOf(name);
    const plain = this.#target.slice(this.#from[at], this.#to[at]);
    if (!plain.includes('%')) return plain.length > LONGEST_TEXT ? undefined : plain;
    const length = this.bytes(name, this.#scratch);
    return length < 0 ? undefined : String.fromCharCode(...this.#scratch.subarray(0, length));
  }

  #split(start: number): boolean {
    const target = this.#target;
    let count = 0;
    for (let at = start; at < target.length; ) {
      if (++count > MAX_PARAMETERS) return false;
      const ampersand = target.indexOf('&', at);
      const end = ampersand < 0 ? target.length : ampersand;
      this.#found(at, end);
      at = end + 1;
    }
    return true;
  }

  #found(from: number, to: number): void {
    const name = nameAt(this.#target, from, to);
    const index = INDEX.get(name);
    if (index === undefined) return;
    const value = Math.min(from + name.length + 1, to);
    if (index === INFO_HASH) this.#hashes.push(value, to);
    if (this.#from[index] !== 0) return;
    this.#from[index] = value;
    this.#to[index] = to;
  }
}

/** Longest value that is wanted as text, bytes. */
const LONGEST_TEXT = 128;
/** No name of a parameter is longer. */
const LONGEST_NAME = 16;
const EQUALS = 0x3d;
const PERCENT = 0x25;

function indexOf(name: QueryParameter): number {
  return INDEX.get(name) ?? 0;
}

/** What stands before `=`, or all of it; empty when it is longer than any name. */
function nameAt(target: string, from: number, to: number): string {
  const last = Math.min(to, from + LONGEST_NAME);
  for (let at = from; at < last; at++) {
    if (target.charCodeAt(at) === EQUALS) return target.slice(from, at);
  }
  return last === to ? target.slice(from, to) : '';
}

function unescape(
  target: string,
  into: Uint8Array,
  { from, to }: { readonly from: number; readonly to: number },
): number {
  let length = 0;
  for (let at = from; at < to; length++) {
    let byte = target.charCodeAt(at);
    if (byte === PERCENT) {
      byte = at + 2 < to ? hexPair(target, at + 1) : MALFORMED;
      at += 3;
    } else at++;
    if (byte < 0 || byte > 0xff) return MALFORMED;
    if (length === into.length) return TOO_LONG;
    into[length] = byte;
  }
  return length;
}

/** Negative when one of the two is no digit. */
function hexPair(target: string, at: number): number {
  const high = hexDigit(target.charCodeAt(at));
  const low = hexDigit(target.charCodeAt(at + 1));
  return high < 0 || low < 0 ? MALFORMED : (high << 4) | low;
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const upper = code & ~0x20;
  return upper >= 0x41 && upper <= 0x46 ? upper - 0x37 : -1;
}
