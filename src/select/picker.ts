/**
 * Which blocks to ask a peer for: partial pieces first, then the rarest of the rest, random among
 * equals; near the end, blocks that others were asked for already (end-game).
 *
 * Wanted pieces that nobody works on stand in one array sorted by availability (`#order`), with
 * the first index of each availability in `#bounds`; a change of availability by one is a swap with
 * the border of the bucket. Seeds have everything and are not counted: they would move all pieces
 * alike.
 *
 * @module
 */

import type { Bitfield } from '../base/bitfield.ts';
import { invariant } from '../base/errors.ts';
import type { Random } from '../runtime/ports.ts';
import { PartialPiece } from './partial-piece.ts';

/** One block to ask for; `block` counts blocks of 16 KiB in the piece. */
export interface BlockChoice {
  readonly piece: number;
  readonly block: number;
}

export interface PickerOptions {
  readonly pieceCount: number;
  /** How many blocks a piece has. */
  readonly blocksIn: (piece: number) => number;
  readonly random: Random;
}

/** What the picker must know of the peer for whom it picks. */
export interface PickFor<Peer> {
  readonly peer: Peer;
  readonly pieces: Bitfield;
  /** When choked: only these (BEP 6 allowed fast). */
  readonly only?: ReadonlySet<number>;
  /** How many blocks at most. */
  readonly count: number;
  /** How many pieces may be under way at once, over all peers: each needs a buffer. */
  readonly maxPartial: number;
  /** Blocks that others were asked for may be asked for again. */
  readonly endGame: boolean;
}

export class PiecePicker<Peer> {
  readonly #options: PickerOptions;
  /** Availability by piece, seeds not counted. */
  readonly #availability: Uint16Array;
  /** Wanted pieces without a partial, ascending by availability. */
  readonly #order: Uint32Array;
  /** Where a piece stands in `#order`; `ABSENT` for pieces that are not in it. */
  readonly #position: Uint32Array;
  #orderLength = 0;
  /** `#bounds[a]`: the first index in `#order` with availability of at least `a`. */
  readonly #bounds: number[] = [0];
  readonly #partials = new Map<number, PartialPiece<Peer>>();
  readonly #missing: Uint8Array;
  #missingCount = 0;

  /** Everything is wanted; call {@link have} for what is there already. */
  constructor(options: PickerOptions) {
    this.#options = options;
    const { pieceCount, random } = options;
    this.#availability = new Uint16Array(pieceCount);
    this.#order = Uint32Array.from({ length: pieceCount }, (_, piece) => piece);
    this.#position = new Uint32Array(pieceCount);
    this.#missing = new Uint8Array(pieceCount).fill(1);
    this.#missingCount = pieceCount;
    this.#orderLength = pieceCount;
    // Ties are broken by this shuffle (Fisher-Yates), so that peers start in different places.
    for (let at = pieceCount - 1; at > 0; at--) this.#swap(at, random.uint32() % (at + 1));
    for (let at = 0; at < pieceCount; at++) this.#position[this.#order[at] ?? 0] = at;
  }

