/**
 * The key exchange of message stream encryption: Diffie and Hellman over a prime of 768 bits, with
 * secrets of 160 bits. It hides a handshake from who looks at bytes; it is no protection against who
 * stands in between.
 *
 * @module
 */

import { formatHex, parseHex } from '../../base/bytes.ts';
import { InvariantError, invariant, ProtocolError } from '../../base/errors.ts';

/** Bytes of a public key and of a shared secret, zeros in front where there are fewer. */
export const KEY_LENGTH = 96;
/** Bytes of a secret exponent: "Xa and Xb are … 160 bits". */
export const EXPONENT_LENGTH = 20;

/** A public key of a peer, known to be no degenerate one. */
export type PublicKey = bigint;

/**
 * The number that 96 bytes stand for.
 *
 * @throws {ProtocolError} for 0, 1, P − 1 and more: the shared secret would be one of two that anybody
 * can guess.
 */
export function parsePublicKey(bytes: Uint8Array): PublicKey {
  invariant(bytes.length === KEY_LENGTH, `a public key of ${bytes.length} bytes`);
  const key = readNumber(bytes);
  if (key >= 2n && key < P - 1n) return key;
  throw new ProtocolError('the peer sent a degenerate key', { rule: 'MSE public key' });
}

/** A secret and what is told of it. */
export class KeyPair {
  /** 96 bytes to send. */
  readonly publicKey: Uint8Array;
  readonly #exponent: Uint8Array;

  /** @param exponent 20 random bytes */
  constructor(exponent: Uint8Array) {
    invariant(exponent.length === EXPONENT_LENGTH, `an exponent of ${exponent.length} bytes`);
    this.#exponent = exponent;
    this.publicKey = writeNumber(powerOfTwo(exponent));
  }

  /** The 96 bytes that both sides know now: S of the specification. */
  sharedSecret(theirs: PublicKey): Uint8Array {
    return writeNumber(power(theirs, this.#exponent));
  }
}

const P =
  0xffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404ddef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a63a36210000000000090563n;

/** 2^exponent mod P: to multiply by powers of the generator 2 is to shift. */
function powerOfTwo(exponent: Uint8Array): bigint {
  let result = 1n;
  for (const byte of exponent) {
    for (let bit = 0; bit < 8; bit++) result = (result * result) % P;
    result = (result << BigInt(byte)) % P;
  }
  return result;
}

/** base^exponent mod P, four bits at a time. */
function power(base: bigint, exponent: Uint8Array): bigint {
  const powers = [1n];
  for (let at = 1; at < 16; at++) powers.push(((powers[at - 1] ?? 1n) * base) % P);
  let result = 1n;
  const shiftIn = (digit: number): void => {
    for (let bit = 0; bit < 4; bit++) result = (result * result) % P;
    if (digit !== 0) result = (result * (powers[digit] ?? 1n)) % P;
  };
  for (const byte of exponent) {
    shiftIn(byte >>> 4);
    shiftIn(byte & 15);
  }
  return result;
}

function readNumber(bytes: Uint8Array): bigint {
  return BigInt(`0x${formatHex(bytes)}`);
}

function writeNumber(number: bigint): Uint8Array {
  const bytes = parseHex(number.toString(16).padStart(2 * KEY_LENGTH, '0'));
  if (bytes === undefined) throw new InvariantError('a number in hex');
  return bytes;
}
