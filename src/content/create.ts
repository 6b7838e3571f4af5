/** Makes torrents of files and of streams (BEP 3, BEP 47, BEP 52). @module */

import {
  type DraftFile,
  encodeInfo,
  encodeTorrent,
  type InfoDraft,
  type InfoPlan,
  type Metainfo,
  planInfo,
  type SurroundingsDraft,
} from '../metainfo/index.ts';
import type { DigestAlgorithm, ReadOrder, Runtime } from '../runtime/ports.ts';
import { type Checksums, checksumsOf } from './checksums.ts';
import { type ContentHashes, type ContentSource, hashContent } from './hash.ts';
import { reuseHashes } from './reuse.ts';
import type { Scan, ScannedFile } from './scanned.ts';
import { hashStream } from './stream.ts';

/** What a torrent says besides its files. */
export type InfoSettings = Omit<InfoDraft, 'files' | 'name'>;

export interface CreateOptions {
  /** The files, as they were found. */
  readonly scan: Scan;
  readonly info: InfoSettings;
  /** What `planScan` made of both, where it was asked already and there are no checksums. */
  readonly plan?: InfoPlan;
  readonly surroundings: SurroundingsDraft;
  /** As many as there are cores by default. */
  readonly threads?: number;
  readonly order: ReadOrder;
  /** Torrents that may be of the same content: their hashes are taken when a sample agrees. */
  readonly reuse?: readonly Metainfo[];
  /** Checksums of each file as a whole; everything is read twice then. */
  readonly checksums?: readonly DigestAlgorithm[];
  readonly signal: AbortSignal;
  /** Bytes of content hashed so far and in all. */
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
}

export interface CreatedTorrent {
  /** The .torrent. */
  readonly bytes: Uint8Array;
  readonly plan: InfoPlan;
  /** The torrent whose hashes were taken. */
  readonly reused?: Metainfo;
}

/**
 * Where everything will lie, before anything is hashed.
 *
 * @param checksums of each file, by its index
 * @throws {UsageError} as `planInfo`
 */
export function planScan(
  { name, files }: Scan,
  info: InfoSettings,
  checksums?: (file: number) => Checksums | undefined,
): InfoPlan {
  return planInfo({
    ...info,
    name,
    files: files.map((file, at) => {
      const own = file.symlink === undefined ? checksums?.(at) : undefined;
      return own === undefined ? draftFile(file) : { ...draftFile(file), checksums: own };
    }),
  });
}

/**
 * Hashes what was found and writes the torrent.
 *
 * @throws {UsageError} for content that no torrent can hold, see `planInfo`.
 * @throws {StorageError} naming the file that is missing, cannot be read, or changes meanwhile.
 */
export async function createTorrent(
  runtime: Pick<Runtime, 'hashers'>,
  options: CreateOptions,
): Promise<CreatedTorrent> {
  const { scan, reuse = [], checksums = [], onProgress } = options;
  const passes = checksums.length > 0 ? 2 : 1;
  const totalBytes = scan.totalBytes * passes;
  const before = totalBytes - scan.totalBytes;
  const progressFrom = (begin: number) => (done: number) => onProgress?.(begin + done, totalBytes);
  const plan = await planWithChecksums(runtime, options, progressFrom(0));
  const job = {
    ...limitsOf(options),
    plan,
    source: (file: number): ContentSource => sourceOf(scan.files[plan.files[file]?.draft ?? -1]),
    onProgress: progressFrom(before),
  };
  const reused = await reuseHashes(runtime, reuse, job);
  const hashes = reused?.hashes ?? (await hashContent(runtime, job));
  const bytes = encode(plan, hashes, options.surroundings);
  return { bytes, plan, ...(reused === undefined ? {} : { reused: reused.from }) };
}

async function planWithChecksums(
  runtime: Pick<Runtime, 'hashers'>,
  options: CreateOptions,
  onProgress: (doneBytes: number) => void,
): Promise<InfoPlan> {
  const { scan, info, checksums: algorithms = [] } = options;
  if (algorithms.length === 0) return options.plan ?? planScan(scan, info);
  const limits = limitsOf(options);
  const found = await checksumsOf(runtime, scan, { ...limits, algorithms, onProgress });
  return planScan(scan, info, (file) => found[file]);
}

function limitsOf({
  order,
  signal,
  threads,
}: CreateOptions): Pick<CreateOptions, 'order' | 'signal' | 'threads'> {
  return { order, signal, ...(threads === undefined ? {} : { threads }) };
}

export interface CreateFromStreamOptions {
  readonly name: string;
  readonly content: AsyncIterable<Uint8Array>;
  readonly info: InfoSettings;
  readonly surroundings: SurroundingsDraft;
  readonly signal: AbortSignal;
  /** Bytes hashed so far. */
  readonly onProgress?: (doneBytes: number) => void;
}

/**
 * A torrent of one file whose content comes from elsewhere, e.g. standard input.
 *
 * @throws {UsageError} for an empty stream, and as `planInfo`.
 */
export async function createFromStream(
  { hashers }: Pick<Runtime, 'hashers'>,
  options: CreateFromStreamOptions,
): Promise<CreatedTorrent> {
  const { name, content, info, surroundings, signal, onProgress } = options;
  // A piece length that is no good is found before anything is read.
  planInfo({ ...info, name, files: [{ path: [], length: 1 }] });
  const { length, root, ...hashes } = await hashStream(hashers, content, {
    version: info.version,
    pieceLength: info.pieceLength,
    signal,
    ...(onProgress === undefined ? {} : { onProgress }),
  });
  const plan = planInfo({ ...info, name, files: [{ path: [], length }] });
  const roots = new Map(root === undefined ? [] : [[0, root]]);
  return { bytes: encode(plan, { ...hashes, roots }, surroundings), plan };
}

function draftFile({ path, length, executable, symlink }: ScannedFile): DraftFile {
  if (symlink === undefined) return { path, length, executable };
  // Links have all permissions on most systems, and libtorrent notes that: so the infohash is the same.
  return { path, length, executable: true, symlink };
}

function sourceOf(file: ScannedFile | undefined): ContentSource {
  const { source = '', length = 0, modified = 0 } = file ?? {};
  return { path: source, expected: { size: length, modified } };
}

function encode(
  plan: InfoPlan,
  hashes: ContentHashes,
  surroundings: SurroundingsDraft,
): Uint8Array {
  return encodeTorrent(encodeInfo(plan, hashes), surroundings, hashes.pieceLayers);
}