  /** Pieces that are not complete. */
  get missingCount(): number {
    return this.#missingCount;
  }
  isMissing(piece: number): boolean {
    return this.#missing[piece] === 1;
  }
  /** Pieces of which something was asked for or received. */
  get partials(): Iterable<PartialPiece<Peer>> {
    return this.#partials.values();
  }
  get partialCount(): number {
    return this.#partials.size;
  }
  partial(piece: number): PartialPiece<Peer> | undefined {
    return this.#partials.get(piece);
  }
  /** True when every missing block has been asked for: the time for end-game. */
  get allRequested(): boolean {
    if (this.#orderLength > 0) return false;
    for (const partial of this.#partials.values()) if (partial.freeCount > 0) return false;
    return true;
  }
  /** How many peers have the piece, seeds not counted. */
  availability(piece: number): number {
    return this.#availability[piece] ?? 0;
  }

  /** A peer came or told all it has. Seeds need not be told. */
  addPieces(pieces: Bitfield): void {
    for (const piece of pieces) this.addPiece(piece);
  }
  /** That peer is gone; `pieces` must be what was added for it. */
  removePieces(pieces: Bitfield): void {
    for (const piece of pieces) this.removePiece(piece);
  }
  addPiece(piece: number): void {
    const availability = this.#availability[piece] ?? 0;
    if (availability === 0xffff) return;
    this.#availability[piece] = availability + 1;
    const at = this.#position[piece] ?? ABSENT;
    if (at === ABSENT) return;
    // To the end of its bucket, and the border moves before it.
    const end = this.#bound(availability + 1);
    this.#swap(at, end - 1);
    this.#bounds[availability + 1] = end - 1;
  }
  removePiece(piece: number): void {
    const availability = this.#availability[piece] ?? 0;
    if (availability === 0) return;
    this.#availability[piece] = availability - 1;
    const at = this.#position[piece] ?? ABSENT;
    if (at === ABSENT) return;
    const start = this.#bound(availability);
    this.#swap(at, start);
    this.#bounds[availability] = start + 1;
  }

  /** The piece is complete, or not wanted. */
  have(piece: number): void {
    if (this.#missing[piece] !== 1) return;
    this.#missing[piece] = 0;
    this.#missingCount--;
    this.#partials.delete(piece);
    this.#takeOut(piece);
  }

  /** The piece failed its hash, or its buffer is needed: all its blocks are missing again. */
  reset(piece: number): void {
    if (!this.#partials.delete(piece)) return;
    if (this.#missing[piece] === 1) this.#putIn(piece);
  }

  /**
   * Chooses blocks and notes them as asked for.
   * @returns at most `count`, none when there is nothing for this peer now.
   */
  pick(pickFor: PickFor<Peer>): BlockChoice[] {
    const chosen: BlockChoice[] = [];
    this.#fromPartials(pickFor, chosen, (partial) => partial.owner === pickFor.peer);
    this.#fromPartials(pickFor, chosen, (partial) => partial.owner === undefined);
    this.#fromNew(pickFor, chosen);
    this.#fromPartials(pickFor, chosen, () => true);
    if (pickFor.endGame && chosen.length === 0) this.#again(pickFor, chosen);
    return chosen;
  }

  /** True when this peer has a piece that is missing. */
  isInteresting(pieces: Bitfield): boolean {
    if (pieces.isFull) return this.#missingCount > 0;
    for (let piece = 0; piece < this.#missing.length; piece++) {
      if (this.#missing[piece] === 1 && pieces.has(piece)) return true;
    }
    return false;
  }

  #fromPartials(
    pickFor: PickFor<Peer>,
    chosen: BlockChoice[],
    accept: (partial: PartialPiece<Peer>) => boolean,
  ): void {
    if (chosen.length >= pickFor.count) return;
    for (const partial of this.#partials.values()) {
      if (partial.freeCount === 0 || !mayAsk(pickFor, partial.piece) || !accept(partial)) continue;
      if (partial.soleSource !== undefined && partial.soleSource !== pickFor.peer) continue;
      this.#take(partial, pickFor, chosen);
      if (chosen.length >= pickFor.count) return;
    }
  }

  #fromNew(pickFor: PickFor<Peer>, chosen: BlockChoice[]): void {
    let at = 0;
    while (chosen.length < pickFor.count && this.#partials.size < pickFor.maxPartial) {
      while (at < this.#orderLength && !mayAsk(pickFor, this.#order[at] ?? 0)) at++;
      if (at >= this.#orderLength) return;
      const piece = this.#order[at] ?? 0;
      this.#takeOut(piece);
      const partial = new PartialPiece<Peer>(piece, this.#options.blocksIn(piece));
      this.#partials.set(piece, partial);
      this.#take(partial, pickFor, chosen);
    }
  }

  #take(partial: PartialPiece<Peer>, { peer, count }: PickFor<Peer>, chosen: BlockChoice[]): void {
    if (partial.owner === undefined) partial.owner = peer;
    while (chosen.length < count) {
      const block = partial.takeFree(peer);
      if (block === undefined) return;
      chosen.push({ piece: partial.piece, block });
    }
  }

  #again(pickFor: PickFor<Peer>, chosen: BlockChoice[]): void {
    for (const partial of this.#partials.values()) {
      if (!mayAsk(pickFor, partial.piece) || partial.soleSource !== undefined) continue;
      for (const block of partial.stillOpen(pickFor.peer)) {
        partial.ask(block, pickFor.peer);
        chosen.push({ piece: partial.piece, block });
        if (chosen.length >= pickFor.count) return;
      }
    }
  }

  #bound(availability: number): number {
    return this.#bounds[availability] ?? this.#extendBounds(availability);
  }
  #extendBounds(availability: number): number {
    while (this.#bounds.length <= availability) this.#bounds.push(this.#orderLength);
    return this.#orderLength;
  }

  /** Removes from `#order`: moves to the end of its bucket, then of the next, and so to the end of all. */
  #takeOut(piece: number): void {
    let at = this.#position[piece] ?? ABSENT;
    if (at === ABSENT) return;
    for (
      let bucket = (this.#availability[piece] ?? 0) + 1;
      bucket < this.#bounds.length;
      bucket++
    ) {
      const last = (this.#bounds[bucket] ?? 0) - 1;
      this.#swap(at, last);
      this.#bounds[bucket] = last;
      at = last;
    }
    this.#orderLength--;
    this.#swap(at, this.#orderLength);
    this.#position[piece] = ABSENT;
  }

  #putIn(piece: number): void {
    let at = this.#orderLength;
    this.#extendBounds(this.#availability[piece] ?? 0);
    this.#order[at] = piece;
    this.#position[piece] = at;
    this.#orderLength++;
    for (
      let bucket = this.#bounds.length - 1;
      bucket > (this.#availability[piece] ?? 0);
      bucket--
    ) {
      const first = this.#bounds[bucket] ?? 0;
      this.#swap(at, first);
      this.#bounds[bucket] = first + 1;
      at = first;
    }
  }

  #swap(a: number, b: number): void {
    const pieceA = this.#order[a] ?? 0;
    const pieceB = this.#order[b] ?? 0;
    this.#order[a] = pieceB;
    this.#order[b] = pieceA;
    this.#position[pieceA] = b;
    this.#position[pieceB] = a;
  }

  /** For tests: the order is sorted, positions and bounds agree with it. @throws {InvariantError} */
  assertConsistent(): void {
    for (let at = 0; at < this.#orderLength; at++) {
      const piece = this.#order[at] ?? 0;
      const availability = this.#availability[piece] ?? 0;
      invariant(this.#position[piece] === at, `piece ${piece} does not stand at ${at}`);
      invariant(this.#bound(availability) <= at, `bucket ${availability} begins behind ${at}`);
      const end = this.#bounds[availability + 1] ?? this.#orderLength;
      invariant(at < end, `bucket ${availability} ends before ${at}`);
      invariant(this.#missing[piece] === 1, `piece ${piece} is ordered but not missing`);
      invariant(!this.#partials.has(piece), `piece ${piece} is ordered and partial`);
    }
    invariant(
      this.#orderLength + this.#partials.size === this.#missingCount,
      'a missing piece is neither ordered nor partial',
    );
  }
}

/** No position. */
const ABSENT = 0xffff_ffff;

function mayAsk<Peer>({ pieces, only }: PickFor<Peer>, piece: number): boolean {
  return pieces.has(piece) && (only === undefined || only.has(piece));
}
