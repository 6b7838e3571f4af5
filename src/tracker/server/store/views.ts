/** Swarms as others see them: copies, which nothing changes. @module */

import type { SwarmCounts } from '../model.ts';
import { HEADER, INFO_HASH_WORDS, PEER_ID_WORDS } from './layout.ts';
import type { PeerChunks } from './peer-chunks.ts';
import type { FamilyShape } from './size-classes.ts';
import type { Swarms } from './swarms.ts';

/** Views of large swarms come in parts of this many peers. */
export const PEERS_IN_VIEW = 1_000;

export interface PeerView {
  readonly family: 4 | 6;
  /** 4 or 16 bytes. */
  readonly address: Uint8Array;
  readonly port: number;
  /** 20 bytes. */
  readonly peerId: Uint8Array;
  readonly seeding: boolean;
  /** Since its last announce, to a tick exactly. */
  readonly ageSeconds: number;
}

/** A swarm, or a part of it: those of many peers come in several views of one infohash. */
export interface SwarmView {
  /** 20 bytes. */
  readonly infoHash: Uint8Array;
  readonly completed: number;
  readonly peers: readonly PeerView[];
}

/** The numbers of a swarm and its name. */
export interface CountedSwarm extends SwarmCounts {
  readonly infoHash: Uint8Array;
}

/** The peers of one family of a swarm, word for word; filled again for each swarm. */
export class FamilyCopy {
  readonly shape: FamilyShape;
  total = 0;
  seeds = 0;
  hot: Int32Array = new Int32Array(0);
  ids: Int32Array = new Int32Array(0);

  constructor(shape: FamilyShape) {
    this.shape = shape;
  }

  fill(chunks: PeerChunks, record: number): void {
    this.total = chunks.total(record);
    this.seeds = chunks.seeds(record);
    if (this.ids.length < this.total * PEER_ID_WORDS) {
      const room = this.total + (this.total >>> 2);
      this.hot = new Int32Array(room * this.shape.hot);
      this.ids = new Int32Array(room * PEER_ID_WORDS);
    }
    chunks.copy(record, this.hot, this.ids);
  }
}

/** One swarm, filled again for each. */
export class SwarmCopy {
  readonly infoHash: Int32Array = new Int32Array(INFO_HASH_WORDS);
  isThere = false;
  completed = 0;
  /** The tick at which it was copied. */
  tick = 0;
  readonly tickSeconds: number;
  readonly four: FamilyCopy;
  readonly six: FamilyCopy;

  constructor(swarms: Swarms) {
    this.tickSeconds = swarms.handle.tickSeconds;
    this.four = new FamilyCopy(swarms.four.shape);
    this.six = new FamilyCopy(swarms.six.shape);
  }

  /** Copies a record; word 0 stands for none. */
  fill(swarms: Swarms, record: number): void {
    this.isThere = record !== 0;
    if (record === 0) return;
    this.infoHash.set(swarms.words.subarray(record, record + INFO_HASH_WORDS));
    this.completed = swarms.completed(record);
    this.tick = swarms.header(HEADER.tick);
    this.four.fill(swarms.four, record);
    this.six.fill(swarms.six, record);
  }

  counts(): CountedSwarm {
    const seeders = this.four.seeds + this.six.seeds;
    return {
      infoHash: bytesOf(this.infoHash, 0, INFO_HASH_WORDS),
      seeders,
      leechers: this.four.total + this.six.total - seeders,
      completed: this.completed,
    };
  }

  /** Seconds since the last announce of a peer whose last hot word is `stamp`. */
  ageOf(stamp: number): number {
    return ((this.tick - stamp) & 0xffff) * this.tickSeconds;
  }

  /** Views of all peers. */
  *views(): Generator<SwarmView> {
    const infoHash = bytesOf(this.infoHash, 0, INFO_HASH_WORDS);
    const { completed } = this;
    const peers: PeerView[] = [];
    for (const family of [this.four, this.six]) {
      for (let place = 0; place < family.total; place++) {
        peers.push(this.#peerAt(family, place));
        if (peers.length < PEERS_IN_VIEW) continue;
        yield { infoHash, completed, peers: peers.splice(0) };
      }
    }
    if (peers.length > 0 || this.four.total + this.six.total === 0) {
      yield { infoHash, completed, peers };
    }
  }

  #peerAt(family: FamilyCopy, place: number): PeerView {
    const { hot, ids, shape } = family;
    const at = place * shape.hot;
    const stamp = hot[at + shape.hot - 1] ?? 0;
    return {
      family: shape.addressLength === 4 ? 4 : 6,
      address: bytesOf(hot, at, shape.hot - 1),
      port: stamp >>> 16,
      peerId: bytesOf(ids, place * PEER_ID_WORDS, PEER_ID_WORDS),
      seeding: place < family.seeds,
      ageSeconds: this.ageOf(stamp),
    };
  }
}

function bytesOf(words: Int32Array, from: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length * 4);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < length; at++) view.setInt32(at * 4, words[from + at] ?? 0);
  return bytes;
}
