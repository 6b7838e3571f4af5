/** How a node of the DHT is opened. @module */

import type { Runtime } from '../runtime/ports.ts';
import type { Family } from './contact.ts';
import type { RealmLimits } from './realm.ts';
import type { Router } from './routers.ts';
import type { DhtState } from './state.ts';

/** What a node touches of the world. */
export type DhtRuntime = Pick<Runtime, 'clock' | 'random' | 'network' | 'lookup'>;

export interface DhtOptions {
  /** Ends what is under way; the node has to be disposed all the same. */
  readonly signal: AbortSignal;
  /** UDP port of all sockets; 0 for any that is free. */
  readonly port: number;
  /** A literal address of each family to bind to; without one, all addresses of {@link families}. */
  readonly hosts?: readonly string[];
  /** Default both; a family that the machine lacks is left out unless it is the only one. */
  readonly families?: readonly Family[];
  /** Whom to begin with; names are looked up when they are needed. */
  readonly bootstrap: readonly Router[];
  /** Answers no queries, and says so (BEP 43): for nodes that live for seconds, or behind a NAT. */
  readonly readOnly: boolean;
  /** 20 bytes: keeps this id whatever address others see. */
  readonly id?: Uint8Array;
  /** Searches ask and write to nodes only whose ids follow from their addresses (BEP 42). */
  readonly onlySecure?: boolean;
  /** One node of an address, few of a network; to be off where all are on one machine. Default true. */
  readonly limitAddresses?: boolean;
  /** Queries of one search at once; default {@link DEFAULT_ALPHA}. */
  readonly alpha?: number;
  /** Saved by an earlier run. */
  readonly state?: DhtState;
  readonly limits?: Partial<RealmLimits>;
  readonly stores?: Partial<StoreLimits>;
  readonly onEvent?: (event: DhtEvent) => void;
}

/** How much is kept for others. */
export interface StoreLimits {
  readonly maxTorrents: number;
  readonly maxPeersPerTorrent: number;
  /** Of all torrents. */
  readonly maxPeers: number;
  readonly maxItems: number;
}

/** What happens to a node. */
export type DhtEvent =
  /** It knows its neighbours now. */
  | { readonly type: 'joined'; readonly family: Family; readonly nodes: number }
  /** Nobody answers; it is tried again. */
  | { readonly type: 'alone'; readonly family: Family }
  /** Others agree on where they see it. */
  | { readonly type: 'address'; readonly family: Family; readonly host: string };

/** BEP 5 leaves it open; Kademlia has 3, libtorrent 5. */
export const DEFAULT_ALPHA = 5;
