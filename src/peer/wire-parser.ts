/**
 * Push parser of the peer wire. The same calls come out for every way of cutting the input.
 *
 * The payload of a piece message is copied once, straight to where the handler wants it; no object
 * is made per message but the view that this copy needs. Lengths are judged before anything is
 * stored, so that a peer never chooses how much memory is taken.
 *
 * @module
 */

import { ProtocolError } from '../base/errors.ts';
import { MESSAGE, readUint32 } from './messages.ts';

/** What the parser calls. Numbers are as on the wire, unchecked but for the length of the message. */
export interface WireHandler {
  keepAlive(): void;
  /** choke, unchoke, interested, not interested, have all, have none: the id says which. */
  plain(id: number): void;
  /** have, suggest, allowed fast: the id says which. */
  piece(id: number, piece: number): void;
  /** request, cancel, reject: the id says which. */
  block(id: number, piece: number, begin: number, length: number): void;
  /** A view, valid during the call only. */
  bitfield(field: Uint8Array): void;
  port(port: number): void;
  /** A view, valid during the call only. */
  extended(id: number, payload: Uint8Array): void;
  /** A block begins: where its bytes shall go, exactly `length` of them; `undefined` drops them. */
  blockStart(piece: number, begin: number, length: number): Uint8Array | undefined;
  /** Its last byte came. `stored` is false when it was dropped, from the start or on the way. */
  blockEnd(piece: number, begin: number, length: number, stored: boolean): void;
}

/** Bytes of the largest message of each kind, without the length prefix. */
export interface WireLimits {
  /** id and field. */
  readonly bitfield: number;
}

/** A block of more than 128 KiB is refused: nobody asks for more than 16 KiB, and bip never does. */
const MAX_PIECE_MESSAGE = 9 + 131_072;
/** Extended messages: metadata pieces are 16 KiB and a dictionary (BEP 9), PEX a few KiB (BEP 11). */
const MAX_EXTENDED_MESSAGE = 65_536;
/** Messages that nobody here knows are skipped up to this length (libtorrent's limit of a message). */
const MAX_UNKNOWN_MESSAGE = 1_048_576;
/** Largest bitfield while the number of pieces is unknown: 2^21 pieces (libtorrent's limit at load). */
export const MAX_BLIND_BITFIELD: number = 1 + 2 ** 21 / 8;

const FIXED_LENGTHS: ReadonlyMap<number, number> = new Map([
  [MESSAGE.choke, 1],
  [MESSAGE.unchoke, 1],
  [MESSAGE.interested, 1],
  [MESSAGE.notInterested, 1],
  [MESSAGE.haveAll, 1],
  [MESSAGE.haveNone, 1],
  [MESSAGE.have, 5],
  [MESSAGE.suggest, 5],
  [MESSAGE.allowedFast, 5],
  [MESSAGE.request, 13],
  [MESSAGE.cancel, 13],
  [MESSAGE.reject, 13],
  [MESSAGE.port, 3],
]);

/** length, id, index, begin, length: the longest fixed message. */
const HEAD_LENGTH = 17;
const PIECE_HEAD = 13;

/** Copies `source` into `target` from byte `at` on. */
export type Copy = (target: Uint8Array, at: number, source: Uint8Array) => void;

export class WireParser {
  readonly #handler: WireHandler;
  readonly #copy: Copy;
  limits: WireLimits;
  /** Collects the head of a message that came in parts. */
  readonly #head = new Uint8Array(HEAD_LENGTH);
  #headFilled = 0;
  /** Bytes of the head that must be there before the message can be judged further. */
  #headWanted = 4;
  /** What becomes of the bytes behind the head. */
  #body: 'none' | 'block' | 'collect' | 'skip' = 'none';
  #bodyLeft = 0;
  #target: Uint8Array | undefined;
  #targetAt = 0;
  #stopped = false;
  #completed = 0;

  constructor(
    handler: WireHandler,
    options: { readonly limits?: WireLimits; readonly copy?: Copy | undefined } = {},
  ) {
    this.#handler = handler;
    this.limits = options.limits ?? { bitfield: MAX_BLIND_BITFIELD };
    this.#copy = options.copy ?? ((target, at, source) => target.set(source, at));
  }

  /** Messages that came to their end, keep-alives and unknown ones among them. */
  get completed(): number {
    return this.#completed;
  }

  /** No further call is made, not even for what was fed already. */
  stop(): void {
    this.#stopped = true;
  }

  /** The rest of the block that is coming in, if one is, is not stored. */
  dropBlock(): void {
    if (this.#body === 'block') this.#target = undefined;
  }

  /** @throws {ProtocolError} a length that no message of this kind has; the connection is lost then. */
  feed(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length && !this.#stopped) {
      at += this.#body === 'none' ? this.#feedHead(bytes, at) : this.#feedBody(bytes, at);
    }
  }

