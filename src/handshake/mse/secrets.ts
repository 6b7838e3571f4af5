/** What both sides of message stream encryption derive from their shared secret. @module */

import { concatBytes, encodeUtf8 } from '../../base/bytes.ts';
import { SHA1_LENGTH, sha1 } from '../../base/sha.ts';
import { Rc4 } from './rc4.ts';

/** Bytes of a hash in the handshake. */
export const HASH_LENGTH: number = SHA1_LENGTH;

/** "the first 1024 bytes of the RC4 output are discarded" */
const DISCARDED = 1024;

/** The secret S, hashed with the words of the specification. */
export class SharedSecret {
  readonly #secret: Uint8Array;

  /** @param secret 96 bytes */
  constructor(secret: Uint8Array) {
    this.#secret = secret;
  }

  /** HASH('req1', S): where the first part of the caller's padding ends. */
  get mark(): Uint8Array {
    return hash('req1', this.#secret);
  }

  /**
   * HASH('req2', SKEY) xor HASH('req3', S) for one of the two operands of the exclusive or: what is sent
   * from the name of a torrent, and the name of the torrent from what is sent.
   */
  mask(torrent: Uint8Array): Uint8Array {
    const mask = hash('req3', this.#secret);
    return mask.map((byte, at) => byte ^ (torrent[at] ?? 0));
  }

  /** The stream of the side that called. */
  callerCipher(infoHash: Uint8Array): Rc4 {
    return this.#cipher('keyA', infoHash);
  }

  /** The stream of the side that was called. */
  calledCipher(infoHash: Uint8Array): Rc4 {
    return this.#cipher('keyB', infoHash);
  }

  #cipher(word: string, infoHash: Uint8Array): Rc4 {
    const cipher = new Rc4(hash(word, this.#secret, infoHash));
    cipher.skip(DISCARDED);
    return cipher;
  }
}

/** HASH('req2', SKEY): 20 bytes by which the side that is called finds the torrent among its own. */
export function hiddenName(infoHash: Uint8Array): Uint8Array {
  return hash('req2', infoHash);
}

function hash(word: string, ...parts: readonly Uint8Array[]): Uint8Array {
  return sha1(concatBytes(encodeUtf8(word), ...parts));
}
