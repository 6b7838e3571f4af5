/** Calls the peers of one torrent, a bounded number at once. @module */

import type { Endpoint } from '../base/endpoint.ts';
import { BipError } from '../base/errors.ts';
import type { PeerId } from '../base/ids.ts';
import type { Reserved } from '../handshake/index.ts';
import type { Millis, Runtime, StreamHandler } from '../runtime/ports.ts';
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
  readonly infoHash: Uint8Array;
  /** Connections that may be had besides those that stand. */
  readonly room: () => number;
  readonly onIntroduced: (introduced: Introduced) => StreamHandler | undefined;
  readonly onFailed: (endpoint: Endpoint, error: Error) => void;
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

  /** Settles when the peer is known or the attempt has failed. */
  async #attempt(endpoint: Endpoint, abort: AbortController): Promise<void> {
    const { runtime, bind } = this.#options;
    const { clock } = runtime;
    const cancelTimer = clock.schedule(clock.now() + CONNECT_TIMEOUT, () =>
      abort.abort(new Error('the peer did not answer')),
    );
    try {
      const stream = await runtime.network.connect(endpoint, {
        signal: abort.signal,
        ...(bind === undefined ? {} : { host: bind }),
      });
      cancelTimer();
      await this.#introduce(endpoint, stream, abort.signal);
    } catch (error) {
      if (!(error instanceof BipError) && !abort.signal.aborted) throw error;
      this.#failed(endpoint, error instanceof Error ? error : new Error(String(error)));
    } finally {
      cancelTimer();
    }
  }

  async #introduce(
    endpoint: Endpoint,
    stream: Introduced['stream'],
    signal: AbortSignal,
  ): Promise<void> {
    const { runtime, peerId, reserved, infoHash, onIntroduced, onBug } = this.#options;
    await new Promise<void>((resolve) => {
      const introduction = new Introduction(stream, {
        clock: runtime.clock,
        peerId,
        reserved,
        infoHash,
        knows: () => false,
        onIntroduced: (introduced) => {
          resolve();
          this.pool.connected(endpoint);
          return onIntroduced(introduced);
        },
        onFailed: (error) => {
          resolve();
          if (error instanceof BipError && error.code === 'BIP_SELF')
            this.pool.isOurselves(endpoint);
          this.#failed(endpoint, error);
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
