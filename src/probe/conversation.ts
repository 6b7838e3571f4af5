/**
 * What is said on one connection: both handshakes, then the peer's first words, until all is known
 * that can be, or time is up. Pure: bytes and time come in, bytes leave by `write`. Nothing is ever
 * asked for, and nothing is answered but the handshake, so that no peer can make it send or keep more.
 *
 * @module
 */

import { equalBytes } from '../base/bytes.ts';
import { type Endpoint, formatEndpoint } from '../base/endpoint.ts';
import {
  type BipError,
  NetworkError,
  ProtocolError,
  RemoteError,
  TimeoutError,
} from '../base/errors.ts';
import type { PeerId } from '../base/ids.ts';
import {
  encodeHandshake,
  type Handshake,
  HandshakeReader,
  identifyClient,
  OUR_VERSION,
  otherClient,
  type Reserved,
} from '../handshake/index.ts';
import {
  addHandshake,
  decodeExtendedHandshake,
  type ExtendedHandshake,
  encodeExtendedHandshake,
  MESSAGE,
  Outbox,
  type WireHandler,
  WireParser,
} from '../peer/index.ts';
import type { Millis } from '../runtime/ports.ts';
import { readNamedPeers } from './named-peers.ts';
import { Possessions } from './possessions.ts';
import type { Findings, PexPeer } from './report.ts';

/** How long the first words of a peer are waited for after its handshake. */
const SETTLE_MS: Millis = 3000;
/** All is known: haves and the port of the DHT may follow at once, and this is enough of silence. */
const QUIET_MS: Millis = 200;
/** How often something is said while PEX is waited for: half of the two minutes of BEP 3. */
const KEEP_ALIVE_MS: Millis = 60_000;
/** What is read of a peer: the longest bitfield, extended messages, and some thousand haves. */
const MAX_BYTES = 1_048_576;
/** A later extended handshake says what has changed; how many are added up. */
const MAX_EXTENDED_HANDSHAKES = 10;
/** The id by which peers are to send us ut_pex. */
const OUR_PEX_ID = 1;

export interface ConversationOptions {
  /** 20 bytes. */
  readonly infoHash: Uint8Array;
  /** Another hash of the same torrent, by which the peer may answer (BEP 52). */
  readonly otherHash?: Uint8Array | undefined;
  readonly peerId: PeerId;
  readonly reserved: Reserved;
  /** The number of pieces where it is known. */
  readonly pieceCount?: number | undefined;
  /** Whom we talk to: a literal address. */
  readonly endpoint: Endpoint;
  readonly now: Millis;
  /** How long the peer's handshake may take. */
  readonly timeoutMs: Millis;
  /** How long PEX is waited for; `undefined`: it is not offered. */
  readonly pexWaitMs?: Millis | undefined;
  /** The handshake is all that is asked for. */
  readonly handshakeOnly?: boolean;
  readonly write: (bytes: Uint8Array) => void;
}

/** Over once {@link Conversation.isOver}; then there are `findings`, or a `failure`. */
export class Conversation implements WireHandler {
  readonly #options: ConversationOptions;
  readonly #reader = new HandshakeReader();
  readonly #parser: WireParser = new WireParser(this);
  readonly #possessions: Possessions;
  #handshake: Handshake | undefined;
  #introducedAt: Millis;
  #lastHeard: Millis;
  #lastSaid: Millis;
  #bytes = 0;
  #extended: ExtendedHandshake | undefined;
  #handshakes = 0;
  #dhtPort: number | undefined;
  #pex: readonly PexPeer[] | undefined;
  #closedByPeer = false;
  #fault: BipError | undefined;
  #failure: BipError | undefined;
  #over = false;

  /** Sends our handshake. */
  constructor(options: ConversationOptions) {
    this.#options = options;
    const { now, reserved, infoHash, peerId, pieceCount } = options;
    this.#introducedAt = now;
    this.#lastHeard = now;
    this.#lastSaid = now;
    this.#possessions = new Possessions(pieceCount);
    if (pieceCount !== undefined) this.#parser.limits = { bitfield: 1 + Math.ceil(pieceCount / 8) };
    options.write(encodeHandshake({ reserved, infoHash, peerId }));
  }

