/** One connected peer of one torrent: the stream, the protocol on it, and what the session notes. @module */

import { type Endpoint, formatEndpoint } from '../base/endpoint.ts';
import { ProtocolError } from '../base/errors.ts';
import type { PeerId } from '../base/ids.ts';
import {
  type Copy,
  type ExtendedHandshake,
  type Geometry,
  type HolepunchMessage,
  type MetadataMessage,
  PeerConnection,
  type PeerEvents,
  type PexMessage,
  RateMeter,
} from '../peer/index.ts';
import type { ByteStream, Clock, Millis, StreamHandler } from '../runtime/ports.ts';
import { RequestWindow } from '../select/index.ts';
import type { Introduced } from './introduction.ts';
import { SendQueue } from './send-buffers.ts';

/**
 * Nothing more is read of a peer while so many bytes wait to be sent to it: what it asks for is answered,
 * and who asks without reading must not fill our memory. Above what the uploader sends ahead by itself.
 */
const MAX_QUEUED = 4_194_304;
/** The same while we choke it: rejects and metadata are all that it gets. */
const MAX_QUEUED_CHOKED = 524_288;
/** So long may a peer take nothing of what waits to be sent to it. */
const STALL_LIMIT: Millis = 120_000;

/** A torrent as its links see it: every call says which link it is about. */
export interface LinkHost {
  readonly clock: Clock;
  /** How blocks get into piece buffers. */
  readonly copy: Copy;
  /** Hears what the peer tells of others. */
  readonly gossip: {
    onPex(link: PeerLink, message: PexMessage): void;
    onHolepunch(link: PeerLink, message: HolepunchMessage): void;
  };
  onExtendedHandshake(link: PeerLink, handshake: ExtendedHandshake): void;
  onChoke(link: PeerLink): void;
  onUnchoke(link: PeerLink): void;
  onInterest(link: PeerLink): void;
  onHave(link: PeerLink, piece: number): void;
  onPieces(link: PeerLink): void;
  onDontHave(link: PeerLink, piece: number): void;
  onBlockStart(link: PeerLink, piece: number, begin: number): Uint8Array | undefined;
  onBlock(link: PeerLink, block: ReceivedBlock): void;
  onReject(link: PeerLink, piece: number, begin: number): void;
  onRequest(link: PeerLink, request: BlockRequest): void;
  onCancel(link: PeerLink, request: BlockRequest): void;
  onMetadata(link: PeerLink, message: MetadataMessage): void;
  /** The peer downloads nothing any more, or again (BEP 21). */
  onUploadOnly(link: PeerLink): void;
  /** The peer has a DHT node on this UDP port. */
  onDhtPort(link: PeerLink, port: number): void;
  /** A chunk was worked through: time to ask for more. */
  onTurn(link: PeerLink): void;
  /** Room in the send buffer. */
  onDrain(link: PeerLink): void;
  /** The stream is gone, or the peer broke a rule. Told once. */
  onClosed(link: PeerLink, reason: Error | undefined): void;
  /** A bug of ours surfaced in a callback of the network. */
  onBug(error: unknown): void;
}

export interface BlockRequest {
  readonly piece: number;
  readonly begin: number;
  readonly length: number;
}

export interface ReceivedBlock extends BlockRequest {
  /** False when the bytes were dropped, since the block was of no use any more. */
  readonly stored: boolean;
}

export class PeerLink implements PeerEvents, StreamHandler {
  readonly stream: ByteStream;
  readonly connection: PeerConnection;
  readonly peerId: PeerId;
  /** Did we call? */
  readonly outgoing: boolean;
  /** Where it listens as far as we know: whom we called, or whom it says to be in its handshake. */
  listening: Endpoint | undefined;
  readonly window: RequestWindow = new RequestWindow();
  /** Missing pieces that this peer has. */
  missingHere = 0;
  /** Counted as a seed by the picker, not piece by piece. */
  countedAsSeed = false;
  /** Requests of the peer that wait to be served, oldest first. */
  readonly waiting: BlockRequest[] = [];
  /** Bytes of all kinds given to the stream since the handshake. */
  written = 0;
  /** Buffers whose bytes are on their way. */
  readonly sendQueue: SendQueue = new SendQueue();
  /** Payload that has left our queue for the system's. */
  readonly sent: RateMeter = new RateMeter();
  /** A read for this peer is under way. */
  reading = false;
  /** Rejects since its last block. */
  rejects = 0;
  readonly since: Millis;
  lastBlock: Millis;
  /** When one of the two sides last wanted something of the other. */
  lastInterest: Millis;
  #open = true;
  #paused = false;
  /** Bytes that the system took of what we wrote, and when it took some last. */
  #taken = 0;
  #takenAt: Millis;
  readonly #host: LinkHost;

