/** What is said to a proxy before the tunnel stands: a push parser that answers. @module */

import type { Endpoint } from '../base/endpoint.ts';

/** What the bytes so far led to. */
export interface Step {
  /** So many of the bytes that were given belong to it; what follows belongs to who uses the tunnel. */
  readonly used: number;
  /** To be sent now. */
  readonly send?: Uint8Array;
  /** It is over: the address that the proxy uses for us, where it tells. */
  readonly done?: { readonly bound: Endpoint | undefined };
}

/** To be asked for {@link begin} once, and fed then until it is done. */
export interface Negotiation {
  /** The first bytes to send. */
  begin(): Uint8Array;
  /**
   * Takes what the proxy sends, cut anyhow. Never uses a byte behind the last one of its own.
   *
   * @throws {NetworkError} `BIP_PROXY_…`, `BIP_UNREACHABLE` or `BIP_REFUSED`, when the proxy says no or
   *   does not speak its protocol.
   */
  feed(bytes: Uint8Array): Step;
}
