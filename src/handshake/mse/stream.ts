/** A byte stream around another one that begins with the handshake of message stream encryption. @module */

import { concatBytes } from '../../base/bytes.ts';
import type { Endpoint } from '../../base/endpoint.ts';
import { invariant, NetworkError, ProtocolError, TimeoutError } from '../../base/errors.ts';
import type { ByteStream, Clock, Millis, Random, StreamHandler } from '../../runtime/ports.ts';
import type { CipherBuffers, OnItsWay } from './buffers.ts';
import { call } from './initiator.ts';
import { type Agreement, type Method, Negotiation, type Steps } from './negotiation.ts';
import type { Rc4 } from './rc4.ts';
import { answer } from './responder.ts';

/** Whoever has not given its key by then does not know what ours is. */
const KEY_TIMEOUT: Millis = 5_000;
/** From the first byte to what is agreed on. */
const NEGOTIATION_TIMEOUT: Millis = 8_000;

/** What the streams of a session share. */
export interface MseContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly buffers: CipherBuffers;
  /** A bug of ours surfaced in a callback of the network. */
  readonly onBug: (error: unknown) => void;
}

export interface MseCall {
  /** 20 bytes: the torrent that we call for. */
  readonly infoHash: Uint8Array;
  /** What may follow the handshake. */
  readonly methods: readonly Method[];
}

export interface MseAnswer {
  /** The torrent of this hidden name (20 bytes both), if we have it. */
  readonly find: (hidden: Uint8Array) => Uint8Array | undefined;
  /** What may follow the handshake, best first. */
  readonly methods: readonly Method[];
  /** Whether peers without encryption are let in. */
  readonly plainToo: boolean;
  /** Called before a key exchange is done for a stranger; throws a `BipError` to refuse it. */
  readonly admit: () => void;
}

/**
 * Encrypts and decrypts what passes, once both sides have agreed; what is written before goes along
 * with the handshake of the side that calls, or waits.
 *
 * Ends with `ProtocolError` when the other side does not keep to the handshake, with `TimeoutError`
 * when it does not finish it.
 */
export class MseStream implements ByteStream {
  readonly #inner: ByteStream;
  readonly #context: MseContext;
  readonly #begin: (stream: MseStream) => Negotiation;
  readonly #keyTimeout: Millis;
  #negotiation: Negotiation | undefined;
  #agreement: Agreement | undefined;
  #handler: StreamHandler | undefined;
  #cancelTimer: (() => void) | undefined;
  /** Written before it was known how to send it. */
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #hasKey = false;
  #ended = false;
  /** Bytes to come that are encrypted. */
  #hiddenBytes = 0;
  /** Bytes encrypted and given to the stream below. */
  #written = 0;
  #onTheirWay: OnItsWay[] = [];

  private constructor(
    inner: ByteStream,
    context: MseContext,
    begin: (stream: MseStream) => Negotiation,
    keyTimeout: Millis,
  ) {
    this.#inner = inner;
    this.#context = context;
    this.#begin = begin;
    this.#keyTimeout = keyTimeout;
  }

