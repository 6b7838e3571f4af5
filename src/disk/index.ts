/**
 * Storage of torrents: where pieces lie in files (BEP 3, BEP 52), padding, links and attributes
 * (BEP 47), their hashes, verification, and the state that lets a download go on after a stop.
 *
 * @module
 */

export { PieceBufferPool } from './buffer-pool.ts';
export { DiskQueue } from './disk-queue.ts';
export { type FileStates, forEachParallel } from './inspect.ts';
export {
  type FileSpan,
  isStored,
  LayoutMap,
  pieceSize,
  type StorageFile,
  type StorageLayout,
} from './layout.ts';
export { assertSafePath, joinPath, linkTarget } from './paths.ts';
export {
  type PieceHashes,
  type V2File,
  type V2Sources,
  v1Hashes,
  v2Hashes,
} from './piece-hashes.ts';
export type { PieceStorage, ResumeState, VerifyOptions } from './piece-storage.ts';
export {
  loadInfo,
  loadResume,
  type ResumePlace,
  type ResumeSource,
  removeResume,
  saveInfo,
  saveResume,
} from './resume.ts';
export { type StorageOptions, TorrentStorage } from './storage.ts';
