/**
 * Ed25519 (RFC 8032) as BEP 44 needs it: also with keys that are given as scalar and prefix, without the
 * seed that they were made of, as those of libtorrent and of the BEP's examples are.
 *
 * @module
 */

import { ed25519 } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { concatBytes, equalBytes, formatHex } from '../../base/bytes.ts';
import { UsageError } from '../../base/errors.ts';

/**
 * The 32 bytes that belong to a secret key, in any of its forms: a seed of 32 bytes (RFC 8032), a seed and
 * its public key (64 bytes, as of NaCl and Go), or scalar and prefix (64 bytes, as of libtorrent).
 *
 * @throws {UsageError} when it is none of these.
 */
export function publicKeyOf(secretKey: Uint8Array): Uint8Array {
  return expand(secretKey).publicKey;
}

/**
 * Signs bytes with a secret key in any form; the same bytes get the same signature.
 *
 * @throws {UsageError} when it is no secret key.
 */
export function sign(
  message: Uint8Array,
  secretKey: Uint8Array,
): { readonly publicKey: Uint8Array; readonly signature: Uint8Array } {
  const { scalar, prefix, publicKey } = expand(secretKey);
  const nonce = numberOf(sha512(concatBytes(prefix, message)));
  const commitment = Point.BASE.multiply(nonce).toBytes();
  const challenge = numberOf(sha512(concatBytes(commitment, publicKey, message)));
  const answer = Point.Fn.toBytes((nonce + challenge * scalar) % ORDER);
  return { publicKey, signature: concatBytes(commitment, answer) };
}

/**
 * Whether `signature` (64 bytes) is one of `message` by `publicKey` (32 bytes).
 *
 * The nodes that store an item and those that get it have to agree about it, and most of them compute as
 * ref10 does (libtorrent, Go): one equation without the cofactor, whose result is compared byte by byte.
 * So do we, rather than by either of the rules that the library offers, ZIP 215 and its stricter one. They
 * differ only in signatures that a malicious owner of a key can make. In one thing we are stricter than
 * libtorrent, as Go is: an answer not below the order, which anybody can make of a valid one, is refused
 * (RFC 8032 §5.1.7). An item stored with such a signature would be lost for everyone who refuses it.
 */
export function verify(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean {
  if (signature.length !== SIGNATURE_BYTES || publicKey.length !== KEY_BYTES) return false;
  const commitment = signature.subarray(0, 32);
  const answer = littleEndian(signature.subarray(32));
  if (answer >= ORDER) return false;
  const owner = decodePoint(publicKey);
  if (owner === undefined) return false;
  const challenge = numberOf(sha512(concatBytes(commitment, publicKey, message)));
  const found = Point.BASE.multiplyUnsafe(answer).subtract(owner.multiplyUnsafe(challenge));
  return equalBytes(found.toBytes(), commitment);
}

interface ExpandedKey {
  readonly scalar: bigint;
  readonly prefix: Uint8Array;
  readonly publicKey: Uint8Array;
}

function expand(secretKey: Uint8Array): ExpandedKey {
  if (secretKey.length === KEY_BYTES) return ofSeed(secretKey);
  if (secretKey.length !== 2 * KEY_BYTES) {
    throw new UsageError(
      `a secret key has 32 bytes (a seed) or 64 (a seed and its public key, or an expanded key), not ${secretKey.length}`,
    );
  }
  const paired = ofSeed(secretKey.subarray(0, KEY_BYTES));
  if (equalBytes(paired.publicKey, secretKey.subarray(KEY_BYTES))) return paired;
  return ofHash(secretKey);
}

/** RFC 8032 §5.1.5. */
function ofSeed(seed: Uint8Array): ExpandedKey {
  const hash = sha512(seed);
  hash[0] = (hash[0] ?? 0) & 0xf8;
  hash[31] = ((hash[31] ?? 0) & 0x7f) | 0x40;
  return ofHash(hash);
}

/** The scalar is taken as it is, as libtorrent does, who derives keys by adding to it. */
function ofHash(hash: Uint8Array): ExpandedKey {
  const scalar = numberOf(hash.subarray(0, KEY_BYTES));
  if (scalar === 0n) throw new UsageError('a secret key of zeros signs nothing');
  return {
    scalar,
    prefix: hash.subarray(KEY_BYTES),
    publicKey: Point.BASE.multiply(scalar).toBytes(),
  };
}

/** Forms of one point that are not the shortest are read as ref10 reads them; `undefined` for no point. */
function decodePoint(bytes: Uint8Array): InstanceType<typeof Point> | undefined {
  try {
    return Point.fromBytes(bytes, true);
  } catch {
    return undefined;
  }
}

function numberOf(bytes: Uint8Array): bigint {
  return littleEndian(bytes) % ORDER;
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${formatHex(bytes.toReversed())}`);
}

const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
const { Point } = ed25519;
/** Of the group that the base point generates. */
const ORDER = Point.Fn.ORDER;
