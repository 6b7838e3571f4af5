/** Tokens: who wants to store something shows that it receives what is sent to its address (BEP 5). @module */

import { SipHash } from '../base/siphash.ts';
import { readUint32, writeUint32 } from '../base/uint32.ts';
import type { Millis, Random } from '../runtime/ports.ts';

/** Bytes of a token. */
export const TOKEN_BYTES = 8;

/**
 * A token is a keyed hash of an address and of the five minutes in which it was issued. Nothing has to be
 * remembered or renewed, so that it does not matter how long nobody asked, or how far a clock jumped.
 */
export class Tokens {
  readonly #hash: SipHash;
  /** What is hashed: the number of the period, and the address. */
  readonly #input = new Uint8Array(8 + MAX_IP_BYTES);

  constructor(random: Random) {
    this.#hash = new SipHash(random.bytes(KEY_BYTES));
  }

  /** A token for the 4 or 16 bytes of an address, good for 5 to 10 minutes. */
  issue(ip: Uint8Array, now: Millis): Uint8Array {
    const token = new Uint8Array(TOKEN_BYTES);
    this.#sign(periodOf(now), ip);
    writeUint32(token, 0, this.#hash.high);
    writeUint32(token, 4, this.#hash.low);
    return token;
  }

  /** Whether `token` was issued to this address in this period or in the one before. */
  check(token: Uint8Array, ip: Uint8Array, now: Millis): boolean {
    if (token.length !== TOKEN_BYTES) return false;
    const period = periodOf(now);
    return this.#is(token, period, ip) || this.#is(token, period - 1, ip);
  }

  #is(token: Uint8Array, period: number, ip: Uint8Array): boolean {
    this.#sign(period, ip);
    const { high, low } = this.#hash;
    return readUint32(token, 0) === high && readUint32(token, 4) === low;
  }

  #sign(period: number, ip: Uint8Array): void {
    const input = this.#input;
    writeUint32(input, 0, Math.floor(period / 0x1_0000_0000));
    writeUint32(input, 4, period);
    input.set(ip, 8);
    this.#hash.hash(input, 0, 8 + ip.length);
  }
}

function periodOf(now: Millis): number {
  return Math.floor(now / PERIOD_MS);
}

const KEY_BYTES = 16;
const MAX_IP_BYTES = 16;
/** As in BEP 5: a new secret every five minutes, and tokens of the last one are taken as well. */
const PERIOD_MS = 5 * 60 * 1000;
