/** The files of v2: `file tree` (BEP 52, BEP 47). @module */

import { HASH_LENGTH } from '../base/merkle.ts';
import type { BencodeNode } from '../bencode/index.ts';
import { type FileDraft, fieldsOf, readAttributes, readLength } from './attributes.ts';
import { targetOf } from './file-list.ts';
import { BLOCK_LENGTH, MAX_DEPTH, MAX_TOTAL_LENGTH, MAX_V2_FILE_BLOCKS } from './limits.ts';
import { sanitizeComponent } from './path.ts';
import { isChanged, type Naming, noteChanged, noteRaw, tooDeep } from './paths.ts';
import { refuse } from './report.ts';

/** Bytes of the longest file whose tree can be numbered. */
const MAX_FILE_LENGTH = MAX_V2_FILE_BLOCKS * BLOCK_LENGTH - 1;

interface Walk {
  readonly naming: Naming;
  readonly pieceLength: number;
  readonly drafts: FileDraft[];
  /** Where the next file may begin. */
  end: number;
}

/**
 * All files in the order of the tree, each that is not empty at the beginning of a piece. They lie
 * in the folder `top`, except for a single file at the top when `isFolder` is not set.
 *
 * @throws {ProtocolError} for a tree that breaks a rule.
 */
export function readFileTree(
  tree: BencodeNode,
  top: readonly string[],
  options: { readonly naming: Naming; readonly pieceLength: number; readonly isFolder: boolean },
): FileDraft[] {
  const walk: Walk = { ...options, drafts: [], end: 0 };
  const single = options.isFolder ? undefined : onlyFile(tree);
  if (single === undefined) walkFolder(walk, tree, top);
  else addFile(walk, single.properties, componentPath(walk, single.key, []));
  return walk.drafts;
}

function onlyFile(
  tree: BencodeNode,
): { readonly key: Uint8Array; readonly properties: BencodeNode } | undefined {
  if (tree.length !== 1) return undefined;
  for (const [key, node] of tree.entries()) {
    const properties = propertiesOf(node);
    if (properties !== undefined && key.length > 0) return { key, properties };
  }
  return undefined;
}

/** What stands under the empty key of a node that is a file; `undefined` for a folder. */
function propertiesOf(node: BencodeNode): BencodeNode | undefined {
  return node.length === 1 ? node.get('') : undefined;
}

function walkFolder(walk: Walk, folder: BencodeNode, path: readonly string[]): void {
  if (path.length > MAX_DEPTH) throw tooDeep(folder.offset);
  for (const [key, node] of folder.entries()) {
    if (key.length === 0) throw malformedTree('a name is empty or a file has siblings', node);
    if (node.kind !== 'dictionary') throw malformedTree('an entry is no dictionary', node);
    const inner = componentPath(walk, key, path);
    const properties = propertiesOf(node);
    if (properties === undefined) walkFolder(walk, node, inner);
    else addFile(walk, properties, inner);
  }
}

function componentPath(walk: Walk, key: Uint8Array, path: readonly string[]): readonly string[] {
  const { naming } = walk;
  const text = sanitizeComponent(key, { force: true, windows: naming.windows });
  const whole = [...path, text];
  const changed = isChanged(text, key);
  if (changed) noteChanged(whole, naming);
  if (changed || naming.raw.has(path)) noteRaw(whole, path, { names: [key], naming });
  return whole;
}

function addFile(walk: Walk, properties: BencodeNode, path: readonly string[]): void {
  if (properties.kind !== 'dictionary') throw malformedTree('a file is no dictionary', properties);
  const { offset } = properties;
  const fields = fieldsOf(properties);
  const attributes = readAttributes(fields);
  if (attributes.padding) {
    throw refuse('PADDING', `the file tree has a padding file at byte ${offset}; v2 needs none`, {
      rule: 'BEP 52 file tree',
      offset,
    });
  }
  const length = readLength(fields, attributes, { offset, max: MAX_FILE_LENGTH });
  const { executable, hidden } = attributes;
  const draft: FileDraft = { path, length, offset: walk.end, padding: false, executable, hidden };
  Object.assign(draft, targetOf(fields, attributes, walk.naming));
  if (length > 0) {
    draft.offset = roundUp(walk.end, walk.pieceLength);
    draft.piecesRoot = piecesRoot(fields.get('pieces root'), offset);
    walk.end = draft.offset + length;
  }
  if (walk.end > MAX_TOTAL_LENGTH) {
    throw refuse('LENGTH', `the files end beyond the ${MAX_TOTAL_LENGTH} bytes that are possible`, {
      rule: 'limit of total length',
      offset,
    });
  }
  walk.drafts.push(draft);
}

function piecesRoot(node: BencodeNode | undefined, offset: number): Uint8Array {
  const root = node?.asBytes();
  if (root?.length === HASH_LENGTH && root.some((byte) => byte !== 0)) return root;
  throw refuse('PIECES_ROOT', `the file at byte ${offset} has no pieces root of 32 bytes`, {
    rule: 'BEP 52 pieces root',
    offset,
  });
}

/** The next multiple of `step` that is not below `value`. */
export function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}

function malformedTree(what: string, { offset }: BencodeNode): Error {
  return refuse('FILE_TREE', `the file tree is malformed at byte ${offset}: ${what}`, {
    rule: 'BEP 52 file tree',
    offset,
  });
}
