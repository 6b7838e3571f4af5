/** What a peer says that it has: bitfields and haves, also before the number of pieces is known. @module */

import { Bitfield } from '../base/bitfield.ts';
import { ProtocolError } from '../base/errors.ts';
import { MAX_BLIND_BITFIELD } from './wire-parser.ts';

/** A bitfield as it came, or BEP 6's have all and have none. */
export type Field = Uint8Array | 'all' | 'none';

/** Told when a peer has more than before. */
export interface PiecesEvents {
  /** The peer has one piece more. */
  onHave(piece: number): void;
  /** The first bitfield, have all or have none came: all that the peer has. */
  onPieces(): void;
  /** The peer no longer has a piece that it had (BEP 54). */
  onDontHave(piece: number): void;
}

/** Repeated bitfields that bring nothing new; some clients send late ones in place of haves. */
const MAX_IDLE_BITFIELDS = 16;
/** Pieces kept in mind while their number is unknown, 256 KiB of bits; 2^21 is the limit of a torrent. */
const MAX_BLIND_PIECE = 2 ** 21;

export class PeerPieces {
  readonly #events: PiecesEvents;
  #pieces: Bitfield | undefined;
  /** What came before the number of pieces was known. */
  #blindField: Field | undefined;
  #blindHaves: Bitfield | undefined;
  #blindGone: Bitfield | undefined;
  #sawField = false;
  #idleFields = 0;

  constructor(events: PiecesEvents) {
    this.#events = events;
  }

  /** `undefined` while the number of pieces is unknown. */
  get bitfield(): Bitfield | undefined {
    return this.#pieces;
  }
  get isSeed(): boolean {
    return this.#pieces?.isFull ?? (this.#blindField === 'all' && this.#blindGone === undefined);
  }

  /** The number of pieces is known from the beginning. */
  begin(pieceCount: number): void {
    this.#pieces = new Bitfield(pieceCount);
  }

  /**
   * The number of pieces became known (BEP 9).
   * @throws {ProtocolError} what the peer claimed before does not fit.
   */
  learn(pieceCount: number): void {
    this.begin(pieceCount);
    const [field, haves, gone] = [this.#blindField, this.#blindHaves, this.#blindGone];
    this.#blindField = undefined;
    this.#blindHaves = undefined;
    this.#blindGone = undefined;
    if (field !== undefined) this.field(field);
    for (const piece of haves ?? []) this.have(piece);
    for (const piece of gone ?? []) this.dontHave(piece);
  }

  /**
   * A bitfield came; some clients send one in mid-stream in place of several haves: it can only add.
   * @throws {ProtocolError} it does not fit the torrent, or comes again and again.
   */
  field(field: Field): void {
    const ours = this.#pieces;
    if (ours === undefined) return this.#keep(field);
    const claimed = readField(field, ours.length);
    const first = !this.#sawField && ours.isEmpty;
    this.#sawField = true;
    if (first) {
      this.#pieces = claimed;
      return this.#events.onPieces();
    }
    const before = ours.count;
    for (const piece of claimed) this.have(piece);
    if (ours.count === before && ++this.#idleFields > MAX_IDLE_BITFIELDS) {
      throw violation('the peer repeats its bitfield without end', 'BEP 3 bitfield');
    }
  }

  /** @throws {ProtocolError} there is no such piece. */
  have(piece: number): void {
    this.check(piece);
    if (this.#pieces === undefined) {
      this.#blindGone?.delete(piece);
      this.#blindHaves ??= new Bitfield(MAX_BLIND_PIECE);
      this.#blindHaves.add(piece);
    } else if (this.#pieces.add(piece)) this.#events.onHave(piece);
  }

  /** @throws {ProtocolError} there is no such piece. */
  dontHave(piece: number): void {
    this.check(piece);
    if (this.#pieces === undefined) {
      this.#blindHaves?.delete(piece);
      this.#blindGone ??= new Bitfield(MAX_BLIND_PIECE);
      this.#blindGone.add(piece);
    } else if (this.#pieces.delete(piece)) this.#events.onDontHave(piece);
  }

  /** @throws {ProtocolError} there is no such piece. */
  check(piece: number): void {
    if (piece < (this.#pieces?.length ?? MAX_BLIND_PIECE)) return;
    throw violation(`the peer speaks of piece ${piece}, which does not exist`, 'BEP 3 piece index');
  }

  #keep(field: Field): void {
    if (field instanceof Uint8Array && field.length + 1 > MAX_BLIND_BITFIELD) {
      throw violation('the bitfield is too long', 'BEP 3 bitfield');
    }
    this.#blindField = field;
    this.#blindGone = undefined;
  }
}

function readField(field: Field, length: number): Bitfield {
  if (field instanceof Uint8Array) {
    const claimed = Bitfield.fromBytes(field, length);
    if (claimed !== undefined) return claimed;
    throw violation('the bitfield has the wrong length or spare bits set', 'BEP 3 bitfield');
  }
  const claimed = new Bitfield(length);
  if (field === 'all') claimed.fill();
  return claimed;
}

function violation(message: string, rule: string): ProtocolError {
  return new ProtocolError(message, { rule });
}