  #feedHead(bytes: Uint8Array, at: number): number {
    const head = this.#head;
    const taken = Math.min(this.#headWanted - this.#headFilled, bytes.length - at);
    for (let i = 0; i < taken; i++) head[this.#headFilled + i] = bytes[at + i] ?? 0;
    this.#headFilled += taken;
    if (this.#headFilled === this.#headWanted) this.#headComplete();
    return taken;
  }

  /** Called when 4, then 5, then the message's fixed number of bytes are there. */
  #headComplete(): void {
    const length = readUint32(this.#head, 0);
    if (this.#headFilled === 4) {
      if (length > 0) {
        this.#headWanted = 5;
        return;
      }
      this.#nextMessage();
      this.#handler.keepAlive();
      return;
    }
    const id = this.#head[4] ?? 0;
    if (this.#headFilled === 5) {
      const wanted = this.#judge(id, length);
      if (wanted > 5) {
        this.#headWanted = wanted;
        return;
      }
    }
    if (id === MESSAGE.piece) this.#beginBlock(length - 9);
    else if (FIXED_LENGTHS.has(id)) this.#dispatchFixed(id);
    else this.#beginBody(id, length - 1);
  }

  /** Checks the length of the message; returns how many bytes its head has. */
  #judge(id: number, length: number): number {
    const fixed = FIXED_LENGTHS.get(id);
    if (fixed !== undefined) {
      if (length !== fixed) throw wrongLength(id, length, `exactly ${fixed}`);
      return 4 + fixed;
    }
    if (id === MESSAGE.piece) {
      if (length < 10 || length > MAX_PIECE_MESSAGE) throw wrongLength(id, length, '10 to 131081');
      return PIECE_HEAD;
    }
    const max = this.#longest(id);
    if (length > max) throw wrongLength(id, length, `at most ${max}`);
    if (id === MESSAGE.extended && length < 2) throw wrongLength(id, length, 'at least 2');
    return 5;
  }

  #longest(id: number): number {
    if (id === MESSAGE.bitfield) return this.limits.bitfield;
    return id === MESSAGE.extended ? MAX_EXTENDED_MESSAGE : MAX_UNKNOWN_MESSAGE;
  }

  #dispatchFixed(id: number): void {
    const head = this.#head;
    this.#nextMessage();
    switch (FIXED_LENGTHS.get(id)) {
      case 1:
        return this.#handler.plain(id);
      case 3:
        return this.#handler.port(((head[5] ?? 0) << 8) | (head[6] ?? 0));
      case 5:
        return this.#handler.piece(id, readUint32(head, 5));
      default:
        return this.#handler.block(
          id,
          readUint32(head, 5),
          readUint32(head, 9),
          readUint32(head, 13),
        );
    }
  }

  #beginBlock(length: number): void {
    const head = this.#head;
    this.#target = this.#handler.blockStart(readUint32(head, 5), readUint32(head, 9), length);
    this.#targetAt = 0;
    this.#body = 'block';
    this.#bodyLeft = length;
  }

  #beginBody(id: number, length: number): void {
    const known = id === MESSAGE.bitfield || id === MESSAGE.extended;
    this.#body = known ? 'collect' : 'skip';
    this.#bodyLeft = length;
    this.#target = known && length > 0 ? new Uint8Array(length) : undefined;
    this.#targetAt = 0;
    if (length === 0) this.#endBody();
  }

  #feedBody(bytes: Uint8Array, at: number): number {
    const taken = Math.min(this.#bodyLeft, bytes.length - at);
    if (this.#target !== undefined) {
      this.#copy(this.#target, this.#targetAt, bytes.subarray(at, at + taken));
      this.#targetAt += taken;
    }
    this.#bodyLeft -= taken;
    if (this.#bodyLeft === 0) this.#endBody();
    return taken;
  }

  #endBody(): void {
    const body = this.#body;
    const target = this.#target;
    const id = this.#head[4] ?? 0;
    this.#nextMessage();
    if (body === 'block') {
      const head = this.#head;
      const length = readUint32(head, 0) - 9;
      this.#handler.blockEnd(
        readUint32(head, 5),
        readUint32(head, 9),
        length,
        target !== undefined,
      );
    } else if (body === 'collect') {
      const payload = target ?? new Uint8Array(0);
      if (id === MESSAGE.bitfield) this.#handler.bitfield(payload);
      else this.#handler.extended(payload[0] ?? 0, payload.subarray(1));
    }
  }

  #nextMessage(): void {
    this.#completed++;
    this.#headFilled = 0;
    this.#headWanted = 4;
    this.#body = 'none';
    this.#target = undefined;
  }
}

function wrongLength(id: number, length: number, expected: string): ProtocolError {
  return new ProtocolError(`message ${id} has ${length} bytes, expected ${expected}`, {
    rule: 'BEP 3 message length',
  });
}
