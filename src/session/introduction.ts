/** From a fresh stream to a known peer: the handshake of both sides, with its time limit. @module */

import { equalBytes } from '../base/bytes.ts';
import { NetworkError, ProtocolError, TimeoutError } from '../base/errors.ts';
import type { PeerId } from '../base/ids.ts';
import {
  encodeHandshake,
  type Handshake,
  type HandshakeFilter,
  HandshakeReader,
  type Reserved,
} from '../handshake/index.ts';
import type { ByteStream, Clock, Millis, StreamHandler } from '../runtime/ports.ts';

/** A handshake that takes longer is given up; libtorrent's `handshake_timeout`. */
const HANDSHAKE_TIMEOUT: Millis = 10_000;

/** A stream whose other side has said who it is. */
export interface Introduced {
  readonly stream: ByteStream;
  readonly handshake: Handshake;
  /** Did we call? */
  readonly outgoing: boolean;
}

export interface IntroductionOptions {
  readonly clock: Clock;
  readonly peerId: PeerId;
  readonly reserved: Reserved;
  /** Whom it turns away is told nothing. */
  readonly filter: HandshakeFilter | undefined;
  /** The torrent that we call for; absent when we were called. */
  readonly infoHash?: Uint8Array;
  /** When called: is this torrent ours? */
  readonly knows: (infoHash: Uint8Array) => boolean;
  /** Both sides are known; what it returns takes the stream over. */
  readonly onIntroduced: (introduced: Introduced) => StreamHandler | undefined;
  /** It failed, for a reason that is the peer's or the network's. The stream is disposed already. */
  readonly onFailed: (error: Error) => void;
  /** A bug of ours surfaced in a callback of the network. */
  readonly onBug: (error: unknown) => void;
}

/** Handles a stream until the handshake is over, then passes everything on. */
export class Introduction implements StreamHandler {
  readonly #stream: ByteStream;
  readonly #options: IntroductionOptions;
  readonly #reader = new HandshakeReader();
  readonly #cancelTimer: () => void;
  #answered = false;
  #failed = false;
  #next: StreamHandler | undefined;

  constructor(stream: ByteStream, options: IntroductionOptions) {
    this.#stream = stream;
    this.#options = options;
    const { clock, infoHash } = options;
    this.#cancelTimer = clock.schedule(clock.now() + HANDSHAKE_TIMEOUT, () =>
      this.fail(new TimeoutError('the peer did not finish its handshake', HANDSHAKE_TIMEOUT)),
    );
    if (infoHash !== undefined) this.#introduceOurselves(infoHash);
    stream.open(this);
  }

  data(bytes: Uint8Array): void {
    if (this.#next !== undefined) return this.#next.data(bytes);
    if (this.#failed) return;
    try {
      const taken = this.#reader.feed(bytes);
      this.#advance();
      if (taken < bytes.length) this.#passOn(bytes.subarray(taken));
    } catch (error) {
      if (error instanceof ProtocolError) this.fail(error);
      else this.#options.onBug(error);
    }
  }
  drain(): void {
    this.#next?.drain();
  }
  closed(error?: Error): void {
    if (this.#next !== undefined) return this.#next.closed(error);
    this.fail(error ?? new NetworkError('the peer closed the connection during the handshake'));
  }

  /** Ends an introduction that is still under way. */
  fail(error: Error): void {
    if (this.#failed || this.#next !== undefined) return;
    this.#failed = true;
    this.#cancelTimer();
    void this.#stream[Symbol.asyncDispose]();
    this.#options.onFailed(error);
  }

  #advance(): void {
    const { infoHash, knows } = this.#options;
    const theirs = this.#reader.infoHash;
    if (theirs === undefined) return;
    if (infoHash === undefined ? !knows(theirs) : !equalBytes(infoHash, theirs)) {
      throw new ProtocolError('the peer speaks of another torrent', {
        rule: 'BEP 3 handshake infohash',
      });
    }
    if (infoHash === undefined) this.#introduceOurselves(theirs);
    const handshake = this.#reader.handshake;
    if (handshake === undefined) return;
    if (handshake.peerId.equals(this.#options.peerId)) {
      throw new ProtocolError('we called ourselves', { rule: 'self connection', code: 'BIP_SELF' });
    }
    const refusal = this.#options.filter?.refusal({ handshake, remote: this.#stream.remote });
    if (refusal !== undefined) {
      throw new ProtocolError(`the peer is turned away: ${refusal}`, {
        rule: 'handshake filter',
        code: 'BIP_FILTERED',
      });
    }
    this.#cancelTimer();
    const outgoing = infoHash !== undefined;
    this.#next = this.#options.onIntroduced({ stream: this.#stream, handshake, outgoing });
    if (this.#next === undefined) this.#failed = true;
  }

  /** What came behind the handshake; nobody takes it when the peer was turned away. */
  #passOn(bytes: Uint8Array): void {
    this.#next?.data(bytes);
  }

  #introduceOurselves(infoHash: Uint8Array): void {
    if (this.#answered) return;
    this.#answered = true;
    const { peerId, reserved } = this.#options;
    this.#stream.write(encodeHandshake({ reserved, infoHash, peerId }));
  }
}
