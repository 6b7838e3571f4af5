/** Hashes files that are to become a torrent, on all cores, each byte read once (BEP 3, BEP 52). @module */

import { formatHex } from '../base/bytes.ts';
import { invariant } from '../base/errors.ts';
import { HASH_LENGTH, merkleRoot, paddingHash, treeWidth } from '../base/merkle.ts';
import { SHA1_LENGTH } from '../base/sha.ts';
import { LayoutMap } from '../disk/index.ts';
import { BLOCK_LENGTH, type InfoPlan, type PlannedFile } from '../metainfo/index.ts';
import type { HashedRun, Hashers, HashPart, ReadOrder, Runtime } from '../runtime/ports.ts';
import { forEachAtOnce, runsAtOnce } from './at-once.ts';
import { contentBytes, hashKindsOf, hashRunOf, type PieceRun, pieceRuns } from './runs.ts';

/** Where the content of a planned file is, and what it looked like when it was found. */
export interface ContentSource {
  readonly path: string;
  readonly expected: NonNullable<HashPart['expected']>;
}

export interface HashContentOptions {
  readonly plan: InfoPlan;
  /** Of a file of the plan, by its index; padding is never asked for. */
  readonly source: (file: number) => ContentSource;
  readonly threads?: number;
  readonly order: ReadOrder;
  readonly signal: AbortSignal;
  /** Bytes of content hashed so far and in all. */
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
}

export interface ContentHashes {
  /** v1 and hybrid: SHA-1 of each piece, 20 bytes each. */
  readonly pieces?: Uint8Array;
  /** v2 and hybrid: the root of each file that is not empty, by its index in the plan. */
  readonly roots: ReadonlyMap<number, Uint8Array>;
  /** v2 and hybrid: the hashes of the pieces of files with more than one, by root in hex. */
  readonly pieceLayers: ReadonlyMap<string, Uint8Array>;
}

/**
 * One pass over all content.
 *
 * @throws {StorageError} naming the file that is missing, cannot be read, or changes meanwhile
 * (`BIP_FILE_CHANGED`, `BIP_FILE_SHORT`); the reason of `signal` when cancelled.
 */
export async function hashContent(
  { hashers }: Pick<Runtime, 'hashers'>,
  options: HashContentOptions,
): Promise<ContentHashes> {
  const { plan, source, order, signal, onProgress } = options;
  const kinds = hashKindsOf(plan.draft.version);
  const map = new LayoutMap(plan);
  const totalBytes = plan.length;
  const collected = new Collected(plan, hashers);
  const threads = options.threads === undefined ? {} : { threads: options.threads };
  await using files = hashers.openFileHashers({ ...threads, order, totalBytes });
  let done = 0;
  onProgress?.(0, totalBytes);
  const runs = pieceRuns(map, { runBytes: files.runBytes, ignorePadding: !kinds.sha1 });
  await forEachAtOnce(runs, { limit: runsAtOnce(files), signal }, async (run) => {
    const result = await files.hash(hashRunOf(map, run.spans, { ...kinds, source }));
    const [fault] = result.faults;
    if (fault !== undefined) throw fault.error;
    collected.add(run, result);
    done += contentBytes(run.spans);
    onProgress?.(done, totalBytes);
  });
  return collected.finish();
}

/** The hashes as they come, in any order. */
class Collected {
  readonly #plan: InfoPlan;
  readonly #hashers: Hashers;
  readonly #pieces: Uint8Array | undefined;
  readonly #layers = new Map<number, Uint8Array>();

  constructor(plan: InfoPlan, hashers: Hashers) {
    const isV2 = plan.draft.version === 'v2';
    this.#plan = plan;
    this.#hashers = hashers;
    this.#pieces = isV2 ? undefined : new Uint8Array(plan.pieceCount * SHA1_LENGTH);
  }

  add({ first, spans }: PieceRun, { sha1, roots }: HashedRun): void {
    this.#pieces?.set(sha1, first * SHA1_LENGTH);
    if (this.#plan.draft.version === 'v1') return;
    const { pieceLength } = this.#plan;
    let at = 0;
    for (const { file, position, length, padding } of spans) {
      if (padding) continue;
      const bytes = Math.ceil(length / pieceLength) * HASH_LENGTH;
      this.#layerOf(file).set(
        roots.subarray(at, at + bytes),
        (position / pieceLength) * HASH_LENGTH,
      );
      at += bytes;
    }
    invariant(at === roots.length, `${roots.length} bytes of roots where ${at} belong`);
  }

  finish(): ContentHashes {
    const { pieceLength } = this.#plan;
    const hash = (bytes: Uint8Array): Uint8Array => this.#hashers.digestSync('sha256', [bytes]);
    const padding = paddingHash(Math.log2(pieceLength / BLOCK_LENGTH), { hash });
    const roots = new Map<number, Uint8Array>();
    const pieceLayers = new Map<string, Uint8Array>();
    for (const [file, layer] of this.#layers) {
      const pieces = layer.length / HASH_LENGTH;
      if (pieces === 1) {
        roots.set(file, layer);
        continue;
      }
      const root = merkleRoot(layer, treeWidth(pieces), { hash, padding });
      roots.set(file, root);
      pieceLayers.set(formatHex(root), layer);
    }
    const pieces = this.#pieces === undefined ? {} : { pieces: this.#pieces };
    return { ...pieces, roots, pieceLayers };
  }

  #layerOf(file: number): Uint8Array {
    const known = this.#layers.get(file);
    if (known !== undefined) return known;
    const { length }: Pick<PlannedFile, 'length'> = this.#plan.files[file] ?? { length: 0 };
    const layer = new Uint8Array(Math.ceil(length / this.#plan.pieceLength) * HASH_LENGTH);
    this.#layers.set(file, layer);
    return layer;
  }
}
