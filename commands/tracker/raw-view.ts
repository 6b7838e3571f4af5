/** How the bytes of an exchange look. @module */

import { formatHex } from '../../src/base/bytes.ts';
import type { ExchangeFacts, RawExchange } from '../../src/tracker/index.ts';
import { tsv } from '../cli/action.ts';
import type { Style } from '../cli/style.ts';

/** Hex, in the order of the wire. */
export function rawJson({ sent, received }: RawExchange): object {
  return { sent: sent.map(formatHex), received: received.map(formatHex) };
}

/** `tracker sent hex` and `tracker received hex`, one line for each. */
export function rawLines(tracker: string, facts: ExchangeFacts | undefined): string {
  return [...directions(facts)]
    .map(([direction, bytes]) => tsv(tracker, direction, formatHex(bytes)))
    .join('');
}

/** For terminals: packets as a hex dump, what is mostly text with escapes. */
export function rawText(facts: ExchangeFacts | undefined, style: Style): string {
  const draw = facts?.transport === 'udp' ? dump : escaped;
  return [...directions(facts)]
    .map(([direction, bytes]) => {
      const size = bytes.length === 1 ? '1 byte' : `${bytes.length} bytes`;
      return `${style.cyan(direction)} ${size}\n${draw(bytes, style)}`;
    })
    .join('');
}

function* directions(facts: ExchangeFacts | undefined): Iterable<readonly [string, Uint8Array]> {
  for (const bytes of facts?.raw?.sent ?? []) yield ['sent', bytes];
  for (const bytes of facts?.raw?.received ?? []) yield ['received', bytes];
}

/** `00000010  00 01 …  |..…|`, 16 bytes a line. */
function dump(bytes: Uint8Array, style: Style): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += DUMP_WIDTH) {
    const line = bytes.subarray(at, at + DUMP_WIDTH);
    const pairs = [...line].map((byte) => byte.toString(16).padStart(2, '0'));
    const halves = [pairs.slice(0, DUMP_WIDTH / 2), pairs.slice(DUMP_WIDTH / 2)];
    const hex = halves.map((half) => half.join(' ')).join('  ');
    const offset = style.dim(at.toString(16).padStart(4, '0'));
    text += `  ${offset}  ${hex.padEnd(3 * DUMP_WIDTH)}  ${[...line].map(letter).join('')}\n`;
  }
  return text;
}

function letter(byte: number): string {
  return isPrintable(byte) ? String.fromCharCode(byte) : '.';
}

function escaped(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) {
    const plain = isPrintable(byte) && byte !== BACKSLASH;
    text += plain ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return `  ${text}\n`;
}

function isPrintable(byte: number): boolean {
  return byte >= 0x20 && byte < 0x7f;
}

const DUMP_WIDTH = 16;
const BACKSLASH = 0x5c;
