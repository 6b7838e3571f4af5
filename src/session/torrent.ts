/**
 * One torrent of a session, from its name to its last piece: joins peers, metadata, storage,
 * trackers, download and upload. Decides who may connect and what happens when; the work is done
 * in the parts.
 *
 * States: metadata (the info dictionary is unknown) → checking (what is on disk is hashed) →
 * downloading → seeding → stopped. Any state can end in stopped.
 *
 * @module
 */

import { formatEndpoint } from '../base/endpoint.ts';
import { IntegrityError, StorageError } from '../base/errors.ts';
import type { InfoHash } from '../base/ids.ts';
import { loadInfo, saveInfo } from '../disk/index.ts';
import type { Metainfo } from '../metainfo/index.ts';
import type { Clock, Millis, Runtime } from '../runtime/ports.ts';
import { RECHOKE_INTERVAL } from '../select/index.ts';
import { Content } from './content.ts';
import type { TorrentEvent, TorrentState, TorrentStats } from './events.ts';
import type { SessionIdentity, TorrentOptions } from './options.ts';
import type { PeerLink } from './peer-link.ts';
import { Rendezvous } from './rendezvous.ts';
import { infoHashOf, parseMetadata } from './source.ts';
import { Swarm } from './swarm.ts';

const TICK: Millis = 1_000;

export class Torrent implements AsyncDisposable {
  readonly infoHash: InfoHash;
  /** Settles when everything is there; rejects when the torrent cannot go on. */
  readonly completed: Promise<void>;
  /** Never resolves; rejects when the torrent cannot go on, complete or not. */
  readonly failed: Promise<never>;
  readonly #runtime: Runtime;
  readonly #options: TorrentOptions;
  readonly #swarm: Swarm;
  readonly #rendezvous: Rendezvous;
  readonly #abort = new AbortController();
  readonly #complete: () => void;
  readonly #reject: (error: unknown) => void;
  #state: TorrentState = 'metadata';
  #metainfo: Metainfo | undefined;
  #content: Content | undefined;
  #timer: (() => void) | undefined;
  #nextRechoke: Millis = 0;
  #opening: Promise<void> | undefined;
  #finishing: Promise<void> | undefined;
  #disposed: Promise<void> | undefined;

