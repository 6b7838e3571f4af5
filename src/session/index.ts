/**
 * Sessions of torrents: download, resume and seed (BEP 3), from .torrent files and magnets (BEP 9),
 * with trackers (BEP 12), the DHT (BEP 5), fast extension (BEP 6) and extension protocol (BEP 10).
 *
 * Not here: encryption, uTP, web seeds.
 *
 * @module
 */

export type { TorrentEvent, TorrentState, TorrentStats } from './events.ts';
export type { FoundMetadata, MetadataSearch, MetadataSearchOptions } from './metadata-search.ts';
export type { TorrentOptions, TorrentSource, VerifyMode } from './options.ts';
export { Session, type SessionOptions } from './session.ts';
export type { Torrent } from './torrent.ts';
