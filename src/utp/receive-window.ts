/**
 * Packets that came: those that wait for one before them, and those that wait for a reader. Like the
 * other window a ring by sequence number.
 *
 * @module
 */

import type { PacketPool } from './packet-pool.ts';

/** Packets ahead of what was read; a power of two. */
const MAX_AHEAD = 4096;
const FIRST_CAPACITY = 16;

/** What became of a packet: a repetition, no room for it, the next one, or one that has to wait. */
export type Placed = 'old' | 'refused' | 'next' | 'kept';

export class ReceiveWindow {
  readonly #pool: PacketPool;
  readonly #limit: number;
  #mask = FIRST_CAPACITY - 1;
  #buffers: (Uint8Array | undefined)[] = Array.from({ length: FIRST_CAPACITY });
  /** −1 where nothing is. */
  #lengths = new Int32Array(FIRST_CAPACITY).fill(-1);
  #read: number;
  #next: number;
  #highest: number;
  #bytes = 0;
  #end: number | undefined;

  /** @param next sequence number that comes first; @param limit bytes that may wait */
  constructor(next: number, pool: PacketPool, limit: number) {
    this.#read = next;
    this.#next = next;
    this.#highest = next - 1;
    this.#pool = pool;
    this.#limit = limit;
  }

  /** Everything before it has come. */
  get next(): number {
    return this.#next;
  }
  /** Bytes there is room for. */
  get room(): number {
    return Math.max(0, this.#limit - this.#bytes);
  }
  /** Something is missing before the last that came. */
  get hasHoles(): boolean {
    return this.#highest >= this.#next;
  }
  /** Sequence number of the last packet that came. */
  get highest(): number {
    return this.#highest;
  }
  /** The end came, and everything before it. */
  get isComplete(): boolean {
    return this.#end !== undefined && this.#next > this.#end;
  }
  /** It was read, too. */
  get isRead(): boolean {
    return this.#end !== undefined && this.#read > this.#end;
  }

  /** Packet `sequence` is the last one. Whoever says so twice is believed once. */
  ends(sequence: number): void {
    if (sequence > this.#highest) this.#end ??= sequence;
  }

  /**
   * Where a packet belongs. `next` is for the caller to deliver at once, after which it calls
   * {@link passed}; that only comes when nothing waits for a reader and `isReading`.
   */
  place(sequence: number, payload: Uint8Array, isReading: boolean): Placed {
    if (sequence < this.#next || this.has(sequence)) return 'old';
    if (this.#end !== undefined && sequence > this.#end) return 'refused';
    if (isReading && sequence === this.#next && this.#read === this.#next) return 'next';
    return this.#keep(sequence, payload) ? 'kept' : 'refused';
  }

  /** The packet that was `next` is delivered. */
  passed(): void {
    this.#read++;
    this.#next++;
    if (this.#highest < this.#next) this.#highest = this.#next - 1;
    this.#advance();
  }

  /** Something can be read. */
  get isReadable(): boolean {
    return this.#read < this.#next;
  }

  /** The next payload for the reader, which gives it back by {@link done} when it has seen it. */
  shift(): Uint8Array {
    const slot = this.#read & this.#mask;
    const length = Math.max(0, this.#lengths[slot] ?? 0);
    const buffer = this.#buffers[slot] ?? NOTHING;
    this.#buffers[slot] = undefined;
    this.#lengths[slot] = -1;
    this.#bytes -= length;
    this.#read++;
    return buffer.subarray(0, length);
  }

  done(payload: Uint8Array): void {
    if (payload.buffer.byteLength > 0) this.#pool.release(new Uint8Array(payload.buffer));
  }

  has(sequence: number): boolean {
    return (
      sequence >= this.#read &&
      sequence <= this.#highest &&
      (this.#lengths[sequence & this.#mask] ?? -1) >= 0
    );
  }

  /** Gives all memory back. */
  clear(): void {
    for (let slot = 0; slot <= this.#mask; slot++) {
      const buffer = this.#buffers[slot];
      if (buffer !== undefined) this.#pool.release(buffer);
      this.#buffers[slot] = undefined;
      this.#lengths[slot] = -1;
    }
    this.#bytes = 0;
    this.#read = this.#next;
    this.#highest = this.#next - 1;
  }

  #keep(sequence: number, payload: Uint8Array): boolean {
    if (this.#bytes + payload.length > this.#limit || sequence - this.#read >= MAX_AHEAD)
      return false;
    const buffer = payload.length === 0 ? NOTHING : this.#pool.tryAcquire(payload.length);
    if (buffer === undefined) return false;
    while (sequence - this.#read > this.#mask) this.#grow();
    buffer.set(payload);
    const slot = sequence & this.#mask;
    this.#buffers[slot] = buffer === NOTHING ? undefined : buffer;
    this.#lengths[slot] = payload.length;
    this.#bytes += payload.length;
    if (sequence > this.#highest) this.#highest = sequence;
    this.#advance();
    return true;
  }

  #advance(): void {
    while (this.#next <= this.#highest && (this.#lengths[this.#next & this.#mask] ?? -1) >= 0) {
      this.#next++;
    }
  }

  #grow(): void {
    const capacity = 2 * (this.#mask + 1);
    const mask = capacity - 1;
    const buffers: (Uint8Array | undefined)[] = Array.from({ length: capacity });
    const lengths = new Int32Array(capacity).fill(-1);
    for (let sequence = this.#read; sequence <= this.#highest; sequence++) {
      buffers[sequence & mask] = this.#buffers[sequence & this.#mask];
      lengths[sequence & mask] = this.#lengths[sequence & this.#mask] ?? -1;
    }
    this.#mask = mask;
    this.#buffers = buffers;
    this.#lengths = lengths;
  }
}

const NOTHING = new Uint8Array(0);
