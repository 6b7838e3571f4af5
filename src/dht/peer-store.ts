/** Which peers announced which torrents with us (BEP 5), for counting (BEP 33) and samples (BEP 51). @module */

import type { Millis, Random } from '../runtime/ports.ts';
import { PeerBloom } from './bloom.ts';
import type { Family } from './contact.ts';
import { Dice } from './dice.ts';
import { ID_BYTES } from './distance.ts';
import { HostQuota } from './host-quota.ts';
import { IdIndex } from './id-index.ts';
import { ENTRY_SHAPES, PeerEntry } from './peer-entry.ts';
import { PeerSet } from './peer-set.ts';
import { isExempt } from './secure-id.ts';

export interface PeerStoreOptions {
  readonly random: Random;
  /** {@link MAX_TORRENTS} by default. */
  readonly maxTorrents?: number | undefined;
  /** In each family; {@link MAX_PEERS} by default. */
  readonly maxPeersPerTorrent?: number | undefined;
  /** Of all torrents; {@link MAX_ALL_PEERS} by default. */
  readonly maxPeers?: number | undefined;
  /** Of one address, or one /64 of IPv6, over all torrents; {@link MAX_PER_HOST} by default. */
  readonly maxPeersPerHost?: number | undefined;
}

export interface PeerSample {
  readonly family: Family;
  /** Leave out seeds. */
  readonly noSeed: boolean;
  readonly maxCount: number;
}

