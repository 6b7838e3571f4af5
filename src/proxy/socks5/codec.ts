/** What client and SOCKS5 proxy write to each other (RFC 1928, RFC 1929). @module */

import { concatBytes, decodeUtf8Lossy, encodeUtf8 } from '../../base/bytes.ts';
import type { Endpoint } from '../../base/endpoint.ts';
import { formatIp, parseIp } from '../../base/ip.ts';

/** RFC 1928 §3. */
export const METHODS = { none: 0x00, login: 0x02, unacceptable: 0xff } as const;
/** RFC 1928 §4; BIND is not used. */
const COMMANDS = { connect: 0x01, associate: 0x03 } as const;

export type Command = keyof typeof COMMANDS;

/** First byte of messages of the protocol, and of those about user and password (RFC 1929). */
export const VERSION = 0x05;
export const LOGIN_VERSION = 0x01;

/** The methods that we know: none, and with a login that one as well. */
export function encodeGreeting(hasLogin: boolean): Uint8Array {
  const methods = hasLogin ? [METHODS.none, METHODS.login] : [METHODS.none];
  return Uint8Array.of(VERSION, methods.length, ...methods);
}

/** User and password, of 1 to 255 bytes each (RFC 1929 §2). */
export function encodeLogin(user: string, password: string): Uint8Array {
  const [name, word] = [encodeUtf8(user), encodeUtf8(password)];
  return concatBytes(
    Uint8Array.of(LOGIN_VERSION, name.length),
    name,
    Uint8Array.of(word.length),
    word,
  );
}

/** RFC 1928 §4. `undefined` when the name of the host is longer than 255 bytes. */
export function encodeRequest(command: Command, to: Endpoint): Uint8Array | undefined {
  const address = encodeAddress(to);
  if (address === undefined) return undefined;
  return concatBytes(Uint8Array.of(VERSION, COMMANDS[command], 0), address);
}

/** RFC 1928 §7: what stands before the payload. `undefined` as with {@link encodeRequest}. */
export function encodeUdpHeader(to: Endpoint): Uint8Array | undefined {
  const address = encodeAddress(to);
  return address === undefined ? undefined : concatBytes(Uint8Array.of(0, 0, 0), address);
}

/** A payload and who sent it; `undefined` for fragments, which nobody sends, and for what is no such packet. */
export function decodeUdp(
  bytes: Uint8Array,
): { readonly from: Endpoint; readonly payload: Uint8Array } | undefined {
  if (bytes.length < 4 || bytes[2] !== 0) return undefined;
  const length = addressLength(bytes[3] ?? 0, bytes[4] ?? 0);
  if (length === undefined || bytes.length < 3 + length) return undefined;
  return {
    from: decodeAddress(bytes.subarray(3, 3 + length)),
    payload: bytes.subarray(3 + length),
  };
}

/**
 * Bytes of an address with its type and port, by the type and the byte after it; `undefined` for a type
 * that does not exist.
 */
export function addressLength(type: number, next: number): number | undefined {
  if (type === TYPES.ipv4) return 7;
  if (type === TYPES.ipv6) return 19;
  return type === TYPES.name ? 4 + next : undefined;
}

/** An address with its type and port, as long as {@link addressLength} says. */
export function decodeAddress(bytes: Uint8Array): Endpoint {
  const end = bytes.length - 2;
  const port = ((bytes[end] ?? 0) << 8) | (bytes[end + 1] ?? 0);
  const host =
    bytes[0] === TYPES.name
      ? decodeUtf8Lossy(bytes.subarray(2, end))
      : formatIp(bytes.subarray(1, end));
  return { host, port };
}

function encodeAddress({ host, port }: Endpoint): Uint8Array | undefined {
  const ip = parseIp(host);
  const tail = Uint8Array.of(port >>> 8, port & 0xff);
  if (ip !== undefined) {
    return concatBytes(Uint8Array.of(ip.length === 4 ? TYPES.ipv4 : TYPES.ipv6), ip, tail);
  }
  const name = encodeUtf8(host);
  if (name.length === 0 || name.length > MAX_NAME) return undefined;
  return concatBytes(Uint8Array.of(TYPES.name, name.length), name, tail);
}

/** RFC 1928 §5. */
const TYPES = { ipv4: 0x01, name: 0x03, ipv6: 0x04 } as const;
/** One byte tells the length. */
const MAX_NAME = 255;
