/** Looks for the peers of one torrent in the DHT, and announces it there, as long as it lives. @module */

import type { Endpoint } from '../base/endpoint.ts';
import type { DhtNode } from '../dht/index.ts';
import { pause } from '../runtime/aborting.ts';
import type { Clock, Millis } from '../runtime/ports.ts';

export interface DhtAnnouncerOptions {
  readonly dht: DhtNode;
  readonly clock: Clock;
  /** 20 bytes. */
  readonly infoHash: Uint8Array;
  /** Where peers can call us. */
  readonly port: number;
  readonly isSeed: () => boolean;
  /** Nobody is connected who could give us something. */
  readonly isLonely: () => boolean;
  readonly onPeer: (peer: Endpoint) => void;
  /** Tell the DHT that we are a peer, too. */
  readonly announces: boolean;
  readonly onRound: (round: DhtRound) => void;
  readonly onBug: (error: unknown) => void;
}

/** What one search came to. */
export interface DhtRound {
  /** Peers that were named. */
  readonly peers: number;
  /** Nodes that answered. */
  readonly answered: number;
  /** Nodes that took the announce. */
  readonly stored: number;
}

export class DhtAnnouncer implements AsyncDisposable {
  readonly #options: DhtAnnouncerOptions;
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;

  constructor(options: DhtAnnouncerOptions) {
    this.#options = options;
    this.#running = this.#run().catch((error: unknown) => {
      if (!this.#stopping.signal.aborted) options.onBug(error);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort(new Error('the torrent was stopped'));
    await this.#running;
  }

  async #run(): Promise<void> {
    let alone = 0;
    let lonely = 0;
    for (;;) {
      const { answered } = await this.#round();
      alone = answered === 0 ? alone + 1 : 0;
      if (alone > 0) {
        await this.#pause(Math.min(ALONE_MS * 2 ** (alone - 1), LONELY_MS));
      } else {
        await this.#pause(LONELY_MS);
        lonely = this.#options.isLonely() ? lonely + 1 : 0;
        await this.#restOf(lonely);
      }
    }
  }

  /** Waits on until a search is due: sooner while nobody is there, less and less soon. */
  async #restOf(lonely: number): Promise<void> {
    const soon = LONELY_MS * 2 ** (lonely - 1);
    for (let waited = LONELY_MS; waited < INTERVAL_MS; waited += LONELY_MS) {
      if (this.#options.isLonely() && waited >= soon) return;
      await this.#pause(LONELY_MS);
    }
  }

  #pause(ms: Millis): Promise<void> {
    return pause(this.#options.clock, ms, this.#stopping.signal);
  }

  async #round(): Promise<DhtRound> {
    const { dht, infoHash, port, isSeed, announces, onPeer, onRound } = this.#options;
    const results = await dht.findPeers(infoHash, {
      signal: this.#stopping.signal,
      noSeed: isSeed(),
      announce: announces ? { port, seed: isSeed() } : undefined,
      onPeer,
    });
    const writes = results.flatMap((result) => result.writes);
    const round = {
      peers: results.reduce((sum, result) => sum + result.peers.length, 0),
      answered: results.reduce((sum, { lookup }) => sum + lookup.answered, 0),
      stored: writes.filter(({ outcome }) => outcome === 'stored').length,
    };
    onRound(round);
    return round;
  }
}

/** libtorrent's `dht_announce_interval`. */
const INTERVAL_MS: Millis = 15 * 60_000;
/** Until the next search while no peer is there, doubling; a part of {@link INTERVAL_MS}. */
const LONELY_MS: Millis = 60_000;
/** Until the next search while no node answers, doubling: peers that are called tell of theirs. */
const ALONE_MS: Millis = 5_000;
