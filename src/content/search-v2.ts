/** Finds files by the roots of their trees (BEP 52). @module */

import { formatHex } from '../base/bytes.ts';
import { HASH_LENGTH } from '../base/merkle.ts';
import type { Hashers, HashPart } from '../runtime/ports.ts';
import { forEachAtOnce } from './at-once.ts';
import type { Findings, Hunt } from './search-hunt.ts';
import { piecesHashesOf, rootOf } from './verify-judge.ts';

/** Bytes of a run, unless a piece is longer. */
const RUN_BYTES: number = 4 * 1024 * 1024;

/** Wanted files of one size, which may be any of the same candidates. */
interface SizeGroup {
  readonly length: number;
  /** By root in hex. */
  readonly wanted: Map<string, number[]>;
  /** Hashes of first pieces in hex; `undefined` when one of them is not known. */
  firsts: Set<string> | undefined;
}

/** Hashes files of the right name first, then each other one once: its root says what it is. */
export async function findByRoots(hunt: Hunt, digests: Hashers): Promise<Findings> {
  const { wanted, pace } = hunt;
  const found = new Map<number, string>();
  const search = async (files: readonly number[], paths: readonly string[]): Promise<void> => {
    const group = groupOf(hunt, files);
    await forEachAtOnce(paths, pace, async (path) => {
      if (group.wanted.size === 0 || !(await beginsRight(hunt, group, path))) return;
      const root = await rootOfFile(hunt, digests, { path, length: group.length });
      if (root === undefined) return;
      for (const file of group.wanted.get(root) ?? []) found.set(file, path);
      group.wanted.delete(root);
    });
  };
  await forEachAtOnce(wanted, pace, (file) => search([file], hunt.namesakes(file)));
  const left = Map.groupBy(
    wanted.filter((file) => !found.has(file)),
    (file) => hunt.metainfo.files[file]?.length ?? 0,
  );
  for (const files of left.values()) await search(files, hunt.candidates(files[0] ?? -1));
  return { found, candidates: new Map() };
}

function groupOf({ metainfo }: Hunt, files: readonly number[]): SizeGroup {
  const length = metainfo.files[files[0] ?? -1]?.length ?? 0;
  const group: SizeGroup = { length, wanted: new Map(), firsts: new Set() };
  for (const file of files) {
    const root = formatHex(metainfo.files[file]?.piecesRoot ?? new Uint8Array());
    const same = group.wanted.get(root);
    if (same === undefined) group.wanted.set(root, [file]);
    else same.push(file);
    const hashes = piecesHashesOf(metainfo, file);
    if (hashes === undefined) group.firsts = undefined;
    else group.firsts?.add(formatHex(hashes.subarray(0, HASH_LENGTH)));
  }
  return group;
}

/** Whether the first piece is that of a wanted file: most that are none of them end here. */
async function beginsRight(hunt: Hunt, group: SizeGroup, path: string): Promise<boolean> {
  const { pieceLength } = hunt.metainfo;
  const { length, firsts } = group;
  if (firsts === undefined || length <= pieceLength) return true;
  const first = await rootsOf(hunt, { path, position: 0, length: pieceLength });
  return first !== undefined && firsts.has(formatHex(first));
}

/** In hex; `undefined` for a file that cannot be read. */
async function rootOfFile(
  hunt: Hunt,
  digests: Hashers,
  { path, length }: { readonly path: string; readonly length: number },
): Promise<string | undefined> {
  const { pieceLength } = hunt.metainfo;
  const layer = new Uint8Array(Math.ceil(length / pieceLength) * HASH_LENGTH);
  const step = Math.max(1, Math.floor(RUN_BYTES / pieceLength)) * pieceLength;
  const starts = Array.from({ length: Math.ceil(length / step) }, (_, at) => at * step);
  let isReadable = true;
  await forEachAtOnce(starts, hunt.pace, async (position) => {
    if (!isReadable) return;
    const part = { path, position, length: Math.min(step, length - position) };
    const roots = await rootsOf(hunt, { ...part, alone: length <= pieceLength });
    if (roots === undefined) isReadable = false;
    else layer.set(roots, (position / pieceLength) * HASH_LENGTH);
  });
  if (!isReadable) return undefined;
  return formatHex(length <= pieceLength ? layer : rootOf(layer, pieceLength, digests));
}

async function rootsOf(hunt: Hunt, part: HashPart): Promise<Uint8Array | undefined> {
  const { pieceLength } = hunt.metainfo;
  const hashed = await hunt.hash({ parts: [part], pieceLength, sha1: false, sha256: true });
  return hashed.faults.length > 0 ? undefined : hashed.roots;
}
