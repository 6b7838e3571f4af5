/**
 * What a stopped download leaves in `<root>/.bip` to go on later: which pieces were good, with the
 * sizes and times of the files then, and the metadata of a magnet. Only saves time: whatever is
 * missing, damaged or does not match the disk is ignored and hashed again.
 *
 * @module
 */

import { Bitfield } from '../base/bitfield.ts';
import { equalBytes } from '../base/bytes.ts';
import { BipError, StorageError } from '../base/errors.ts';
import type { InfoHash } from '../base/ids.ts';
import { type BencodeNode, decode, encode } from '../bencode/index.ts';
import type { Files, Runtime } from '../runtime/ports.ts';
import type { FileStates } from './inspect.ts';
import { isStored, LayoutMap, type PieceRange, type StorageLayout } from './layout.ts';
import { joinPath, STATE_FOLDER } from './paths.ts';
import type { ResumeState } from './piece-storage.ts';

/** Version of the format; others are ignored. */
const VERSION = 1;

/** Bytes of a saved state beside its bits and its files. */
const FRAME_BYTES = 4096;
/** Bytes of a saved state for each file: two integers of at most 20 bytes. */
const FILE_BYTES = 40;
/** Tokens beside the files: keys, their values and the lists themselves. */
const FRAME_TOKENS = 32;

/** Metadata larger than this is not kept; libtorrent's limit for what peers send (31,457,280). */
const MAX_INFO_BYTES = 30 * 1024 * 1024;

/** Which download, and where. */
export interface ResumePlace {
  /** The output folder. */
  readonly root: string;
  readonly infoHash: InfoHash;
}

/** What saving and loading need of a storage; a `TorrentStorage` is one. */
export interface ResumeSource {
  readonly layout: StorageLayout;
  readonly states: FileStates;
  /** Pieces of which a write was begun. */
  readonly begun: Bitfield;
  flush(): Promise<void>;
}

/**
 * Saves which pieces are good. Waits until their data is on the medium first, so that not even a
 * power cut makes the saved state claim more than there is; `have` is taken as it is at the call.
 *
 * @throws {StorageError} when it cannot be written.
 */
export async function saveResume(
  { files }: Pick<Runtime, 'files'>,
  options: ResumePlace & { readonly storage: ResumeSource; readonly have: Bitfield },
): Promise<void> {
  const { root, infoHash, storage, have } = options;
  const saved = Bitfield.fromBytes(have.bytes, have.length) ?? new Bitfield(have.length);
  await storage.flush();
  const { layout, states, begun } = storage;
  // Their bytes may lie in files that will look unchanged, though nobody vouches for them yet.
  const unsure = new Bitfield(layout.pieceCount);
  for (const piece of begun) if (!saved.has(piece)) unsure.add(piece);
  const bytes = encode({
    bitfield: saved.bytes,
    'info hash': infoHash.bytes,
    'piece length': layout.pieceLength,
    pieces: layout.pieceCount,
    sizes: Array.from(states.sizes),
    times: Array.from(states.modified, microseconds),
    unsure: unsure.bytes,
    version: VERSION,
  });
  await files.makeDirectory(joinPath(root, [STATE_FOLDER]));
  await files.writeFile(statePath(options, 'resume'), bytes);
}

/**
 * What is known of the pieces from an earlier run, for `storage.verify`. To be called before
 * anything is written. Pieces of files whose size or time changed since are doubtful. `undefined`
 * when there is no saved state, or none for this torrent that can be read.
 */
export async function loadResume(
  { files }: Pick<Runtime, 'files'>,
  options: ResumePlace & { readonly storage: Pick<ResumeSource, 'layout' | 'states'> },
): Promise<ResumeState | undefined> {
  const { layout, states } = options.storage;
  const maxBytes =
    FRAME_BYTES + Math.ceil(layout.pieceCount / 4) + FILE_BYTES * layout.files.length;
  const bytes = await readIfUsable(files, statePath(options, 'resume'), maxBytes);
  if (bytes === undefined) return undefined;
  const saved = parseResume(bytes, layout, options.infoHash);
  return saved === undefined ? undefined : judge(saved, layout, states);
}

/** Removes what was saved of a download, and the folder for it when that is empty then. */
export async function removeResume(
  { files }: Pick<Runtime, 'files'>,
  place: ResumePlace,
): Promise<void> {
  await files.remove(statePath(place, 'resume'));
  await files.remove(statePath(place, 'info'));
  const folder = joinPath(place.root, [STATE_FOLDER]);
  if ((await files.statLink(folder))?.kind !== 'directory') return;
  if ((await files.list(folder)).length > 0) return;
  try {
    await files.remove(folder);
  } catch (error) {
    // Another download put its state there meanwhile.
    if (!(error instanceof StorageError)) throw error;
  }
}

/** Saves the raw `info` dictionary of a magnet. @throws {StorageError} when it cannot be written. */
export async function saveInfo(
  { files }: Pick<Runtime, 'files'>,
  options: ResumePlace & { readonly info: Uint8Array },
): Promise<void> {
  await files.makeDirectory(joinPath(options.root, [STATE_FOLDER]));
  await files.writeFile(statePath(options, 'info'), options.info);
}

