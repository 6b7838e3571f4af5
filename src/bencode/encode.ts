/** From values to canonical bytes, without recursion. @module */

import { compareBytes, encodeUtf8 } from '../base/bytes.ts';
import { InvariantError, invariant, ProtocolError } from '../base/errors.ts';
import { isAscii } from './ascii.ts';
import { BencodeNode } from './node.ts';
import { BYTE } from './tape.ts';
import { Writer } from './writer.ts';

/**
 * What can be encoded: safe integers and bigints, text (as UTF-8) and bytes, lists, and
 * dictionaries as objects (entries that are `undefined` are left out) or maps. A decoded node is
 * copied byte for byte.
 */
export type BencodeInput =
  | number
  | bigint
  | string
  | Uint8Array
  | readonly BencodeInput[]
  | { readonly [key: string]: BencodeInput | undefined }
  | ReadonlyMap<string | Uint8Array, BencodeInput>
  | BencodeNode;

/** Bytes to begin with; most messages are smaller. */
const CAPACITY = 512;
/** From this depth on, it is checked at each doubling whether a value contains itself. */
const SUSPICIOUS_DEPTH = 1024;

/** Dictionaries up to this size are sorted by insertion. */
const FEW_KEYS = 16;

/** A list or dictionary that is being written. */
interface Frame {
  readonly value: object;
  /** Of a dictionary, sorted, one for each of `values`. */
  readonly keys: readonly (string | Uint8Array)[] | undefined;
  readonly values: readonly (BencodeInput | undefined)[];
  next: number;
}

/**
 * Canonical bencode: keys sorted by their raw bytes, numbers in their shortest form. Lone
 * surrogates in text become U+FFFD.
 *
 * @throws {ProtocolError} code `BIP_BENCODE` when two keys of a map are the same bytes.
 * @throws {InvariantError} for numbers that are no safe integers, and values that contain themselves.
 */
export function encode(value: BencodeInput): Uint8Array {
  const writer = new Writer(CAPACITY);
  const stack: Frame[] = [];
  let frame = writeValue(writer, value);
  while (frame !== undefined) {
    const opened = writeNext(writer, frame);
    if (opened !== undefined) {
      stack.push(frame);
      if (stack.length >= SUSPICIOUS_DEPTH) refuseCycle(stack, opened);
      frame = opened;
    } else if (frame.next >= frame.values.length) {
      writer.byte(BYTE.end);
      frame = stack.pop();
    }
  }
  return writer.finish();
}

/** Writes on until a value opens a list or dictionary, which is returned, or all are written. */
function writeNext(writer: Writer, frame: Frame): Frame | undefined {
  const { keys, values } = frame;
  while (frame.next < values.length) {
    const at = frame.next++;
    const value = values[at];
    if (value === undefined) continue;
    if (keys !== undefined) writeKey(writer, keys[at] ?? '');
    const opened = writeValue(writer, value);
    if (opened !== undefined) return opened;
  }
  return undefined;
}

function writeKey(writer: Writer, key: string | Uint8Array): void {
  if (typeof key === 'string') writer.text(key);
  else writer.string(key);
}

function writeValue(writer: Writer, value: BencodeInput): Frame | undefined {
  switch (typeof value) {
    case 'string':
      writer.text(value);
      return undefined;
    case 'number':
      writeNumber(writer, value);
      return undefined;
    case 'bigint':
      writer.ascii(`i${value}e`);
      return undefined;
    default:
      return writeObject(writer, value);
  }
}

function writeNumber(writer: Writer, value: number): void {
  invariant(
    Number.isSafeInteger(value),
    `bencode has whole numbers only, and ${value} is not safe`,
  );
  writer.byte(BYTE.integer);
  if (value < 0) writer.byte(BYTE.minus);
  writer.natural(Math.abs(value));
  writer.byte(BYTE.end);
}

type ObjectInput = Exclude<BencodeInput, number | bigint | string>;

function writeObject(writer: Writer, value: ObjectInput): Frame | undefined {
  if (value instanceof Uint8Array) writer.string(value);
  else if (value instanceof BencodeNode) writer.raw(value.raw);
  else if (isList(value)) return openList(writer, value);
  else return openDictionary(writer, value);
  return undefined;
}

function isList(value: object): value is readonly BencodeInput[] {
  return Array.isArray(value);
}

function isMap(value: object): value is ReadonlyMap<string | Uint8Array, BencodeInput> {
  return value instanceof Map;
}

function openList(writer: Writer, values: readonly BencodeInput[]): Frame {
  writer.byte(BYTE.list);
  return { value: values, keys: undefined, values, next: 0 };
}

function openDictionary(
  writer: Writer,
  value:
    | { readonly [key: string]: BencodeInput | undefined }
    | ReadonlyMap<string | Uint8Array, BencodeInput>,
): Frame {
  writer.byte(BYTE.dictionary);
  if (isMap(value)) return mapFrame(value);
  const keys = sortedKeys(value);
  return { value, keys, values: keys.map((key) => value[key]), next: 0 };
}

/** In raw byte order, which for ASCII is the order of strings. */
function sortedKeys(value: object): readonly string[] {
  const keys = Object.keys(value);
  if (!keys.every(isAscii)) return sortByBytes(keys);
  if (keys.length > FEW_KEYS) keys.sort();
  else insertionSort(keys);
  return keys;
}

/** Few keys are sorted faster by hand, and most of them are in order already. */
function insertionSort(keys: string[]): void {
  for (let from = 1; from < keys.length; from++) {
    const key = keys[from] ?? '';
    let to = from;
    for (; to > 0 && key < (keys[to - 1] ?? ''); to--) keys[to] = keys[to - 1] ?? '';
    keys[to] = key;
  }
}

function sortByBytes(keys: readonly string[]): readonly string[] {
  const pairs = keys.map((key) => [key, encodeUtf8(key)] as const);
  pairs.sort(([, a], [, b]) => compareBytes(a, b));
  return pairs.map(([key]) => key);
}

function mapFrame(map: ReadonlyMap<string | Uint8Array, BencodeInput>): Frame {
  const entries = [...map].map(
    ([key, item]) => [typeof key === 'string' ? encodeUtf8(key) : key, item] as const,
  );
  entries.sort(([a], [b]) => compareBytes(a, b));
  for (const [at, [key]] of entries.entries()) {
    const before = entries[at - 1];
    if (before !== undefined && compareBytes(before[0], key) === 0) throw duplicateKey(key);
  }
  return {
    value: map,
    keys: entries.map(([key]) => key),
    values: entries.map(([, item]) => item),
    next: 0,
  };
}

function duplicateKey(key: Uint8Array): ProtocolError {
  const name = JSON.stringify(String.fromCharCode(...key.subarray(0, 40)));
  return new ProtocolError(`the key ${name} is there twice in one dictionary`, {
    rule: 'BEP 3 keys appear once',
    code: 'BIP_BENCODE',
  });
}

function refuseCycle(stack: readonly Frame[], opened: Frame): void {
  const depth = stack.length;
  if ((depth & (depth - 1)) !== 0) return;
  if (stack.some(({ value }) => value === opened.value)) {
    throw new InvariantError('a value to encode contains itself');
  }
}
