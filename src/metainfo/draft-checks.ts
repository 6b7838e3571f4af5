/** What no torrent can say, found before anything is hashed. @module */

import { decodeName, encodeName } from '../base/bytes.ts';
import { UsageError } from '../base/errors.ts';
import type { DraftFile, InfoDraft } from './draft.ts';
import { BITCOMET_PADDING } from './file-list.ts';
import {
  BLOCK_LENGTH,
  MAX_DEPTH,
  MAX_NESTING,
  MAX_PIECE_LENGTH,
  MAX_PIECES,
  MAX_V2_FILE_BLOCKS,
} from './limits.ts';
import type { Version } from './metainfo.ts';
import { choosePieceLength } from './piece-length.ts';
import { show, showPath } from './report.ts';

/** Levels of bencode that no folder of a file tree may take: what lies around it, file and link. */
const NESTING_AROUND_TREE = 5;

/** Folders and files of v2 that are in each other, so that readers still open the tree. */
const MAX_TREE_DEPTH: number = MAX_NESTING - NESTING_AROUND_TREE;

/**
 * Judges names, paths and lengths of files.
 *
 * @throws {UsageError} for content that is no torrent.
 */
export function checkFiles({ name, version, files }: InfoDraft): void {
  checkComponent(name, [name], version);
  const taken = new Set<string>();
  const folders = new Set<string>();
  let total = 0;
  for (const file of files) {
    checkFile(file, files.length, version);
    total += file.length;
    noteFolders(file.path, folders);
    const key = file.path.join('/');
    if (taken.has(key))
      throw refusal(`${showPath(file.path)} is there twice`, 'rename one of them');
    taken.add(key);
  }
  for (const folder of folders) {
    if (!taken.has(folder)) continue;
    throw refusal(`${show(folder)} is both a file and a folder`, 'rename one of them');
  }
  if (total > 0) return;
  const what = files.length === 0 ? 'there are no files' : 'all files are empty';
  throw new UsageError(`${show(name)} has nothing to share: ${what}`, {
    code: 'BIP_NOTHING_TO_SHARE',
  });
}

/** @throws {UsageError} for a length that readers refuse; the sentence names the nearest good ones. */
export function checkPieceLength({ pieceLength, version }: InfoDraft): void {
  if (version !== 'v1') return checkPieceLengthOfV2(pieceLength, version);
  const isWhole = Number.isSafeInteger(pieceLength) && pieceLength >= 1;
  if (isWhole && pieceLength <= MAX_PIECE_LENGTH) return;
  const nearest = pieceLength >= 1 ? Math.min(Math.floor(pieceLength), MAX_PIECE_LENGTH) : 1;
  throw refusal(
    `pieces have 1 to ${MAX_PIECE_LENGTH} bytes, not ${pieceLength}`,
    `${nearest} would do`,
  );
}

/** The exponents of the piece lengths that v2 permits: powers of two. */
const MIN_BITS: number = Math.log2(BLOCK_LENGTH);
const MAX_BITS: number = Math.floor(Math.log2(MAX_PIECE_LENGTH));

function checkPieceLengthOfV2(pieceLength: number, version: Version): void {
  const bits = Math.log2(pieceLength);
  if (Number.isInteger(bits) && bits >= MIN_BITS && bits <= MAX_BITS) return;
  const nearest = [Math.floor(bits), Math.ceil(bits)].map((whole) =>
    whole >= MIN_BITS ? 2 ** Math.min(whole, MAX_BITS) : BLOCK_LENGTH,
  );
  throw refusal(
    `pieces of ${version} torrents have a power of two from ${BLOCK_LENGTH} to ${2 ** MAX_BITS} bytes, not ${pieceLength}`,
    `${[...new Set(nearest)].join(' or ')} would do`,
  );
}

/** @throws {UsageError} when there are more pieces than readers count. */
export function checkPieceCount(pieceCount: number, { pieceLength, files }: InfoDraft): void {
  if (pieceCount <= MAX_PIECES) return;
  const total = files.reduce((sum, { length }) => sum + length, 0);
  const better = choosePieceLength(total);
  throw refusal(
    `pieces of ${pieceLength} bytes make ${pieceCount} of them, more than the ${MAX_PIECES} that clients take`,
    better > pieceLength ? `${better} bytes would do` : 'share fewer files',
  );
}

function checkFile(file: DraftFile, count: number, version: Version): void {
  const { path, length, symlink } = file;
  if (path.length === 0 && count > 1) {
    throw refusal('one of several files has no name', 'give it one');
  }
  const depth = version === 'v1' ? MAX_DEPTH : MAX_TREE_DEPTH;
  if (path.length > depth) {
    throw refusal(`${showPath(path)} has more than ${depth} parts`, 'move it up');
  }
  for (const part of path) checkComponent(part, path, version);
  if (version !== 'v1' && length >= MAX_V2_FILE_BLOCKS * BLOCK_LENGTH) {
    throw refusal(`${showPath(path)} is too long for v2`, 'split it, or make a v1 torrent');
  }
  if (symlink !== undefined) checkSymlink(file, symlink, version);
}

function checkSymlink(
  { path, length }: DraftFile,
  symlink: readonly string[],
  version: Version,
): void {
  if (length !== 0) throw refusal(`the symlink ${showPath(path)} has a length`, 'it has none');
  if (symlink.length === 0 || symlink.length > MAX_DEPTH) {
    throw refusal(`the symlink ${showPath(path)} leads nowhere in the torrent`, 'leave it out');
  }
  for (const part of symlink) checkComponent(part, symlink, version);
}

function checkComponent(part: string, path: readonly string[], version: Version): void {
  if (part === '') throw refusal(`a part of the path ${showPath(path)} is empty`, 'give it a name');
  if (part === '.' || part === '..' || /[/\0]/.test(part)) {
    throw refusal(`\`${show(part)}\` in ${showPath(path)} is no name of a file`, 'rename it');
  }
  if (version !== 'v2' && part.startsWith(BITCOMET_PADDING)) {
    throw refusal(
      `${showPath(path)} has the name of BitComet's padding, which is never written to disk`,
      'rename it, or leave it out',
    );
  }
  if (!part.isWellFormed()) checkBytes(part, path, version);
}

/** Of a name that is no UTF-8. */
function checkBytes(part: string, path: readonly string[], version: Version): void {
  if (version !== 'v1') {
    throw refusal(`the name ${showPath(path)} is not UTF-8`, 'rename it, or make a v1 torrent');
  }
  if (decodeName(encodeName(part)) === part) return;
  throw refusal(`the name ${showPath(path)} stands for no bytes`, 'rename it');
}

/** The folders around `path`, joined; from the inside, so that known ones end it. */
function noteFolders(path: readonly string[], folders: Set<string>): void {
  for (let depth = path.length - 1; depth > 0; depth--) {
    const folder = path.slice(0, depth).join('/');
    if (folders.has(folder)) return;
    folders.add(folder);
  }
}

function refusal(what: string, help: string): UsageError {
  return new UsageError(`${what}; ${help}`);
}
