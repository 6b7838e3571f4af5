/**
 * The download of one torrent whose metadata is known: asks peers for blocks, puts them into piece
 * buffers, has complete pieces checked and written, and finds out who sent a bad one.
 *
 * Memory is bounded by the pool of piece buffers: no piece is opened without one, so that a slow
 * disk holds back the requests and with them the peers.
 *
 * @module
 */

import type { Bitfield } from '../base/bitfield.ts';
import { invariant } from '../base/errors.ts';
import { DiskQueue, PieceBufferPool, type PieceStorage } from '../disk/index.ts';
import { BLOCK_LENGTH, type Geometry } from '../peer/index.ts';
import type { Clock, Millis, Random } from '../runtime/ports.ts';
import { type PartialPiece, PiecePicker } from '../select/index.ts';
import { IncomingBlocks } from './incoming-blocks.ts';
import type { PeerLink, ReceivedBlock } from './peer-link.ts';
import { Suspicion } from './suspicion.ts';

/** Nothing came for so long although asked: others are asked for the same (libtorrent's `piece_timeout`). */
const SNUB_TIMEOUT: Millis = 20_000;
/** Nothing came for so long: the peer is given up (libtorrent's `request_timeout`). */
const REQUEST_TIMEOUT: Millis = 60_000;
/** Rejects in a row from a peer that does not choke us, after which it is given up (libtorrent's limit). */
const MAX_REJECTS = 50;
/** Requests are sent in batches of this share of the window, not one for each block. */
const REFILL_SHARE = 1 / 4;
/** Blocks that an idle peer is asked for although others were asked already; libtorrent's one. */
const END_GAME_BLOCKS = 1;

export interface DownloaderOptions {
  readonly storage: PieceStorage;
  readonly geometry: Geometry;
  readonly pieceLength: number;
  /** What is there already; the download adds to it. */
  readonly have: Bitfield;
  readonly clock: Clock;
  readonly random: Random;
  /** Memory for pieces under way. */
  readonly allocate: (length: number) => Uint8Array;
  /** All links that are open, in no order. */
  readonly links: () => Iterable<PeerLink>;
  readonly onPiece: (piece: number, ok: boolean) => void;
  /** This peer sent bad data, that is certain. */
  readonly onLiar: (link: PeerLink, piece: number) => void;
  /** Data could not be written; the download cannot go on. */
  readonly onStorageError: (error: unknown) => void;
}

export class Downloader {
  readonly #options: DownloaderOptions;
  readonly #picker: PiecePicker<PeerLink>;
  readonly #pool: PieceBufferPool;
  readonly #queue: DiskQueue;
  readonly #suspicion: Suspicion;
  readonly #buffers = new Map<number, Uint8Array>();
  readonly #incoming = new IncomingBlocks();
  /** Links that could be asked for more, were there a buffer. */
  readonly #starved = new Set<PeerLink>();
  #wasted = 0;
  #stopped = false;

