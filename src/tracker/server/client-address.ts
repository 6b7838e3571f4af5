/** Who asks, when it may be a reverse proxy that speaks for others. @module */

import { parseIp } from '../../base/ip.ts';
import type { HttpIncoming } from '../../runtime/ports.ts';
import { SenderAddress } from './sender.ts';

export interface ProxyTrust {
  /** Whose word about addresses counts; nobody's by default. */
  readonly trustedProxies?: { has(address: Uint8Array): boolean };
  /** In lower case; default `x-forwarded-for`. */
  readonly proxyHeader?: string;
}

/** Finds the address of clients. */
export class ClientAddresses {
  readonly #sender = new SenderAddress();
  readonly #trusted: ProxyTrust['trustedProxies'];
  readonly #header: string;

  constructor({ trustedProxies, proxyHeader = 'x-forwarded-for' }: ProxyTrust = {}) {
    this.#trusted = trustedProxies;
    this.#header = proxyHeader.toLowerCase();
  }

  /**
   * 4 or 16 bytes, good until the next call; `undefined` when a trusted proxy says no address.
   *
   * Each proxy adds whom it was asked by at the end of the list: from there to the left, the first
   * one that is no trusted proxy is the client, and what stands further left is its own invention.
   */
  of(request: HttpIncoming): Uint8Array | undefined {
    const address = this.#sender.read(request.from.host);
    if (address === undefined || this.#trusted?.has(address) !== true) return address;
    const list = request.headers[this.#header];
    return list === undefined ? address : this.#clientIn(list);
  }

  #clientIn(list: string): Uint8Array | undefined {
    let client: Uint8Array | undefined;
    let end = list.length;
    for (let hops = 0; hops < MOST_PROXIES && end >= 0; hops++) {
      const comma = end === 0 ? -1 : list.lastIndexOf(',', end - 1);
      client = parseForwarded(list.slice(comma + 1, end).trim());
      if (client === undefined || this.#trusted?.has(client) !== true) break;
      end = comma;
    }
    return client;
  }
}

/** Longer chains of trusted proxies are cut. */
const MOST_PROXIES = 16;

/** `1.2.3.4`, `1.2.3.4:5678`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:5678`. */
function parseForwarded(text: string): Uint8Array | undefined {
  if (text.startsWith('[')) {
    const end = text.indexOf(']');
    return end < 0 ? undefined : plainIp(text.slice(1, end));
  }
  const colon = text.indexOf(':');
  const withPort = colon >= 0 && text.indexOf(':', colon + 1) < 0;
  return plainIp(withPort ? text.slice(0, colon) : text);
}

/** IPv4 written as IPv6 (`::ffff:1.2.3.4`) becomes IPv4. */
export function plainIp(text: string): Uint8Array | undefined {
  const bytes = parseIp(text);
  return bytes !== undefined && isMapped(bytes) ? bytes.subarray(12) : bytes;
}

function isMapped(bytes: Uint8Array): boolean {
  if (bytes.length !== 16 || bytes[10] !== 0xff || bytes[11] !== 0xff) return false;
  return bytes.subarray(0, 10).every((byte) => byte === 0);
}
