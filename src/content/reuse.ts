/**
 * Hashes of torrents that exist already, for content that is the same: nothing has to be hashed but
 * a sample.
 *
 * @module
 */

import { concatBytes, equalBytes, formatHex } from '../base/bytes.ts';
import { HASH_LENGTH } from '../base/merkle.ts';
import { SHA1_LENGTH } from '../base/sha.ts';
import { LayoutMap } from '../disk/index.ts';
import type { FileEntry, InfoPlan, Metainfo, PlannedFile } from '../metainfo/index.ts';
import type { HashedRun, Runtime } from '../runtime/ports.ts';
import { forEachAtOnce } from './at-once.ts';
import { type ContentHashes, type HashContentOptions } from './hash.ts';
import { hashKindsOf, hashRunOf, type PieceRun, pieceRuns } from './runs.ts';

/** Pieces hashed to see that the content is really the same, spread over all of it. */
const SAMPLE = 32;

/** A torrent whose hashes are those of the content, as far as the sample shows. */
export interface Reuse {
  readonly from: Metainfo;
  readonly hashes: ContentHashes;
}

/**
 * The first candidate with the same files, sizes and piece length of which a sample of pieces agrees
 * with the disk: the first and the last piece, and {@link SAMPLE} in between.
 */
export async function reuseHashes(
  runtime: Pick<Runtime, 'hashers'>,
  candidates: readonly Metainfo[],
  options: HashContentOptions,
): Promise<Reuse | undefined> {
  for (const from of candidates) {
    const hashes = hashesFrom(from, options.plan);
    if (hashes !== undefined && (await sampleAgrees(runtime, hashes, options))) {
      return { from, hashes };
    }
  }
  return undefined;
}

/** The hashes that the plan needs; `undefined` when the torrent is of other files or lacks some. */
function hashesFrom(from: Metainfo, plan: InfoPlan): ContentHashes | undefined {
  const { version } = plan.draft;
  if (from.pieceLength !== plan.pieceLength) return undefined;
  if (version !== 'v2' && (from.pieces === undefined || !isSameSpace(from.files, plan.files))) {
    return undefined;
  }
  const v1 = version === 'v2' || from.pieces === undefined ? {} : { pieces: from.pieces };
  if (version === 'v1') return { ...v1, roots: new Map(), pieceLayers: new Map() };
  const trees = treesFrom(from, plan);
  return trees === undefined ? undefined : { ...v1, ...trees };
}

/** All that SHA-1 is taken of: the same lengths in the same order under the same names. */
function isSameSpace(files: readonly FileEntry[], planned: readonly PlannedFile[]): boolean {
  const a = files.filter(({ length }) => length > 0);
  const b = planned.filter(({ length }) => length > 0);
  return (
    a.length === b.length &&
    a.every((file, at) => {
      const twin = b[at];
      return (
        twin !== undefined &&
        file.length === twin.length &&
        file.padding === twin.padding &&
        (file.padding || nameBelow(file.rawPath ?? file.path) === nameBelow(twin.path))
      );
    })
  );
}

/** The torrent itself may have another name. */
function nameBelow(path: readonly string[]): string {
  return path.slice(1).join('/');
}

function treesFrom(
  from: Metainfo,
  { files, pieceLength }: InfoPlan,
): Pick<ContentHashes, 'roots' | 'pieceLayers'> | undefined {
  const known = new Map(
    from.files
      .filter(({ padding }) => !padding)
      .map((file) => [nameBelow(file.rawPath ?? file.path), file] as const),
  );
  const roots = new Map<number, Uint8Array>();
  const pieceLayers = new Map<string, Uint8Array>();
  for (const [index, { path, length, padding }] of files.entries()) {
    if (padding || length === 0) continue;
    const file = known.get(nameBelow(path));
    if (file?.length !== length || file.piecesRoot === undefined) return undefined;
    roots.set(index, file.piecesRoot);
    if (length <= pieceLength) continue;
    const key = formatHex(file.piecesRoot);
    const layer = from.pieceLayers.get(key);
    if (layer === undefined) return undefined;
    pieceLayers.set(key, layer);
  }
  return { roots, pieceLayers };
}

async function sampleAgrees(
  { hashers }: Pick<Runtime, 'hashers'>,
  hashes: ContentHashes,
  { plan, source, order, signal }: HashContentOptions,
): Promise<boolean> {
  const kinds = hashKindsOf(plan.draft.version);
  const map = new LayoutMap(plan);
  const step = Math.max(1, Math.floor(plan.pieceCount / SAMPLE));
  const totalBytes = Math.min(plan.length, (SAMPLE + 2) * plan.pieceLength);
  await using files = hashers.openFileHashers({ order, totalBytes });
  let agrees = true;
  const wanted = (piece: number): boolean =>
    agrees && (piece % step === 0 || piece === plan.pieceCount - 1);
  await forEachAtOnce(pieceRuns(map, { wanted }), { limit: 2, signal }, async (run) => {
    const result = await files.hash(hashRunOf(map, run.spans, { ...kinds, source }));
    const isSame = result.faults.length === 0 && matches(run, result, { hashes, plan });
    agrees &&= isSame;
  });
  return agrees;
}

function matches(
  run: PieceRun,
  { sha1, roots }: Pick<HashedRun, 'sha1' | 'roots'>,
  { hashes, plan }: { readonly hashes: ContentHashes; readonly plan: InfoPlan },
): boolean {
  const begin = run.first * SHA1_LENGTH;
  const expected = hashes.pieces?.subarray(begin, begin + sha1.length);
  if (expected !== undefined && !equalBytes(sha1, expected)) return false;
  return roots.length === 0 || equalBytes(roots, rootsOf(run, hashes, plan.pieceLength));
}

/** What the trees of a run should be. */
function rootsOf(
  { spans }: PieceRun,
  { roots, pieceLayers }: ContentHashes,
  pieceLength: number,
): Uint8Array {
  const expected: Uint8Array[] = [];
  for (const { file, position, length, padding } of spans) {
    if (padding) continue;
    const root = roots.get(file) ?? new Uint8Array();
    const layer = pieceLayers.get(formatHex(root)) ?? root;
    const from = (position / pieceLength) * HASH_LENGTH;
    const bytes = Math.ceil(length / pieceLength) * HASH_LENGTH;
    expected.push(layer.subarray(from, from + bytes));
  }
  return concatBytes(...expected);
}
