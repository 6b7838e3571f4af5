/** Serves the requests of peers: whom (choking), and how (reads ahead, back-pressure). @module */

import { Bitfield } from '../base/bitfield.ts';
import { invariant, StorageError } from '../base/errors.ts';
import type { PieceStorage } from '../disk/index.ts';
import { OUR_REQQ } from '../peer/index.ts';
import type { Clock, Millis, Random } from '../runtime/ports.ts';
import { TitForTat } from '../select/index.ts';
import type { BlockRequest, PeerLink } from './peer-link.ts';
import { SendBuffers } from './send-buffers.ts';

/**
 * Blocks are read while less than half a second's worth waits in the socket (libtorrent's
 * `send_buffer_watermark_factor`): what is written cannot be cancelled any more.
 */
const SEND_BUFFER_SECONDS = 0.5;
const MIN_SEND_BUFFER = 32_768;
/** More than libtorrent's `send_buffer_watermark` of 500 KiB: what is being read counts here too. */
const MAX_SEND_BUFFER = 2_097_152;
/** Requests that follow each other in a piece are read at once up to this many bytes. */
const MAX_READ_AHEAD = 524_288;
/** So long is a piece that could not be read left alone. */
const UNREADABLE_PAUSE: Millis = 60_000;
/** Such reads at once for one peer; the system's pool of threads has four. */
const READS_AHEAD = 4;

export interface UploaderOptions {
  readonly storage: PieceStorage;
  readonly have: Bitfield;
  readonly clock: Clock;
  readonly random: Random;
  readonly links: () => Iterable<PeerLink>;
  /** Nothing is left to download: whoever takes most is served, not whoever gives most. */
  readonly isSeeding: () => boolean;
  /** Payload bytes that were handed to the socket. */
  readonly onSent: (bytes: number) => void;
  /** What was verified cannot be read: for a while the piece is served to nobody. Told once for each. */
  readonly onStorageError: (error: StorageError) => void;
  /** Such a piece is not served from now on, or is again. */
  readonly onServed: (piece: number, served: boolean) => void;
  readonly onBug: (error: unknown) => void;
}

export class Uploader {
  readonly #options: UploaderOptions;
  readonly #choker: TitForTat<PeerLink>;
  readonly #buffers: SendBuffers = new SendBuffers(MAX_READ_AHEAD);
  /** Pieces that could not be read, with the time until when they are left alone. */
  readonly #unreadable = new Map<number, Millis>();
  /** Pieces of which it was told that they cannot be read. */
  readonly #told = new Set<number>();

  constructor(options: UploaderOptions) {
    this.#options = options;
    this.#choker = new TitForTat(options.random);
  }

