/**
 * What is asked of a tracker and what it says, whatever the transport (BEP 3, 7, 15, 23, 24, 31, 34,
 * 48).
 *
 * @module
 */

import type { Endpoint } from '../base/endpoint.ts';
import { type ErrorCode, RemoteError } from '../base/errors.ts';
import type { InfoHash, PeerId } from '../base/ids.ts';
import type { Runtime, TlsFacts } from '../runtime/ports.ts';

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
  readonly exchange: ExchangeFacts;
}

/** What a tracker says of one torrent. */
export interface ScrapedFile {
  /** As it was asked for. */
  readonly infoHash: InfoHash;
  readonly seeders?: number;
  readonly leechers?: number;
  /** How often it was downloaded to the end. */
  readonly completed?: number;
  /** Peers that still download (BEP 21): the other leechers have what they want. */
  readonly downloaders?: number;
}

/** A tracker's answer to a scrape. */
export interface ScrapeResponse {
  /** In the order asked for; torrents that the tracker says nothing of are left out. */
  readonly files: readonly ScrapedFile[];
  /** No other scrape before this has passed (`flags`, `min_request_interval`). */
  readonly minRequestIntervalSeconds?: number;
  /** Who answered last: many torrents take several requests. */
  readonly remote: Endpoint;
  /** From the last packet or request sent to its answer. */
  readonly rttMs: number;
  readonly exchange: ExchangeFacts;
}

/** How an answer was come by, for those who look for what is wrong. */
export interface ExchangeFacts {
  /** What spoke to us at the end, which redirects and DNS may have chosen. */
  readonly transport: 'http' | 'https' | 'udp' | 'ws' | 'wss';
  /** Of the address that answered. */
  readonly family: 4 | 6;
  /** Where redirects led, one after the other, without query and credentials. */
  readonly redirects: readonly string[];
  /** Over `https` and `wss`. */
  readonly tls?: TlsFacts;
  /** Packets that had to be sent again, over UDP. */
  readonly retransmissions?: number;
  /** How long the connection took that came before the question; absent when one was there already. */
  readonly connectRttMs?: number;
  /** What DNS says about the trackers of this host (BEP 34). */
  readonly preference?: DnsPreference;
  /** With {@link ExchangeOptions.keepRaw}. */
  readonly raw?: RawExchange;
}

/**
 * What went over the wire: packets of UDP, texts of WebSockets; over HTTP path and query of each
 * request, and the body of each answer, unpacked.
 */
export interface RawExchange {
  readonly sent: readonly Uint8Array[];
  readonly received: readonly Uint8Array[];
}

/** What the TXT record of a tracker's host says (BEP 34). */
export interface DnsPreference {
  /** The words, e.g. `BITTORRENT UDP:1337 TCP:80`. */
  readonly record: string;
  /** The tracker that was asked therefore, e.g. `udp://tracker.example:1337`. */
  readonly asked: string;
}

/** How one exchange with a tracker is made. */
export interface ExchangeOptions {
  readonly signal: AbortSignal;
  /**
   * Give up after this many milliseconds in all. Default: over UDP what the retransmissions of
   * BEP 15 add up to, over HTTP and WebSockets {@link HTTP_TIMEOUT_MS} for each attempt.
   */
  readonly timeoutMs?: number | undefined;
  /** How often to ask again when nobody answers. Default: 8 over UDP, 2 with `timeoutMs`; else 0. */
  readonly retries?: number | undefined;
  /** Use addresses of this family only. */
  readonly family?: 4 | 6 | undefined;
  /** The URL was typed by the user, not found in a torrent: any path on this machine may be asked. */
  readonly trusted?: boolean | undefined;
  /** Redirects and URLs from torrents may lead to whatever listens on this machine and its network. */
  readonly allowLocal?: boolean | undefined;
  /** Keep the bytes for {@link ExchangeFacts.raw}. */
  readonly keepRaw?: boolean | undefined;
}

/** How one announce is made. */
export interface AnnounceOptions extends ExchangeOptions {
  /** What {@link AnnounceResponse.trackerId} was the last time. */
  readonly trackerId?: Uint8Array | undefined;
}

/** What of the world trackers need. */
export type TrackerRuntime = Pick<
  Runtime,
  'clock' | 'random' | 'network' | 'lookup' | 'http' | 'webSockets'
>;

/** libtorrent's `tracker_completion_timeout`. */
export const HTTP_TIMEOUT_MS = 30_000;

/** The tracker answered, and its answer is no good. */
export class TrackerError extends RemoteError {
  /** How the answer was come by, as far as it is known. */
  readonly exchange: ExchangeFacts | undefined;
  constructor(
    message: string,
    details: {
      readonly code: ErrorCode;
      readonly exchange?: ExchangeFacts | undefined;
      readonly cause?: unknown;
    },
  ) {
    super(message, details);
    this.exchange = details.exchange;
  }
}

/** The tracker answered, and the answer is no. */
export class TrackerRefusal extends TrackerError {
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
      readonly exchange?: ExchangeFacts | undefined;
    },
  ) {
    super(message, { code: details.code ?? 'BIP_TRACKER_REFUSED', exchange: details.exchange });
    this.reason = details.reason;
    this.retryInSeconds = details.retryInSeconds;
  }
}
