/** The info dictionary (BEP 3, BEP 47, BEP 52): all that an infohash stands for. @module */

import { decodeName } from '../base/bytes.ts';
import { ProtocolError } from '../base/errors.ts';
import { InfoHash } from '../base/ids.ts';
import { sha1, sha256 } from '../base/sha.ts';
import { type BencodeNode, decode } from '../bencode/index.ts';
import { type Fields, type FileDraft, fieldsOf } from './attributes.ts';
import { renameDuplicates } from './duplicates.ts';
import { readFileList, readSingleFile } from './file-list.ts';
import { readFileTree } from './file-tree.ts';
import { mergeHybrid } from './hybrid.ts';
import { INFO_KINDS, noteMalformed } from './kinds.ts';
import { MAX_NESTING, MAX_TOKENS } from './limits.ts';
import type { Metainfo, Version } from './metainfo.ts';
import { sanitizeComponent } from './path.ts';
import { isChanged, type Naming, topPath } from './paths.ts';
import { countPieces, readPieceLength, readPieces } from './pieces.ts';
import { refuse, show, type Warnings } from './report.ts';
import { readText } from './surroundings.ts';
import { resolveSymlinks } from './symlinks.ts';

/** What the info dictionary alone says. */
export type InfoPart = Pick<
  Metainfo,
  | 'name'
  | 'version'
  | 'infoHash'
  | 'infoHashV2'
  | 'pieceLength'
  | 'pieceCount'
  | 'length'
  | 'private'
  | 'privateFlag'
  | 'files'
  | 'source'
  | 'updateUrl'
  | 'infoBytes'
  | 'pieces'
>;

interface Reading {
  readonly info: BencodeNode;
  readonly fields: Fields;
  readonly naming: Naming;
  readonly pieceLength: number;
}

/** @throws {ProtocolError} when a rule is broken; `rule` names it. */
export function readInfo(
  info: BencodeNode,
  options: { readonly windows: boolean; readonly warnings: Warnings },
): InfoPart {
  const fields = fieldsOf(info, options.warnings);
  noteMalformed(fields, INFO_KINDS, options.warnings);
  const isV2 = readMetaVersion(info, fields);
  const pieceLength = readPieceLength(fields, isV2, info.offset);
  const naming: Naming = { ...options, folders: new Map(), raw: new Map() };
  const reading: Reading = { info, fields, naming, pieceLength };
  const version = versionOf(reading, isV2);
  const hashes = hashesOf(info.raw, version);
  const name = readName(reading, hashes);
  const files = readFiles(reading, version, topPath(name, naming, rawNameOf(fields, name)));
  for (const file of files) {
    const rawPath = naming.raw.get(file.path);
    if (rawPath !== undefined) file.rawPath = rawPath;
  }
  const length = contentLength(files);
  if (length === 0) {
    throw refuse('LENGTH', 'the torrent has no content: all its files are empty', {
      rule: 'total length',
      offset: info.offset,
    });
  }
  const pieceCount = countPieces(files, pieceLength);
  const { offset } = info;
  const pieces = readPieces(fields, { version, pieceCount, offset });
  finishPaths(files, options.warnings);
  return {
    name,
    version,
    ...hashes,
    pieceLength,
    pieceCount,
    length,
    files,
    infoBytes: info.raw,
    ...(pieces === undefined ? {} : { pieces }),
    ...readExtras(fields),
  };
}

/** True for v2 and hybrids. The version is judged before anything else (BEP 52). */
function readMetaVersion(info: BencodeNode, fields: Fields): boolean {
  const version = fields.get('meta version')?.asInteger();
  const hasTree = fields.get('file tree') !== undefined;
  const { offset } = info;
  if (version !== undefined && version > 2) {
    throw refuse('VERSION', `meta version ${version} is newer than what bip knows, 2`, {
      rule: 'BEP 52 meta version',
      offset,
    });
  }
  if (version !== 2) {
    if (!hasTree) return false;
    throw refuse('VERSION', 'there is a v2 file tree but no meta version 2', {
      rule: 'BEP 52 meta version',
      offset,
    });
  }
  if (!hasTree) {
    throw refuse('FILE_TREE', 'meta version is 2 but there is no file tree', {
      rule: 'BEP 52 file tree',
      offset,
    });
  }
  refuseLooseForm(info);
  return true;
}

/** v2 must be canonical (BEP 52 "infohash"); v1 is taken as it comes. */
function refuseLooseForm(info: BencodeNode): void {
  try {
    decode(info.raw, { strict: true, maxDepth: MAX_NESTING, maxTokens: MAX_TOKENS });
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    const offset = info.offset + (error.offset ?? 0);
    throw refuse(
      'INFO',
      `the info dictionary of a v2 torrent has to be canonical: ${error.message}`,
      {
        rule: error.rule,
        offset,
      },
    );
  }
}

