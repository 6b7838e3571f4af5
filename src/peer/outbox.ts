/** Collects the small messages of one turn so that they leave in one write. @module */

import {
  BLOCK_MESSAGE_LENGTH,
  type BlockMessage,
  MESSAGE,
  type PieceMessage,
  type PlainMessage,
  writeUint32,
} from './messages.ts';

/** First size of the buffer; it doubles when one turn has more to say. */
const INITIAL_LENGTH = 1024;

export class Outbox {
  #bytes = new Uint8Array(INITIAL_LENGTH);
  #filled = 0;

  get length(): number {
    return this.#filled;
  }

  keepAlive(): void {
    this.#frame(0, 0);
  }
  plain(message: PlainMessage): void {
    this.#frame(1, MESSAGE[message]);
  }
  piece(message: PieceMessage, piece: number): void {
    writeUint32(this.#bytes, this.#frame(5, MESSAGE[message]), piece);
  }
  block(message: BlockMessage, piece: number, begin: number, length: number): void {
    const at = this.#frame(BLOCK_MESSAGE_LENGTH - 4, MESSAGE[message]);
    writeUint32(this.#bytes, at, piece);
    writeUint32(this.#bytes, at + 4, begin);
    writeUint32(this.#bytes, at + 8, length);
  }
  /** `field` is the wire form of a bitfield (BEP 3). */
  bitfield(field: Uint8Array): void {
    const at = this.#frame(1 + field.length, MESSAGE.bitfield);
    this.#bytes.set(field, at);
  }
  /** UDP port of our DHT node (BEP 5). */
  port(port: number): void {
    const at = this.#frame(3, MESSAGE.port);
    this.#bytes[at] = port >>> 8;
    this.#bytes[at + 1] = port & 0xff;
  }
  /** `id` 0 is the extended handshake, others are what the peer told us in its own (BEP 10). */
  extended(id: number, payload: Uint8Array): void {
    const at = this.#frame(2 + payload.length, MESSAGE.extended);
    this.#bytes[at] = id;
    this.#bytes.set(payload, at + 1);
  }

  /** Everything collected, as bytes of their own; the box is empty afterwards. */
  take(): Uint8Array {
    const taken = this.#bytes.slice(0, this.#filled);
    this.#filled = 0;
    return taken;
  }

  /** Reserves a frame of `length` bytes behind the length prefix; returns where its payload begins. */
  #frame(length: number, id: number): number {
    const at = this.#filled;
    this.#reserve(4 + length);
    writeUint32(this.#bytes, at, length);
    if (length > 0) this.#bytes[at + 4] = id;
    return at + 5;
  }
  #reserve(length: number): void {
    this.#filled += length;
    if (this.#filled <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#filled, this.#bytes.length * 2));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}
