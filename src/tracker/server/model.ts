/** What the parts of the tracker server say to each other. @module */

/** BEP 15 `event`, by its numbers on the wire; HTTP's words mean the same. */
export const EVENT = { none: 0, completed: 1, started: 2, stopped: 3 } as const;
export type EventCode = (typeof EVENT)[keyof typeof EVENT];

/**
 * One announce, after it was parsed. The hot path fills one object again and again, so its bytes are
 * good until the call that gets it returns, and no longer.
 */
export interface IncomingAnnounce {
  /** 20 bytes; v2 infohashes come cut (BEP 52). */
  infoHash: Uint8Array;
  /** 20 bytes. */
  peerId: Uint8Array;
  /** Where peers are to connect: 4 or 16 bytes. An IPv4 address is never written as IPv6. */
  address: Uint8Array;
  /** Who asks, judged by lists and limits, when it is somebody else: 4 or 16 bytes. */
  sender?: Uint8Array | undefined;
  /** Not 0. */
  port: number;
  /** Nothing is left to download. */
  seeding: boolean;
  event: EventCode;
  /** How many peers are wanted, at most; already within the tracker's own limit. */
  numWant: number;
  /** False when the answer needs no peer ids: of large swarms they are costly to collect. */
  withIds?: boolean;
}

/** Numbers of a swarm, of both families of addresses. */
export interface SwarmCounts {
  seeders: number;
  leechers: number;
  /** How many downloads were completed, as the clients say (BEP 48 `downloaded`). */
  completed: number;
}

/**
 * The answer to an announce: written by the store into memory that is used again for the next one.
 *
 * `peers4` holds 6 bytes a peer, `peers6` 18 (BEP 23, 7): the compact form, ready to be sent.
 * `ids4` and `ids6` hold 20 bytes a peer in the same order, for answers in dictionaries.
 */
export interface SwarmAnswer extends SwarmCounts {
  readonly peers4: Uint8Array;
  readonly ids4: Uint8Array;
  /** How many peers of {@link peers4} are filled. */
  count4: number;
  readonly peers6: Uint8Array;
  readonly ids6: Uint8Array;
  count6: number;
}

/** More peers are never given in one answer. */
export const MAX_PEERS_IN_ANSWER = 200;

/** Room for {@link MAX_PEERS_IN_ANSWER} peers of each family. */
export function createAnswer(): SwarmAnswer {
  const room = MAX_PEERS_IN_ANSWER;
  return {
    seeders: 0,
    leechers: 0,
    completed: 0,
    peers4: new Uint8Array(room * 6),
    ids4: new Uint8Array(room * 20),
    count4: 0,
    peers6: new Uint8Array(room * 18),
    ids6: new Uint8Array(room * 20),
    count6: 0,
  };
}

/** Which peers an announce is to be answered with. */
export type Wanted =
  /** Only those of the family of the address it came from: over UDP. */
  | 'same-family'
  /** Those of its family first, the rest of `numWant` from the other one: over HTTP (BEP 7). */
  | 'both-families';

/** Why an announce was not taken. */
export type Refusal =
  /** The infohash is not on the list, or on the list of what is not served. */
  | 'not-listed'
  /** The address is not served. */
  | 'address-denied'
  /** Private mode, and the passkey is missing or unknown. */
  | 'passkey'
  /** The limits on swarms, peers or memory are reached. */
  | 'full'
  /** Too many requests from this address or network. */
  | 'rate'
  /** The store is away and too many requests wait for it already. */
  | 'busy';

/** Swarms that several trackers share; answers come later, and in the form of memory of their own. */
export interface RemoteSwarms extends AsyncDisposable {
  /** False while the store is away: answers come from what this tracker has in its own memory. */
  readonly up: boolean;
  /** How many announces wait for the store. */
  readonly pending: number;
  /**
   * Takes a copy of what it needs of `announce` before it returns. Settles when the store has
   * acknowledged it, or, when the store is away, with what this tracker knows itself; it never rejects.
   */
  announce(announce: IncomingAnnounce, wanted: Wanted): Promise<RemoteAnswer>;
  scrape(infoHashes: readonly Uint8Array[]): Promise<readonly SwarmCounts[]>;
}

export type RemoteAnswer = SwarmAnswer & {
  /** The store was away: the answer holds only what this tracker knows itself. */
  readonly local: boolean;
};