/** A v2 torrent is a hybrid when the parts of v1 are all there. */
function versionOf({ fields, naming }: Reading, isV2: boolean): Version {
  if (!isV2) return 'v1';
  const hasFiles = hasV1Files(fields);
  const hasPieces = fields.get('pieces')?.kind === 'bytes';
  if (hasFiles && hasPieces) return 'hybrid';
  if (hasFiles || hasPieces) {
    naming.warnings.add(
      'v1-incomplete',
      `the v1 part lacks its ${hasFiles ? 'pieces' : 'files'}; this is taken as v2`,
    );
  }
  return 'v2';
}

function hasV1Files(fields: Fields): boolean {
  return fields.get('files')?.kind === 'list' || fields.get('length') !== undefined;
}

type Hashes = Pick<Metainfo, 'infoHash' | 'infoHashV2'>;

function hashesOf(bytes: Uint8Array, version: Version): Hashes {
  return {
    ...(version === 'v2' ? {} : { infoHash: new InfoHash(sha1(bytes)) }),
    ...(version === 'v1' ? {} : { infoHashV2: new InfoHash(sha256(bytes)) }),
  };
}

/** The name of a folder of which nothing is left becomes the infohash; a file has to have one. */
function readName({ info, fields, naming }: Reading, hashes: Hashes): string {
  const bytes = nameBytes(fields);
  if (bytes === undefined) throw nameless(info);
  const safe = sanitizeComponent(bytes, { windows: naming.windows });
  if ((safe === '' || bytes.length === 0) && isSingleFile(fields)) throw nameless(info);
  const name = safe === '' ? hexOf(hashes) : safe;
  if (isChanged(name, bytes)) {
    const message = `the name is not safe as it stands and becomes ${show(name)}`;
    naming.warnings.add('name-changed', message);
  }
  return name;
}

function nameBytes(fields: Fields): Uint8Array | undefined {
  return fields.get('name.utf-8')?.asBytes() ?? fields.get('name')?.asBytes();
}

/** What the torrent calls itself, when that is not `name`. */
function rawNameOf(fields: Fields, name: string): string | undefined {
  const bytes = nameBytes(fields);
  const raw = bytes === undefined ? name : decodeName(bytes);
  return raw === name ? undefined : raw;
}

function nameless({ offset }: BencodeNode): Error {
  return refuse('NAME', 'the torrent has no name', { rule: 'BEP 3 name', offset });
}

function hexOf({ infoHash, infoHashV2 }: Hashes): string {
  return (infoHash ?? infoHashV2)?.hex ?? '_';
}

/** True when the name is the path of a file of v1. */
function isSingleFile(fields: Fields): boolean {
  if (fields.get('files')?.kind === 'list') return false;
  return fields.get('file tree') === undefined || hasV1Files(fields);
}

function readFiles(reading: Reading, version: Version, top: readonly string[]): FileDraft[] {
  const tree = version === 'v1' ? [] : treeFiles(reading, top);
  const list = version === 'v1' || hasV1Files(reading.fields) ? listFiles(reading, top) : [];
  if (list.length === 0 && tree.length === 0) {
    throw refuse('FILES', 'the torrent has no files', {
      rule: 'BEP 3 files',
      offset: reading.info.offset,
    });
  }
  if (version === 'v1') return list;
  // A list without hashes is of no use, and still must not say anything else than the tree.
  const merged = list.length === 0 ? tree : mergeHybrid(list, tree, reading.pieceLength);
  return version === 'v2' ? tree : merged;
}

function listFiles({ info, fields, naming }: Reading, top: readonly string[]): FileDraft[] {
  const list = fields.get('files');
  return list?.kind === 'list'
    ? readFileList(list, top, naming)
    : [readSingleFile(info, top, naming)];
}

/** A list of v1 says whether there is a folder; else a single file has none. */
function treeFiles({ fields, naming, pieceLength }: Reading, top: readonly string[]): FileDraft[] {
  const tree = fields.get('file tree');
  const isFolder = fields.get('files')?.kind === 'list';
  return tree === undefined ? [] : readFileTree(tree, top, { naming, pieceLength, isFolder });
}

function contentLength(files: readonly FileDraft[]): number {
  let length = 0;
  for (const file of files) if (!file.padding) length += file.length;
  return length;
}

/** Links are resolved among the names as written, then follow the files that get other names. */
function finishPaths(files: readonly FileDraft[], warnings: Warnings): void {
  const targets = resolveSymlinks(files, warnings);
  renameDuplicates(files, warnings);
  for (const [link, target] of targets) link.symlink = target.path;
}

function readExtras(
  fields: Fields,
): Pick<Metainfo, 'private' | 'privateFlag' | 'source' | 'updateUrl'> {
  const flag = fields.get('private')?.asInteger();
  const source = readText(fields, 'source');
  const updateUrl = readText(fields, 'update-url');
  return {
    private: flag === 1,
    ...(flag === undefined ? {} : { privateFlag: flag === 1 }),
    ...(source === undefined ? {} : { source }),
    ...(updateUrl === undefined ? {} : { updateUrl }),
  };
}
