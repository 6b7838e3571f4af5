/** What a session and its torrents are told when they are made. @module */

import type { Endpoint } from '../base/endpoint.ts';
import type { PeerId } from '../base/ids.ts';
import type { DhtNode } from '../dht/index.ts';
import type { HandshakeFilter, Reserved } from '../handshake/index.ts';
import type { Lpd } from '../lpd/index.ts';
import type { Magnet } from '../magnet/index.ts';
import type { Metainfo, ParseOptions } from '../metainfo/index.ts';
import type { Encryption } from './encryption.ts';
import type { TorrentEvent } from './events.ts';

/** What names the torrent: all of it, or just enough to find the rest. */
export type TorrentSource =
  | { readonly type: 'metainfo'; readonly metainfo: Metainfo }
  | { readonly type: 'magnet'; readonly magnet: Magnet };

/**
 * Whether existing data is hashed before it is trusted. `auto`: what an earlier run saved is
 * trusted where the files did not change since, all else is hashed. `always`: everything is hashed.
 * `never`: nothing is hashed; a download trusts only what was saved, a seed trusts all.
 */
export type VerifyMode = 'auto' | 'always' | 'never';

export interface TorrentOptions {
  readonly source: TorrentSource;
  /** The folder that holds, or will hold, the torrent's file or folder. */
  readonly root: string;
  /** Existing complete data is served and never changed. */
  readonly seedOnly?: boolean;
  readonly verify?: VerifyMode;
  /** Files of the wrong size are made to fit. */
  readonly force?: boolean;
  /** Peers to call besides those that the source names. */
  readonly peers?: readonly Endpoint[];
  /** Ask the trackers of the source; default true. */
  readonly trackers?: boolean;
  /** Look for peers in the DHT, and announce there, when the session has a node; default true. */
  readonly dht?: boolean;
  /** Announce to the local network, and take its peers, when the session does; default true. */
  readonly lpd?: boolean;
  /** Let peers tell of each other (BEP 11), private torrents excepted; default true. */
  readonly pex?: boolean;
  /** Connections at once; default 80. */
  readonly maxPeers?: number;
  /** How metadata that comes from peers is to be parsed. */
  readonly parse?: ParseOptions;
  readonly onEvent?: (event: TorrentEvent) => void;
}

/** What the torrents of a session share. */
export interface SessionIdentity {
  readonly peerId: PeerId;
  /** Where the session listens; 0 when nobody can call. */
  readonly port: number;
  /** The local address that calls come from; any when absent. */
  readonly bind: string | undefined;
  /** 32 bits for trackers, the same for the whole session. */
  readonly key: number;
  /** For extended handshakes, e.g. `bip 0.1.0`. */
  readonly version: string;
  /** What our handshakes offer; each is served by the peer module. */
  readonly reserved: Reserved;
  /** Whom we have nothing to do with. */
  readonly filter: HandshakeFilter | undefined;
  /** How connections with peers are encrypted. */
  readonly encryption: Encryption;
  /** The session's node of the DHT; none when it takes no part in it. */
  readonly dht: DhtNode | undefined;
  /** Local discovery; none when the session does without, or the machine is on no network. */
  readonly lpd: Lpd | undefined;
  /** Peers are called by uTP, too, so that others can introduce us to those behind NATs (BEP 55). */
  readonly punches: boolean;
  /** UDP port of the node for others; none when it answers nobody (BEP 43). */
  readonly dhtPort: number | undefined;
}
