/** Items that the DHT keeps for others, where they belong, and how they are signed (BEP 44). @module */

import { concatBytes, encodeUtf8 } from '../../base/bytes.ts';
import { sha1 } from '../../base/sha.ts';
import { sign, verify } from './ed25519.ts';

export type DhtItem = ImmutableItem | MutableItem;

/** Found by its hash, and never another. */
export interface ImmutableItem {
  readonly type: 'immutable';
  /** Canonical bencode, at most {@link MAX_VALUE_BYTES}. */
  readonly value: Uint8Array;
}

/** Found by the key of who signs it, who may replace it by one with a higher sequence. */
export interface MutableItem {
  readonly type: 'mutable';
  /** 32 bytes: Ed25519. */
  readonly publicKey: Uint8Array;
  /** Tells items of one key apart; at most {@link MAX_SALT_BYTES}, and empty when there is but one. */
  readonly salt: Uint8Array;
  /** 0 to {@link MAX_SEQUENCE}. */
  readonly sequence: bigint;
  /** Canonical bencode, at most {@link MAX_VALUE_BYTES}. */
  readonly value: Uint8Array;
  /** 64 bytes: Ed25519 over {@link signedBytes}. */
  readonly signature: Uint8Array;
}

/** BEP 44: "it's not safe to assume storing more than 1000 bytes will succeed". */
export const MAX_VALUE_BYTES = 1_000;
export const MAX_SALT_BYTES = 64;
/** `MAX_INT64`. */
export const MAX_SEQUENCE = 0x7fff_ffff_ffff_ffffn;

/** Where an immutable item belongs: 20 bytes. */
export function immutableTarget(value: Uint8Array): Uint8Array {
  return sha1(value);
}

/** Where a mutable item belongs: 20 bytes. */
export function mutableTarget(publicKey: Uint8Array, salt: Uint8Array): Uint8Array {
  return sha1(concatBytes(publicKey, salt));
}

/** What is signed. An empty salt counts as none. */
export function signedBytes({
  salt,
  sequence,
  value,
}: Pick<MutableItem, 'salt' | 'sequence' | 'value'>): Uint8Array {
  const salting = salt.length === 0 ? [] : [encodeUtf8(`4:salt${salt.length}:`), salt];
  return concatBytes(...salting, encodeUtf8(`3:seqi${sequence}e1:v`), value);
}

/** What there is to sign, and with what. */
export interface Signing extends Pick<MutableItem, 'salt' | 'sequence' | 'value'> {
  /** 32 or 64 bytes, in any form that {@link "./ed25519.ts".publicKeyOf} knows. */
  readonly secretKey: Uint8Array;
}

/** @throws {UsageError} when it is no secret key. */
export function signItem({ secretKey, salt, sequence, value }: Signing): MutableItem {
  const { publicKey, signature } = sign(signedBytes({ salt, sequence, value }), secretKey);
  return { type: 'mutable', publicKey, salt, sequence, value, signature };
}

/**
 * Whether the owner of the key signed a mutable item; immutable items need no signature. Takes about a
 * millisecond: look at everything else first.
 */
export function verifyItem(item: DhtItem): boolean {
  if (item.type === 'immutable') return true;
  return verify(item.signature, signedBytes(item), item.publicKey);
}
