/** What a thread has to know to serve. @module */

import type { AccessLists } from './access.ts';
import type { HttpLimits } from './http-limits.ts';
import type { Refusal } from './model.ts';
import type { NetworkSetHandle } from './network-set.ts';
import type { TrackerPlaces } from './sockets.ts';
import type { StoreHandle } from './store/index.ts';
import type { TrackerOptions } from './tracker.ts';

/** Plain data and shared memory: it goes to other threads as a message. */
export interface TrackerSetup {
  readonly store: StoreHandle;
  /** The counters of all threads, and which row is this one's. */
  readonly counters: ArrayBufferLike;
  readonly row: number;
  /** 16 bytes, the same for all: any thread knows the connection ids that another one gave. */
  readonly connectionKey: Uint8Array;
  readonly access: AccessLists;
  readonly answers: Omit<TrackerOptions, 'trustedProxies'>;
  readonly trustedProxies?: NetworkSetHandle;
  /** Requests a second of one address, from this thread; no limit when left out. */
  readonly requestsPerSecond?: number;
  readonly fullScrape: boolean;
  readonly places: TrackerPlaces;
  /** Of each socket. */
  readonly httpLimits: HttpLimits;
  /** Swarms are shared with other trackers. */
  readonly shared?: SharedSwarmsAt;
  /** Every announce is told. */
  readonly logAnnounces: boolean;
}

/** A store that several trackers share. */
export interface SharedSwarmsAt {
  /** `redis://…`; may hold a password. */
  readonly url: string;
  /** What all keys there begin with. */
  readonly prefix: string;
}

/** One announce, told. */
export interface AnnounceNote {
  readonly event: 'announce' | 'started' | 'completed' | 'stopped';
  /** 20 bytes, in hex. */
  readonly infoHash: string;
  /** `host:port` as other peers get it. */
  readonly peer: string;
  readonly seeding: boolean;
  readonly transport: 'http' | 'udp';
  /** Why it was not taken. */
  readonly refused?: Refusal;
}