/** Peers are told from their last announce on for {@link LIFETIME_MS}, and not a second longer. */
export class PeerStore {
  readonly #maxTorrents: number;
  readonly #maxPeersPerTorrent: number;
  readonly #maxPeers: number;
  readonly #dice: Dice;
  readonly #quota: HostQuota;
  /** The place of a torrent is that of its sets. A torrent without any is forgotten at once. */
  readonly #torrents: IdIndex;
  readonly #sets: Readonly<Record<Family, (PeerSet | undefined)[]>> = { 4: [], 6: [] };
  readonly #entries: Readonly<Record<Family, PeerEntry>> = {
    4: new PeerEntry(4),
    6: new PeerEntry(6),
  };
  /** What {@link sample} gives. */
  readonly #samples: Readonly<Record<Family, Uint8Array[]>> = { 4: [], 6: [] };
  #peers = 0;
  /** The place of a torrent that has many peers, or had when it was looked at last. */
  #large = 0;
  /** The second of the last sweep. */
  #sweptAt = Number.NaN;

  constructor({
    random,
    maxTorrents = MAX_TORRENTS,
    maxPeersPerTorrent = MAX_PEERS,
    maxPeers = MAX_ALL_PEERS,
    maxPeersPerHost = MAX_PER_HOST,
  }: PeerStoreOptions) {
    this.#maxTorrents = Math.max(1, maxTorrents);
    this.#maxPeersPerTorrent = Math.max(1, maxPeersPerTorrent);
    this.#maxPeers = Math.max(1, maxPeers);
    this.#dice = new Dice(random.uint32());
    const maxPerHost = Math.max(1, maxPeersPerHost);
    this.#quota = new HostQuota({ random, maxPerHost, maxEntries: this.#maxPeers });
    this.#torrents = new IdIndex(random);
  }

  /** How many torrents have peers, among them some that are too old by now. */
  get torrents(): number {
    return this.#torrents.size;
  }

  /** Peers of all torrents, among them some that are too old by now. */
  get peers(): number {
    return this.#peers;
  }

  /** Bytes of memory that peers and infohashes take, about; torrents take some 250 more each. */
  get bytes(): number {
    let { bytes } = this.#torrents;
    for (const set of this.#allSets()) bytes += set.bytes;
    return bytes;
  }

  /** Whether there are peers of a torrent. */
  has(infoHash: Uint8Array, now: Millis): boolean {
    return this.#find(infoHash, toSeconds(now)) >= 0;
  }

  /**
   * Takes in a peer, 6 or 18 bytes. False when its host has as much as it may; peers of private networks
   * may have all there is.
   *
   * When there are too many torrents, the one with the fewest peers of a few drawn makes room, so that
   * whoever makes up infohashes pushes out what others made up; when there are too many peers, one with
   * many peers loses its oldest.
   */
  announce(
    infoHash: Uint8Array,
    peer: Uint8Array,
    { seed }: { readonly seed: boolean },
    now: Millis,
  ): boolean {
    const seconds = toSeconds(now);
    const entry = this.#entries[peer.length === ENTRY_SHAPES[4].compactBytes ? 4 : 6];
    entry.read(peer, seed, seconds);
    const { family } = entry.shape;
    const place = this.#find(infoHash, seconds);
    const set = place < 0 ? undefined : this.#sets[family][place];
    if (set?.renew(entry) === true) return true;
    if (this.#isOverQuota(entry)) return false;
    this.#makeRoom(place < 0, (set?.size ?? 0) < this.#maxPeersPerTorrent, seconds);
    entry.complete();
    const home = this.#makeTorrent(infoHash);
    this.#peers += this.#makeSet(home, family).add(entry, this.#maxPeersPerTorrent, this.#quota);
    if (this.#sizeAt(home) > this.#sizeAt(this.#large)) this.#large = home;
    return true;
  }

  /** Peers chosen at random, in compact form; valid until the next call. */
  sample(infoHash: Uint8Array, how: PeerSample, now: Millis): readonly Uint8Array[] {
    const { family, noSeed, maxCount } = how;
    if (maxCount <= 0) return NONE;
    const place = this.#find(infoHash, toSeconds(now));
    const set = place < 0 ? undefined : this.#sets[family][place];
    if (set === undefined) return NONE;
    const samples = this.#samples[family];
    const count = set.sample(samples, Math.min(maxCount, MAX_SAMPLE), noSeed, this.#dice);
    return samples.slice(0, count);
  }

  /** The addresses of both families as filters. */
  blooms(
    infoHash: Uint8Array,
    now: Millis,
  ): { readonly seeds: PeerBloom; readonly peers: PeerBloom } {
    const seeds = new PeerBloom();
    const peers = new PeerBloom();
    const place = this.#find(infoHash, toSeconds(now));
    for (const family of FAMILIES) this.#sets[family][place]?.addTo(seeds, peers);
    return { seeds, peers };
  }

  /**
   * Infohashes chosen at random, 20 bytes each one after the other, and how many there are. All have the
   * same chance.
   */
  sampleHashes(
    count: number,
    now: Millis,
  ): { readonly samples: Uint8Array; readonly total: number } {
    const seconds = toSeconds(now);
    if (seconds !== this.#sweptAt) this.sweep(now);
    const total = this.#torrents.size;
    const taken = Math.max(0, Math.min(count, total));
    const samples = new Uint8Array(taken * ID_BYTES);
    // As many equal parts as hashes are wanted, beginning anywhere, and one of each: none comes twice.
    const turn = total === 0 ? 0 : this.#dice.below(total);
    let from = 0;
    for (let at = 0; at < taken; at++) {
      const to = Math.floor(((at + 1) * total) / taken);
      const place = (turn + from + this.#dice.below(to - from)) % total;
      this.#torrents.write(place, samples, at * ID_BYTES);
      from = to;
    }
    return { samples, total };
  }

  /** Forgets who is too old. */
  sweep(now: Millis): void {
    const seconds = toSeconds(now);
    this.#sweptAt = seconds;
    // From the last to the first: the place of one that goes is taken by one that was looked at.
    for (let place = this.#torrents.size - 1; place >= 0; place--) this.#purge(place, seconds);
  }

  /** The place of a torrent that has peers at this time; −1 when there is none. */
  #find(infoHash: Uint8Array, seconds: number): number {
    const place = this.#torrents.find(infoHash);
    return place < 0 || !this.#purge(place, seconds) ? -1 : place;
  }

  /** Takes out peers that are too old, and the torrent when none is left. False when it is gone. */
  #purge(place: number, seconds: number): boolean {
    let isLeft = false;
    for (const family of FAMILIES) {
      const set = this.#sets[family][place];
      if (set === undefined) continue;
      if (set.maxAge(seconds) > LIFETIME_SECONDS) {
        this.#peers -= set.purge(seconds, LIFETIME_SECONDS, this.#quota);
      }
      if (set.size > 0) isLeft = true;
      else this.#sets[family][place] = undefined;
    }
    if (!isLeft) this.#forget(place);
    return isLeft;
  }

  /** The place of a torrent, which is made when there is none. */
  #makeTorrent(infoHash: Uint8Array): number {
    const place = this.#torrents.find(infoHash);
    if (place >= 0) return place;
    for (const family of FAMILIES) this.#sets[family].push(undefined);
    return this.#torrents.add(infoHash);
  }

  /** The set at a place, which is made when there is none. */
  #makeSet(place: number, family: Family): PeerSet {
    const set = this.#sets[family][place] ?? new PeerSet(ENTRY_SHAPES[family]);
    this.#sets[family][place] = set;
    return set;
  }

  /** Forgets the torrent at a place with all its peers; the last one takes the place. */
  #forget(place: number): void {
    this.#torrents.remove(place);
    for (const family of FAMILIES) {
      const sets = this.#sets[family];
      const gone = sets[place];
      this.#peers -= gone?.size ?? 0;
      gone?.recount(this.#quota, -1);
      const last = sets.pop();
      if (place < sets.length) sets[place] = last;
    }
  }

  #isOverQuota({ words, shape, ip }: PeerEntry): boolean {
    const quota = this.#quota;
    if (!quota.isCounting) {
      if (this.#peers < quota.maxPerHost) return false;
      quota.start();
      for (const set of this.#allSets()) set.recount(quota, 1);
    }
    return quota.isFull(words, 0, shape.hostWords) && !isExempt(ip);
  }

  /** Makes room for one more torrent, or one more peer, when there is to be one. */
  #makeRoom(isNewTorrent: boolean, isOneMore: boolean, seconds: number): void {
    const isFull = (): boolean =>
      (isNewTorrent && this.#torrents.size >= this.#maxTorrents) ||
      (isOneMore && this.#peers >= this.#maxPeers);
    if (!isFull()) return;
    if (seconds !== this.#sweptAt) this.sweep(seconds * 1000);
    if (isNewTorrent && this.#torrents.size >= this.#maxTorrents) this.#forget(this.#small());
    if (isOneMore && this.#peers >= this.#maxPeers) {
      this.#large = this.#larger();
      this.#dropPeer(this.#large);
    }
  }

  /** Of a few torrents drawn the one with the fewest peers, the first of equals. */
  #small(): number {
    let best = this.#dice.below(this.#torrents.size);
    for (let draw = 1; draw < DRAWS; draw++) {
      const place = this.#dice.below(this.#torrents.size);
      if (this.#sizeAt(place) < this.#sizeAt(best)) best = place;
    }
    return best;
  }

  /** Of a few torrents drawn, and the large one that is known, the one with the most peers. */
  #larger(): number {
    let best = this.#large;
    for (let draw = 0; draw < DRAWS; draw++) {
      const place = this.#dice.below(this.#torrents.size);
      if (this.#sizeAt(place) > this.#sizeAt(best)) best = place;
    }
    return best;
  }

  #dropPeer(place: number): void {
    const [four, six] = [this.#sets[4][place], this.#sets[6][place]];
    const set = (four?.size ?? 0) >= (six?.size ?? 0) ? four : six;
    if (set === undefined) return;
    set.dropOldest(this.#quota);
    this.#peers--;
    if (this.#sizeAt(place) === 0) this.#forget(place);
    else if (set.size === 0) this.#sets[set === four ? 4 : 6][place] = undefined;
  }

  #sizeAt(place: number): number {
    return (this.#sets[4][place]?.size ?? 0) + (this.#sets[6][place]?.size ?? 0);
  }

  *#allSets(): Generator<PeerSet, void, undefined> {
    for (const family of FAMILIES) {
      for (const set of this.#sets[family]) if (set !== undefined) yield set;
    }
  }
}

function toSeconds(now: Millis): number {
  return Math.floor(now / 1000);
}

const FAMILIES = [4, 6] as const;
const NONE: readonly Uint8Array[] = [];

/** Clients announce every 15 to 30 minutes. */
export const LIFETIME_MS: Millis = 45 * 60_000;
const LIFETIME_SECONDS = LIFETIME_MS / 1000;
/** libtorrent's are 2,000 and 500. With these a full store takes some 10 MB. */
export const MAX_TORRENTS = 20_000;
export const MAX_PEERS = 500;
export const MAX_ALL_PEERS = 200_000;
/** A twentieth of the torrents. */
export const MAX_PER_HOST = 1_000;
/** More do not fit into a packet of 1024 bytes. */
export const MAX_SAMPLE = 120;
/** Torrents that are drawn to find one that is small or large. */
const DRAWS = 8;
