/** Which peers announced which torrents with us (BEP 5), for counting (BEP 33) and samples (BEP 51). @module */

import type { Millis, Random } from '../runtime/ports.ts';
import { PeerBloom } from './bloom.ts';
import type { Family } from './contact.ts';
import { PeerSet } from './peer-set.ts';

export interface PeerStoreOptions {
  readonly random: Random;
  /** {@link MAX_TORRENTS} by default. */
  readonly maxTorrents?: number | undefined;
  /** In each family; {@link MAX_PEERS} by default. */
  readonly maxPeersPerTorrent?: number | undefined;
}

interface Torrent {
  readonly infoHash: Uint8Array;
  readonly key: string;
  readonly sets: Partial<Record<Family, PeerSet>>;
  /** Where it stands in the list. */
  place: number;
}

export interface PeerSample {
  readonly family: Family;
  /** Leave out seeds. */
  readonly noSeed: boolean;
  readonly maxCount: number;
}

export class PeerStore {
  readonly #random: Random;
  readonly #maxTorrents: number;
  readonly #maxPeers: number;
  readonly #byHash = new Map<string, Torrent>();
  /** The same without order, to choose at random. */
  readonly #list: Torrent[] = [];
  readonly #views: Readonly<Record<Family, readonly Uint8Array[]>>;
  readonly #scratch: Readonly<Record<Family, Uint8Array>>;
  #peers = 0;

