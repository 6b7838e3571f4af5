/** Values of items: what arguments mean, and how values look. @module */

import { decodeUtf8, encodeUtf8, formatHex } from '../../src/base/bytes.ts';
import { ProtocolError, UsageError } from '../../src/base/errors.ts';
import {
  type BencodeNode,
  decode,
  encode,
  formatJson,
  parseJson,
} from '../../src/bencode/index.ts';
import { MAX_SALT_BYTES, MAX_VALUE_BYTES } from '../../src/dht/index.ts';
import type { Context } from '../cli/context.ts';
import { inputName, readInput } from '../cli/input.ts';
import { printable } from '../cli/printable.ts';

/**
 * The bencode of VALUE: a string of bytes, or what JSON says when `json` is set. `-` is standard input
 * and `@FILE` a file; all else is the value itself.
 *
 * @throws {UsageError} when it is longer than the DHT keeps.
 * @throws {ProtocolError} for JSON that is none; what reading throws.
 */
export async function readValue(
  context: Context,
  argument: string,
  { json }: { readonly json: boolean },
): Promise<Uint8Array> {
  const path = argument === '-' ? argument : /^@(.+)$/s.exec(argument)?.[1];
  const bytes =
    path === undefined
      ? encodeUtf8(argument)
      : await readInput(context, path, { maxBytes: MAX_SOURCE_BYTES });
  const value = json ? fromJsonText(bytes, path) : encode(bytes);
  if (value.length <= MAX_VALUE_BYTES) return value;
  throw new UsageError(
    `the value has ${value.length} bytes as bencode, and the DHT keeps no more than ${MAX_VALUE_BYTES}`,
  );
}

/**
 * The bytes of `--salt`.
 *
 * @throws {UsageError} when there are too many.
 */
export function saltOf(text: string | undefined): Uint8Array {
  const salt = encodeUtf8(text ?? '');
  if (salt.length <= MAX_SALT_BYTES) return salt;
  throw new UsageError(`--salt has ${salt.length} bytes; ${MAX_SALT_BYTES} is the most`);
}

/** A value from the DHT, which nests as deep as it has bytes. */
export function valueNode(value: Uint8Array): BencodeNode {
  return decode(value, { maxDepth: MAX_VALUE_BYTES });
}

/** Text is itself, all else is JSON, both with a line end. */
export function valueText(value: Uint8Array): string {
  const node = valueNode(value);
  return `${textOf(node) ?? formatJson(node)}\n`;
}

/** The same for a terminal: lines without control characters. */
export function valueLines(value: Uint8Array): readonly string[] {
  const node = valueNode(value);
  const text = textOf(node) ?? formatJson(node, { indent: 2 });
  return text.split('\n').map(printable);
}

/** For a file: what a string of bytes says, all else as bencode. */
export function valueBytes(value: Uint8Array): Uint8Array {
  const node = valueNode(value);
  return node.kind === 'bytes' ? (node.asBytes() ?? value) : value;
}

/** Salts are mostly text. */
export function saltWords(salt: Uint8Array): string {
  const text = decodeUtf8(salt);
  return text === undefined ? `${formatHex(salt)} (hex)` : printable(text);
}

function textOf(node: BencodeNode): string | undefined {
  const bytes = node.kind === 'bytes' ? node.asBytes() : undefined;
  return bytes && decodeUtf8(bytes);
}

function fromJsonText(bytes: Uint8Array, path: string | undefined): Uint8Array {
  try {
    return encode(parseJson(bytes));
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    const source = path === undefined ? '--json-value' : printable(inputName(path));
    const { rule, code, message } = error;
    throw new ProtocolError(`${source}: ${message}`, { rule, code, cause: error });
  }
}

/** JSON with white space may be longer than what it says. */
const MAX_SOURCE_BYTES = 65_536;