  /** Decides anew whom to serve; to be called every ten seconds. */
  rechoke(): void {
    const { clock, isSeeding, links } = this.#options;
    const now = clock.now();
    const all = [...links()];
    const chosen = this.#choker.choose(
      all.map((link) => ({
        peer: link,
        interested: link.connection.peerInterested,
        rate: (isSeeding() ? link.connection.upload : link.connection.download).rate(now),
      })),
    );
    for (const link of all) this.#setChoking(link, !chosen.has(link));
    for (const [piece, until] of this.#unreadable) {
      if (until > now) continue;
      this.#unreadable.delete(piece);
      this.#options.onServed(piece, true);
    }
  }

  /** A newcomer is served at once while there are places; otherwise it waits for its turn. */
  onInterest(link: PeerLink): void {
    if (!link.connection.peerInterested) {
      this.#setChoking(link, true);
      return;
    }
    let served = 0;
    for (const other of this.#options.links()) if (!other.connection.amChoking) served++;
    if (served < this.#choker.slots) this.#setChoking(link, false);
  }

  /** A place may have become free: the peers that wait for one need not wait for the next round. */
  onGone(): void {
    for (const link of this.#options.links()) {
      if (link.connection.peerInterested && link.connection.amChoking) this.onInterest(link);
    }
  }

  /** What others may be told that we have: a copy when it is not all that was verified. */
  get served(): Bitfield {
    const { have } = this.#options;
    if (this.#unreadable.size === 0) return have;
    const served = new Bitfield(have.length);
    for (const piece of have) if (!this.#unreadable.has(piece)) served.add(piece);
    return served;
  }

  onRequest(link: PeerLink, request: BlockRequest): void {
    const serves = this.#options.have.has(request.piece) && !this.#unreadable.has(request.piece);
    if (!serves || link.waiting.length >= OUR_REQQ) {
      link.connection.sendReject(request.piece, request.begin, request.length);
      return;
    }
    link.waiting.push(request);
  }

  onCancel(link: PeerLink, { piece, begin, length }: BlockRequest): void {
    const at = link.waiting.findIndex((other) => other.piece === piece && other.begin === begin);
    if (at === -1) return;
    link.waiting.splice(at, 1);
    link.connection.sendReject(piece, begin, length);
  }

  /** Reads and sends while the socket takes it. */
  pump(link: PeerLink): void {
    if (link.reading || link.waiting.length === 0 || !link.isOpen) return;
    if (link.stream.queuedBytes >= this.#sendBuffer(link)) return;
    link.reading = true;
    this.#serve(link).catch((error: unknown) => this.#options.onBug(error));
  }

  #setChoking(link: PeerLink, choking: boolean): void {
    if (link.connection.amChoking === choking) return;
    link.connection.setChoking(choking);
    if (choking) {
      for (const { piece, begin, length } of link.waiting.splice(0)) {
        link.connection.sendReject(piece, begin, length);
      }
    }
    link.flush();
  }

  /** Reads some runs ahead of the one that is sent, so that the socket never waits for the disk. */
  async #serve(link: PeerLink): Promise<void> {
    const reading: Promise<ReadRun>[] = [];
    let ahead = 0;
    try {
      for (;;) {
        ahead += this.#readAhead(link, reading, ahead);
        const next = await reading.shift();
        if (next === undefined) return;
        ahead -= next.length;
        if (next.error === undefined) this.#send(link, next);
        else this.#refuse(link, next.run, next.error);
      }
    } finally {
      link.reading = false;
    }
  }

  /** Begins reads while there is room for them, and adds them to `reading`; returns their bytes. */
  #readAhead(link: PeerLink, reading: Promise<ReadRun>[], ahead: number): number {
    let begun = 0;
    while (reading.length < READS_AHEAD) {
      const run = this.#nextRun(link, ahead + begun);
      if (run.length === 0) break;
      begun += lengthOf(run);
      const read = this.#read(run);
      // When an earlier one throws, nobody waits for this one.
      read.catch(() => undefined);
      reading.push(read);
    }
    return begun;
  }

  /**
   * Takes requests that follow each other; none when enough is on its way.
   * @param ahead bytes that are being read and are not written yet
   */
  #nextRun(link: PeerLink, ahead: number): readonly BlockRequest[] {
    link.sendQueue.reclaim(link.written - link.stream.queuedBytes, this.#buffers);
    const room = this.#sendBuffer(link);
    if (!link.isOpen || link.stream.queuedBytes + ahead >= room) return [];
    return takeRun(link.waiting, Math.min(room, MAX_READ_AHEAD));
  }

  async #read(run: readonly BlockRequest[]): Promise<ReadRun> {
    const [first] = run;
    invariant(first !== undefined, 'a run has requests');
    const length = lengthOf(run);
    const buffer = this.#buffers.acquire(length);
    try {
      await this.#options.storage.read(first.piece, first.begin, buffer.subarray(0, length));
      return { run, buffer, length };
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      return { run, buffer, length, error };
    }
  }

  /** The piece cannot be read: who understands is told so (BEP 54, BEP 6), others are hung up on. */
  #refuse(link: PeerLink, run: readonly BlockRequest[], error: StorageError): void {
    const [{ piece } = { piece: -1 }] = run;
    this.#unreadable.set(piece, this.#options.clock.now() + UNREADABLE_PAUSE);
    if (!this.#told.has(piece)) this.#options.onStorageError(error);
    this.#told.add(piece);
    const { connection, waiting } = link;
    if (connection.fast && connection.takes('lt_donthave')) {
      const lost = [...run, ...waiting.filter((request) => request.piece === piece)];
      waiting.splice(0, waiting.length, ...waiting.filter((request) => request.piece !== piece));
      for (const { begin, length } of lost) connection.sendReject(piece, begin, length);
    } else link.close(error);
    this.#options.onServed(piece, false);
  }

  #sendBuffer(link: PeerLink): number {
    const now = this.#options.clock.now();
    // What was written and is still queued has not been sent: counting it would feed itself.
    const gone = link.connection.upload.total - link.stream.queuedBytes;
    if (gone > link.sent.total) link.sent.add(gone - link.sent.total, now);
    const rate = link.sent.rate(now);
    return Math.min(MAX_SEND_BUFFER, Math.max(MIN_SEND_BUFFER, rate * SEND_BUFFER_SECONDS));
  }

  #send(link: PeerLink, { run, buffer }: ReadRun): void {
    const now = this.#options.clock.now();
    let at = 0;
    for (const { piece, begin, length } of run) {
      if (!link.isOpen) return;
      link.connection.sendBlock(piece, begin, buffer.subarray(at, at + length), now);
      this.#options.onSent(length);
      at += length;
    }
    link.sendQueue.wrote(buffer, link.written);
  }
}

/** Requests that follow each other, and what was read for them: the first `length` bytes. */
interface ReadRun {
  readonly run: readonly BlockRequest[];
  readonly buffer: Uint8Array;
  readonly length: number;
  /** It could not be read. */
  readonly error?: StorageError;
}

function lengthOf(run: readonly BlockRequest[]): number {
  return run.reduce((sum, { length }) => sum + length, 0);
}

/** Takes the oldest request and those that go on where it ends. */
function takeRun(waiting: BlockRequest[], readAhead: number): BlockRequest[] {
  let count = 0;
  let bytes = 0;
  let previous: BlockRequest | undefined;
  for (const request of waiting) {
    const follows =
      previous === undefined ||
      (previous.piece === request.piece && previous.begin + previous.length === request.begin);
    if (!follows || (count > 0 && bytes + request.length > readAhead)) break;
    bytes += request.length;
    previous = request;
    count++;
  }
  return waiting.splice(0, count);
}