  constructor(options: DownloaderOptions) {
    this.#options = options;
    const { geometry, have, random, storage, pieceLength } = options;
    this.#picker = new PiecePicker({
      pieceCount: geometry.pieceCount,
      blocksIn: (piece) => Math.ceil(geometry.pieceSize(piece) / BLOCK_LENGTH),
      random,
    });
    for (const piece of have) this.#picker.have(piece);
    this.#pool = new PieceBufferPool(pieceLength, { allocate: options.allocate });
    this.#queue = new DiskQueue(storage);
    this.#suspicion = new Suspicion((link, piece) => options.onLiar(link, piece));
  }

  /** Payload bytes that were of no use. */
  get wasted(): number {
    return this.#wasted;
  }
  get isComplete(): boolean {
    return this.#picker.missingCount === 0;
  }
  /** How many links have the piece, seeds not counted. */
  availability(piece: number): number {
    return this.#picker.availability(piece);
  }
  /** Is the piece under way? */
  isOpen(piece: number): boolean {
    return this.#picker.partial(piece) !== undefined;
  }

  /** Waits until what is complete has been checked and written. */
  async settle(): Promise<void> {
    await this.#queue.idle();
  }

  /** No further piece is taken; what is being written goes on. */
  stop(): void {
    this.#stopped = true;
  }

  // What links tell.

  /** The link told all it has. */
  addLink(link: PeerLink): void {
    const pieces = link.connection.pieces;
    invariant(pieces !== undefined, 'a link joins the download when its pieces are known');
    if (pieces.isFull) link.countedAsSeed = true;
    else this.#picker.addPieces(pieces);
    link.missingHere = this.#countMissing(pieces);
    this.#showInterest(link);
  }

  onHave(link: PeerLink, piece: number): void {
    if (!link.countedAsSeed) this.#picker.addPiece(piece);
    if (this.#picker.isMissing(piece)) link.missingHere++;
    this.#showInterest(link);
  }

  /** The link took a have back (BEP 54). */
  onDontHave(link: PeerLink, piece: number): void {
    const { pieces, fast, openRequests } = link.connection;
    if (!link.countedAsSeed) this.#picker.removePiece(piece);
    else if (pieces !== undefined) this.#picker.addPieces(pieces);
    link.countedAsSeed = false;
    if (this.#picker.isMissing(piece)) link.missingHere--;
    // With the fast extension each open request is rejected one by one.
    if (!fast) openRequests.abandonPiece(piece, (_, begin) => this.#release(link, piece, begin));
    this.#showInterest(link);
  }

  onChoke(link: PeerLink): void {
    // With the fast extension each open request is answered, by the block or by a reject (BEP 6).
    if (!link.connection.fast) this.#abandon(link);
  }

  onReject(link: PeerLink, piece: number, begin: number): void {
    this.#release(link, piece, begin);
    link.connection.allowedFast.delete(piece);
    // A peer that chokes us rejects all that is open, as it must (BEP 6).
    if (!link.connection.peerChoking && ++link.rejects > MAX_REJECTS) {
      link.close(new Error('the peer serves nothing although it says that it would'));
    }
  }

  removeLink(link: PeerLink): void {
    this.#incoming.drop(link);
    this.#starved.delete(link);
    this.#abandon(link);
    const pieces = link.connection.pieces;
    if (pieces !== undefined && !link.countedAsSeed) this.#picker.removePieces(pieces);
    for (const partial of this.#picker.partials) {
      if (partial.owner === link) partial.owner = undefined;
      if (partial.soleSource === link) partial.soleSource = undefined;
    }
    this.#fillOthers();
  }

  blockStart(link: PeerLink, piece: number, begin: number): Uint8Array | undefined {
    const partial = this.#picker.partial(piece);
    const buffer = this.#buffers.get(piece);
    const block = begin / BLOCK_LENGTH;
    if (buffer === undefined || partial === undefined || partial.hasReceived(block))
      return undefined;
    if (partial.soleSource !== undefined && partial.soleSource !== link) return undefined;
    const length = Math.min(BLOCK_LENGTH, this.#options.geometry.pieceSize(piece) - begin);
    return this.#incoming.begin(link, piece, begin, buffer.subarray(begin, begin + length));
  }

  onBlock(link: PeerLink, { piece, begin, length, stored }: ReceivedBlock): void {
    const now = this.#options.clock.now();
    link.lastBlock = now;
    link.rejects = 0;
    link.window.onBlock();
    const partial = this.#picker.partial(piece);
    if (!stored || partial === undefined) {
      this.#incoming.drop(link);
      this.#wasted += length;
      partial?.release(begin / BLOCK_LENGTH, link);
      return;
    }
    const slower = this.#incoming.finish(link);
    for (const other of partial.receive(begin / BLOCK_LENGTH, link)) {
      if (slower.includes(other)) continue;
      other.connection.sendCancel(piece, begin, length);
      other.flush();
    }
    if (partial.isComplete) void this.#finish(partial);
  }

  /** Asks for more when enough requests were answered. */
  fill(link: PeerLink): void {
    if (this.#stopped || !link.isOpen || link.missingHere === 0) return;
    const { connection } = link;
    const only = connection.peerChoking ? connection.allowedFast : undefined;
    if (only?.size === 0) return;
    const now = this.#options.clock.now();
    const count = roomFor(link, now);
    if (count === 0) return;
    if (this.#ask(link, count, only) < count && this.#pool.available === 0) this.#starved.add(link);
    connection.flush(now);
  }

  /** To be called about every second. */
  tick(now: Millis): void {
    for (const link of this.#options.links()) {
      const oldest = link.connection.openRequests.oldest;
      if (oldest === undefined) continue;
      const waited = now - Math.max(oldest, link.lastBlock);
      if (waited >= REQUEST_TIMEOUT) {
        link.close(new Error('the peer did not answer our requests'));
      } else if (waited >= SNUB_TIMEOUT && !link.window.isSnubbed) {
        link.window.onSnub();
        this.#incoming.drop(link);
        this.#releaseOpen(link);
      }
    }
    for (const link of this.#options.links()) this.fill(link);
  }

  #ask(link: PeerLink, count: number, only: ReadonlySet<number> | undefined): number {
    const pieces = link.connection.pieces;
    if (count <= 0 || pieces === undefined) return 0;
    const endGame = link.connection.openRequests.count === 0 && this.#picker.allRequested;
    const blocks = this.#picker.pick({
      peer: link,
      pieces,
      count: endGame ? Math.min(count, END_GAME_BLOCKS) : count,
      maxPartial: this.#picker.partialCount + this.#pool.available,
      endGame,
      ...(only === undefined ? {} : { only }),
    });
    for (const { piece, block } of blocks) {
      if (!this.#buffers.has(piece)) this.#open(piece);
      const begin = block * BLOCK_LENGTH;
      const length = Math.min(BLOCK_LENGTH, this.#options.geometry.pieceSize(piece) - begin);
      link.connection.sendRequest(piece, begin, length);
    }
    return blocks.length;
  }

  #open(piece: number): void {
    const buffer = this.#pool.acquire();
    invariant(buffer !== undefined, 'the picker opened a piece without a buffer');
    this.#buffers.set(piece, buffer);
    this.#suspicion.onOpen(piece, this.#picker.partial(piece));
  }

  async #finish(partial: PartialPiece<PeerLink>): Promise<void> {
    const { piece } = partial;
    const { geometry, have, onPiece, onStorageError } = this.#options;
    const buffer = this.#buffers.get(piece);
    invariant(buffer !== undefined, `piece ${piece} is complete without a buffer`);
    const size = geometry.pieceSize(piece);
    let verdict: 'good' | 'bad';
    try {
      verdict = await this.#queue.submit(piece, buffer, size);
    } catch (error) {
      // The piece was not kept: a later run must fetch it again.
      this.#buffers.delete(piece);
      this.#pool.release(buffer);
      this.#picker.reset(piece);
      return onStorageError(error);
    }
    const data = buffer.subarray(0, size);
    if (verdict === 'good') {
      this.#suspicion.onGood(partial, data);
      this.#picker.have(piece);
      have.add(piece);
    } else {
      this.#wasted += size;
      this.#suspicion.onBad(partial, data);
      this.#picker.reset(piece);
    }
    this.#buffers.delete(piece);
    this.#pool.release(buffer);
    if (verdict === 'good') this.#forgetMissing(piece);
    onPiece(piece, verdict === 'good');
    this.#fillOthers();
  }

  #forgetMissing(piece: number): void {
    for (const link of this.#options.links()) {
      if (link.connection.pieces?.has(piece) !== true) continue;
      link.missingHere--;
      if (link.missingHere === 0) this.#showInterest(link);
    }
  }

  #fillOthers(): void {
    const starved = [...this.#starved];
    this.#starved.clear();
    for (const link of starved) this.fill(link);
  }

  /** The peer owes us nothing any more; what it still sends is dropped without blame. */
  #abandon(link: PeerLink): void {
    link.connection.openRequests.abandon((piece, begin) => this.#release(link, piece, begin));
  }

  #release(link: PeerLink, piece: number, begin: number): void {
    this.#picker.partial(piece)?.release(begin / BLOCK_LENGTH, link);
  }

  /** Others may be asked for what this peer is slow to send; it is still welcome. */
  #releaseOpen(link: PeerLink): void {
    for (const partial of this.#picker.partials) {
      if (partial.owner === link) partial.owner = undefined;
      if (partial.soleSource === link) partial.soleSource = undefined;
      for (let block = 0; block < partial.blockCount; block++) {
        if (link.connection.openRequests.has(partial.piece, block * BLOCK_LENGTH)) {
          partial.release(block, link);
        }
      }
    }
  }

  #showInterest(link: PeerLink): void {
    link.connection.setInterested(link.missingHere > 0);
    link.flush();
  }

  #countMissing(pieces: Bitfield): number {
    if (pieces.isFull) return this.#picker.missingCount;
    let count = 0;
    for (const piece of pieces) if (this.#picker.isMissing(piece)) count++;
    return count;
  }
}

/** How many requests to send now: none until a good part of the window is free, then all of it. */
function roomFor({ connection, window }: PeerLink, now: Millis): number {
  const open = connection.openRequests.count;
  const target = window.target(connection.download.rate(now), connection.reqq, now);
  const room = target - open;
  if (room <= 0 || (open > 0 && room < target * REFILL_SHARE)) return 0;
  return room;
}
