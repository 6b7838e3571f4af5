/** Nodes of the DHT as they are handed around: an id and where it answers. @module */

import type { Endpoint } from '../base/endpoint.ts';

/** A node: 20 bytes of id (BEP 5), and a literal address with the port where it answers. */
export interface Contact {
  readonly id: Uint8Array;
  readonly endpoint: Endpoint;
}

/** Of IPv4 and of IPv6 there is one DHT each (BEP 32). */
export type Family = 4 | 6;
