/** What all real clients have in common here. @module */

import type { Child } from '../child.ts';

/** How long a client may take until it can serve, on a machine that is busy. */
export const READY_MS = 30_000;

export type Loopback = `127.0.0.${number}` | '::1';

/** An address on the islands of island.py, and on the network of lan.sh. */
type Island = `10.99.0.${number}` | `fd99::${number}`;

export interface PeerOptions {
  readonly mode: 'seed' | 'download';
  /** Path of a .torrent, or a magnet URI. */
  readonly torrent: string;
  /** The folder that holds the torrent's file or folder, or will. */
  readonly dir: string;
  /** Where the client keeps its state; every client needs its own. */
  readonly state: string;
  /** The only address it uses. Default `127.0.0.1`. */
  readonly host?: Loopback | Island;
  /** Finds peers on the local network, which is to be that of lan.sh. */
  readonly lpd?: boolean;
  /** uTP in place of TCP, for which all are there otherwise; Transmission takes both then. */
  readonly utpOnly?: boolean;
  /** Bytes a second; unlimited by default. */
  readonly uploadLimit?: number;
  /** Bytes a second; unlimited by default. */
  readonly downloadLimit?: number;
}

export interface PeerCounters {
  readonly complete: boolean;
  /** Payload bytes received. */
  readonly downloaded: number;
  /** Payload bytes sent. */
  readonly uploaded: number;
}

/** A running client with one torrent. */
export interface Peer extends AsyncDisposable {
  readonly name: string;
  /** `127.0.0.x:port` or `[::1]:port`, where it accepts connections. */
  readonly address: string;
  readonly child: Child;
  counters(): Promise<PeerCounters>;
  /** @throws {Error} when the torrent is not complete after `deadlineMs`, with the log. */
  completed(deadlineMs: number): Promise<void>;
}

/** How an endpoint at `host` is written. */
export function endpointAt(host: PeerOptions['host'], port: number): string {
  const address = host ?? '127.0.0.1';
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
