/** The events of `download` and `seed`, as cli.md and the README promise them to scripts. @module */

import type { Metainfo } from '../../src/metainfo/index.ts';
import type { TorrentEvent, TorrentStats } from '../../src/session/index.ts';

export interface ProgressEvent {
  readonly type: 'progress';
  readonly done: number;
  readonly total: number;
  readonly downloadBytesPerSecond: number;
  readonly uploadBytesPerSecond: number;
  readonly peers: number;
  readonly seeds: number;
  readonly etaSeconds?: number;
}

export interface EndEvent {
  readonly type: 'end';
  readonly complete: boolean;
  /** The file or folder of the torrent. */
  readonly path: string;
  readonly done: number;
  readonly total: number;
  readonly downloaded: number;
  readonly uploaded: number;
  readonly wasted: number;
  /** Connections that `--blocklist` prevented. */
  readonly blocked?: number;
  readonly elapsedMs: number;
}

export type TransferEvent =
  | ProgressEvent
  | EndEvent
  | { readonly type: 'metadata'; readonly [field: string]: unknown }
  | { readonly type: 'seeding'; readonly [field: string]: unknown }
  | { readonly type: 'piece'; readonly piece: number; readonly ok: boolean }
  | { readonly type: 'file'; readonly path: string }
  | { readonly type: 'warning'; readonly code: string; readonly message: string };

function metadataEvent(metainfo: Metainfo): TransferEvent {
  const { infoHash, infoHashV2, name, length, pieceLength, pieceCount, files } = metainfo;
  return {
    type: 'metadata',
    ...(infoHash === undefined ? {} : { infoHash: infoHash.hex }),
    ...(infoHashV2 === undefined ? {} : { infoHashV2: infoHashV2.hex }),
    name,
    length,
    pieceLength,
    pieceCount,
    files: files
      .filter(({ padding }) => !padding)
      .map((file) => ({ path: file.path.join('/'), length: file.length })),
  };
}

export function progressEvent(stats: TorrentStats): ProgressEvent {
  const { done, total, peers, seeds } = stats;
  const downloadBytesPerSecond = Math.round(stats.downloadBytesPerSecond);
  const left = total - done;
  return {
    type: 'progress',
    done,
    total,
    downloadBytesPerSecond,
    uploadBytesPerSecond: Math.round(stats.uploadBytesPerSecond),
    peers,
    seeds,
    ...(left > 0 && downloadBytesPerSecond > 0
      ? { etaSeconds: Math.ceil(left / downloadBytesPerSecond) }
      : {}),
  };
}

/** What of a torrent's events becomes a line of its own; pieces only when asked for. */
export function eventOf(event: TorrentEvent, pieces: boolean): TransferEvent | undefined {
  switch (event.type) {
    case 'metadata':
      return metadataEvent(event.metainfo);
    case 'piece':
      return pieces ? event : undefined;
    case 'file':
      return { type: 'file', path: event.path.join('/') };
    case 'warning':
      return event;
    default:
      return undefined;
  }
}
