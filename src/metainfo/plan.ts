/** From a draft to the places of its files in the space of pieces (BEP 3, BEP 47, BEP 52). @module */

import { compareBytes, encodeName, isPlainName } from '../base/bytes.ts';
import { UsageError } from '../base/errors.ts';
import type { DraftFile, InfoDraft, InfoPlan, PlannedFile } from './draft.ts';
import { roundUp } from './file-tree.ts';
import {
  BLOCK_LENGTH,
  MAX_DEPTH,
  MAX_PIECE_LENGTH,
  MAX_PIECES,
  MAX_TOTAL_LENGTH,
} from './limits.ts';
import { show, showPath } from './report.ts';

/** The folder of padding that BEP 47 recommends. */
export const PADDING_FOLDER = '.pad';

/**
 * Puts files in order and in their places. v1 keeps the order of the draft; v2 and hybrid have the
 * order of the file tree, depth first, the names of each folder by their bytes.
 *
 * @throws {UsageError} for what no torrent can hold: no content, names that lead elsewhere or are
 *   there twice, names of v2 that are not UTF-8, too many pieces, a piece length out of range.
 */
export function planInfo(draft: InfoDraft): InfoPlan {
  checkPieceLength(draft);
  checkNames(draft);
  const ordered = draft.files.map((file, index) => ({ file, index }));
  if (draft.version !== 'v1') ordered.sort((a, b) => comparePaths(a.file.path, b.file.path));
  const files = placeFiles(draft, ordered);
  const length = draft.files.reduce((sum, file) => sum + file.length, 0);
  if (length === 0) {
    throw new UsageError(`${show(draft.name)} holds no bytes: there is nothing to share`, {
      code: 'BIP_NOTHING_TO_SHARE',
    });
  }
  const pieceCount = countPieces(draft, files);
  return { draft, files, pieceLength: draft.pieceLength, pieceCount, length };
}

/** Component by component in raw byte order: the order of file trees (BEP 52). */
export function comparePaths(a: readonly string[], b: readonly string[]): number {
  for (let at = 0; at < a.length && at < b.length; at++) {
    const one = a[at] ?? '';
    const other = b[at] ?? '';
    if (one !== other) return compareBytes(encodeName(one), encodeName(other));
  }
  return a.length - b.length;
}

function placeFiles(
  draft: InfoDraft,
  ordered: readonly { readonly file: DraftFile; readonly index: number }[],
): PlannedFile[] {
  const { name, version, pieceLength } = draft;
  const isFolder = !isSingle(draft);
  const isAligned = version !== 'v1' || draft.align === true;
  // v2 alone has gaps instead: nothing stands in the torrent for them.
  const hasPadding = isAligned && version !== 'v2' && isFolder;
  const files: PlannedFile[] = [];
  let offset = 0;
  for (const { file, index } of ordered) {
    const { path, length, executable, symlink } = file;
    files.push({
      path: [name, ...path],
      length,
      offset,
      padding: false,
      ...(executable === true ? { executable } : {}),
      ...(symlink === undefined ? {} : { symlink: [name, ...symlink] }),
      draft: index,
    });
    offset += length;
    const gap = isAligned ? roundUp(offset, pieceLength) - offset : 0;
    if (gap > 0 && hasPadding) {
      files.push({ path: [name, PADDING_FOLDER, `${gap}`], length: gap, offset, padding: true });
    }
    offset += gap;
  }
  return files;
}

/** A torrent that is one file, without a folder. */
export function isSingle({ files }: Pick<InfoDraft, 'files'>): boolean {
  return files.length === 1 && files[0]?.path.length === 0;
}

