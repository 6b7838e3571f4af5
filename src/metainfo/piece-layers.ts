/** The hashes of pieces that stand outside of the info dictionary, checked against it (BEP 52). @module */

import { equalBytes, formatHex } from '../base/bytes.ts';
import { HASH_LENGTH, merkleRoot, paddingHash, type Sha256, treeWidth } from '../base/merkle.ts';
import type { BencodeNode } from '../bencode/index.ts';
import { BLOCK_LENGTH } from './limits.ts';
import type { FileEntry } from './metainfo.ts';
import { refuse, type Warnings } from './report.ts';

interface Context {
  readonly pieceLength: number;
  readonly hash: Sha256;
  readonly warnings: Warnings;
}

/**
 * The layer of each file that is longer than a piece, by its root in hex. Layers that are missing
 * can be had from peers, so their absence is only a warning.
 *
 * @throws {ProtocolError} for a layer that belongs to no file, has a wrong length, or does not give
 *   the root.
 */
export function readPieceLayers(
  node: BencodeNode | undefined,
  files: readonly FileEntry[],
  context: Context,
): ReadonlyMap<string, Uint8Array> {
  const wanted = wantedLayers(files, context.pieceLength);
  const layers = new Map<string, Uint8Array>();
  if (node !== undefined) readLayers(node, wanted, { ...context, layers });
  const missing = [...wanted.values()].filter((pieces) => pieces !== 1).length - layers.size;
  if (missing > 0) {
    context.warnings.add(
      'piece-layers-missing',
      `the piece hashes of ${missing} file${missing === 1 ? '' : 's'} are missing and have to come from peers`,
    );
  }
  return layers;
}

/** Files of different lengths claim one root: no layer can be right for both. */
const CONTRADICTORY = 0;

/** How many pieces the file with each root has; one for files that need no layer. */
function wantedLayers(files: readonly FileEntry[], pieceLength: number): Map<string, number> {
  const wanted = new Map<string, number>();
  for (const { piecesRoot, length } of files) {
    if (piecesRoot === undefined) continue;
    const root = formatHex(piecesRoot);
    const pieces = Math.ceil(length / pieceLength);
    const known = wanted.get(root) ?? pieces;
    wanted.set(root, known === pieces ? pieces : CONTRADICTORY);
  }
  return wanted;
}

function readLayers(
  node: BencodeNode,
  wanted: ReadonlyMap<string, number>,
  context: Context & { readonly layers: Map<string, Uint8Array> },
): void {
  if (node.kind !== 'dictionary') throw malformed('they are no dictionary', node);
  const { pieceLength, hash } = context;
  const padding = paddingHash(Math.log2(pieceLength / BLOCK_LENGTH), { hash });
  for (const [root, value] of node.entries()) {
    const layer = value.asBytes();
    if (root.length !== HASH_LENGTH) throw malformed('a root has not 32 bytes', value);
    if (layer === undefined || layer.length % HASH_LENGTH !== 0) {
      throw malformed('a layer is no string of hashes, 32 bytes each', value);
    }
    const key = formatHex(root);
    const pieces = wanted.get(key);
    if (pieces === undefined) throw malformed(`no file has the root ${key}`, value);
    if (pieces === 1) {
      context.warnings.add('piece-layers-needless', `the file with the root ${key} needs no layer`);
      continue;
    }
    if (layer.length !== pieces * HASH_LENGTH) {
      throw malformed(`${layer.length} bytes are not the hashes of ${pieces} pieces`, value);
    }
    if (!equalBytes(merkleRoot(layer, treeWidth(pieces), { hash, padding }), root)) {
      throw malformed(`the hashes do not give the root ${key}`, value);
    }
    context.layers.set(key, layer);
  }
}

function malformed(what: string, { offset }: BencodeNode): Error {
  return refuse('PIECE_LAYERS', `the piece layers are malformed at byte ${offset}: ${what}`, {
    rule: 'BEP 52 piece layers',
    offset,
  });
}
