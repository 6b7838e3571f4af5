/** Where the files of a new torrent lie: order and padding (BEP 3, BEP 47, BEP 52). @module */

import { compareNames } from '../base/bytes.ts';
import { UsageError } from '../base/errors.ts';
import type { DraftFile, InfoDraft, InfoPlan, PlannedFile } from './draft.ts';
import { checkFiles, checkPieceCount, checkPieceLength } from './draft-checks.ts';
import { keyOf } from './duplicates.ts';
import { roundUp } from './file-tree.ts';
import { MAX_TOTAL_LENGTH } from './limits.ts';
import { checkTokens } from './token-count.ts';

/** The folder of padding that BEP 47 recommends. */
const PADDING_FOLDER = '.pad';

/**
 * Lays out the files of a torrent: v1 in the order of the draft, v2 and hybrids in that of the file
 * tree. Hybrids and aligned v1 get padding behind each file that does not end with a piece, the
 * last one included, as libtorrent 2.0.8 does it; a single file has none.
 *
 * @throws {UsageError} for what no torrent can say; one sentence with what helps.
 */
export function planInfo(draft: InfoDraft): InfoPlan {
  checkPieceLength(draft);
  checkFiles(draft);
  const { name, version, pieceLength } = draft;
  const layout = version === 'v2' ? gapped(draft) : gapless(draft);
  const pieceCount = Math.ceil(layout.end / pieceLength);
  checkPieceCount(pieceCount, draft);
  if (layout.end > MAX_TOTAL_LENGTH) {
    throw new UsageError(
      `the files end at byte ${layout.end}, beyond the ${MAX_TOTAL_LENGTH} that torrents have; share fewer files`,
    );
  }
  const folder = paddingFolder(draft, layout.places);
  const files = layout.places.map(({ at, offset, length }): PlannedFile => {
    const file = at === undefined ? undefined : draft.files[at];
    return file === undefined || at === undefined
      ? { path: [name, folder, `${length}`], length, offset, padding: true }
      : planned(file, { name, at, offset });
  });
  const length = draft.files.reduce((sum, file) => sum + file.length, 0);
  const plan = { draft, files, pieceLength, pieceCount, length };
  checkTokens(plan);
  return plan;
}

/** In the order of a file tree (BEP 52): depth first, names by their raw bytes. */
function comparePaths(a: readonly string[], b: readonly string[]): number {
  const shared = Math.min(a.length, b.length);
  for (let at = 0; at < shared; at++) {
    const difference = compareNames(a[at] ?? '', b[at] ?? '');
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** A torrent that is one file, without a folder. */
export function isSingle({ files }: Pick<InfoDraft, 'files'>): boolean {
  return files.length === 1 && files[0]?.path.length === 0;
}

/** A stretch of the piece space. */
interface Place {
  /** Index in the files of the draft; `undefined` for padding. */
  readonly at: number | undefined;
  readonly offset: number;
  readonly length: number;
}

interface Layout {
  readonly places: readonly Place[];
  /** Where the last file that is not empty ends. */
  readonly end: number;
}

/** v2: each file begins with a piece, and nothing stands for the gaps. */
function gapped({ files, pieceLength }: InfoDraft): Layout {
  const places: Place[] = [];
  let end = 0;
  for (const at of inTreeOrder(files)) {
    const length = files[at]?.length ?? 0;
    const offset = length === 0 ? end : roundUp(end, pieceLength);
    places.push({ at, offset, length });
    end = offset + length;
  }
  return { places, end };
}

/** v1 and hybrid: one file after the other, padding in between where it is wanted. */
function gapless({ files, version, align = false, pieceLength }: InfoDraft): Layout {
  const isPadded = (version === 'hybrid' || align) && files.length > 1;
  const places: Place[] = [];
  let end = 0;
  for (const at of version === 'hybrid' ? inTreeOrder(files) : files.keys()) {
    const length = files[at]?.length ?? 0;
    places.push({ at, offset: end, length });
    end += length;
    const gap = roundUp(end, pieceLength) - end;
    if (!isPadded || gap === 0) continue;
    places.push({ at: undefined, offset: end, length: gap });
    end += gap;
  }
  return { places, end };
}

function inTreeOrder(files: readonly DraftFile[]): readonly number[] {
  return [...files.keys()].toSorted((a, b) =>
    comparePaths(files[a]?.path ?? [], files[b]?.path ?? []),
  );
}

function planned(
  file: DraftFile,
  { name, at, offset }: { readonly name: string; readonly at: number; readonly offset: number },
): PlannedFile {
  const { path, length, executable = false, symlink } = file;
  return {
    path: [name, ...path],
    length,
    offset,
    padding: false,
    ...(executable ? { executable } : {}),
    ...(symlink === undefined ? {} : { symlink: [name, ...symlink] }),
    draft: at,
  };
}

/** A folder in which padding shares its paths with no file and no folder of the draft. */
function paddingFolder({ files }: InfoDraft, places: readonly Place[]): string {
  const key = keyOf(PADDING_FOLDER);
  const near = files.filter(({ path }) => keyOf(path[0] ?? '').startsWith(key));
  if (near.length === 0) return PADDING_FOLDER;
  const taken = new Set(near.flatMap(({ path }) => [path.slice(0, 2), path].map(keyOfPath)));
  for (const { path } of near) if (path.length === 1) taken.add(keyOfPath(path));
  const lengths = new Set(places.filter(({ at }) => at === undefined).map(({ length }) => length));
  for (let folder = PADDING_FOLDER; ; folder += '_') {
    const isFile = taken.has(keyOf(folder));
    if (!isFile && [...lengths].every((length) => !taken.has(keyOf(`${folder}/${length}`)))) {
      return folder;
    }
  }
}

function keyOfPath(path: readonly string[]): string {
  return keyOf(path.join('/'));
}
