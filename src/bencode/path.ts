/**
 * Places inside a value as text: `info.files.0.length`.
 *
 * Steps are joined by dots: indices of lists from 0, keys of dictionaries as text. In a key, a
 * backslash stands before each dot and backslash (`a\.b`). A key that is no text is `$hex:…`, and
 * one that begins with `$` gets one more in front, as in JSON. The empty path is the whole value;
 * the empty key alone is `$hex:`.
 *
 * @module
 */

import { decodeUtf8, formatHex, parseHex } from '../base/bytes.ts';
import type { BencodeNode } from './node.ts';

/** An index of a list or a key of a dictionary. */
export type PathStep = number | Uint8Array;

/** What is not to be printed: C0 and C1 controls, and what changes the direction of text. */
const UNPRINTABLE = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;

/** The path with these steps. */
export function formatPath(steps: readonly PathStep[]): string {
  return endPath(steps.map(formatStep).join('.'), steps.length);
}

/** A path whose steps are joined already: an empty one of one step is the empty key. */
export function endPath(joined: string, steps: number): string {
  return joined === '' && steps > 0 ? '$hex:' : joined;
}

/**
 * The value at `path`, and how far the path led: `rest` is what there is nothing for, from the
 * first step that leads nowhere.
 */
export function lookup(
  root: BencodeNode,
  path: string,
): { readonly node: BencodeNode; readonly rest: readonly string[] } {
  let node = root;
  const steps = splitPath(path);
  for (const [at, step] of steps.entries()) {
    const next = follow(node, step);
    if (next === undefined) return { node, rest: steps.slice(at) };
    node = next;
  }
  return { node, rest: [] };
}

/** One step, with escapes. */
export function formatStep(step: PathStep): string {
  if (typeof step === 'number') return String(step);
  const text = decodeUtf8(step);
  if (text === undefined || UNPRINTABLE.test(text)) return `$hex:${formatHex(step)}`;
  return (text.startsWith('$') ? `$${text}` : text).replace(/[.\\]/g, '\\$&');
}

/** The steps as they are written, escapes resolved except for `$`: {@link parseKey} does the rest. */
export function splitPath(path: string): string[] {
  if (path === '') return [];
  const steps: string[] = [];
  let step = '';
  for (let at = 0; at < path.length; at++) {
    const character = path[at] ?? '';
    if (character === '.') {
      steps.push(step);
      step = '';
    } else if (character === '\\' && at + 1 < path.length) step += path[++at] ?? '';
    else step += character;
  }
  return [...steps, step];
}

function follow(node: BencodeNode, step: string): BencodeNode | undefined {
  if (node.kind === 'dictionary') {
    const key = parseKey(step);
    return key === undefined ? undefined : node.get(key);
  }
  if (node.kind !== 'list' || !/^\d{1,10}$/.test(step)) return undefined;
  let left = Number(step);
  for (const item of node.items()) if (left-- === 0) return item;
  return undefined;
}

/** A key as JSON and paths write it; `undefined` for a `$` that means nothing. */
export function parseKey(text: string): string | Uint8Array | undefined {
  if (!text.startsWith('$')) return text;
  if (text.startsWith('$$')) return text.slice(1);
  return text.startsWith('$hex:') ? parseHex(text.slice('$hex:'.length)) : undefined;
}

/** The inverse of {@link parseKey}. */
export function formatKey(key: Uint8Array): string {
  const text = decodeUtf8(key);
  if (text === undefined) return `$hex:${formatHex(key)}`;
  return text.startsWith('$') ? `$${text}` : text;
}
