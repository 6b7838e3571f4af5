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
  readonly onPeer: (peer: Endpoint) => void;
  /** A search has ended: how many peers were named, and how many nodes took the announce. */
  readonly onRound: (peers: number, stored: number) => void;
  readonly onBug: (error: unknown) => void;
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
    const { clock } = this.#options;
    const { signal } = this.#stopping;
    for (;;) {
      const found = await this.#round();
      await pause(clock, found ? INTERVAL_MS : LONELY_MS, signal);
    }
  }

  /** Returns whether any peer was found. */
  async #round(): Promise<boolean> {
    const { dht, infoHash, port, isSeed, onPeer, onRound } = this.#options;
    const results = await dht.findPeers(infoHash, {
      signal: this.#stopping.signal,
      noSeed: isSeed(),
      announce: { port, seed: isSeed() },
      onPeer,
    });
    const peers = results.reduce((sum, result) => sum + result.peers.length, 0);
    const writes = results.flatMap((result) => result.writes);
    onRound(peers, writes.filter(({ outcome }) => outcome === 'stored').length);
    return peers > 0;
  }
}

/** libtorrent's `dht_announce_interval`. */
const INTERVAL_MS: Millis = 15 * 60_000;
/** While nobody is known: nodes may have been out of reach, peers come in time. */
const LONELY_MS: Millis = 60_000;
