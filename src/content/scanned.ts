/** What a scan is asked for, and what it finds. @module */

import type { IgnoreRules } from './ignore.ts';
import type { SortKey } from './sort.ts';

/** A file that is to be in a torrent. */
export interface ScannedFile {
  /** Components below the torrent's name, by `decodeName`; none for a torrent that is this one file. */
  readonly path: readonly string[];
  /** Where it lies on disk. */
  readonly source: string;
  /** Bytes; 0 for a link. */
  readonly length: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
  readonly executable: boolean;
  /** Where a link that is kept leads: components below the torrent's name (BEP 47). */
  readonly symlink?: readonly string[];
}

/**
 * Why something is not in the torrent: its name is hidden or junk; the caller's filter
 * (`excluded`, `output`); an ignore file; links are not wanted; it is a socket, a device or a FIFO;
 * its folder lies deeper than a torrent can say.
 */
export type SkipReason =
  | 'hidden'
  | 'junk'
  | 'excluded'
  | 'ignored'
  | 'symlink'
  | 'special'
  | 'too-deep'
  | 'output';

/** Something that is not in the torrent. A folder stands for all that is in it. */
export interface Skipped {
  /** Where it lies on disk. */
  readonly path: string;
  readonly why: SkipReason;
}

/** The content of a torrent before anything of it was read. */
export interface Scan {
  readonly name: string;
  /** False for a torrent that is one file without a folder. */
  readonly isFolder: boolean;
  /** In the order that was asked for; by path otherwise. Never that of the file system. */
  readonly files: readonly ScannedFile[];
  /** By path. */
  readonly skipped: readonly Skipped[];
  /** Bytes of all files. */
  readonly totalBytes: number;
  /** The inputs, without slashes at their end. */
  readonly roots: readonly string[];
}

/** What becomes of symbolic links below the inputs. The inputs themselves are followed. */
export type SymlinkPolicy = 'follow' | 'keep' | 'skip';

/** `undefined` takes it. Folders are asked first, and what is in one that is left out is not asked. */
export type ScanFilter = (
  /** Components below the torrent's name. */
  path: readonly string[],
  kind: 'file' | 'directory',
) => SkipReason | undefined;

export interface ScanOptions {
  /** Files and folders. Several become one folder, each below its own last component. */
  readonly inputs: readonly string[];
  /** The torrent's name: the last component of the only input by default, required for several. */
  readonly name?: string;
  readonly symlinks: SymlinkPolicy;
  /** Take what begins with a dot. Junk is judged apart. */
  readonly hidden: boolean;
  /** Take what {@link isJunk} knows. */
  readonly junk: boolean;
  readonly filter?: ScanFilter;
  /** Names of files with rules for their folder, later ones stronger; needs `makeIgnore`. */
  readonly ignoreFiles?: readonly string[];
  /** Rules of the text of all ignore files of one folder. */
  readonly makeIgnore?: (text: string) => IgnoreRules;
  /** The order of files: later keys break ties of the ones before, the path breaks the last. */
  readonly sort?: readonly SortKey[];
  /** More files and folders are refused; default {@link MAX_FILES}. */
  readonly maxFiles?: number;
  readonly signal: AbortSignal;
}

/**
 * Files and folders of one scan by default: beyond what any program loads. Links can make endless trees of
 * finite ones without going in a circle.
 */
export const MAX_FILES: number = 2 ** 21;
