/** Memory for bytes on their way through a cipher, shared by the connections of a session. @module */

/** Shorter writes get memory of their own. */
const WORTH_KEEPING = 8_192;
/** Longer writes are encrypted in parts. */
const PART = 65_536;
/** Idle buffers kept: 4 MiB. */
const MAX_IDLE = 64;

/** An encrypted part, and the byte of the stream behind which its memory is free again. */
export interface OnItsWay {
  readonly buffer: Uint8Array;
  readonly end: number;
}

export class CipherBuffers {
  #scratch = new Uint8Array(PART);
  #lent = false;
  readonly #idle: Uint8Array[] = [];

  /** Hands a copy of `bytes` to `use`, during its call only. */
  withCopy(bytes: Uint8Array, use: (copy: Uint8Array) => void): void {
    // A handler that hands on to another stream on the spot finds the scratch in use.
    if (this.#lent) return use(bytes.slice());
    // As much as the runtime reads at once.
    if (this.#scratch.length < bytes.length) this.#scratch = new Uint8Array(bytes.length);
    const copy = this.#scratch.subarray(0, bytes.length);
    copy.set(bytes);
    this.#lent = true;
    try {
      use(copy);
    } finally {
      this.#lent = false;
    }
  }

  /** Copies `bytes` part by part; `kept` parts are to be given back by {@link release}. */
  parts(bytes: Uint8Array, use: (copy: Uint8Array, kept: Uint8Array | undefined) => void): void {
    for (let at = 0; at < bytes.length; at += PART) {
      const part = bytes.subarray(at, at + PART);
      if (part.length < WORTH_KEEPING) use(part.slice(), undefined);
      else {
        const kept = this.#idle.pop() ?? new Uint8Array(PART);
        kept.set(part);
        use(kept.subarray(0, part.length), kept);
      }
    }
  }

  release(buffer: Uint8Array): void {
    if (this.#idle.length < MAX_IDLE) this.#idle.push(buffer);
  }
}
