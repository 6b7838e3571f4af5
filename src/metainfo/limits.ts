/** How much a torrent may ask of us. What is beyond is refused, never cut. @module */

/** Bytes of a .torrent that somebody else sends, e.g. over HTTP (libtorrent's default). */
export const MAX_REMOTE_TORRENT_BYTES = 10_000_000;

/**
 * Bytes of a .torrent that the user has on disk: room for the hashes of a hybrid with
 * {@link MAX_PIECES} pieces (2^21 × (20 + 32) bytes) beside its list of files.
 */
export const MAX_LOCAL_TORRENT_BYTES: number = 128 * 2 ** 20;

/** Bytes of an info dictionary that comes from peers (BEP 9). */
export const MAX_METADATA_BYTES = 31_457_280;

/** Levels of bencode nesting. */
export const MAX_NESTING = 100;

/** Values in the bencode of a torrent. */
export const MAX_TOKENS = 3_000_000;

/** Pieces of one torrent. */
export const MAX_PIECES: number = 2 ** 21;

/** Leaves of the Merkle trees of BEP 52, and what a piece length of v2 is a multiple of: 16 KiB. */
export const BLOCK_LENGTH = 16_384;

/** Bytes of a piece. */
export const MAX_PIECE_LENGTH: number = 32_767 * BLOCK_LENGTH;

/** Where the last file may end. */
export const MAX_TOTAL_LENGTH: number = 2 ** 48 - 1;

/** Blocks of one file of v2, so that every node of its tree has an index below 2^31. */
export const MAX_V2_FILE_BLOCKS: number = 2 ** 30 - 1;

/** Folders in which a file may lie, one in the other. */
export const MAX_DEPTH = 100;

/** Attempts to find free names, over all files of a torrent. */
export const MAX_DUPLICATES = 500;

/** Trackers, web seeds, nodes, similar torrents and collections: so many of each are kept. */
export const MAX_LISTED = 1000;
