/** What a session needs of a place that keeps the pieces of one torrent. @module */

import type { Bitfield } from '../base/bitfield.ts';
import type { StorageLayout } from './layout.ts';

/** Options of {@link PieceStorage.verify}. */
export interface VerifyOptions {
  readonly signal: AbortSignal;
  /** Bytes judged so far and bytes of all pieces; those that are not read count at once. */
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
  /** Every piece that was read, in any order. Pieces without data are not reported. */
  readonly onPiece?: (piece: number, good: boolean) => void;
  /** What an earlier run left behind: its good pieces are not read again, only the doubtful are. */
  readonly resume?: ResumeState;
}

/** What saved state says about the pieces; pieces in neither set are missing. */
export interface ResumeState {
  /** Good then, and nothing changed since. */
  readonly good: Bitfield;
  /** In files that changed since: to be hashed again. */
  readonly doubtful: Bitfield;
}

/**
 * Keeps the pieces of one torrent. Any number of calls may be under way at once; the caller bounds
 * them. Failures are `StorageError` and leave the storage usable: what failed may be tried again.
 */
export interface PieceStorage extends AsyncDisposable {
  readonly layout: StorageLayout;
  /** Hashes what is there and tells which pieces are good. */
  verify(options: VerifyOptions): Promise<Bitfield>;
  /** Compares a piece in memory with its hash. `data` must not change until it is settled. */
  check(piece: number, data: Uint8Array): Promise<boolean>;
  /** Keeps a whole piece. `data` must not change until it is settled. */
  write(piece: number, data: Uint8Array): Promise<void>;
  /** Fills `into` from byte `begin` of a piece that was written or verified. */
  read(piece: number, begin: number, into: Uint8Array): Promise<void>;
  /** Waits until everything written is on the medium. */
  flush(): Promise<void>;
  /** Makes what has no bytes and completes the files, when all pieces are there. */
  finish(): Promise<void>;
}
