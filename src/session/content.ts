/** The data of one torrent whose metadata is known: storage, what is there, and the way in and out. @module */

import { Bitfield } from '../base/bitfield.ts';
import { formatHex } from '../base/bytes.ts';
import { StorageError } from '../base/errors.ts';
import type { InfoHash } from '../base/ids.ts';
import {
  isStored,
  LayoutMap,
  loadResume,
  type ResumeState,
  removeResume,
  saveResume,
  TorrentStorage,
  v1Hashes,
  v2Hashes,
} from '../disk/index.ts';
import type { Metainfo } from '../metainfo/index.ts';
import type { Geometry } from '../peer/index.ts';
import type { Runtime } from '../runtime/ports.ts';
import { Downloader } from './downloader.ts';
import type { TorrentEvent, TorrentStats } from './events.ts';
import type { TorrentOptions } from './options.ts';
import type { PeerLink } from './peer-link.ts';
import { Uploader } from './uploader.ts';

export interface ContentOptions {
  readonly runtime: Runtime;
  readonly metainfo: Metainfo;
  readonly infoHash: InfoHash;
  readonly torrent: Pick<TorrentOptions, 'root' | 'seedOnly' | 'verify' | 'force'>;
  readonly signal: AbortSignal;
  readonly links: () => Iterable<PeerLink>;
  readonly onEvent: (event: TorrentEvent) => void;
  /** A piece was checked; good ones are in `have` already. */
  readonly onPiece: (piece: number, ok: boolean) => void;
  readonly onLiar: (link: PeerLink, piece: number) => void;
  /** Payload bytes that were sent to some peer. */
  readonly onSent: (bytes: number) => void;
  readonly onStorageError: (error: unknown) => void;
  /** A piece that is there cannot be read for now, or can be again. */
  readonly onServed: (piece: number, served: boolean) => void;
  readonly onBug: (error: unknown) => void;
}

export class Content implements AsyncDisposable {
  readonly metainfo: Metainfo;
  readonly geometry: Geometry;
  readonly have: Bitfield;
  readonly downloader: Downloader;
  readonly uploader: Uploader;
  readonly #options: ContentOptions;
  readonly #storage: TorrentStorage;
  readonly #map: LayoutMap;
  /** Pieces that each file still misses. */
  readonly #missing: Uint32Array;
  #done = 0;

  private constructor(options: ContentOptions, storage: TorrentStorage, have: Bitfield) {
    const { metainfo, runtime, links } = options;
    this.#options = options;
    this.#storage = storage;
    this.#map = new LayoutMap(metainfo);
    this.metainfo = metainfo;
    this.have = have;
    this.geometry = geometryOf(metainfo, this.#map);
    this.#missing = new Uint32Array(metainfo.files.length);
    for (const [index] of metainfo.files.entries()) this.#missing[index] = this.#missingOf(index);
    for (const piece of have) this.#done += this.#payloadOf(piece);
    this.downloader = new Downloader({
      storage,
      geometry: this.geometry,
      pieceLength: metainfo.pieceLength,
      have,
      clock: runtime.clock,
      random: runtime.random,
      allocate: (length) => runtime.hashers.allocate(length),
      links,
      onPiece: (piece, ok) => this.#pieceChecked(piece, ok),
      onLiar: options.onLiar,
      onStorageError: options.onStorageError,
    });
    this.uploader = new Uploader({
      storage,
      have,
      clock: runtime.clock,
      random: runtime.random,
      links,
      isSeeding: () => this.isComplete,
      onSent: options.onSent,
      onStorageError: ({ code, message }) => options.onEvent({ type: 'warning', code, message }),
      onServed: options.onServed,
      onBug: options.onBug,
    });
  }

  /**
   * Looks at what is on disk and hashes what has to be hashed.
   * @throws {StorageError} wrong sizes, unreadable files, unknown hashes.
   */
  static async open(options: ContentOptions): Promise<Content> {
    const { runtime, metainfo, torrent } = options;
    const storage = await TorrentStorage.open(runtime, {
      root: torrent.root,
      layout: metainfo,
      hashes: hashesOf(metainfo),
      force: torrent.force ?? false,
      readOnly: torrent.seedOnly ?? false,
    });
    try {
      return new Content(options, storage, await judgeExisting(options, storage));
    } catch (error) {
      await storage[Symbol.asyncDispose]();
      throw error;
    }
  }

  stats(): Pick<TorrentStats, 'done' | 'piecesDone' | 'pieceCount' | 'wasted'> {
    return {
      done: this.#done,
      piecesDone: this.have.count,
      pieceCount: this.have.length,
      wasted: this.downloader.wasted,
    };
  }

  /** Verified bytes, padding not counted. */
  get done(): number {
    return this.#done;
  }
  get isComplete(): boolean {
    return this.have.isFull;
  }

  /** The last piece is there: makes what has no bytes and forgets the saved state. */
  async finish(): Promise<void> {
    const { runtime, torrent, infoHash } = this.#options;
    if (torrent.seedOnly === true) return;
    await this.downloader.settle();
    await this.#storage.finish();
    for (const file of this.metainfo.files) {
      if (file.length > 0 || file.padding || file.symlink !== undefined) continue;
      this.#options.onEvent({ type: 'file', path: file.path });
    }
    await removeResume(runtime, { root: torrent.root, infoHash });
  }

  /** Waits for what is being written, and notes what is there for the next run. */
  async save(): Promise<void> {
    const { runtime, torrent, infoHash } = this.#options;
    this.downloader.stop();
    await this.downloader.settle();
    if (torrent.seedOnly === true || this.isComplete || this.have.isEmpty) return;
    await saveResume(runtime, {
      root: torrent.root,
      infoHash,
      storage: this.#storage,
      have: this.have,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#storage[Symbol.asyncDispose]();
  }

  #pieceChecked(piece: number, ok: boolean): void {
    if (ok) {
      this.#done += this.#payloadOf(piece);
      this.#countFiles(piece);
    }
    this.#options.onPiece(piece, ok);
  }

  #countFiles(piece: number): void {
    const { files } = this.metainfo;
    const seen = new Set<number>();
    for (const { file } of this.#spansOf(piece)) {
      const entry = files[file];
      if (entry === undefined || !isStored(entry) || seen.has(file)) continue;
      seen.add(file);
      const left = (this.#missing[file] ?? 1) - 1;
      this.#missing[file] = left;
      if (left === 0) this.#options.onEvent({ type: 'file', path: entry.path });
    }
  }

  #missingOf(file: number): number {
    const range = this.#map.piecesOf(file);
    if (range === undefined) return 0;
    let count = 0;
    for (let piece = range.first; piece <= range.last; piece++) if (!this.have.has(piece)) count++;
    return count;
  }

  #payloadOf(piece: number): number {
    let bytes = 0;
    for (const { padding, length } of this.#spansOf(piece)) if (!padding) bytes += length;
    return bytes;
  }

  #spansOf(piece: number): ReturnType<LayoutMap['spans']> {
    const begin = piece * this.metainfo.pieceLength;
    return this.#map.spans(begin, begin + this.geometry.pieceSize(piece));
  }
}

