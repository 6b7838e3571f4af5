/**
 * Gathers an info dictionary from several peers (BEP 9), of whom some may lie.
 *
 * The size that most peers claim is tried first. When the whole does not match the infohash and all
 * of it came from one peer, that one lied; when it came from several, the next attempt takes all
 * from a single peer, so that it can be told who lies.
 *
 * @module
 */

import { equalBytes } from '../base/bytes.ts';
import type { InfoHash } from '../base/ids.ts';
import { sha1, sha256 } from '../base/sha.ts';
import type { Millis } from '../runtime/ports.ts';
import { METADATA_PIECE_LENGTH, type MetadataMessage } from './extended.ts';

/** A request that is not answered so long goes to another peer. */
const REQUEST_TIMEOUT: Millis = 5_000;
/** Requests at once to one peer; some clients answer no more. */
const MAX_OPEN_PER_PEER = 3;
/** After a reject a peer is left alone so long: it may be fetching the metadata itself. */
const REJECT_PAUSE: Millis = 5_000;

export type MetadataProgress<Peer> =
  | { readonly type: 'more' }
  /** The dictionary matches the infohash. */
  | { readonly type: 'complete'; readonly info: Uint8Array }
  /** It does not; `liars` are those of whom that is certain. */
  | { readonly type: 'corrupt'; readonly liars: readonly Peer[] };

interface Attempt<Peer> {
  readonly size: number;
  readonly bytes: Uint8Array;
  /** Who delivered each piece. */
  readonly from: (Peer | undefined)[];
  readonly open: Map<number, { readonly peer: Peer; readonly since: Millis }>;
  /** All pieces from this one, after an attempt with several failed. */
  readonly only: Peer | undefined;
}

export class MetadataFetch<Peer> {
  readonly #infoHash: InfoHash;
  readonly #sizes = new Map<Peer, number>();
  readonly #paused = new Map<Peer, Millis>();
  #attempt: Attempt<Peer> | undefined;
  #singleSource = false;

  constructor(infoHash: InfoHash) {
    this.#infoHash = infoHash;
  }

  /** Bytes received of the attempt under way, and its size; `undefined` while nobody has offered any. */
  get progress(): { readonly done: number; readonly total: number } | undefined {
    if (this.#attempt === undefined) return undefined;
    const { size, from } = this.#attempt;
    const missing = from.filter((peer) => peer === undefined).length;
    const lacksLast = from.at(-1) === undefined;
    const cut = lacksLast ? from.length * METADATA_PIECE_LENGTH - size : 0;
    return { done: size - missing * METADATA_PIECE_LENGTH + cut, total: size };
  }

  /** `peer` says that it has a dictionary of `size` bytes; the caller has checked the limit. */
  offer(peer: Peer, size: number): void {
    this.#sizes.set(peer, size);
  }

  /** `peer` is gone, or not to be asked any more. */
  withdraw(peer: Peer): void {
    this.#sizes.delete(peer);
    this.#paused.delete(peer);
    const attempt = this.#attempt;
    if (attempt === undefined) return;
    for (const [piece, open] of attempt.open) if (open.peer === peer) attempt.open.delete(piece);
    const claimants = [...this.#sizes.values()].includes(attempt.size);
    if (attempt.only === peer || !claimants) this.#attempt = undefined;
  }

  /** The next piece to ask `peer` for, noted as asked; `undefined` when there is none for it now. */
  next(peer: Peer, now: Millis): number | undefined {
    if (now < (this.#paused.get(peer) ?? now)) return undefined;
    const attempt = this.#attempt ?? this.#begin();
    if (attempt === undefined || !this.#mayBeAsked(peer, attempt)) return undefined;
    for (let piece = 0; piece < attempt.from.length; piece++) {
      if (attempt.from[piece] !== undefined || attempt.open.has(piece)) continue;
      attempt.open.set(piece, { peer, since: now });
      return piece;
    }
    return undefined;
  }

  #mayBeAsked(peer: Peer, attempt: Attempt<Peer>): boolean {
    if (this.#sizes.get(peer) !== attempt.size) return false;
    if (attempt.only !== undefined && attempt.only !== peer) return false;
    let asked = 0;
    for (const open of attempt.open.values()) if (open.peer === peer) asked++;
    return asked < MAX_OPEN_PER_PEER;
  }

  rejected(peer: Peer, piece: number, now: Millis): void {
    this.#paused.set(peer, now + REJECT_PAUSE);
    if (this.#attempt?.open.get(piece)?.peer === peer) this.#attempt.open.delete(piece);
    if (this.#attempt?.only === peer) this.#attempt = undefined;
  }

  /** Frees requests that were not answered in time. */
  expire(now: Millis): void {
    const attempt = this.#attempt;
    if (attempt === undefined) return;
    for (const [piece, { peer, since }] of attempt.open) {
      if (now - since < REQUEST_TIMEOUT) continue;
      attempt.open.delete(piece);
      this.#paused.set(peer, now + REJECT_PAUSE);
      if (attempt.only === peer) this.#attempt = undefined;
    }
  }

  /** Data that nobody was asked for is passed over. */
  data(peer: Peer, message: Extract<MetadataMessage, { type: 'data' }>): MetadataProgress<Peer> {
    const attempt = this.#attempt;
    if (attempt === undefined || attempt.open.get(message.piece)?.peer !== peer) {
      return { type: 'more' };
    }
    attempt.open.delete(message.piece);
    const at = message.piece * METADATA_PIECE_LENGTH;
    const expected = Math.min(METADATA_PIECE_LENGTH, attempt.size - at);
    if (message.totalSize !== attempt.size || message.data.length !== expected) {
      return { type: 'corrupt', liars: [peer] };
    }
    attempt.bytes.set(message.data, at);
    attempt.from[message.piece] = peer;
    return attempt.from.includes(undefined) ? { type: 'more' } : this.#finish(attempt);
  }

  #finish(attempt: Attempt<Peer>): MetadataProgress<Peer> {
    this.#attempt = undefined;
    const hash = this.#infoHash.version === 'v1' ? sha1 : sha256;
    if (equalBytes(hash(attempt.bytes), this.#infoHash.bytes)) {
      return { type: 'complete', info: attempt.bytes };
    }
    const sources = new Set(attempt.from);
    this.#singleSource = true;
    return { type: 'corrupt', liars: sources.size === 1 ? [...sources].filter(isDefined) : [] };
  }

  #begin(): Attempt<Peer> | undefined {
    const votes = new Map<number, number>();
    for (const size of this.#sizes.values()) votes.set(size, (votes.get(size) ?? 0) + 1);
    let size: number | undefined;
    for (const [candidate, count] of votes) {
      if (size === undefined || count > (votes.get(size) ?? 0)) size = candidate;
    }
    if (size === undefined) return undefined;
    const pieces = Math.ceil(size / METADATA_PIECE_LENGTH);
    this.#attempt = {
      size,
      bytes: new Uint8Array(size),
      from: Array.from({ length: pieces }, () => undefined),
      open: new Map(),
      only: this.#singleSource ? this.#somebody(size) : undefined,
    };
    return this.#attempt;
  }

  /** The claimant of `size` that stands at the end of the list goes first next time. */
  #somebody(size: number): Peer | undefined {
    for (const [peer, claimed] of this.#sizes) {
      if (claimed !== size) continue;
      this.#sizes.delete(peer);
      this.#sizes.set(peer, claimed);
      return peer;
    }
    return undefined;
  }
}

function isDefined<Value>(value: Value | undefined): value is Value {
  return value !== undefined;
}
