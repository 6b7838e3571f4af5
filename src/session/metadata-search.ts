/**
 * Looks for the info dictionary of a torrent among its peers (BEP 9), and for nothing else: no data is
 * fetched, no disk is touched, and the DHT is asked without being told of a peer that is gone in a moment.
 *
 * @module
 */

import type { InfoHash } from '../base/ids.ts';
import type { Magnet } from '../magnet/index.ts';
import type { Metainfo } from '../metainfo/index.ts';
import type { Clock, Millis, Runtime } from '../runtime/ports.ts';
import type { TorrentEvent } from './events.ts';
import type { SessionIdentity, TorrentOptions } from './options.ts';
import { Rendezvous } from './rendezvous.ts';
import { infoHashOf, parseMetadata } from './source.ts';
import { Swarm } from './swarm.ts';

export interface MetadataSearchOptions
  extends Pick<
    TorrentOptions,
    'peers' | 'trackers' | 'dht' | 'lpd' | 'pex' | 'maxPeers' | 'parse'
  > {
  readonly magnet: Magnet;
  /** Warnings and notes. */
  readonly onEvent?: (event: TorrentEvent) => void;
}

/** What peers gave. */
export interface FoundMetadata {
  /** The info dictionary as it came: its hash is that of the link. */
  readonly info: Uint8Array;
  readonly metainfo: Metainfo;
}

/** A look at a search at one moment. */
export interface MetadataProgress {
  /** Addresses of peers that are known. */
  readonly known: number;
  /** Peers that are connected. */
  readonly connected: number;
  /** Bytes that have come, and all; absent while no peer has offered the metadata. */
  readonly bytes?: { readonly done: number; readonly total: number };
}

export class MetadataSearch implements AsyncDisposable {
  readonly infoHash: InfoHash;
  readonly swarm: Swarm;
  /** Rejects when there is no hope, and when the search is disposed before. */
  readonly found: Promise<FoundMetadata>;
  readonly #clock: Clock;
  readonly #options: MetadataSearchOptions;
  readonly #rendezvous: Rendezvous;
  readonly #abort = new AbortController();
  readonly #resolve: (found: FoundMetadata) => void;
  readonly #reject: (error: unknown) => void;
  #timer: (() => void) | undefined;
  #disposed: Promise<void> | undefined;

  /** @internal Made by `Session.searchMetadata`, which starts it. */
  constructor(runtime: Runtime, identity: SessionIdentity, options: MetadataSearchOptions) {
    const { magnet, onEvent = (): void => undefined, ...rest } = options;
    const source = { type: 'magnet', magnet } as const;
    const onBug = (error: unknown): void => this.#reject(error);
    this.infoHash = infoHashOf(source);
    this.#clock = runtime.clock;
    this.#options = options;
    const found = Promise.withResolvers<FoundMetadata>();
    this.found = found.promise;
    // Whoever waits hears of a failure; when nobody does, it is no unhandled rejection.
    found.promise.catch(() => undefined);
    this.#resolve = found.resolve;
    this.#reject = found.reject;
    this.swarm = new Swarm({
      runtime,
      identity,
      infoHash: this.infoHash,
      torrent: options,
      content: () => undefined,
      onMetadata: (info) => this.#arrived(info),
      onNote: (message) => onEvent({ type: 'note', message }),
      onWarning: (code, message) => onEvent({ type: 'warning', code, message }),
      onBug,
    });
    this.#rendezvous = new Rendezvous({
      runtime,
      identity,
      infoHash: this.infoHash,
      torrent: { ...rest, source },
      isLasting: false,
      swarm: this.swarm,
      content: () => undefined,
      signal: this.#abort.signal,
      onEvent,
      onBug,
    });
  }

  /** Whether a stranger that asks for this torrent may come in. */
  get accepts(): boolean {
    return this.#disposed === undefined;
  }

  get progress(): MetadataProgress {
    const { dialer, links, metadataProgress: bytes } = this.swarm;
    const { size: known } = dialer.pool;
    return { known, connected: links.size, ...(bytes === undefined ? {} : { bytes }) };
  }

  /** Begins; to be called once. */
  start(): void {
    this.#tick();
    this.#rendezvous.begin();
  }

  /** Says goodbye to trackers and peers. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#disposed ??= this.#dispose();
    return this.#disposed;
  }

  async #dispose(): Promise<void> {
    this.#timer?.();
    this.#abort.abort(new Error('the search was stopped'));
    this.#reject(new Error('the search was stopped'));
    const goodbye = this.#rendezvous[Symbol.asyncDispose]();
    try {
      await this.swarm[Symbol.asyncDispose]();
    } finally {
      await goodbye;
    }
  }

  #arrived(info: Uint8Array): void {
    try {
      const metainfo = parseMetadata(info, this.#options.magnet, this.#options.parse);
      this.#rendezvous.learned(metainfo);
      this.#resolve({ info, metainfo });
    } catch (error) {
      this.#reject(error);
    }
  }

  #tick(): void {
    const now = this.#clock.now();
    this.#timer = this.#clock.schedule(now + TICK, () => this.#tick());
    try {
      this.swarm.tick(now);
    } catch (error) {
      this.#reject(error);
    }
  }
}

const TICK: Millis = 1_000;
