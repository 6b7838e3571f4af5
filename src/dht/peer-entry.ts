/** A peer as it lies in memory: a few words of 32 bits. @module */

import { readUint32 } from '../base/uint32.ts';
import { placesOf } from './bloom.ts';
import type { Family } from './contact.ts';

/** Where things lie in an entry, in words; the address comes first. */
export interface EntryShape {
  readonly family: Family;
  /** Bytes in compact form (BEP 23, BEP 7). */
  readonly compactBytes: 6 | 18;
  readonly addressWords: 1 | 4;
  /** Leading words that name a host: of IPv6 a network of 64 bits, all of which one host can have. */
  readonly hostWords: 1 | 2;
  /** Port in the upper half, and 1 when the peer is a seed. */
  readonly port: 1 | 4;
  /** Seconds at which it was announced last. */
  readonly time: 2 | 5;
  /** Its places in a bloom: a SHA-1 for every peer of every scrape would be too much. */
  readonly bloom: 3 | 6;
  /** Words of an entry. */
  readonly words: 4 | 7;
}

export const ENTRY_SHAPES: Readonly<Record<Family, EntryShape>> = {
  4: {
    family: 4,
    compactBytes: 6,
    addressWords: 1,
    hostWords: 1,
    port: 1,
    time: 2,
    bloom: 3,
    words: 4,
  },
  6: {
    family: 6,
    compactBytes: 18,
    addressWords: 4,
    hostWords: 2,
    port: 4,
    time: 5,
    bloom: 6,
    words: 7,
  },
};

/** An entry outside of any set: the one that is announced. */
export class PeerEntry {
  readonly shape: EntryShape;
  readonly words: Int32Array;
  #peer: Uint8Array = new Uint8Array(0);

  constructor(family: Family) {
    this.shape = ENTRY_SHAPES[family];
    this.words = new Int32Array(this.shape.words);
  }

  /** The 4 or 16 bytes of its address, a view of what was read. */
  get ip(): Uint8Array {
    return this.#peer.subarray(0, this.shape.compactBytes - 2);
  }

  /** Becomes the peer of a compact form; {@link complete} has to follow before it is added. */
  read(peer: Uint8Array, seed: boolean, seconds: number): void {
    const { words, shape } = this;
    this.#peer = peer;
    for (let word = 0; word < shape.addressWords; word++) words[word] = readUint32(peer, 4 * word);
    const at = shape.compactBytes - 2;
    words[shape.port] = ((peer[at] ?? 0) << 24) | ((peer[at + 1] ?? 0) << 16) | (seed ? 1 : 0);
    words[shape.time] = seconds;
  }

  /** Computes what only entries that are kept need. */
  complete(): void {
    this.words[this.shape.bloom] = placesOf(this.ip);
  }
}
