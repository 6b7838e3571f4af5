/** Connection ids that the server does not have to remember (BEP 15). @module */

import { SipHash } from '../../base/siphash.ts';
import { readUint32, writeUint32 } from '../../base/uint32.ts';

/**
 * An id is the time in seconds (4 bytes) and a keyed hash of it and the address (4 bytes): whoever has
 * the key knows it for its own. The port is left out: NATs change it between two packets.
 */
export class ServerConnectionIds {
  readonly #hash: SipHash;
  /** What is hashed: time, and the address up to its length. */
  readonly #input = new Uint8Array(4 + 16);

  /** `key` has 16 random bytes, the same for all workers of one tracker. */
  constructor(key: Uint8Array) {
    this.#hash = new SipHash(key);
  }

  /** Writes the id for `address`, of 4 or 16 bytes, to `out` from `at` on. */
  write(out: Uint8Array, at: number, address: Uint8Array, seconds: number): void {
    writeUint32(out, at, seconds);
    writeUint32(out, at + 4, this.#mac(seconds >>> 0, address));
  }

  /** Whether the id at `at` was made for `address` in the last two minutes. */
  check(bytes: Uint8Array, at: number, address: Uint8Array, seconds: number): boolean {
    const made = readUint32(bytes, at);
    // One that comes from the future is very old, too.
    const age = (seconds - made) >>> 0;
    return age <= LIFETIME_SECONDS && readUint32(bytes, at + 4) === this.#mac(made, address);
  }

  #mac(seconds: number, address: Uint8Array): number {
    const input = this.#input;
    writeUint32(input, 0, seconds);
    for (let at = 0; at < address.length; at++) input[4 + at] = address[at] ?? 0;
    this.#hash.hash(input, 0, 4 + address.length);
    return this.#hash.low;
  }
}

/** BEP 15: a client may use it for one minute, "trackers should accept it until two minutes" after. */
const LIFETIME_SECONDS = 120;
