/** Torrents of files: finding what is to be in them. @module */

export {
  type ArrangeMethod,
  type ArrangeOptions,
  arrange,
  type PlacedAs,
  type Placement,
  planArrangement,
} from './arrange.ts';
export { placeholders } from './checksums.ts';
export {
  type CreatedTorrent,
  type CreateOptions,
  createFromStream,
  createTorrent,
  type InfoSettings,
  planScan,
} from './create.ts';
export type { IgnoreRules } from './ignore.ts';
export { isJunk } from './junk.ts';
export { scanContent } from './scan.ts';
export {
  type Scan,
  type ScanFilter,
  type ScannedFile,
  type ScanOptions,
  type Skipped,
  type SkipReason,
  type SymlinkPolicy,
} from './scanned.ts';
export { type SearchOptions, type SearchResult, searchContent } from './search.ts';
export { SORT_FIELDS, type SortKey, sortFiles } from './sort.ts';
export {
  type Verification,
  type VerifyOptions,
  type VerifyWarning,
  verifyContent,
} from './verify.ts';
export { type ContentPlace, type FoundPlace, findPlace, placeOf, topOf } from './verify-place.ts';
export type { BadPiece, FileRange, FileState, VerifiedFile } from './verify-report.ts';