function checkPieceLength({ pieceLength, version }: InfoDraft): void {
  if (version === 'v1') {
    if (Number.isSafeInteger(pieceLength) && pieceLength > 0 && pieceLength <= MAX_PIECE_LENGTH) {
      return;
    }
    throw new UsageError(
      `a piece length of ${pieceLength} bytes is out of range: it has to be from 1 to ${MAX_PIECE_LENGTH}`,
    );
  }
  const isPower = pieceLength >= BLOCK_LENGTH && Number.isInteger(Math.log2(pieceLength));
  if (isPower && pieceLength <= MAX_PIECE_LENGTH) return;
  const below = 2 ** Math.floor(Math.log2(Math.max(pieceLength, BLOCK_LENGTH)));
  const near = Math.min(below, 2 ** 28);
  const choice = pieceLength > near && near < 2 ** 28 ? `${near} or ${near * 2}` : `${near}`;
  throw new UsageError(
    `a piece length of ${pieceLength} bytes is not possible with v2 and hybrid: it has to be a power of two from 16 KiB to 256 MiB, such as ${choice}`,
  );
}

function countPieces({ version, pieceLength }: InfoDraft, files: readonly PlannedFile[]): number {
  let end = 0;
  for (const { offset, length } of files) if (length > 0) end = offset + length;
  if (end > MAX_TOTAL_LENGTH) {
    throw new UsageError(
      `the files end at byte ${end}, beyond the ${MAX_TOTAL_LENGTH} of a torrent`,
    );
  }
  const count = Math.ceil(end / pieceLength);
  if (count <= MAX_PIECES) return count;
  const help = version === 'v1' ? 'choose longer ones' : 'choose longer ones, or fewer files';
  throw new UsageError(
    `pieces of ${pieceLength} bytes would be ${count}, and bip takes up to ${MAX_PIECES}; ${help}`,
  );
}

function checkNames(draft: InfoDraft): void {
  checkComponent(draft.name, [draft.name]);
  const single = isSingle(draft);
  for (const { path } of draft.files) {
    if (path.length === 0 && !single) throw fileAndFolder(draft.name);
    if (path.length > MAX_DEPTH) {
      throw new UsageError(`${showPath(path)} lies more than ${MAX_DEPTH} folders deep`);
    }
    for (const component of path) checkComponent(component, path);
  }
  checkClashes(draft.files);
  if (draft.version !== 'v1') checkNamesOfV2(draft);
}

function checkClashes(drafts: readonly DraftFile[]): void {
  const folders = new Set<string>();
  const files = new Set<string>();
  for (const { path } of drafts) {
    const key = path.join('/');
    if (files.has(key)) throw new UsageError(`${showPath(path)} is there twice`);
    files.add(key);
    for (let depth = path.length - 1; depth > 0; depth--) {
      const folder = path.slice(0, depth).join('/');
      if (folders.has(folder)) break;
      folders.add(folder);
    }
  }
  for (const file of files) if (folders.has(file)) throw fileAndFolder(file);
}

function fileAndFolder(path: string): UsageError {
  return new UsageError(`${show(path)} cannot be a file and a folder at once`);
}

function checkComponent(component: string, path: readonly string[]): void {
  const isBad = component === '' || component === '.' || component === '..';
  // oxlint-disable-next-line no-control-regex -- NUL ends a name in the system's calls
  if (!isBad && !/[/\u0000]/.test(component)) return;
  throw new UsageError(
    `${showPath(path)} has a part that is no name: ${JSON.stringify(component)}`,
  );
}

function checkNamesOfV2({ name, files, version }: InfoDraft): void {
  for (const path of [[name], ...files.map((file) => file.path)]) {
    if (path.every(isPlainName)) continue;
    throw new UsageError(
      `${showPath(path)} is not UTF-8, which v2 demands; rename it, or make a torrent of v1`,
    );
  }
  const padded = files.find(({ path }) => path[0] === PADDING_FOLDER);
  if (version !== 'hybrid' || padded === undefined) return;
  throw new UsageError(
    `${showPath(padded.path)} lies where hybrids have their padding; rename the folder, or make a torrent of v1 or v2`,
  );
}
