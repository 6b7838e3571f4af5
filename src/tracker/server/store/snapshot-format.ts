/**
 * Swarms in a file: a line with the version, the time it was written (8 bytes, milliseconds since
 * 1970), then records, each a byte that says what it is and a fixed length of bytes, all big-endian:
 *
 * - id of the store (8), once, before all others; files of before there were ids lack it
 * - swarm: infohash (20 bytes), downloads completed (4)
 * - peer of the swarm before it: address (4 or 16), port (2), 1 for a seed (1), age in seconds (4),
 *   peer id (20)
 * - end: CRC-32 of all bytes before it (4); nothing follows
 *
 * @module
 */

/** What the line begins with; the version follows. */
export const SNAPSHOT_NAME = 'bip tracker swarms ';
export const SNAPSHOT_VERSION = 1;

/** First bytes of records. */
export const TAG = { end: 0x00, swarm: 0x01, id: 0x02, peer4: 0x04, peer6: 0x06 } as const;

export const TIME_LENGTH = 8;
export const ID_LENGTH = 8;
export const SWARM_LENGTH = 24;
export const CHECKSUM_LENGTH = 4;
/** Bytes of a peer beside its address. */
export const PEER_LENGTH = 27;