/** The raw `info` dictionary that was saved; `undefined` when there is none with this hash. */
export async function loadInfo(
  { files, hashers }: Pick<Runtime, 'files' | 'hashers'>,
  place: ResumePlace,
): Promise<Uint8Array | undefined> {
  const info = await readIfUsable(files, statePath(place, 'info'), MAX_INFO_BYTES);
  if (info === undefined) return undefined;
  const algorithm = place.infoHash.version === 'v1' ? 'sha1' : 'sha256';
  const digest = await hashers.digest(algorithm, [info]);
  return equalBytes(digest, place.infoHash.bytes) ? info : undefined;
}

interface SavedState {
  readonly have: Bitfield;
  readonly unsure: Bitfield;
  readonly sizes: readonly number[];
  readonly times: readonly number[];
}

function parseResume(
  bytes: Uint8Array,
  layout: StorageLayout,
  infoHash: InfoHash,
): SavedState | undefined {
  const root = decodeStrictly(bytes, FRAME_TOKENS + 2 * layout.files.length);
  if (root === undefined || !isFor(root, layout, infoHash)) return undefined;
  const have = bits(root.get('bitfield'), layout.pieceCount);
  const unsure = bits(root.get('unsure'), layout.pieceCount);
  const sizes = numbers(root.get('sizes'), layout.files.length);
  const times = numbers(root.get('times'), layout.files.length);
  if (have === undefined || unsure === undefined) return undefined;
  if (sizes === undefined || times === undefined) return undefined;
  return { have, unsure, sizes, times };
}

function isFor(root: BencodeNode, layout: StorageLayout, infoHash: InfoHash): boolean {
  const hash = root.get('info hash')?.asBytes() ?? new Uint8Array();
  return (
    equalBytes(hash, infoHash.bytes) &&
    root.get('version')?.asNumber() === VERSION &&
    root.get('piece length')?.asNumber() === layout.pieceLength &&
    root.get('pieces')?.asNumber() === layout.pieceCount
  );
}

function decodeStrictly(bytes: Uint8Array, maxTokens: number): BencodeNode | undefined {
  try {
    return decode(bytes, { strict: true, maxDepth: 2, maxTokens });
  } catch (error) {
    if (error instanceof BipError) return undefined;
    throw error;
  }
}

function bits(node: BencodeNode | undefined, count: number): Bitfield | undefined {
  const bytes = node?.asBytes();
  return bytes === undefined ? undefined : Bitfield.fromBytes(bytes, count);
}

function numbers(node: BencodeNode | undefined, count: number): readonly number[] | undefined {
  if (node?.kind !== 'list' || node.length !== count) return undefined;
  const values: number[] = [];
  for (const item of node.items()) {
    const value = item.asNumber();
    if (value === undefined) return undefined;
    values.push(value);
  }
  return values;
}

function judge(saved: SavedState, layout: StorageLayout, states: FileStates): ResumeState {
  const map = new LayoutMap(layout);
  const good = saved.have;
  const doubtful = new Bitfield(layout.pieceCount);
  // Pieces of nothing but padding have no file that could vouch for them, and cost no reading.
  doubtful.fill();
  const changed: PieceRange[] = [];
  for (const [index, file] of layout.files.entries()) {
    const range = isStored(file) ? map.piecesOf(index) : undefined;
    if (range === undefined) continue;
    for (let piece = range.first; piece <= range.last; piece++) doubtful.delete(piece);
    if (!isUnchanged(index, file.length, { saved, states })) changed.push(range);
  }
  for (const { first, last } of changed) {
    for (let piece = first; piece <= last; piece++) doubtful.add(piece);
  }
  for (const piece of saved.unsure) doubtful.add(piece);
  for (const piece of doubtful) good.delete(piece);
  return { good, doubtful };
}

/** False also for a file that is not whole: it holds nothing to be trusted, whatever was saved. */
function isUnchanged(
  index: number,
  length: number,
  { saved, states }: { readonly saved: SavedState; readonly states: FileStates },
): boolean {
  const size = states.sizes[index];
  const time = microseconds(states.modified[index] ?? 0);
  return size === length && saved.sizes[index] === size && saved.times[index] === time;
}

/** Times are saved as integers; file systems that count finer than this are rounded. */
function microseconds(milliseconds: number): number {
  return Math.round(milliseconds * 1000);
}

function statePath({ root, infoHash }: ResumePlace, kind: 'resume' | 'info'): string {
  return joinPath(root, [STATE_FOLDER, `${infoHash.hex}.${kind}`]);
}

async function readIfUsable(
  files: Files,
  path: string,
  maxBytes: number,
): Promise<Uint8Array | undefined> {
  try {
    return await files.readFile(path, { maxBytes });
  } catch (error) {
    if (error instanceof StorageError) return undefined;
    throw error;
  }
}