  /** @internal Made by `Session.add`, which starts it. */
  constructor(runtime: Runtime, identity: SessionIdentity, options: TorrentOptions) {
    this.#runtime = runtime;
    this.#options = options;
    this.infoHash = infoHashOf(options.source);
    const completed = Promise.withResolvers<void>();
    const failed = Promise.withResolvers<never>();
    this.completed = completed.promise;
    this.failed = failed.promise;
    // Whoever waits hears of a failure; when nobody does, it is no unhandled rejection.
    completed.promise.catch(() => undefined);
    failed.promise.catch(() => undefined);
    this.#complete = completed.resolve;
    this.#reject = (error) => {
      completed.reject(error);
      failed.reject(error);
    };
    this.#swarm = new Swarm({
      runtime,
      identity,
      infoHash: this.infoHash,
      torrent: options,
      content: () => this.#content,
      onMetadata: (info) => this.#metadataArrived(info),
      onNote: (message) => this.#emit({ type: 'note', message }),
      onWarning: (code, message) => this.#emit({ type: 'warning', code, message }),
      onBug: (error) => this.#fail(error),
    });
    this.#rendezvous = new Rendezvous({
      runtime,
      identity,
      infoHash: this.infoHash,
      torrent: options,
      isLasting: true,
      swarm: this.#swarm,
      content: () => this.#content,
      signal: this.#abort.signal,
      onEvent: (event) => this.#emit(event),
      onBug: (error) => this.#fail(error),
    });
  }

  get clock(): Clock {
    return this.#runtime.clock;
  }
  get state(): TorrentState {
    return this.#state;
  }
  get metainfo(): Metainfo | undefined {
    return this.#metainfo;
  }
  get swarm(): Swarm {
    return this.#swarm;
  }

  /** May a stranger that asks for this torrent come in? Not while the disk is being looked at. */
  get accepts(): boolean {
    return this.#state !== 'checking' && this.#state !== 'stopped';
  }

  /** Begins; failures surface in {@link completed}. */
  start(): void {
    const { source } = this.#options;
    this.#tick();
    const opening =
      source.type === 'metainfo' ? this.#open(source.metainfo) : this.#openFromMagnet();
    this.#opening = opening.catch((error: unknown) => this.#fail(error));
  }

  stats(): TorrentStats {
    return {
      ...this.#swarm.stats(),
      ...(this.#content?.stats() ?? NO_CONTENT),
      total: this.#metainfo?.length ?? 0,
      state: this.#state,
    };
  }

  /** For a picture of the progress: what of each piece is there. */
  pieceState(piece: number): 'done' | 'open' | 'missing' {
    if (this.#content?.have.has(piece) === true) return 'done';
    return this.#content?.downloader.isOpen(piece) === true ? 'open' : 'missing';
  }

  /** Says goodbye to trackers and peers, waits for the disk, saves what the next run needs. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#disposed ??= this.#dispose();
    return this.#disposed;
  }

  async #dispose(): Promise<void> {
    this.#setState('stopped');
    this.#timer?.();
    this.#abort.abort(new Error('the torrent was stopped'));
    const goodbye = this.#rendezvous[Symbol.asyncDispose]();
    try {
      await this.#swarm[Symbol.asyncDispose]();
      await this.#opening;
      await this.#finishing;
      await this.#saveContent();
      await this.#content?.[Symbol.asyncDispose]();
    } finally {
      await goodbye;
      this.#reject(new Error('the torrent was stopped'));
    }
  }

  /** What cannot be saved costs the next run some time, no data: it hashes what is there. */
  async #saveContent(): Promise<void> {
    try {
      await this.#content?.save();
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      const message = `${error.message}; the next run checks all data that is there`;
      this.#emit({ type: 'warning', code: error.code, message });
    }
  }

  async #openFromMagnet(): Promise<void> {
    const known = await loadInfo(this.#runtime, {
      root: this.#options.root,
      infoHash: this.infoHash,
    });
    if (known !== undefined) {
      await this.#open(this.#parse(known));
      return;
    }
    this.#setState('metadata');
    this.#rendezvous.begin();
  }

  #metadataArrived(info: Uint8Array): void {
    this.#opening = this.#keepMetadata(info).catch((error: unknown) => this.#fail(error));
  }

  async #keepMetadata(info: Uint8Array): Promise<void> {
    const metainfo = this.#parse(info);
    if (this.#options.seedOnly !== true) {
      await saveInfo(this.#runtime, { root: this.#options.root, infoHash: this.infoHash, info });
    }
    await this.#open(metainfo);
  }

  #parse(info: Uint8Array): Metainfo {
    const { source } = this.#options;
    if (source.type === 'metainfo') return source.metainfo;
    return parseMetadata(info, source.magnet, this.#options.parse);
  }

  async #open(metainfo: Metainfo): Promise<void> {
    this.#metainfo = metainfo;
    this.#rendezvous.learned(metainfo);
    this.#emit({ type: 'metadata', metainfo });
    for (const { code, message } of metainfo.warnings)
      this.#emit({ type: 'warning', code, message });
    this.#state = 'checking';
    const content = await Content.open({
      runtime: this.#runtime,
      metainfo,
      infoHash: this.infoHash,
      torrent: this.#options,
      signal: this.#abort.signal,
      links: () => this.#swarm.links,
      onEvent: (event) => this.#emit(event),
      onPiece: (piece, ok) => this.#pieceChecked(piece, ok),
      onLiar: (link, piece) => this.#convict(link, piece),
      onSent: (bytes) => this.#swarm.upload.add(bytes, this.clock.now()),
      onStorageError: (error) => this.#fail(error),
      onServed: (piece, served) => this.#swarm.announcePiece(piece, served),
      onBug: (error) => this.#fail(error),
    });
    this.#content = content;
    if (this.#abort.signal.aborted) return;
    if (this.#options.seedOnly === true && !content.isComplete) throw this.#incompleteSeed(content);
    this.#setState(content.isComplete ? 'seeding' : 'downloading');
    this.#swarm.onContent(content, metainfo.infoBytes);
    if (content.isComplete) this.#finish(false);
    this.#rendezvous.begin();
  }

  #incompleteSeed(content: Content): IntegrityError {
    const { have } = content;
    return new IntegrityError(
      `${content.metainfo.name}: ${have.length - have.count} of ${have.length} pieces are missing or do not match the torrent, so that there is nothing to seed; \`bip download\` completes it`,
      { code: 'BIP_INCOMPLETE' },
    );
  }

  #pieceChecked(piece: number, ok: boolean): void {
    if (ok) this.#swarm.announcePiece(piece);
    this.#emit({ type: 'piece', piece, ok });
    if (!ok) {
      this.#emit({
        type: 'warning',
        code: 'BIP_BAD_PIECE',
        message: `piece ${piece} does not match its hash and is fetched again`,
      });
    }
    if (this.#content?.isComplete === true) this.#finish(true);
  }

  #finish(justNow: boolean): void {
    const content = this.#content;
    if (content === undefined || this.#finishing !== undefined) return;
    this.#finishing = (async () => {
      try {
        await content.finish();
        this.#setState('seeding');
        this.#swarm.onComplete();
        if (justNow) this.#rendezvous.completed();
        this.#complete();
      } catch (error) {
        this.#fail(error);
      }
    })();
  }

  #convict(link: PeerLink, piece: number): void {
    // Convicted before: the pieces it had spoilt by then are judged one after the other.
    if (this.#swarm.dialer.pool.isBanned(link.remote)) return;
    this.#swarm.ban(link);
    this.#emit({
      type: 'warning',
      code: 'BIP_PEER_BANNED',
      message: `${formatEndpoint(link.remote)} sent bad data for piece ${piece} and is banned`,
    });
  }

  #tick(): void {
    const now = this.clock.now();
    this.#timer = this.clock.schedule(now + TICK, () => this.#tick());
    try {
      this.#swarm.tick(now);
      this.#content?.downloader.tick(now);
      if (now >= this.#nextRechoke) {
        this.#nextRechoke = now + RECHOKE_INTERVAL;
        this.#content?.uploader.rechoke();
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#reject(error);
  }

  #setState(state: TorrentState): void {
    if (this.#state === state && state !== 'metadata') return;
    this.#state = state;
    this.#emit({ type: 'state', state });
  }

  #emit(event: TorrentEvent): void {
    this.#options.onEvent?.(event);
  }
}

/** The numbers of a torrent whose metadata is unknown. */
const NO_CONTENT = { done: 0, piecesDone: 0, pieceCount: 0, wasted: 0 } as const;
