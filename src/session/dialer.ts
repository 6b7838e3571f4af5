/** Calls the peers of one torrent, a bounded number at once. @module */

import type { Endpoint } from '../base/endpoint.ts';
import { BipError } from '../base/errors.ts';
import type { PeerId } from '../base/ids.ts';
import type { HandshakeFilter, Reserved } from '../handshake/index.ts';
import type { Millis, Runtime, StreamHandler } from '../runtime/ports.ts';
import { type Encryption, mayReopen, type Opening } from './encryption.ts';
import { type Introduced, Introduction } from './introduction.ts';
import { PeerPool, type PeerSource } from './peer-pool.ts';

/** Attempts at once; libtorrent's `connection_speed` starts 30 a second. */
const MAX_HALF_OPEN = 30;
/** An attempt that takes longer is given up; libtorrent's `peer_connect_timeout`. */
const CONNECT_TIMEOUT: Millis = 15_000;

export interface DialerOptions {
  readonly runtime: Pick<Runtime, 'clock' | 'network'>;
  /** Bind to this address when calling. */
  readonly bind: string | undefined;
  readonly peerId: PeerId;
  readonly reserved: Reserved;
  readonly filter: HandshakeFilter | undefined;
  readonly infoHash: Uint8Array;
  readonly encryption: Encryption;
  /** Connections that may be had besides those that stand. */
  readonly room: () => number;
  readonly onIntroduced: (introduced: Introduced) => StreamHandler | undefined;
  readonly onFailed: (endpoint: Endpoint, error: Error) => void;
  /** The peer is called again at once, with or without encryption, since the other way failed. */
  readonly onReopened: (endpoint: Endpoint, error: Error, opening: Opening) => void;
  readonly onBug: (error: unknown) => void;
}

export class Dialer implements AsyncDisposable {
  readonly pool: PeerPool = new PeerPool();
  readonly #options: DialerOptions;
  readonly #attempts = new Map<AbortController, Promise<void>>();
  #wake: (() => void) | undefined;
  #stopped = false;

  constructor(options: DialerOptions) {
    this.#options = options;
  }

  get attempts(): number {
    return this.#attempts.size;
  }

  add(endpoints: Iterable<Endpoint>, source: PeerSource): void {
    for (const endpoint of endpoints) this.pool.add(endpoint, source);
    this.dial();
  }

  /** Calls as many as there is room for, and comes back by itself when a pause is over. */
  dial(): void {
    if (this.#stopped) return;
    const { clock } = this.#options.runtime;
    while (this.#attempts.size < Math.min(MAX_HALF_OPEN, this.#options.room())) {
      const endpoint = this.pool.next(clock.now());
      if (endpoint === undefined) break;
      this.#call(endpoint);
    }
    this.#wake?.();
    const at = this.pool.nextAt();
    // What is due already waits for room, and whoever makes room dials.
    this.#wake =
      at === undefined || at <= clock.now() ? undefined : clock.schedule(at, () => this.dial());
  }

  /** A connection ended; its address may be called again later. */
  released(endpoint: Endpoint, worked: boolean): void {
    this.pool.released(endpoint, worked, this.#options.runtime.clock.now());
    this.dial();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    this.#wake?.();
    const pending = [...this.#attempts];
    for (const [abort] of pending) abort.abort(new Error('the torrent was stopped'));
    await Promise.all(pending.map(([, attempt]) => attempt));
  }

  #call(endpoint: Endpoint): void {
    const abort = new AbortController();
    const attempt = this.#attempt(endpoint, abort)
      .catch((error: unknown) => this.#options.onBug(error))
      .finally(() => {
        this.#attempts.delete(abort);
        this.dial();
      });
    this.#attempts.set(abort, attempt);
  }

  /** Settles when the peer is known or all ways to it have failed. */
  async #attempt(endpoint: Endpoint, abort: AbortController): Promise<void> {
    const { encryption, onReopened } = this.#options;
    const [first, second] = encryption.openings(this.pool.openingOf(endpoint));
    let failure = await this.#open(endpoint, first, abort);
    if (failure?.mayReopen === true && second !== undefined && !abort.signal.aborted) {
      onReopened(endpoint, failure.error, second);
      failure = await this.#open(endpoint, second, abort);
    }
    if (failure !== undefined) this.#failed(endpoint, failure.error);
  }

  /** Connects and introduces us, in one of the ways; `undefined` when that was done. */
  async #open(
    endpoint: Endpoint,
    opening: Opening,
    abort: AbortController,
  ): Promise<Failure | undefined> {
    const { runtime, bind, encryption, infoHash } = this.#options;
    const { clock } = runtime;
    const cancelTimer = clock.schedule(clock.now() + CONNECT_TIMEOUT, () =>
      abort.abort(new Error('the peer did not answer')),
    );
    try {
      const connected = await runtime.network.connect(endpoint, {
        signal: abort.signal,
        ...(bind === undefined ? {} : { host: bind }),
      });
      cancelTimer();
      const stream = encryption.call(connected, opening, infoHash);
      const error = await this.#introduce(endpoint, { stream, opening, signal: abort.signal });
      if (error === undefined) return undefined;
      // Some let nobody in twice from one address: the first connection is gone before the second.
      await stream[Symbol.asyncDispose]();
      return { error, mayReopen: mayReopen(stream, error) };
    } catch (error) {
      if (!(error instanceof BipError) && !abort.signal.aborted) throw error;
      return {
        error: error instanceof Error ? error : new Error(String(error)),
        mayReopen: false,
      };
    } finally {
      cancelTimer();
    }
  }

  /** Why it failed, if it did. */
  async #introduce(
    endpoint: Endpoint,
    {
      stream,
      opening,
      signal,
    }: {
      readonly stream: Introduced['stream'];
      readonly opening: Opening;
      readonly signal: AbortSignal;
    },
  ): Promise<Error | undefined> {
    const { runtime, peerId, reserved, filter, infoHash, onIntroduced, onBug } = this.#options;
    return await new Promise((resolve) => {
      const introduction = new Introduction(stream, {
        clock: runtime.clock,
        peerId,
        reserved,
        filter,
        infoHash,
        knows: () => false,
        onIntroduced: (introduced) => {
          resolve(undefined);
          this.pool.connected(endpoint, opening);
          return onIntroduced(introduced);
        },
        onFailed: (error) => {
          if (error instanceof BipError && error.code === 'BIP_SELF')
            this.pool.isOurselves(endpoint);
          resolve(error);
        },
        onBug,
      });
      if (signal.aborted) introduction.fail(new Error('the torrent was stopped'));
      signal.addEventListener('abort', () =>
        introduction.fail(new Error('the torrent was stopped')),
      );
    });
  }

  #failed(endpoint: Endpoint, error: Error): void {
    this.pool.released(endpoint, false, this.#options.runtime.clock.now());
    this.#options.onFailed(endpoint, error);
  }
}

interface Failure {
  readonly error: Error;
  /** The other opening may do better. */
  readonly mayReopen: boolean;
}
