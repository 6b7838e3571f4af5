/**
 * Sessions of torrents: download, resume and seed (BEP 3), from .torrent files and magnets (BEP 9),
 * over TCP and uTP (BEP 29), with trackers (BEP 12), the DHT (BEP 5), local discovery (BEP 14), fast
 * extension (BEP 6), extension protocol (BEP 10) and encryption (MSE).
 *
 * Not here: PEX, web seeds.
 *
 * @module
 */

export type { SessionLpd } from './discovery.ts';
export type { EncryptionMode } from './encryption.ts';
export type { TorrentEvent, TorrentState, TorrentStats } from './events.ts';
export type { FoundMetadata, MetadataSearch, MetadataSearchOptions } from './metadata-search.ts';
export type { TorrentOptions, TorrentSource, VerifyMode } from './options.ts';
export { Session, type SessionOptions } from './session.ts';
export type { Torrent } from './torrent.ts';
export type { TransportMode } from './transports.ts';
