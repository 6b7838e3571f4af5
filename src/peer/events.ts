/** What a connection needs to know, and what it tells. @module */

import type { Millis } from '../runtime/ports.ts';
import type { ExtensionEvents } from './extensions.ts';
import type { PiecesEvents } from './peer-pieces.ts';
import type { Copy } from './wire-parser.ts';

/** What a torrent looks like to its peers; unknown before the metadata is there (BEP 9). */
export interface Geometry {
  readonly pieceCount: number;
  /** Bytes of a piece; the last of the torrent, and with BEP 52 of each file, may be shorter. */
  pieceSize(piece: number): number;
}

export interface ConnectionOptions {
  /** Both sides know BEP 6. */
  readonly fast: boolean;
  /** Both sides know BEP 10. */
  readonly extended: boolean;
  readonly geometry: Geometry | undefined;
  readonly now: Millis;
  /** Sends to the peer; the bytes do not change until they are on the wire. */
  readonly write: (bytes: Uint8Array) => void;
  /** How blocks get into the memory that `onBlockStart` gives. */
  readonly copy?: Copy;
  readonly events: PeerEvents;
}

/** Told by a connection while it works on received bytes. */
export interface PeerEvents extends PiecesEvents, ExtensionEvents {
  /** The peer choked us. Without the fast extension the open requests are gone: see `openRequests`. */
  onChoke(): void;
  onUnchoke(): void;
  /** `peerInterested` changed. */
  onInterest(): void;
  /** Where a block that we asked for shall go; `undefined` when it is no longer of use. */
  onBlockStart(piece: number, begin: number, length: number): Uint8Array | undefined;
  /** The block came. `stored`: it is where `onBlockStart` said, and was not dropped on the way. */
  onBlock(piece: number, begin: number, length: number, stored: boolean): void;
  /** The peer will not send this block (BEP 6). */
  onReject(piece: number, begin: number): void;
  /** A request that is well-formed and that we are not choking, or for an allowed fast piece. */
  onRequest(piece: number, begin: number, length: number): void;
  onCancel(piece: number, begin: number, length: number): void;
  /** BEP 6: the peer would serve this piece even while choking. */
  onAllowedFast(piece: number): void;
  /** The peer has a DHT node on this UDP port, 1 to 65535 (BEP 5). */
  onPort(port: number): void;
}
