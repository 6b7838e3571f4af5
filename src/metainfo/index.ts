/**
 * Torrent files, reading and writing: BEP 3, 5 (nodes), 12 (tiers), 17 and 19 (web seeds),
 * 27 (private), 38 (similar, collections), 39 (update-url), 47 (padding, attributes, symlinks),
 * 52 (v2 and hybrids, piece layers checked).
 *
 * Left out: BEP 30 (Merkle torrents of v1, superseded), BEP 35 (signatures).
 *
 * @module
 */

export {
  HASH_LENGTH,
  merkleRoot,
  type Sha256,
  type TreeOptions,
} from '../base/merkle.ts';
export { encodeMetainfo, type MetainfoDraft } from './build.ts';
export type {
  DraftFile,
  ExtraKeys,
  InfoDraft,
  InfoHashes,
  InfoPlan,
  PlannedFile,
  SurroundingsDraft,
} from './draft.ts';
export { type EditedTorrent, editTorrent, type TorrentEdits, textEdits } from './edit.ts';
export type { KeyChange, KeyEdit } from './edit-splice.ts';
export { encodeInfo } from './encode-info.ts';
export { encodeTorrent, torrentSize } from './encode-torrent.ts';
export {
  BLOCK_LENGTH,
  MAX_LOCAL_TORRENT_BYTES,
  MAX_METADATA_BYTES,
  MAX_NESTING,
  MAX_PIECE_LENGTH,
  MAX_PIECES,
  MAX_REMOTE_TORRENT_BYTES,
} from './limits.ts';
export type {
  FileEntry,
  Metainfo,
  Surroundings,
  Version,
  Warning,
  WarningCode,
} from './metainfo.ts';
export { type NameLint, nameLints, type PathClash, pathClashes } from './name-lints.ts';
export { type ParseOptions, parseInfo, parseMetainfo } from './parse.ts';
export { type PathOptions, sanitizeComponent } from './path.ts';
export {
  choosePieceLength,
  type PieceLengthRow,
  pieceLengthForCount,
  pieceLengthForTorrentSize,
  pieceLengthTable,
  suitablePieceLength,
} from './piece-length.ts';
export { planInfo } from './plan.ts';
