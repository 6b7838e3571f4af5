/**
 * Names that are safe on disk. A torrent names its files in bytes of its own choice; what comes out
 * of here is one path component that cannot leave its folder, cannot hide what it is, and can be
 * written on every system.
 *
 * The rules are libtorrent's, so that files that other clients wrote are found again.
 *
 * @module
 */

import { decodeUtf8 } from '../base/bytes.ts';

export interface PathOptions {
  /** What is nothing, `.` or `..` becomes `_` instead of being left out. */
  readonly force?: boolean;
  /** Obey the rules of Windows as well: reserved characters and names, spaces at the end. */
  readonly windows?: boolean;
}

/** Bytes (characters on Windows) at which a component is cut; an extension may follow. */
const CUT_LENGTH = 240;

/** An extension is kept when its dot is among so many last characters. */
const EXTENSION_REACH = 10;

/**
 * Separators of any system, and marks that turn or hide text: `gpj.exe` that reads `exe.jpg`. Joiners
 * (U+200C, U+200D) stay: Persian, Hindi and emoji of families cannot be written without.
 */
const REMOVED = /[/\\\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]/gu;

/** Control characters, and {@link INVALID}. */
const REPLACED = /[\p{Cc}\ud800]/gu;

const REPLACED_ON_WINDOWS = /[?<>"|*:]/gu;

const RESERVED_ON_WINDOWS = /^(?:con|prn|aux|clock\$|nul|com\d|lpt\d)(?:\.|$)/i;

/** What most names have none of. */
const SPECIAL =
  /[/\\\p{Cc}\ud800\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]/u;

/** Components that name nothing, or a folder on the way up. */
const NOWHERE: ReadonlySet<string> = new Set(['', '.', '..']);

/** Stands for bytes that are not UTF-8 until they become `_`; never in decoded text. */
const INVALID = '\ud800';

/**
 * One path component that is safe to write, or `''` when nothing is left of it and `force` is not
 * set. An empty component becomes `_` in any case.
 */
export function sanitizeComponent(bytes: Uint8Array, options: PathOptions = {}): string {
  if (bytes.length === 0) return '_';
  const clean = filter(decodeUtf8(bytes) ?? decodeByParts(bytes));
  if (NOWHERE.has(clean)) return options.force === true ? '_' : '';
  return options.windows === true ? forWindows(clean) : cut(clean, utf8Length);
}

function filter(text: string): string {
  return SPECIAL.test(text) ? text.replace(REMOVED, '').replace(REPLACED, '_') : text;
}

function forWindows(text: string): string {
  const named = cut(text.replace(REPLACED_ON_WINDOWS, '_'), () => 1).replace(/[ .]+$/, '');
  if (named === '') return '_';
  return RESERVED_ON_WINDOWS.test(named) ? `_${named}` : named;
}

/** The first characters, and the extension when there is a short one behind them. */
function cut(text: string, measure: (character: string) => number): string {
  if (text.length * 3 <= CUT_LENGTH) return text;
  let length = 0;
  let at = 0;
  for (const character of text) {
    if (length >= CUT_LENGTH) break;
    length += measure(character);
    at += character.length;
  }
  if (at === text.length) return text;
  const dot = text.lastIndexOf('.');
  const keepsExtension = dot >= at && dot > text.length - EXTENSION_REACH;
  return text.slice(0, at) + (keepsExtension ? text.slice(dot) : '');
}

function utf8Length(character: string): number {
  const codePoint = character.codePointAt(0) ?? 0;
  if (codePoint < 0x80) return 1;
  if (codePoint < 0x800) return 2;
  return codePoint < 0x10000 ? 3 : 4;
}

/** Text of bytes that are not UTF-8 as a whole: each broken sequence becomes one {@link INVALID}. */
function decodeByParts(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    // As libtorrent: a lead byte takes as many bytes as it announces, whatever they are.
    const end = at + sequenceLength(bytes[at] ?? 0);
    text += decodeUtf8(bytes.subarray(at, end)) ?? INVALID;
    at = end;
  }
  return text;
}

/** Length that a lead byte announces, the five of old UTF-8 included; 1 for what is no lead byte. */
function sequenceLength(lead: number): number {
  if (lead < 0xc0 || lead >= 0xfc) return 1;
  if (lead < 0xe0) return 2;
  if (lead < 0xf0) return 3;
  return lead < 0xf8 ? 4 : 5;
}
