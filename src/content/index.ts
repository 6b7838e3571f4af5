/** Torrents of files: finding what is to be in them. @module */

export type { IgnoreRules } from './ignore.ts';
export { isJunk } from './junk.ts';
export { scanContent } from './scan.ts';
export {
  MAX_FILES,
  type Scan,
  type ScanFilter,
  type ScannedFile,
  type ScanOptions,
  type Skipped,
  type SkipReason,
  type SymlinkPolicy,
} from './scanned.ts';
export { compareNames, SORT_FIELDS, type SortKey, sortFiles } from './sort.ts';
