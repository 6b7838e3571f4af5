/**
 * One peer after the handshake: who chokes whom, who has what, which requests are open. Push style
 * and pure: bytes come in by {@link PeerConnection.receive}, bytes leave by `write`, time is an
 * argument, and what the peer wants is told to {@link PeerEvents}. Nothing here decides what to
 * download or whom to serve.
 *
 * @module
 */

import type { Bitfield } from '../base/bitfield.ts';
import { ProtocolError } from '../base/errors.ts';
import type { Millis } from '../runtime/ports.ts';
import type { ConnectionOptions, Geometry, PeerEvents } from './events.ts';
import {
  type ExtendedHandshake,
  encodeExtendedHandshake,
  encodeMetadataMessage,
  type MetadataMessage,
} from './extended.ts';
import { type ExtensionName, Extensions, encodeDontHave } from './extensions.ts';
import { blockLengthAt, isSensibleRequest } from './geometry.ts';
import { encodeHolepunch, type HolepunchMessage } from './holepunch.ts';
import { encodePieceHeader, MESSAGE, type PieceMessage, type PlainMessage } from './messages.ts';
import { OpenRequests } from './open-requests.ts';
import { Outbox } from './outbox.ts';
import { Patience } from './patience.ts';
import { PeerPieces } from './peer-pieces.ts';
import { encodePex, type PexMessage } from './pex.ts';
import { RateMeter } from './rate.ts';
import { type WireHandler, WireParser } from './wire-parser.ts';

/** How often bip says something when there is nothing to say; bip-rs's 60 s, half of the limit below. */
const KEEP_ALIVE_INTERVAL: Millis = 60_000;
/** BEP 3: connections are closed after about two minutes of silence. Half a message is silence, too. */
const SILENCE_LIMIT: Millis = 120_000;
/** How many requests we take at once; libtorrent and Transmission say the same. */
export const OUR_REQQ = 2000;
/** `reqq` of a peer that does not say; libtorrent's assumption for others. */
const DEFAULT_REQQ = 250;

export class PeerConnection implements WireHandler {
  /** Both sides know BEP 6. */
  readonly fast: boolean;
  /** Both sides know BEP 10. */
  readonly hasExtensions: boolean;
  readonly openRequests: OpenRequests = new OpenRequests();
  readonly download: RateMeter = new RateMeter();
  readonly upload: RateMeter = new RateMeter();
  /** Pieces that we may ask for although choked (BEP 6). */
  readonly allowedFast: Set<number> = new Set();
  /** Pieces that we promised to serve although choking (BEP 6). */
  readonly grantedFast: Set<number> = new Set();
  readonly #write: (bytes: Uint8Array) => void;
  readonly #events: PeerEvents;
  readonly #parser: WireParser;
  readonly #outbox = new Outbox();
  #geometry: Geometry | undefined;
  readonly #pieces: PeerPieces;
  readonly #extensions: Extensions;
  readonly #patience: Patience;
  #amChoking = true;
  #amInterested = false;
  #peerChoking = true;
  #peerInterested = false;
  #lastSent: Millis;
  #lastReceived: Millis;
  #now: Millis;

  constructor(options: ConnectionOptions) {
    this.fast = options.fast;
    this.hasExtensions = options.extended;
    this.#write = options.write;
    this.#events = options.events;
    this.#now = options.now;
    this.#lastSent = options.now;
    this.#lastReceived = options.now;
    this.#parser = new WireParser(this, { copy: options.copy });
    this.#pieces = new PeerPieces(options.events);
    this.#extensions = new Extensions(options.events, (piece) => this.#pieces.dontHave(piece));
    this.#patience = new Patience(options.now);
    if (options.geometry !== undefined) {
      this.#pieces.begin(options.geometry.pieceCount);
      this.#adoptGeometry(options.geometry);
    }
  }

  get amChoking(): boolean {
    return this.#amChoking;
  }
  get amInterested(): boolean {
    return this.#amInterested;
  }
  get peerChoking(): boolean {
    return this.#peerChoking;
  }
  get peerInterested(): boolean {
    return this.#peerInterested;
  }
  /** What the peer has; `undefined` while the number of pieces is unknown. */
  get pieces(): Bitfield | undefined {
    return this.#pieces.bitfield;
  }
  get isSeed(): boolean {
    return this.#pieces.isSeed;
  }
  /** What the extended handshakes of the peer say, taken together. */
  get handshake(): ExtendedHandshake | undefined {
    return this.#extensions.handshake;
  }
  /** How many requests the peer takes at once. */
  get reqq(): number {
    return this.handshake?.reqq ?? DEFAULT_REQQ;
  }
  /** The peer wants nothing of anybody (BEP 21). */
  get uploadOnly(): boolean {
    return this.#extensions.uploadOnly || this.isSeed;
  }
  /** Does the peer take such messages? */
  takes(extension: ExtensionName): boolean {
    return this.#extensions.idOf(extension) !== undefined;
  }

