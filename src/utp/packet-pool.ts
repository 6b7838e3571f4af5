/** Memory for packets, used again: of all connections of one socket. @module */

/** Bytes of the buffers: a small message, a packet of Ethernet, a block on loopback, the largest datagram. */
const SIZES = [256, 2048, 16_896, 65_536] as const;
/** Idle buffers kept, by size. */
const MAX_IDLE = [256, 4096, 256, 16] as const;

export class PacketPool {
  readonly #idle: readonly Uint8Array[][] = SIZES.map(() => []);
  readonly #limit: number;
  #lent = 0;

  /** @param limit bytes that received packets may take in all connections together */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** At least `length` bytes, up to 65,536, with arbitrary content. */
  acquire(length: number): Uint8Array {
    const size = SIZES.findIndex((each) => each >= length);
    const buffer = this.#idle[size]?.pop() ?? new Uint8Array(SIZES[size] ?? length);
    this.#lent += buffer.length;
    return buffer;
  }

  /** The same for what others sent; `undefined` when they hold too much already. */
  tryAcquire(length: number): Uint8Array | undefined {
    return this.#lent + length > this.#limit ? undefined : this.acquire(length);
  }

  /** A buffer of this pool that nobody looks at any more. */
  release(buffer: Uint8Array): void {
    this.#lent -= buffer.length;
    const size = SIZES.findIndex((each) => each === buffer.length);
    const idle = this.#idle[size];
    if (idle !== undefined && idle.length < (MAX_IDLE[size] ?? 0)) idle.push(buffer);
  }

  /** Bytes in use. */
  get lent(): number {
    return this.#lent;
  }
}
