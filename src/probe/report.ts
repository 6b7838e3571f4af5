/** What a probe finds out about a peer. @module */

import type { Endpoint } from '../base/endpoint.ts';
import type { BipError } from '../base/errors.ts';
import type { ClientIdentity, Handshake } from '../handshake/index.ts';
import type { ExtendedHandshake } from '../peer/index.ts';
import type { Millis } from '../runtime/ports.ts';
import type { Holdings } from './possessions.ts';

/** How a peer is called: over what, and in which disguise. */
export interface Way {
  readonly transport: 'tcp' | 'utp';
  /** After MSE all is RC4, or what follows the handshakes is plaintext. */
  readonly encryption: 'none' | 'rc4' | 'plaintext';
}

/** What became of one way: `error` is absent where the peer shook hands. */
export interface Attempt {
  readonly way: Way;
  /** From the call to the connection; absent when there was none. */
  readonly connectMs?: Millis;
  readonly error?: BipError;
}

/** What was learnt on a connection on which the peer shook hands. */
export interface Findings {
  readonly handshake: Handshake;
  readonly client: ClientIdentity;
  /** The client that the extended handshake names, when it is another one. */
  readonly otherClient?: string;
  /** From our handshake to the last byte of the peer's. */
  readonly handshakeMs: Millis;
  /** Absent when the peer does not know BEP 10, or said nothing in time. */
  readonly extended?: ExtendedHandshake;
  /** Absent when the peer said nothing of pieces. */
  readonly pieces?: Holdings;
  /** UDP port of the peer's DHT node (BEP 5). */
  readonly dhtPort?: number;
  /** Absent when none came: the peer has no such extension, or was not waited for. */
  readonly pex?: readonly PexPeer[];
  /** The peer went before it was told to. */
  readonly closedByPeer: boolean;
  /** The rule that the peer broke after its handshake. */
  readonly fault?: BipError;
}

/** A peer that another one named (BEP 11). */
export interface PexPeer {
  readonly endpoint: Endpoint;
  /** What was said of it. */
  readonly flags: readonly PexFlag[];
}

export type PexFlag = 'encryption' | 'seed' | 'utp' | 'holepunch' | 'reachable';

/** A peer that shook hands. */
export interface ProbeReport extends Findings {
  readonly endpoint: Endpoint;
  /** The way by which all this was learnt. */
  readonly way: Way;
  /** From the call to the connection. */
  readonly connectMs: Millis;
  /** Every way that was tried, in their order. */
  readonly attempts: readonly Attempt[];
}