  /**
   * Takes bytes from the wire.
   * @throws {ProtocolError} the peer broke a rule; the connection must be closed.
   */
  receive(bytes: Uint8Array, now: Millis): void {
    this.#now = now;
    const before = this.#parser.completed;
    this.#parser.feed(bytes);
    if (this.#parser.completed > before) this.#lastReceived = now;
  }

  /** No event is told any more. */
  stop(): void {
    this.#parser.stop();
  }

  /**
   * Sends a keep-alive when one is due.
   * @returns false when the peer has been silent for too long.
   */
  tick(now: Millis): boolean {
    this.#now = now;
    if (now - this.#lastReceived >= SILENCE_LIMIT) return false;
    if (now - this.#lastSent >= KEEP_ALIVE_INTERVAL && this.#outbox.length === 0) {
      this.#outbox.keepAlive();
      this.flush(now);
    }
    return true;
  }

  /** Sends what was collected since the last flush. */
  flush(now: Millis): void {
    if (this.#outbox.length === 0) return;
    this.#lastSent = now;
    this.#write(this.#outbox.take());
  }

  /**
   * The number of pieces became known (BEP 9).
   * @throws {ProtocolError} what the peer claimed before does not fit.
   */
  learnGeometry(geometry: Geometry): void {
    this.#adoptGeometry(geometry);
    this.#pieces.learn(geometry.pieceCount);
  }

  // What we say. All of it waits for `flush`, blocks excepted.

  /** `offered`: the extensions whose messages we take from now on. */
  sendExtendedHandshake(
    ours: Omit<ExtendedHandshake, 'messages'>,
    offered: readonly ExtensionName[] = ['ut_metadata', 'lt_donthave', 'upload_only'],
  ): void {
    if (!this.hasExtensions) return;
    const messages = this.#extensions.offer(offered);
    this.#outbox.extended(0, encodeExtendedHandshake({ ...ours, messages, reqq: OUR_REQQ }));
  }
  /** The first message after the handshake: what we have. `undefined` while we know no pieces. */
  sendPieces(ours: Bitfield | undefined): void {
    if (this.fast && (ours === undefined || ours.isEmpty)) this.#outbox.plain('haveNone');
    else if (ours === undefined || ours.isEmpty) return;
    else if (this.fast && ours.isFull) this.#outbox.plain('haveAll');
    else this.#outbox.bitfield(ours.bytes);
  }
  sendHave(piece: number): void {
    this.#outbox.piece('have', piece);
  }
  sendAllowedFast(pieces: readonly number[]): void {
    if (!this.fast) return;
    for (const piece of pieces) {
      this.grantedFast.add(piece);
      this.#outbox.piece('allowedFast', piece);
    }
  }
  /** UDP port of our DHT node, for peers whose handshake says that they have one (BEP 5). */
  sendPort(port: number): void {
    this.#outbox.port(port);
  }
  setChoking(choking: boolean): void {
    if (this.#amChoking === choking) return;
    this.#amChoking = choking;
    this.#patience.choking(this.#now);
    this.#outbox.plain(choking ? 'choke' : 'unchoke');
  }
  setInterested(interested: boolean): void {
    if (this.#amInterested === interested) return;
    this.#amInterested = interested;
    this.#outbox.plain(interested ? 'interested' : 'notInterested');
  }
  sendRequest(piece: number, begin: number, length: number): void {
    this.openRequests.add(piece, begin, this.#now);
    this.#outbox.block('request', piece, begin, length);
  }
  /** Takes an open request back. */
  sendCancel(piece: number, begin: number, length: number): void {
    if (!this.openRequests.cancel(piece, begin)) return;
    this.#outbox.block('cancel', piece, begin, length);
  }
  /** Nothing more is written where `onBlockStart` told to write the block that is coming in. */
  dropBlock(): void {
    this.#parser.dropBlock();
  }
  /** Says that a request will not be served; without the fast extension there is no such word. */
  sendReject(piece: number, begin: number, length: number): void {
    if (this.fast) this.#outbox.block('reject', piece, begin, length);
  }
  /** Sends a block at once; `data` must not change until it is on the wire. */
  sendBlock(piece: number, begin: number, data: Uint8Array, now: Millis): void {
    this.flush(now);
    this.#lastSent = now;
    this.#write(encodePieceHeader(piece, begin, data.length));
    this.#write(data);
    this.upload.add(data.length, now);
  }
  sendMetadata(message: MetadataMessage): void {
    this.#sendExtended('ut_metadata', encodeMetadataMessage(message));
  }
  sendPex(message: PexMessage): void {
    this.#sendExtended('ut_pex', encodePex(message));
  }
  sendHolepunch(message: HolepunchMessage): void {
    this.#sendExtended('ut_holepunch', encodeHolepunch(message));
  }
  /** Says that we want nothing any more, or again (BEP 21, for those who take it as a message). */
  sendUploadOnly(uploadOnly: boolean): void {
    this.#sendExtended('upload_only', Uint8Array.of(Number(uploadOnly)));
  }
  /** Takes a have back (BEP 54). */
  sendDontHave(piece: number): void {
    this.#sendExtended('lt_donthave', encodeDontHave(piece));
  }

  // What the peer says: the calls of the wire parser.

  keepAlive(): void {
    // Its arrival was noted in `receive`.
  }

  plain(id: number): void {
    switch (id) {
      case MESSAGE.choke:
        return this.#choked();
      case MESSAGE.unchoke:
        if (!this.#peerChoking) return;
        this.#peerChoking = false;
        return this.#events.onUnchoke();
      case MESSAGE.interested:
      case MESSAGE.notInterested:
        return this.#interest(id === MESSAGE.interested);
      default:
        this.#needFast(id === MESSAGE.haveAll ? 'haveAll' : 'haveNone');
        return this.#pieces.field(id === MESSAGE.haveAll ? 'all' : 'none');
    }
  }

  piece(id: number, piece: number): void {
    if (id === MESSAGE.have) return this.#pieces.have(piece);
    this.#pieces.check(piece);
    this.#needFast(id === MESSAGE.suggest ? 'suggest' : 'allowedFast');
    if (
      id === MESSAGE.allowedFast &&
      this.#geometry !== undefined &&
      !this.allowedFast.has(piece)
    ) {
      this.allowedFast.add(piece);
      this.#events.onAllowedFast(piece);
    }
  }

  block(id: number, piece: number, begin: number, length: number): void {
    switch (id) {
      case MESSAGE.request:
        return this.#requested(piece, begin, length);
      case MESSAGE.cancel:
        return this.#events.onCancel(piece, begin, length);
      default:
        this.#needFast('reject');
        if (this.openRequests.remove(piece, begin)) this.#events.onReject(piece, begin);
    }
  }

  bitfield(field: Uint8Array): void {
    this.#pieces.field(field.slice());
  }

  port(port: number): void {
    if (port !== 0) this.#events.onPort(port);
  }

  extended(id: number, payload: Uint8Array): void {
    this.#extensions.receive(id, payload);
  }

  blockStart(piece: number, begin: number, length: number): Uint8Array | undefined {
    if (
      length !== blockLengthAt(this.#geometry, piece, begin) ||
      !this.openRequests.has(piece, begin)
    ) {
      if (!this.openRequests.wasCancelled(piece, begin)) this.#patience.unsolicitedBlock();
      return undefined;
    }
    return this.#events.onBlockStart(piece, begin, length);
  }

  blockEnd(piece: number, begin: number, length: number, stored: boolean): void {
    this.download.add(length, this.#now);
    this.openRequests.remove(piece, begin);
    this.#events.onBlock(piece, begin, length, stored);
  }

  #sendExtended(extension: ExtensionName, payload: Uint8Array): void {
    const id = this.#extensions.idOf(extension);
    if (id !== undefined) this.#outbox.extended(id, payload);
  }

  #adoptGeometry(geometry: Geometry): void {
    this.#geometry = geometry;
    this.#parser.limits = { bitfield: 1 + Math.ceil(geometry.pieceCount / 8) };
  }

  #choked(): void {
    if (this.#peerChoking) return;
    this.#peerChoking = true;
    this.#events.onChoke();
  }

  #interest(interested: boolean): void {
    if (this.#peerInterested === interested) return;
    this.#peerInterested = interested;
    this.#events.onInterest();
  }

  #requested(piece: number, begin: number, length: number): void {
    if (!isSensibleRequest(this.#geometry, { piece, begin, length })) {
      this.#patience.invalidRequest();
      this.sendReject(piece, begin, length);
    } else if (this.#amChoking && !this.grantedFast.has(piece)) {
      this.#patience.chokedRequest(this.#now);
      this.sendReject(piece, begin, length);
    } else {
      this.#events.onRequest(piece, begin, length);
    }
  }

  #needFast(message: PlainMessage | PieceMessage | 'reject'): void {
    if (this.fast) return;
    throw new ProtocolError(`the peer sent ${message} without the fast extension`, {
      rule: 'BEP 6',
    });
  }
}
