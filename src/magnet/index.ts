/**
 * Magnet links, reading and writing: BEP 9 (hashes, trackers, `x.pe`), BEP 46 (`urn:btpk:`),
 * BEP 52 (`urn:btmh:`), BEP 53 (`so`).
 *
 * Left out: `as`, `kt`, `mt`, and topics and sources of other networks, which name no torrent.
 *
 * @module
 */

export { formatMagnet } from './format.ts';
export { type Magnet, magnetTiers } from './magnet.ts';
export { MAX_MAGNET_LENGTH, parseMagnet } from './parse.ts';
