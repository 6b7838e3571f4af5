/** The info dictionary of one torrent: fetched from peers when unknown, served when known (BEP 9). @module */

import type { InfoHash } from '../base/ids.ts';
import { METADATA_PIECE_LENGTH, MetadataFetch, type MetadataMessage } from '../peer/index.ts';
import type { Clock } from '../runtime/ports.ts';
import type { PeerLink } from './peer-link.ts';

/** A peer for which more bytes wait is not given metadata: it would have to read first. */
const MAX_QUEUED = 1_048_576;

export interface MetadataExchangeOptions {
  readonly clock: Clock;
  /** What the dictionary must match; the v1 hash where there are both. */
  readonly infoHash: InfoHash;
  /** The raw dictionary when it is known. */
  readonly info: Uint8Array | undefined;
  /** It was fetched and matches the infohash. */
  readonly onComplete: (info: Uint8Array) => void;
  readonly onLiar: (link: PeerLink) => void;
}

export class MetadataExchange {
  readonly #options: MetadataExchangeOptions;
  readonly #fetch: MetadataFetch<PeerLink>;
  #info: Uint8Array | undefined;

  constructor(options: MetadataExchangeOptions) {
    this.#options = options;
    this.#info = options.info;
    this.#fetch = new MetadataFetch(options.infoHash);
  }

  /** Bytes of the dictionary, for our extended handshake; `undefined` while unknown. */
  get size(): number | undefined {
    return this.#info?.length;
  }

  /** Bytes of the dictionary that have come, and all; `undefined` while nobody has offered it. */
  get progress(): { readonly done: number; readonly total: number } | undefined {
    return this.#fetch.progress;
  }

  /** The link told in its extended handshake whether it has the dictionary. */
  onHandshake(link: PeerLink): void {
    const size = link.connection.handshake?.metadataSize;
    if (this.#info !== undefined || size === undefined) return;
    if (!link.connection.takes('ut_metadata')) return;
    this.#fetch.offer(link, size);
    this.ask(link);
  }

  removeLink(link: PeerLink): void {
    this.#fetch.withdraw(link);
  }

  onMessage(link: PeerLink, message: MetadataMessage): void {
    if (message.type === 'request') return this.#serve(link, message.piece);
    if (this.#info !== undefined) return;
    if (message.type === 'reject') {
      this.#fetch.rejected(link, message.piece, this.#options.clock.now());
      return;
    }
    const progress = this.#fetch.data(link, message);
    if (progress.type === 'complete') {
      this.#info = progress.info;
      this.#options.onComplete(progress.info);
    } else if (progress.type === 'corrupt') {
      for (const liar of progress.liars) this.#options.onLiar(liar);
    } else this.ask(link);
  }

  /** Asks the link for what is missing. */
  ask(link: PeerLink): void {
    if (this.#info !== undefined) return;
    for (;;) {
      const piece = this.#fetch.next(link, this.#options.clock.now());
      if (piece === undefined) break;
      link.connection.sendMetadata({ type: 'request', piece });
    }
    link.flush();
  }

  /** To be called about every second. */
  tick(links: Iterable<PeerLink>): void {
    if (this.#info !== undefined) return;
    this.#fetch.expire(this.#options.clock.now());
    for (const link of links) this.ask(link);
  }

  #serve(link: PeerLink, piece: number): void {
    const info = this.#info;
    const begin = piece * METADATA_PIECE_LENGTH;
    if (info === undefined || begin >= info.length || link.stream.queuedBytes > MAX_QUEUED) {
      link.connection.sendMetadata({ type: 'reject', piece });
    } else {
      const data = info.subarray(begin, begin + METADATA_PIECE_LENGTH);
      link.connection.sendMetadata({ type: 'data', piece, totalSize: info.length, data });
    }
    link.flush();
  }
}
