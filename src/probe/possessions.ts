/** What a peer says that it has, whether or not the number of pieces is known. @module */

import { Bitfield } from '../base/bitfield.ts';
import { ProtocolError } from '../base/errors.ts';

/** How the peer said it first. */
export type HoldingsSource = 'bitfield' | 'have-all' | 'have-none' | 'haves';

export interface Holdings {
  readonly source: HoldingsSource;
  /** Pieces; absent for all of an unknown number. */
  readonly have?: number;
  /** Absent while the number of pieces is unknown. */
  readonly total?: number;
  /** Of an unknown number: a bitfield has as many bits, and up to seven of them are spare. */
  readonly totalAtMost?: number;
  /** 0 to 1; absent when it cannot be known. */
  readonly share?: number;
}

/** Pieces of a torrent at most; libtorrent's limit at load, and that of the wire parser. */
const MAX_PIECES = 2 ** 21;

export class Possessions {
  readonly #total: number | undefined;
  #pieces: Bitfield | undefined;
  #source: HoldingsSource | undefined;
  #hasAll = false;
  #fieldBits: number | undefined;

  /** `total` is the number of pieces where it is known. */
  constructor(total: number | undefined) {
    this.#total = total;
  }

  /** Was anything said? */
  get isKnown(): boolean {
    return this.#source !== undefined;
  }

  /** @throws {ProtocolError} the field does not fit the torrent. */
  field(bytes: Uint8Array): void {
    this.#source ??= 'bitfield';
    const claimed = Bitfield.fromBytes(bytes, this.#total ?? bytes.length * 8);
    if (claimed === undefined) {
      throw new ProtocolError('the bitfield has the wrong length or spare bits set', {
        rule: 'BEP 3 bitfield',
      });
    }
    this.#fieldBits ??= claimed.length;
    if (this.#pieces === undefined || this.#pieces.isEmpty)
      this.#pieces = grown(claimed, this.#total);
    else for (const piece of claimed) this.#pieces.add(piece);
  }

  all(): void {
    this.#source ??= 'have-all';
    this.#hasAll = true;
  }

  none(): void {
    this.#source ??= 'have-none';
  }

  /** @throws {ProtocolError} there is no such piece. */
  have(piece: number): void {
    this.#source ??= 'haves';
    if (piece >= (this.#total ?? MAX_PIECES)) {
      throw new ProtocolError(`the peer speaks of piece ${piece}, which does not exist`, {
        rule: 'BEP 3 piece index',
      });
    }
    this.#pieces = grown(this.#pieces, this.#total);
    this.#pieces.add(piece);
  }

  /** `undefined` when nothing was said. */
  get holdings(): Holdings | undefined {
    const source = this.#source;
    if (source === undefined) return undefined;
    const total = this.#total;
    const have = this.#hasAll ? total : (this.#pieces?.count ?? 0);
    const share = this.#share(have);
    return {
      source,
      ...(have === undefined ? {} : { have }),
      ...(total === undefined ? this.#bound() : { total }),
      ...(share === undefined ? {} : { share }),
    };
  }

  #share(have: number | undefined): number | undefined {
    if (this.#hasAll) return 1;
    if (have === 0 || have === undefined) return 0;
    return this.#total === undefined ? undefined : have / this.#total;
  }

  #bound(): Pick<Holdings, 'totalAtMost'> {
    return this.#fieldBits === undefined ? {} : { totalAtMost: this.#fieldBits };
  }
}

/** A field that has room for every piece there may be, with what is set in `pieces`. */
function grown(pieces: Bitfield | undefined, total: number | undefined): Bitfield {
  const length = total ?? MAX_PIECES;
  if (pieces?.length === length) return pieces;
  const larger = new Bitfield(length);
  for (const piece of pieces ?? []) larger.add(piece);
  return larger;
}