  constructor({
    random,
    maxTorrents = MAX_TORRENTS,
    maxPeersPerTorrent = MAX_PEERS,
  }: PeerStoreOptions) {
    this.#random = random;
    this.#maxTorrents = Math.max(1, maxTorrents);
    this.#maxPeers = Math.max(1, maxPeersPerTorrent);
    this.#scratch = {
      4: new Uint8Array(MAX_SAMPLE * SIZE[4]),
      6: new Uint8Array(MAX_SAMPLE * SIZE[6]),
    };
    this.#views = { 4: viewsOf(this.#scratch[4], SIZE[4]), 6: viewsOf(this.#scratch[6], SIZE[6]) };
  }

  /** How many torrents have peers. */
  get torrents(): number {
    return this.#list.length;
  }

  /** Peers of all torrents, among them some that are too old by now. */
  get peers(): number {
    return this.#peers;
  }

  /** Bytes of memory that peers take, about; torrents take some 300 more each. */
  get bytes(): number {
    let bytes = 0;
    for (const { sets } of this.#list) bytes += (sets[4]?.bytes ?? 0) + (sets[6]?.bytes ?? 0);
    return bytes;
  }

  has(infoHash: Uint8Array): boolean {
    return this.#byHash.has(keyOf(infoHash));
  }

  /**
   * Takes in a peer, 6 or 18 bytes, for {@link LIFETIME_MS}. When there are too many torrents, the one
   * with the fewest peers of a few makes room: whoever makes up infohashes pushes out what others made up.
   */
  announce(
    infoHash: Uint8Array,
    peer: Uint8Array,
    { seed }: { readonly seed: boolean },
    now: Millis,
  ): void {
    const torrent = this.#byHash.get(keyOf(infoHash)) ?? this.#add(infoHash);
    const family = peer.length === SIZE[4] ? 4 : 6;
    const set = torrent.sets[family] ?? new PeerSet(SIZE[family], this.#random);
    torrent.sets[family] = set;
    this.#peers += set.announce(peer, seed, now, this.#maxPeers);
  }

  /** Peers chosen at random, in compact form; views that are valid until the next call. */
  sample(infoHash: Uint8Array, how: PeerSample, now: Millis): readonly Uint8Array[] {
    const { family, noSeed, maxCount } = how;
    const set = this.#byHash.get(keyOf(infoHash))?.sets[family];
    if (set === undefined || maxCount <= 0) return NONE;
    const max = Math.min(maxCount, MAX_SAMPLE);
    const count = set.sample(this.#scratch[family], max, { noSeed, now, maxAgeMs: LIFETIME_MS });
    return this.#views[family].slice(0, count);
  }

  /** The addresses of both families as filters. */
  blooms(
    infoHash: Uint8Array,
    now: Millis,
  ): { readonly seeds: PeerBloom; readonly peers: PeerBloom } {
    const seeds = new PeerBloom();
    const peers = new PeerBloom();
    const { sets = {} } = this.#byHash.get(keyOf(infoHash)) ?? {};
    for (const set of [sets[4], sets[6]]) {
      set?.forEach(now, LIFETIME_MS, (ip, seed) => (seed ? seeds : peers).insert(ip));
    }
    return { seeds, peers };
  }

  /** Infohashes chosen at random, 20 bytes each one after the other, and how many there are. */
  sampleHashes(count: number): { readonly samples: Uint8Array; readonly total: number } {
    const total = this.#list.length;
    const taken = Math.min(count, total);
    const samples = new Uint8Array(taken * 20);
    for (let front = 0; front < taken; front++) {
      this.#swap(front, front + (this.#random.uint32() % (total - front)));
      const torrent = this.#list[front];
      if (torrent !== undefined) samples.set(torrent.infoHash, front * 20);
    }
    return { samples, total };
  }

  /** Forgets who is too old. */
  sweep(now: Millis): void {
    for (const torrent of [...this.#list]) {
      const { sets } = torrent;
      for (const family of FAMILIES) {
        const set = sets[family];
        this.#peers -= set?.sweep(now, LIFETIME_MS) ?? 0;
        if (set?.size === 0) delete sets[family];
      }
      if (sets[4] === undefined && sets[6] === undefined) this.#drop(torrent);
    }
  }

  #add(infoHash: Uint8Array): Torrent {
    if (this.#list.length >= this.#maxTorrents) this.#dropOne();
    const torrent = {
      infoHash: infoHash.slice(),
      key: keyOf(infoHash),
      sets: {},
      place: this.#list.length,
    };
    this.#list.push(torrent);
    this.#byHash.set(torrent.key, torrent);
    return torrent;
  }

  #dropOne(): void {
    let least: Torrent | undefined;
    for (let tries = 0; tries < TRIES; tries++) {
      const torrent = this.#list[this.#random.uint32() % this.#list.length];
      if (torrent !== undefined && (least === undefined || sizeOf(torrent) < sizeOf(least))) {
        least = torrent;
      }
    }
    if (least !== undefined) this.#drop(least);
  }

  #drop(torrent: Torrent): void {
    this.#swap(torrent.place, this.#list.length - 1);
    this.#list.pop();
    this.#byHash.delete(torrent.key);
    this.#peers -= sizeOf(torrent);
  }

  #swap(one: number, other: number): void {
    const [first, second] = [this.#list[one], this.#list[other]];
    if (first === undefined || second === undefined) return;
    this.#list[one] = second;
    this.#list[other] = first;
    first.place = other;
    second.place = one;
  }
}

function sizeOf({ sets }: Torrent): number {
  return (sets[4]?.size ?? 0) + (sets[6]?.size ?? 0);
}

/** A character for each byte: short, and quickly made. */
function keyOf(infoHash: Uint8Array): string {
  return String.fromCharCode(...infoHash);
}

function viewsOf(bytes: Uint8Array, size: number): readonly Uint8Array[] {
  return Array.from({ length: MAX_SAMPLE }, (_, at) => bytes.subarray(at * size, (at + 1) * size));
}

const SIZE = { 4: 6, 6: 18 } as const;
const FAMILIES = [4, 6] as const;
const NONE: readonly Uint8Array[] = [];

/** Clients announce every 15 to 30 minutes. */
export const LIFETIME_MS: Millis = 45 * 60_000;
/** libtorrent's are 2,000 and 500. */
export const MAX_TORRENTS = 4000;
export const MAX_PEERS = 500;
/** More do not fit into a packet of 1024 bytes. */
export const MAX_SAMPLE = 120;
/** Of so many torrents chosen at random the smallest goes. */
const TRIES = 8;