  constructor(
    host: LinkHost,
    introduced: Introduced,
    options: {
      readonly geometry: Geometry | undefined;
      readonly fast: boolean;
      readonly extended: boolean;
    },
  ) {
    this.#host = host;
    this.stream = introduced.stream;
    this.peerId = introduced.handshake.peerId;
    this.outgoing = introduced.outgoing;
    this.listening = introduced.outgoing ? introduced.stream.remote : undefined;
    this.since = host.clock.now();
    this.lastBlock = this.since;
    this.lastInterest = this.since;
    this.#takenAt = this.since;
    this.connection = new PeerConnection({
      ...options,
      now: this.since,
      write: (bytes) => {
        this.written += bytes.length;
        this.stream.write(bytes);
      },
      copy: host.copy,
      events: this,
    });
  }

  get remote(): Endpoint {
    return this.stream.remote;
  }
  get isOpen(): boolean {
    return this.#open;
  }
  toString(): string {
    return formatEndpoint(this.remote);
  }

  /** When payload last went either way; `undefined` when none ever did. */
  get lastPayload(): Millis | undefined {
    const { download, upload } = this.connection;
    if (download.last === undefined || upload.last === undefined) {
      return download.last ?? upload.last;
    }
    return Math.max(download.last, upload.last);
  }

  /**
   * To be called about every second.
   * @returns why the link has to be closed, if it has.
   */
  tick(now: Millis): Error | undefined {
    const { amInterested, peerInterested } = this.connection;
    if (amInterested || peerInterested) this.lastInterest = now;
    if (!this.connection.tick(now)) return new Error('the peer has been silent for too long');
    const taken = this.written - this.stream.queuedBytes;
    if (taken !== this.#taken || this.stream.queuedBytes === 0) {
      this.#taken = taken;
      this.#takenAt = now;
    }
    if (now - this.#takenAt < STALL_LIMIT) return undefined;
    return new Error('the peer takes nothing of what is sent to it');
  }

  /** Sends what the connection collected. */
  flush(): void {
    if (this.#open) this.connection.flush(this.#host.clock.now());
  }

  /** Ends the connection from our side; `onClosed` tells the torrent. */
  close(reason: Error | undefined): void {
    if (!this.#open) return;
    this.#open = false;
    this.connection.stop();
    this.#host.onClosed(this, reason);
    void this.stream[Symbol.asyncDispose]();
  }

  /**
   * Runs something that may find the peer at fault, and closes the link when it does.
   * Anything but a broken rule is a bug of ours.
   */
  guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (error instanceof ProtocolError) this.close(error);
      else this.#host.onBug(error);
    }
  }

  // From the stream.

  data(bytes: Uint8Array): void {
    if (!this.#open) return;
    try {
      this.connection.receive(bytes, this.#host.clock.now());
      if (this.#open) this.#host.onTurn(this);
      if (this.#open) this.#pauseWhenFull();
    } catch (error) {
      if (error instanceof ProtocolError) this.close(error);
      else this.#host.onBug(error);
    }
  }
  drain(): void {
    if (this.#paused && this.#open) {
      this.#paused = false;
      this.stream.resume();
    }
    if (this.#open) this.guard(() => this.#host.onDrain(this));
  }
  closed(error?: Error): void {
    this.close(error);
  }

  #pauseWhenFull(): void {
    const limit = this.connection.amChoking ? MAX_QUEUED_CHOKED : MAX_QUEUED;
    if (this.#paused || this.stream.queuedBytes <= limit) return;
    this.#paused = true;
    this.stream.pause();
  }

  // From the connection.

  onExtendedHandshake(handshake: ExtendedHandshake): void {
    if (handshake.port !== undefined && !this.outgoing) {
      this.listening = { host: this.remote.host, port: handshake.port };
    }
    this.#host.onExtendedHandshake(this, handshake);
  }
  onChoke(): void {
    this.#host.onChoke(this);
  }
  onUnchoke(): void {
    this.#host.onUnchoke(this);
  }
  onInterest(): void {
    this.#host.onInterest(this);
  }
  onHave(piece: number): void {
    this.#host.onHave(this, piece);
  }
  onPieces(): void {
    this.#host.onPieces(this);
  }
  onBlockStart(piece: number, begin: number): Uint8Array | undefined {
    return this.#host.onBlockStart(this, piece, begin);
  }
  onBlock(piece: number, begin: number, length: number, stored: boolean): void {
    this.#host.onBlock(this, { piece, begin, length, stored });
  }
  onReject(piece: number, begin: number): void {
    this.#host.onReject(this, piece, begin);
  }
  onRequest(piece: number, begin: number, length: number): void {
    this.#host.onRequest(this, { piece, begin, length });
  }
  onCancel(piece: number, begin: number, length: number): void {
    this.#host.onCancel(this, { piece, begin, length });
  }
  onAllowedFast(): void {
    // The next turn asks for what is allowed now.
  }
  onDontHave(piece: number): void {
    this.#host.onDontHave(this, piece);
  }
  onMetadata(message: MetadataMessage): void {
    this.#host.onMetadata(this, message);
  }
  onPex(message: PexMessage): void {
    this.#host.gossip.onPex(this, message);
  }
  onHolepunch(message: HolepunchMessage): void {
    this.#host.gossip.onHolepunch(this, message);
  }
  onUploadOnly(): void {
    this.#host.onUploadOnly(this);
  }
  onPort(port: number): void {
    this.#host.onDhtPort(this, port);
  }
}
