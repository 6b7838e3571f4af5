/** What a torrent tells whoever started it. @module */

import type { Metainfo } from '../metainfo/index.ts';

/** `checking` hashes what is on disk, `metadata` waits for the info dictionary (BEP 9). */
export type TorrentState = 'metadata' | 'checking' | 'downloading' | 'seeding' | 'stopped';

export type TorrentEvent =
  | { readonly type: 'state'; readonly state: TorrentState }
  | { readonly type: 'metadata'; readonly metainfo: Metainfo }
  /** Bytes of the data on disk judged so far. */
  | { readonly type: 'checking'; readonly done: number; readonly total: number }
  | { readonly type: 'piece'; readonly piece: number; readonly ok: boolean }
  /** All pieces of a file are there; `path` has the components below the output folder. */
  | { readonly type: 'file'; readonly path: readonly string[] }
  | { readonly type: 'warning'; readonly code: string; readonly message: string }
  /** For `--verbose`: who came, who went, which tracker said what. */
  | { readonly type: 'note'; readonly message: string };

/** A look at a torrent at one moment; sizes in bytes. */
export interface TorrentStats {
  readonly state: TorrentState;
  /** Verified, padding not counted. */
  readonly done: number;
  /** 0 while the metadata is unknown. */
  readonly total: number;
  readonly piecesDone: number;
  readonly pieceCount: number;
  readonly downloadBytesPerSecond: number;
  readonly uploadBytesPerSecond: number;
  /** Connected. */
  readonly peers: number;
  /** Connected and complete. */
  readonly seeds: number;
  /** Payload received in this run, useful or not. */
  readonly downloaded: number;
  /** Payload sent in this run. */
  readonly uploaded: number;
  /** Payload received that was of no use: twice, unasked, or of a piece that failed. */
  readonly wasted: number;
}

/** The part of it that concerns peers. */
export type SwarmStats = Pick<
  TorrentStats,
  'downloadBytesPerSecond' | 'uploadBytesPerSecond' | 'peers' | 'seeds' | 'downloaded' | 'uploaded'
>;
