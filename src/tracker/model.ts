/** What is asked of a tracker and what it says, whatever the transport (BEP 3, 7, 15, 23, 24, 31). @module */

import type { Endpoint } from '../base/endpoint.ts';
import { type ErrorCode, RemoteError } from '../base/errors.ts';
import type { InfoHash, PeerId } from '../base/ids.ts';
import type { Runtime } from '../runtime/ports.ts';

/** BEP 3 `event`; a regular announce has none. */
export type AnnounceEvent = 'started' | 'completed' | 'stopped';

/** One announce of one torrent. All amounts in bytes. */
export interface AnnounceRequest {
  /** A v2 hash is cut to 20 bytes on the wire (BEP 52). */
  readonly infoHash: InfoHash;
  readonly peerId: PeerId;
  /** Where we listen for peers. */
  readonly port: number;
  readonly uploaded: number;
  readonly downloaded: number;
  readonly left: number;
  readonly event?: AnnounceEvent | undefined;
  /** 32 bits that stay the same as long as a session, so that a tracker knows us after our address changed. */
  readonly key?: number | undefined;
  /** How many peers are wanted; the tracker decides when absent. */
  readonly numWant?: number | undefined;
  /** The address that peers should use instead of the one the tracker sees; over UDP only IPv4. */
  readonly ip?: string | undefined;
}

/** A tracker's answer to an announce. */
export interface AnnounceResponse {
  /** How long to wait before the next regular announce. */
  readonly intervalSeconds: number;
  /** No announce without an event before this has passed. */
  readonly minIntervalSeconds?: number;
  readonly seeders?: number;
  readonly leechers?: number;
  /** Literal addresses only, no port 0. */
  readonly peers: readonly Endpoint[];
  /** Our address as the tracker sees it (BEP 24). */
  readonly externalIp?: string;
  readonly warning?: string;
  /** To be sent back with the next announce (BEP 3 `tracker id`). */
  readonly trackerId?: Uint8Array;
  /** Who answered. */
  readonly remote: Endpoint;
  /** From the last packet or request sent to its answer. */
  readonly rttMs: number;
}

/** How one announce is made. */
export interface AnnounceOptions {
  readonly signal: AbortSignal;
  /**
   * Give up after this many milliseconds in all. Default: over UDP what the retransmissions of
   * BEP 15 add up to, over HTTP {@link HTTP_TIMEOUT_MS} for each attempt.
   */
  readonly timeoutMs?: number | undefined;
  /** How often to ask again when nobody answers. Default: 8 over UDP, 2 with `timeoutMs`; 0 over HTTP. */
  readonly retries?: number | undefined;
  /** Use addresses of this family only. */
  readonly family?: 4 | 6 | undefined;
  /** What {@link AnnounceResponse.trackerId} was the last time. */
  readonly trackerId?: Uint8Array | undefined;
  /** The URL was typed by the user, not found in a torrent: any path on this machine may be asked. */
  readonly trusted?: boolean | undefined;
}

/** What of the world announces need. */
export type TrackerRuntime = Pick<Runtime, 'clock' | 'random' | 'network' | 'lookup' | 'http'>;

/** libtorrent's `tracker_completion_timeout`. */
export const HTTP_TIMEOUT_MS = 30_000;

/** The tracker answered, and the answer is no. */
export class TrackerRefusal extends RemoteError {
  /** The tracker's own words. */
  readonly reason: string;
  /** When to ask again (BEP 31 `retry in`); absent when the tracker did not say. */
  readonly retryInSeconds: number | 'never' | undefined;
  constructor(
    message: string,
    details: {
      readonly reason: string;
      readonly retryInSeconds?: number | 'never' | undefined;
      readonly code?: ErrorCode;
    },
  ) {
    super(message, { code: details.code ?? 'BIP_TRACKER_REFUSED' });
    this.reason = details.reason;
    this.retryInSeconds = details.retryInSeconds;
  }
}
