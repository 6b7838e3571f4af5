/** Keys put into bencode, taken out of it and replaced, all else byte for byte as it was. @module */

import { compareBytes, concatBytes, decodeName, encodeName, equalBytes } from '../base/bytes.ts';
import { UsageError } from '../base/errors.ts';
import {
  type BencodeInput,
  type BencodeNode,
  decode,
  encode,
  formatPath,
  type PathStep,
} from '../bencode/index.ts';
import { MAX_NESTING } from './limits.ts';
import { show } from './report.ts';

/** One key and what is to stand there. */
export interface KeyEdit {
  /**
   * Keys from the top, by `decodeName`. In a list a key is an index from 0; the list's length
   * appends. Dictionaries that are missing on the way are made.
   */
  readonly path: readonly string[];
  /** `undefined` takes the key away. */
  readonly value: BencodeInput | undefined;
}

/** What became of one key. */
export interface KeyChange {
  /** As `formatPath` writes it. */
  readonly key: string;
  /** Bencode; `undefined` when the key is new. */
  readonly before?: Uint8Array;
  /** Bencode; `undefined` when the key is gone. */
  readonly after?: Uint8Array;
}

/** Edits by key: more of them below, or bencode, `undefined` to take the key away. */
interface Branch {
  readonly children: Map<string, Branch | Leaf>;
}

interface Leaf {
  readonly bencode: Uint8Array | undefined;
}

/**
 * `root`, a dictionary, after all edits. Of several for one key the last counts. New keys come
 * before the first one that is greater; values are canonical.
 *
 * @throws {UsageError} for edits of a key and of what is in it, and edits in what is neither list nor
 *   dictionary.
 */
export function spliceKeys(
  root: BencodeNode,
  edits: readonly KeyEdit[],
): { readonly bytes: Uint8Array; readonly changes: readonly KeyChange[] } {
  const top: Branch = { children: new Map() };
  for (const edit of edits) plant(top, edit);
  const splicer = new Splicer();
  return { bytes: splicer.container(root, top, []), changes: splicer.changes };
}

function plant(top: Branch, { path, value }: KeyEdit): void {
  if (path.length === 0 || path.length > MAX_NESTING) {
    throw new UsageError(`a torrent has no place ${path.length} keys deep`);
  }
  // Text that stands for no bytes becomes what it is written as.
  const names = path.map((step) => decodeName(encodeName(step)));
  let branch = top;
  for (const name of names.slice(0, -1)) {
    const known = branch.children.get(name) ?? { children: new Map() };
    if ('bencode' in known) throw overlapping(names);
    branch.children.set(name, known);
    branch = known;
  }
  const last = names.at(-1) ?? '';
  const known = branch.children.get(last);
  if (known !== undefined && 'children' in known) throw overlapping(names);
  branch.children.set(last, { bencode: value === undefined ? undefined : encode(value) });
}

function overlapping(names: readonly string[]): UsageError {
  const place = show(formatPath(names.map(encodeName)));
  return new UsageError(`\`${place}\` is to change, and something in it or around it as well`);
}

/** `de`, to put keys into. */
const EMPTY: Uint8Array = Uint8Array.of(0x64, 0x65);

class Splicer {
  readonly changes: KeyChange[] = [];

  /** The bytes of `node` with the edits of `branch`. Recursion ends with the paths, at 100 keys. */
  container(node: BencodeNode, branch: Branch, path: readonly PathStep[]): Uint8Array {
    if (node.kind === 'dictionary') return this.#dictionary(node, branch, path);
    if (node.kind === 'list') return this.#list(node, branch, path);
    if (!setsAnything(branch)) return node.raw;
    throw new UsageError(
      `\`${show(formatPath(path))}\` is no dictionary, so that nothing can be set in it`,
    );
  }

  #dictionary(node: BencodeNode, { children }: Branch, path: readonly PathStep[]): Uint8Array {
    const parts: Uint8Array[] = [node.raw.subarray(0, 1)];
    const known = new Set([...node.entries()].map(([key]) => decodeName(key)));
    const fresh = [...children]
      .filter(([name]) => !known.has(name))
      .map(([name, edit]) => ({ key: encodeName(name), edit }))
      .toSorted((a, b) => compareBytes(a.key, b.key));
    let at = node.offset + 1;
    for (const [key, value] of node.entries()) {
      while (fresh[0] !== undefined && compareBytes(fresh[0].key, key) < 0) {
        this.#add(parts, fresh.shift(), path);
      }
      const edit = children.get(decodeName(key));
      const head = node.raw.subarray(at - node.offset, value.offset - node.offset);
      const after = edit === undefined ? value.raw : this.#value(value, edit, [...path, key]);
      if (after !== undefined) parts.push(head, after);
      at = value.end;
    }
    while (fresh.length > 0) this.#add(parts, fresh.shift(), path);
    return concatBytes(...parts, node.raw.subarray(at - node.offset));
  }

  #add(
    parts: Uint8Array[],
    fresh: { readonly key: Uint8Array; readonly edit: Branch | Leaf } | undefined,
    path: readonly PathStep[],
  ): void {
    if (fresh === undefined) return;
    const value = this.#value(undefined, fresh.edit, [...path, fresh.key]);
    if (value !== undefined) parts.push(encode(fresh.key), value);
  }

  #list(node: BencodeNode, { children }: Branch, path: readonly PathStep[]): Uint8Array {
    const parts: Uint8Array[] = [node.raw.subarray(0, 1)];
    const left = new Map([...children].map(([name, edit]) => [indexOf(name, path), edit]));
    let index = 0;
    const next = (value: BencodeNode | undefined): void => {
      const edit = left.get(index);
      left.delete(index);
      const after = edit === undefined ? value?.raw : this.#value(value, edit, [...path, index]);
      if (after !== undefined) parts.push(after);
      index++;
    };
    for (const item of node.items()) next(item);
    while (left.has(index)) next(undefined);
    for (const [beyond, edit] of left) {
      if (!setsAnything(edit)) continue;
      throw new UsageError(
        `\`${show(formatPath([...path, beyond]))}\` is beyond the ${index} items of its list`,
      );
    }
    return concatBytes(...parts, Uint8Array.of(END));
  }

  /** What comes in place of `value`; `undefined` for nothing. */
  #value(
    value: BencodeNode | undefined,
    edit: Branch | Leaf,
    path: readonly PathStep[],
  ): Uint8Array | undefined {
    if ('children' in edit) {
      if (value !== undefined) return this.container(value, edit, path);
      return setsAnything(edit) ? this.container(decode(EMPTY), edit, path) : undefined;
    }
    const before = value?.raw;
    const after = edit.bencode;
    if (before !== undefined && after !== undefined && equalBytes(before, after)) return before;
    this.#note(formatPath(path), before, after);
    return after;
  }

  #note(key: string, before: Uint8Array | undefined, after: Uint8Array | undefined): void {
    if (before === undefined && after === undefined) return;
    this.changes.push({
      key,
      ...(before === undefined ? {} : { before }),
      ...(after === undefined ? {} : { after }),
    });
  }
}

/** The byte that ends a list. */
const END = 0x65;

function indexOf(name: string, path: readonly PathStep[]): number {
  if (/^(?:0|[1-9]\d{0,9})$/.test(name)) return Number(name);
  throw new UsageError(
    `\`${show(formatPath(path))}\` is a list, whose items have numbers and not names like \`${show(name)}\``,
  );
}

function setsAnything(edit: Branch | Leaf): boolean {
  if ('bencode' in edit) return edit.bencode !== undefined;
  return [...edit.children.values()].some(setsAnything);
}
