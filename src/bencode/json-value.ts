/** Bencode as values of JSON, without loss and without recursion. @module */

import { formatHex } from '../base/bytes.ts';
import type { BencodeInput } from './encode.ts';
import { bigFromJson, jsonError, objectFromJson, textFromJson } from './json-object.ts';
import type { BencodeNode } from './node.ts';
import { formatKey } from './path.ts';

/** A value that `JSON.stringify` writes as it is. */
export type JsonValue =
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/** A list or dictionary on its way to JSON. */
interface Branch {
  readonly keys: readonly string[] | undefined;
  readonly nodes: readonly BencodeNode[];
  readonly done: JsonValue[];
}

/**
 * A value as JSON, to stand in a greater JSON document. Objects of JavaScript put keys that look
 * like indices first: where the order of the input matters, use `formatJson`.
 */
export function toJson(node: BencodeNode): JsonValue {
  const root: Branch = { keys: undefined, nodes: [node], done: [] };
  const stack: Branch[] = [root];
  for (;;) {
    const branch = stack.at(-1);
    if (branch === undefined) return root.done[0] ?? [];
    const next = branch.nodes[branch.done.length];
    if (next === undefined) {
      stack.pop();
      stack.at(-1)?.done.push(closed(branch));
    } else if (next.kind === 'list') {
      stack.push({ keys: undefined, nodes: [...next.items()], done: [] });
    } else if (next.kind === 'dictionary') {
      const entries = [...next.entries()];
      const keys = entries.map(([key]) => formatKey(key));
      stack.push({ keys, nodes: entries.map(([, value]) => value), done: [] });
    } else branch.done.push(leafToJson(next));
  }
}

function closed({ keys, done }: Branch): JsonValue {
  // Unlike assignment, this makes a key `__proto__` a key like others.
  return keys === undefined
    ? done
    : Object.fromEntries(done.map((value, at) => [keys[at] ?? '', value] as const));
}

/** An integer or a string as JSON. */
export function leafToJson(
  node: BencodeNode,
): number | string | { readonly [tag: string]: string } {
  const integer = node.asInteger();
  if (typeof integer === 'number') return integer;
  if (integer !== undefined) return { $int: String(integer) };
  return node.asText() ?? { $hex: formatHex(node.asBytes() ?? new Uint8Array()) };
}

/** A list or dictionary on its way from JSON. */
interface Source {
  readonly keys: readonly string[] | undefined;
  readonly values: readonly unknown[];
  readonly done: BencodeInput[];
}

/**
 * What `value`, as `JSON.parse` makes it, is to be encoded as. For text, `parseJson` is better: it
 * keeps great integers and names the line.
 *
 * @throws {ProtocolError} code `BIP_JSON` for what bencode cannot say: `null`, booleans, fractions,
 * numbers that are not safe, unknown tags.
 */
export function fromJson(value: unknown): BencodeInput {
  const root: Source = { keys: undefined, values: [value], done: [] };
  const stack: Source[] = [root];
  for (;;) {
    const source = stack.at(-1);
    if (source === undefined) return root.done[0] ?? [];
    if (source.done.length === source.values.length) {
      stack.pop();
      stack.at(-1)?.done.push(joined(source));
      continue;
    }
    const next = source.values[source.done.length];
    if (Array.isArray(next)) stack.push({ keys: undefined, values: next, done: [] });
    else if (typeof next === 'object' && next !== null) {
      stack.push({ keys: Object.keys(next), values: Object.values(next), done: [] });
    } else source.done.push(leafFromJson(next));
  }
}

function joined({ keys, done }: Source): BencodeInput {
  return keys === undefined
    ? done
    : objectFromJson(done.map((value, at) => [keys[at] ?? '', value] as const));
}

function leafFromJson(value: unknown): BencodeInput {
  if (typeof value === 'string') return textFromJson(value);
  if (typeof value === 'bigint') return bigFromJson(String(value));
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  if (typeof value === 'number') throw jsonError(`${value} is no whole number that is exact`);
  throw jsonError(`bencode has no ${value === null ? 'null' : typeof value}`);
}
