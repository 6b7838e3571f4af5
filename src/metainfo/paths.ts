/** Lists of path components from the torrent, made safe. @module */

import { decodeName, encodeUtf8, equalBytes } from '../base/bytes.ts';
import type { BencodeNode } from '../bencode/index.ts';
import { MAX_DEPTH } from './limits.ts';
import { sanitizeComponent } from './path.ts';
import { refuse, show, showPath, type Warnings } from './report.ts';

/** What the readers of names need to know and to tell. */
export interface Naming {
  readonly windows: boolean;
  readonly warnings: Warnings;
  /** Names of folders, each once: many files share them. */
  readonly folders: Map<string, string>;
  /** What the torrent really calls paths that had to change, by `decodeName`. */
  readonly raw: Map<readonly string[], readonly string[]>;
}

/** The path of the torrent's folder; `rawName` when the torrent has another name for it. */
export function topPath(name: string, { raw }: Naming, rawName?: string): readonly string[] {
  const top = [name];
  if (rawName !== undefined) raw.set(top, [rawName]);
  return top;
}

/** Notes what stands in the torrent for `path`, which is `parent` with names behind it. */
export function noteRaw(
  path: readonly string[],
  parent: readonly string[],
  { names, naming: { raw } }: { readonly names: readonly Uint8Array[]; readonly naming: Naming },
): void {
  raw.set(path, [...(raw.get(parent) ?? parent), ...names.map(decodeName)]);
}

/**
 * `prefix` and the components of `list`, safe.
 *
 * @throws {ProtocolError} for a component that is no string, and for too many.
 */
export function readPath(
  list: BencodeNode,
  prefix: readonly string[],
  naming: Naming,
): readonly string[] {
  const path = [...prefix];
  let changed = false;
  for (const item of list.items()) {
    const bytes = item.asBytes();
    if (bytes === undefined) throw noText(item);
    const text = sanitizeComponent(bytes, { force: true, windows: naming.windows });
    changed ||= isChanged(text, bytes);
    path.push(text);
    if (path.length - prefix.length > MAX_DEPTH) throw tooDeep(list.offset);
  }
  for (let at = prefix.length; at < path.length - 1; at++) {
    path[at] = shared(path[at] ?? '', naming.folders);
  }
  if (changed) noteChanged(path, naming);
  if (changed || naming.raw.has(prefix)) {
    const names = Array.from(list.items(), (item) => item.asBytes() ?? new Uint8Array());
    noteRaw(path, prefix, { names, naming });
  }
  return path;
}

/** The components of a symlink's target: `.` and `..` are left out (BEP 47 forbids them). */
export function readTarget(list: BencodeNode, naming: Naming): readonly string[] {
  const target: string[] = [];
  for (const item of list.items()) {
    const bytes = item.asBytes();
    if (bytes === undefined) throw noText(item);
    const text = sanitizeComponent(bytes, { windows: naming.windows });
    if (text !== '') target.push(text);
    if (target.length > MAX_DEPTH) throw tooDeep(list.offset);
  }
  return target;
}

export function noteChanged(path: readonly string[], { warnings }: Naming): void {
  warnings.add('path-changed', `a path is not safe as it stands and becomes ${showPath(path)}`);
}

/** True when the safe text is not the bytes themselves. */
export function isChanged(text: string, bytes: Uint8Array): boolean {
  // Beyond ASCII there are always more bytes than characters, so most names end here.
  if (text.length !== bytes.length) return !equalBytes(encodeUtf8(text), bytes);
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) !== bytes[at]) return true;
  return false;
}

export function tooDeep(offset: number): Error {
  return refuse('DEPTH', `a file at byte ${offset} lies more than ${MAX_DEPTH} folders deep`, {
    rule: 'limit of folders',
    offset,
  });
}

/** The first of all equal strings, so that the others can be collected. */
function shared(text: string, known: Map<string, string>): string {
  const first = known.get(text);
  if (first === undefined) known.set(text, text);
  return first ?? text;
}

function noText(item: BencodeNode): Error {
  return refuse(
    'PATH',
    `a path holds ${show(item.kind)} where a name belongs, at byte ${item.offset}`,
    { rule: 'BEP 3 path', offset: item.offset },
  );
}
