/** What a torrent says, after all rules were checked. @module */

import type { Endpoint } from '../base/endpoint.ts';
import type { InfoHash } from '../base/ids.ts';

/** One file, folder link or gap of a torrent, in the order of the piece space. */
export interface FileEntry {
  /**
   * Safe components relative to the output folder. The torrent's name is the first part, or the
   * only one of a torrent that is a single file. No two files share a path, whatever the case.
   */
  readonly path: readonly string[];
  /** What the torrent really calls it, by `decodeName`, when that is not `path`. Not safe. */
  readonly rawPath?: readonly string[];
  /** Bytes; 0 for symlinks. */
  readonly length: number;
  /** Where it begins in the piece space, in bytes; files of v2 begin with a piece. */
  readonly offset: number;
  /** Zeros between files (BEP 47), never written. May share its path with others of its length. */
  readonly padding: boolean;
  readonly executable: boolean;
  readonly hidden: boolean;
  /** What a symlink points to, in the same form as `path`; itself when the target was no good. */
  readonly symlink?: readonly string[];
  /** Root of the file's Merkle tree (BEP 52), 32 bytes; not for empty files. */
  readonly piecesRoot?: Uint8Array;
}

/** Something odd that does not keep a torrent from working. */
export interface Warning {
  /** Stable name, e.g. `path-changed`. */
  readonly code: WarningCode;
  readonly message: string;
}

export type WarningCode =
  | 'duplicate-path'
  | 'limit'
  | 'malformed-field'
  | 'name-changed'
  | 'path-changed'
  | 'piece-layers-missing'
  | 'piece-layers-needless'
  | 'symlink-target'
  | 'trailing-bytes'
  | 'unsorted-keys'
  | 'unsupported-url'
  | 'v1-incomplete';

export type Version = 'v1' | 'v2' | 'hybrid';

/** What stands in a torrent outside of its info dictionary, all of it changeable by anybody. */
export interface Surroundings {
  /** Trackers by tier (BEP 12). */
  readonly announce: readonly (readonly string[])[];
  /** BEP 19; those of torrents with several files end with a slash. */
  readonly webSeeds: readonly string[];
  /** BEP 17. */
  readonly httpSeeds: readonly string[];
  /** DHT nodes to start from (BEP 5); hosts may be names. */
  readonly nodes: readonly Endpoint[];
  readonly comment?: string;
  readonly createdBy?: string;
  /** Seconds since 1970. */
  readonly creationDate?: number;
}

export interface Metainfo extends Surroundings {
  /** Safe as a file name. */
  readonly name: string;
  readonly version: Version;
  readonly infoHash?: InfoHash;
  readonly infoHashV2?: InfoHash;
  /** Bytes. */
  readonly pieceLength: number;
  readonly pieceCount: number;
  /** Bytes of content, padding not counted. */
  readonly length: number;
  readonly private: boolean;
  /** `private` as written: `undefined` when the key is missing, false for anything but 1. */
  readonly privateFlag?: boolean;
  readonly files: readonly FileEntry[];
  /** `source`: where trackers ask to make the infohash their own. */
  readonly source?: string;
  /** Infohashes of torrents that share files (BEP 38). */
  readonly similar: readonly InfoHash[];
  /** Names of collections that it belongs to (BEP 38). */
  readonly collections: readonly string[];
  /** Where newer versions are announced (BEP 39). */
  readonly updateUrl?: string;
  /** The info dictionary as it came: a view of what was parsed. Infohashes are taken of it. */
  readonly infoBytes: Uint8Array;
  /** SHA-1 of each piece, 20 bytes each; missing in v2. A view. */
  readonly pieces?: Uint8Array;
  /** By pieces root in hex: the hashes of a file's pieces, 32 bytes each (BEP 52). Views. */
  readonly pieceLayers: ReadonlyMap<string, Uint8Array>;
  readonly warnings: readonly Warning[];
}
