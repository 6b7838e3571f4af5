/** Torrents, from bytes. @module */

import type { Sha256 } from '../base/merkle.ts';
import { sha256 } from '../base/sha.ts';
import { type BencodeNode, decode } from '../bencode/index.ts';
import { fieldsOf } from './attributes.ts';
import { type InfoPart, readInfo } from './info.ts';
import { noteMalformed, ROOT_KINDS } from './kinds.ts';
import { MAX_LOCAL_TORRENT_BYTES, MAX_METADATA_BYTES, MAX_NESTING, MAX_TOKENS } from './limits.ts';
import type { Metainfo, Surroundings } from './metainfo.ts';
import { readPieceLayers } from './piece-layers.ts';
import { refuse, Warnings } from './report.ts';
import { readCollections, readSimilar, readSurroundings } from './surroundings.ts';

export interface ParseOptions {
  /** Hashes the piece layers of v2; default: the pure one, which native code beats. */
  readonly sha256?: Sha256;
  /** Make names safe for Windows as well. Default false. */
  readonly windows?: boolean;
}

/**
 * Reads a .torrent: v1, v2 or both. Infohashes are taken of the info dictionary as it stands in
 * `bytes`; the result holds views of `bytes`, which must not change.
 *
 * @throws {ProtocolError} with a code `BIP_METAINFO_…` or `BIP_BENCODE`, the rule and the offset.
 */
export function parseMetainfo(bytes: Uint8Array, options: ParseOptions = {}): Metainfo {
  const warnings = new Warnings();
  const root = decodeTorrent(bytes, MAX_LOCAL_TORRENT_BYTES);
  if (root.kind !== 'dictionary') {
    throw refuse('INFO', 'a torrent is a dictionary, and this is not one', {
      rule: 'BEP 3 metainfo',
      offset: 0,
    });
  }
  if (root.end < bytes.length) {
    warnings.add('trailing-bytes', `${bytes.length - root.end} bytes follow the torrent`);
  }
  const fields = fieldsOf(root, warnings);
  noteMalformed(fields, ROOT_KINDS, warnings);
  const node = fields.get('info');
  const info = readInfoNode(node, options, warnings);
  const isFolder = info.files.some(({ path, padding }) => !padding && path.length > 1);
  const surroundings = readSurroundings(fields, { isFolder, warnings });
  const { sha256: hash = sha256 } = options;
  const { files, pieceLength } = info;
  return finish(info, surroundings, {
    info: node,
    root,
    pieceLayers:
      info.version === 'v1'
        ? new Map()
        : readPieceLayers(fields.get('piece layers'), files, { pieceLength, hash, warnings }),
    warnings,
  });
}

/**
 * Reads an info dictionary that came from peers (BEP 9); `from` is what the magnet link knew. The
 * caller compares the infohash.
 *
 * @throws {ProtocolError} as {@link parseMetainfo}.
 */
export function parseInfo(
  infoBytes: Uint8Array,
  from: Partial<Surroundings> = {},
  options: ParseOptions = {},
): Metainfo {
  const warnings = new Warnings();
  const node = decodeTorrent(infoBytes, MAX_METADATA_BYTES);
  if (node.end < infoBytes.length) {
    throw refuse('INFO', `bytes follow the info dictionary at byte ${node.end}`, {
      rule: 'BEP 9 metadata',
      offset: node.end,
    });
  }
  const info = readInfoNode(node, options, warnings);
  const { sha256: hash = sha256 } = options;
  const { files, pieceLength } = info;
  return finish(
    info,
    { announce: [], webSeeds: [], httpSeeds: [], nodes: [], ...from },
    {
      info: node,
      root: undefined,
      pieceLayers:
        info.version === 'v1'
          ? new Map()
          : readPieceLayers(undefined, files, { pieceLength, hash, warnings }),
      warnings,
    },
  );
}

function decodeTorrent(bytes: Uint8Array, maxBytes: number): BencodeNode {
  if (bytes.length > maxBytes) {
    throw refuse('LIMIT', `a torrent of ${bytes.length} bytes; bip takes up to ${maxBytes}`, {
      rule: 'limit of torrent length',
      offset: maxBytes,
    });
  }
  return decode(bytes, { fullDecode: false, maxDepth: MAX_NESTING, maxTokens: MAX_TOKENS });
}

function readInfoNode(
  node: BencodeNode | undefined,
  { windows = false }: ParseOptions,
  warnings: Warnings,
): InfoPart {
  if (node?.kind === 'dictionary') return readInfo(node, { windows, warnings });
  throw refuse('INFO', 'there is no info dictionary; is this a .torrent file?', {
    rule: 'BEP 3 info',
    offset: node?.offset ?? 0,
  });
}

function finish(
  part: InfoPart,
  surroundings: Surroundings,
  rest: {
    readonly info: BencodeNode | undefined;
    readonly root: BencodeNode | undefined;
    readonly pieceLayers: ReadonlyMap<string, Uint8Array>;
    readonly warnings: Warnings;
  },
): Metainfo {
  const { info, root, pieceLayers, warnings } = rest;
  return {
    ...part,
    ...surroundings,
    similar: readSimilar([info?.get('similar'), root?.get('similar')], warnings),
    collections: readCollections([info?.get('collections'), root?.get('collections')], warnings),
    pieceLayers,
    warnings: warnings.list(),
  };
}
