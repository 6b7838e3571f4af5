/** What a torrent is to say, before it is laid out and hashed. @module */

import type { Endpoint } from '../base/endpoint.ts';
import type { InfoHash } from '../base/ids.ts';
import type { BencodeInput } from '../bencode/index.ts';
import type { Version } from './metainfo.ts';

/** Keys beyond those that have a field; `undefined` leaves a key out. They win over the fields. */
export type ExtraKeys = ReadonlyMap<string, BencodeInput | undefined>;

/** A file of a torrent that is to be made. */
export interface DraftFile {
  /** Components below the torrent's name, by `decodeName`; none for a torrent that is this one file. */
  readonly path: readonly string[];
  /** Bytes; 0 for a symlink. */
  readonly length: number;
  /** BEP 47 `x`. */
  readonly executable?: boolean;
  /** BEP 47 `h`. */
  readonly hidden?: boolean;
  /** BEP 47 `l`: where the link leads, components below the torrent's name. */
  readonly symlink?: readonly string[];
  /** Further keys of the file, e.g. `md5sum`: in the entry of v1, and in the leaf of v2. */
  readonly checksums?: Readonly<Record<string, string | Uint8Array>>;
}

/** The info dictionary that is to be made. */
export interface InfoDraft {
  readonly name: string;
  readonly version: Version;
  /** Bytes; for v2 and hybrid a power of two from 16 KiB (BEP 52). */
  readonly pieceLength: number;
  readonly files: readonly DraftFile[];
  /** v1 only: padding, so that every file begins with a piece (BEP 47). v2 and hybrid always have it. */
  readonly align?: boolean;
  /** BEP 27; written as 0 when false. */
  readonly private?: boolean;
  readonly source?: string;
  /** BEP 38. */
  readonly similar?: readonly InfoHash[];
  /** BEP 38. */
  readonly collections?: readonly string[];
  /** BEP 39. */
  readonly updateUrl?: string;
  readonly extra?: ExtraKeys;
}

/** What is to stand beside the info dictionary. */
export interface SurroundingsDraft {
  /** Trackers by tier (BEP 12). */
  readonly announce?: readonly (readonly string[])[];
  /** BEP 19. */
  readonly webSeeds?: readonly string[];
  /** BEP 17. */
  readonly httpSeeds?: readonly string[];
  /** BEP 5. */
  readonly nodes?: readonly Endpoint[];
  readonly comment?: string;
  readonly createdBy?: string;
  /** Seconds since 1970. */
  readonly creationDate?: number;
  readonly encoding?: string;
  readonly extra?: ExtraKeys;
}

/** A file or a gap where it will lie. */
export interface PlannedFile {
  /** The torrent's name first, by `decodeName`. */
  readonly path: readonly string[];
  readonly length: number;
  /** In the space of pieces, in bytes. */
  readonly offset: number;
  readonly padding: boolean;
  readonly executable?: boolean;
  readonly symlink?: readonly string[];
  /** Index in the files of the draft; missing for padding. */
  readonly draft?: number;
}

/** Where everything lies, before anything is hashed. A layout for storage. */
export interface InfoPlan {
  readonly draft: InfoDraft;
  /** In their final order, padding of v1 and hybrid among them. */
  readonly files: readonly PlannedFile[];
  readonly pieceLength: number;
  readonly pieceCount: number;
  /** Bytes of content, padding not counted. */
  readonly length: number;
}

/** What hashing gives. */
export interface InfoHashes {
  /** v1 and hybrid: SHA-1 of each piece, 20 bytes each. */
  readonly pieces?: Uint8Array;
  /** v2 and hybrid: the root of each file that is not empty, by its index in the plan. */
  readonly roots?: ReadonlyMap<number, Uint8Array>;
}
