/** Files that systems and programs leave in folders, and that nobody wants in a torrent. @module */

/** Whole names, in lower case. */
const NAMES: ReadonlySet<string> = new Set([
  // Windows: previews, the look of folders, the bin, indexes.
  'thumbs.db',
  'ehthumbs.db',
  'ehthumbs_vista.db',
  'desktop.ini',
  '$recycle.bin',
  'system volume information',
  'zone.identifier',
  // macOS: the look of folders, indexes, bins, resource forks of archives.
  '.ds_store',
  '.appledouble',
  '.lsoverride',
  '.documentrevisions-v100',
  '.fseventsd',
  '.spotlight-v100',
  '.temporaryitems',
  '.trashes',
  '.volumeicon.icns',
  '.apdisk',
  '__macosx',
  'icon\r',
  // Linux: the look of folders (KDE), what fsck found.
  '.directory',
  'lost+found',
  // Network storage of Synology and QNAP: previews, bins, snapshots.
  '@eadir',
  '#recycle',
  '#snapshot',
  '@recycle',
  '@recently-snapshot',
  '.@__thumb',
]);

/** Beginnings of names, in lower case. */
const BEGINNINGS = [
  // Resource forks of macOS on other file systems (AppleDouble).
  '._',
  // Bins of Linux on other volumes, by user.
  '.trash-',
  // Files that were removed while open, on NFS and FUSE.
  '.nfs0',
  '.fuse_hidden',
] as const;

/** Ends of names, in lower case. */
const ENDS = [
  // Windows' mark of what came from the internet, as copies to other systems spell it.
  ':zone.identifier',
  '@synoeastream',
  '@synoresource',
] as const;

/** True for the name of a file or folder that is junk, in any case. */
export function isJunk(name: string): boolean {
  const lower = name.toLowerCase();
  return (
    NAMES.has(lower) ||
    BEGINNINGS.some((beginning) => lower.startsWith(beginning)) ||
    ENDS.some((end) => lower.endsWith(end))
  );
}