/** Pieces of BEP 3 follow each other without gaps; those of BEP 52 end with each file. */
function geometryOf(metainfo: Metainfo, map: LayoutMap): Geometry {
  const { pieceCount, pieceLength, version } = metainfo;
  if (version === 'v2') return { pieceCount, pieceSize: (piece) => map.pieceSize(piece) };
  const { totalBytes } = map;
  return {
    pieceCount,
    pieceSize: (piece) => Math.min(pieceLength, totalBytes - piece * pieceLength),
  };
}

function hashesOf(metainfo: Metainfo): ReturnType<typeof v1Hashes> {
  const { pieces, files, pieceLayers, pieceLength } = metainfo;
  if (pieces !== undefined) return v1Hashes(pieces);
  const unknown = files.some(
    ({ length, piecesRoot }) =>
      length > pieceLength && piecesRoot !== undefined && !pieceLayers.has(formatHex(piecesRoot)),
  );
  if (unknown) {
    throw new StorageError(
      `${metainfo.name} is a v2 torrent whose piece hashes (piece layers) are not in the metadata; use its .torrent file`,
      { code: 'BIP_PIECE_LAYERS_MISSING' },
    );
  }
  return v2Hashes({ layout: metainfo, pieceLayers });
}

async function judgeExisting(options: ContentOptions, storage: TorrentStorage): Promise<Bitfield> {
  const { metainfo, torrent, signal, onEvent } = options;
  const nothing = new Bitfield(metainfo.pieceCount);
  const { verify = 'auto', seedOnly = false } = torrent;
  if (seedOnly && verify === 'never') {
    nothing.fill();
    return nothing;
  }
  const saved = await savedState(options, storage);
  if (verify === 'never') return saved?.good ?? nothing;
  if (storage.isFresh) return nothing;
  onEvent({ type: 'state', state: 'checking' });
  return storage.verify({
    signal,
    onProgress: (done, total) => onEvent({ type: 'checking', done, total }),
    ...(saved === undefined ? {} : { resume: saved }),
  });
}

async function savedState(
  { runtime, torrent, infoHash }: ContentOptions,
  storage: TorrentStorage,
): Promise<ResumeState | undefined> {
  if (torrent.seedOnly === true || torrent.verify === 'always') return undefined;
  return loadResume(runtime, { root: torrent.root, infoHash, storage });
}