  get isOver(): boolean {
    return this.#over;
  }
  /** Why there are no findings. */
  get failure(): BipError | undefined {
    return this.#failure;
  }
  /** What was learnt; `undefined` before the peer's handshake. */
  get findings(): Findings | undefined {
    const handshake = this.#handshake;
    if (handshake === undefined) return undefined;
    const client = identifyClient(handshake.peerId);
    const version = this.#extended?.version;
    const other = version === undefined ? undefined : otherClient(client, version);
    const pieces = this.#possessions.holdings;
    return {
      handshake,
      client,
      ...(other === undefined ? {} : { otherClient: other }),
      handshakeMs: this.#introducedAt - this.#options.now,
      ...(this.#extended === undefined ? {} : { extended: this.#extended }),
      ...(pieces === undefined ? {} : { pieces }),
      ...(this.#dhtPort === undefined ? {} : { dhtPort: this.#dhtPort }),
      ...(this.#pex === undefined ? {} : { pex: this.#pex }),
      closedByPeer: this.#closedByPeer,
      ...(this.#fault === undefined ? {} : { fault: this.#fault }),
    };
  }

  /** Takes bytes from the peer. */
  receive(bytes: Uint8Array, now: Millis): void {
    if (this.#over) return;
    this.#bytes += bytes.length;
    this.#lastHeard = now;
    try {
      const taken = this.#handshake === undefined ? this.#shake(bytes, now) : 0;
      if (!this.#over) this.#parser.feed(bytes.subarray(taken));
      if (this.#bytes > MAX_BYTES) this.#tooMuch();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#broken(error);
    }
    this.tick(now);
  }

  /** The peer closed the connection, or it broke. */
  ended(error: Error | undefined): void {
    if (this.#over) return;
    this.#closedByPeer = true;
    this.#finish(this.#handshake === undefined ? this.#lossOf(error) : undefined);
  }

  /** When {@link tick} is next due; `undefined` when it is over. */
  deadline(): Millis | undefined {
    if (this.#over) return undefined;
    if (this.#handshake === undefined) return this.#options.now + this.#options.timeoutMs;
    return Math.min(this.#endsAt(), this.#lastSaid + KEEP_ALIVE_MS);
  }

  /** Time has passed. */
  tick(now: Millis): void {
    const due = this.deadline();
    if (due === undefined || now < due) return;
    if (this.#handshake === undefined) {
      const { timeoutMs } = this.#options;
      const message = `${this.#name} accepted the connection, but did not finish its handshake within ${timeoutMs / 1000}s`;
      return this.#finish(new TimeoutError(message, timeoutMs, { code: 'BIP_HANDSHAKE_TIMEOUT' }));
    }
    if (now >= this.#endsAt()) return this.#finish(undefined);
    this.#say(now, (box) => box.keepAlive());
  }

  // What the peer says: the calls of the wire parser.

  keepAlive(): void {
    // Says nothing of the peer.
  }
  plain(id: number): void {
    if (id === MESSAGE.haveAll) this.#possessions.all();
    else if (id === MESSAGE.haveNone) this.#possessions.none();
  }
  piece(id: number, piece: number): void {
    if (id === MESSAGE.have) this.#possessions.have(piece);
  }
  block(): void {
    // Requests are of no interest: we have nothing, and say so.
  }
  bitfield(field: Uint8Array): void {
    this.#possessions.field(field);
  }
  port(port: number): void {
    if (port !== 0) this.#dhtPort = port;
  }
  extended(id: number, payload: Uint8Array): void {
    if (id === 0 && this.#handshakes < MAX_EXTENDED_HANDSHAKES) {
      this.#handshakes++;
      this.#extended = addHandshake(this.#extended, decodeExtendedHandshake(payload));
    }
    if (id === OUR_PEX_ID && this.#options.pexWaitMs !== undefined) {
      this.#pex ??= readNamedPeers(payload);
    }
  }
  blockStart(): undefined {
    return undefined;
  }
  blockEnd(): void {
    // Nobody asked for it, and it was dropped on the way.
  }

  /** Reads the handshake; returns how many of the bytes belong to it. */
  #shake(bytes: Uint8Array, now: Millis): number {
    const taken = this.#reader.feed(bytes);
    const { infoHash, otherHash, peerId, handshakeOnly } = this.#options;
    const theirs = this.#reader.infoHash;
    if (
      theirs !== undefined &&
      ![infoHash, otherHash ?? infoHash].some((hash) => equalBytes(hash, theirs))
    ) {
      const message = `${this.#name} answers for another torrent`;
      this.#finish(new RemoteError(message, { code: 'BIP_OTHER_TORRENT' }));
      return taken;
    }
    const { handshake } = this.#reader;
    if (handshake === undefined) return taken;
    if (handshake.peerId.equals(peerId)) {
      const message = `${this.#name} gives our own peer id back: it is ourselves, or an echo`;
      this.#finish(new RemoteError(message, { code: 'BIP_SELF' }));
      return taken;
    }
    this.#handshake = handshake;
    this.#introducedAt = now;
    if (handshakeOnly === true) this.#finish(undefined);
    else this.#greet(handshake, now);
    return taken;
  }

  #greet({ reserved: theirs }: Handshake, now: Millis): void {
    const { reserved: ours, endpoint, pexWaitMs } = this.#options;
    this.#say(now, (box) => {
      // BEP 6: one of the three has to come first.
      if (ours.has('fast') && theirs.has('fast')) box.plain('haveNone');
      if (!this.#bothExtended) return;
      const messages = new Map(pexWaitMs === undefined ? [] : [['ut_pex', OUR_PEX_ID]]);
      box.extended(
        0,
        encodeExtendedHandshake({ messages, version: OUR_VERSION, yourIp: endpoint.host }),
      );
    });
  }

  get #name(): string {
    return formatEndpoint(this.#options.endpoint);
  }

  get #bothExtended(): boolean {
    const { reserved } = this.#options;
    return reserved.has('extended') && this.#handshake?.reserved.has('extended') === true;
  }

  #say(now: Millis, speak: (box: Outbox) => void): void {
    const box = new Outbox();
    speak(box);
    this.#lastSaid = now;
    if (box.length > 0) this.#options.write(box.take());
  }

  #endsAt(): Millis {
    const latest = this.#introducedAt + SETTLE_MS;
    const lacks =
      !this.#possessions.isKnown || (this.#bothExtended && this.#extended === undefined);
    const talk = lacks ? latest : Math.min(this.#lastHeard + QUIET_MS, latest);
    return this.#awaitsPex
      ? Math.max(talk, this.#introducedAt + (this.#options.pexWaitMs ?? 0))
      : talk;
  }

  get #awaitsPex(): boolean {
    if (this.#options.pexWaitMs === undefined || this.#pex !== undefined) return false;
    if (!this.#bothExtended) return false;
    return this.#extended === undefined || (this.#extended.messages.get('ut_pex') ?? 0) !== 0;
  }

  /** Why there was no handshake. */
  #lossOf(error: Error | undefined): BipError {
    const reason = error?.message ?? '';
    const message = reason.includes(this.#name) ? reason : `${this.#name}: ${reason}`;
    if (error instanceof TimeoutError) {
      return new TimeoutError(message, error.waitedMs, { code: 'BIP_HANDSHAKE_TIMEOUT' });
    }
    if (error instanceof ProtocolError) {
      return new RemoteError(message, { code: 'BIP_NOT_BITTORRENT', cause: error });
    }
    const isReset = error instanceof NetworkError && error.code === 'BIP_RESET';
    if (error !== undefined && !isReset) {
      return new NetworkError(message, { code: 'BIP_CLOSED', cause: error });
    }
    return new NetworkError(
      `${this.#name} ${isReset ? 'reset' : 'closed'} the connection without a handshake: it does not share this torrent, wants encryption, or has no room`,
      { code: 'BIP_CLOSED' },
    );
  }

  #tooMuch(): void {
    const message = `${this.#name} sent more than ${MAX_BYTES} bytes that nobody asked for`;
    if (this.#handshake !== undefined)
      this.#fault = new RemoteError(message, { code: 'BIP_FLOOD' });
    this.#finish(undefined);
  }

  #broken(error: ProtocolError): void {
    if (this.#handshake !== undefined) {
      this.#fault = error;
      return this.#finish(undefined);
    }
    const message = `${this.#name} does not speak BitTorrent in plain text`;
    this.#finish(new RemoteError(message, { code: 'BIP_NOT_BITTORRENT', cause: error }));
  }

  #finish(failure: BipError | undefined): void {
    this.#over = true;
    this.#failure = failure;
    this.#parser.stop();
  }
}
