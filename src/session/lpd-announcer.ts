/** Announces one torrent to the local network (BEP 14), and takes the peers that are there, as long as it lives. @module */

import { type Endpoint, formatEndpoint } from '../base/endpoint.ts';
import type { Lpd } from '../lpd/index.ts';

export interface LpdAnnouncerOptions {
  readonly lpd: Lpd;
  /** 20 bytes. */
  readonly infoHash: Uint8Array;
  /** Told again whenever a peer is heard again: one that was given up may be there after all. */
  readonly onPeer: (peer: Endpoint) => void;
  readonly onNote: (message: string) => void;
}

/** Peers that are told apart for notes. */
const MAX_NOTED = 100;

export class LpdAnnouncer implements Disposable {
  readonly #options: LpdAnnouncerOptions;
  readonly #noted = new Set<string>();
  readonly #leave: () => void;

  constructor(options: LpdAnnouncerOptions) {
    this.#options = options;
    this.#leave = options.lpd.join(options.infoHash, (peer) => this.#meet(peer));
  }

  [Symbol.dispose](): void {
    this.#leave();
  }

  #meet(peer: Endpoint): void {
    const name = formatEndpoint(peer);
    if (!this.#noted.has(name) && this.#noted.size < MAX_NOTED) {
      this.#noted.add(name);
      this.#options.onNote(`the local network has a peer at ${name}`);
    }
    this.#options.onPeer(peer);
  }
}