  /** For the side that calls. The handshake begins when the stream is opened. */
  static call(inner: ByteStream, context: MseContext, options: MseCall): MseStream {
    const steps = (stream: MseStream): Steps =>
      call({
        ...options,
        random: context.random,
        send: (bytes) => inner.write(bytes),
        firstWords: () => concatBytes(...stream.#takeParts()),
        onKey: () => stream.#keyCame(),
      });
    return new MseStream(inner, context, (stream) => new Negotiation(steps(stream)), KEY_TIMEOUT);
  }

  /** For the side that is called: by peers with encryption, and by those without where they may. */
  static answer(inner: ByteStream, context: MseContext, options: MseAnswer): MseStream {
    const steps = (): Steps =>
      answer({ ...options, random: context.random, send: (bytes) => inner.write(bytes) });
    const begin = (): Negotiation => new Negotiation(steps());
    return new MseStream(inner, context, begin, NEGOTIATION_TIMEOUT);
  }

  get local(): Endpoint {
    return this.#inner.local;
  }
  get remote(): Endpoint {
    return this.#inner.remote;
  }
  get transport(): ByteStream['transport'] {
    return this.#inner.transport;
  }
  /** Known once both sides have agreed. */
  get agreement(): Agreement | undefined {
    return this.#agreement;
  }
  /** Of the side that calls: the other side has given its key, so it speaks this protocol. */
  get hasKey(): boolean {
    return this.#hasKey;
  }
  get queuedBytes(): number {
    return this.#inner.queuedBytes + this.#waitingBytes;
  }

  open(handler: StreamHandler): void {
    invariant(this.#handler === undefined, 'a stream is opened once');
    this.#handler = handler;
    if (this.#ended) return;
    this.#limit(this.#keyTimeout);
    this.#negotiation = this.#begin(this);
    this.#inner.open({
      data: (bytes) => this.#received(bytes),
      drain: () => this.#drained(),
      closed: (error) => this.#innerClosed(error),
    });
  }

  write(bytes: Uint8Array): void {
    if (this.#ended) return;
    if (this.#agreement === undefined) {
      this.#waiting.push(bytes);
      this.#waitingBytes += bytes.length;
      return;
    }
    const { outgoing } = this.#agreement;
    if (outgoing === undefined) this.#inner.write(bytes);
    else this.#encrypt(bytes, outgoing);
  }

  pause(): void {
    this.#inner.pause();
  }
  resume(): void {
    this.#inner.resume();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end();
    await this.#inner[Symbol.asyncDispose]();
  }

  #received(bytes: Uint8Array): void {
    if (this.#ended) return;
    if (this.#agreement !== undefined) this.#deliver(bytes, this.#agreement);
    else if (this.#negotiation !== undefined) this.#negotiate(bytes, this.#negotiation);
  }

  #negotiate(bytes: Uint8Array, negotiation: Negotiation): void {
    try {
      const taken = negotiation.feed(bytes);
      const { agreement } = negotiation;
      if (agreement === undefined) return;
      this.#agreed(agreement);
      if (taken < bytes.length) this.#deliver(bytes.subarray(taken), agreement);
    } catch (error) {
      if (error instanceof ProtocolError || error instanceof NetworkError) this.#fail(error);
      else this.#context.onBug(error);
    }
  }

  #agreed(agreement: Agreement): void {
    this.#agreement = agreement;
    this.#negotiation = undefined;
    this.#hiddenBytes = agreement.hiddenBytes;
    this.#cancelTimer?.();
    for (const bytes of this.#takeParts()) this.write(bytes);
    if (agreement.replay !== undefined) this.#handler?.data(agreement.replay);
  }

  #deliver(bytes: Uint8Array, { incoming }: Agreement): void {
    const hidden = Math.min(this.#hiddenBytes, bytes.length);
    if (incoming !== undefined && hidden > 0) {
      this.#hiddenBytes -= hidden;
      this.#context.buffers.withCopy(bytes.subarray(0, hidden), (copy) =>
        this.#handOver(incoming.apply(copy)),
      );
    }
    if (hidden < bytes.length) this.#handOver(bytes.subarray(hidden));
  }

  #handOver(bytes: Uint8Array): void {
    if (!this.#ended) this.#handler?.data(bytes);
  }

  /** Encrypts into memory of our own: what was written is not ours to change. */
  #encrypt(bytes: Uint8Array, outgoing: Rc4): void {
    const { buffers } = this.#context;
    this.#reclaim();
    buffers.parts(bytes, (copy, kept) => {
      this.#written += copy.length;
      if (kept !== undefined) this.#onTheirWay.push({ buffer: kept, end: this.#written });
      this.#inner.write(outgoing.apply(copy));
    });
  }

  #reclaim(): void {
    const gone = this.#written - this.#inner.queuedBytes;
    let count = 0;
    for (const { buffer, end } of this.#onTheirWay) {
      if (end > gone) break;
      this.#context.buffers.release(buffer);
      count++;
    }
    if (count > 0) this.#onTheirWay.splice(0, count);
  }

  #takeParts(): readonly Uint8Array[] {
    const parts = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    return parts;
  }

  #keyCame(): void {
    this.#hasKey = true;
    this.#cancelTimer?.();
    this.#limit(NEGOTIATION_TIMEOUT);
  }

  #limit(limit: Millis): void {
    const { clock } = this.#context;
    this.#cancelTimer = clock.schedule(clock.now() + limit, () => {
      const waitingFor = this.#negotiation?.waitingFor ?? 'nothing';
      const message = `the peer did not finish its handshake: ${waitingFor} did not come`;
      this.#fail(new TimeoutError(message, limit));
    });
  }

  #drained(): void {
    this.#reclaim();
    if (!this.#ended && this.#agreement !== undefined) this.#handler?.drain();
  }

  #innerClosed(error: Error | undefined): void {
    if (this.#ended) return;
    if (this.#agreement === undefined) {
      const waitingFor = this.#negotiation?.waitingFor ?? 'nothing';
      const closed = `the peer closed the connection instead of sending ${waitingFor}`;
      const message = error === undefined ? closed : `${error.message}, before ${waitingFor} came`;
      return this.#fail(new NetworkError(message, { cause: error }));
    }
    this.#end();
    if (error === undefined) this.#handler?.closed();
    else this.#handler?.closed(error);
  }

  #fail(error: Error): void {
    if (this.#ended) return;
    this.#end();
    void this.#inner[Symbol.asyncDispose]();
    this.#handler?.closed(error);
  }

  #end(): void {
    this.#ended = true;
    this.#cancelTimer?.();
    this.#negotiation = undefined;
    this.#takeParts();
    // The system may still hold them: they are left to the collector.
    this.#onTheirWay = [];
  }
}
