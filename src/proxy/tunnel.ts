/** A stream through a proxy. @module */

import { concatBytes } from '../base/bytes.ts';
import type { Endpoint } from '../base/endpoint.ts';
import { NetworkError } from '../base/errors.ts';
import type { ByteStream, StreamHandler } from '../runtime/ports.ts';
import type { Negotiation } from './negotiation.ts';
import { type Proxy, proxyName } from './url.ts';

/** A tunnel that stands, and the address that the proxy uses for it, where it tells. */
export interface Opened {
  readonly tunnel: Tunnel;
  readonly bound: Endpoint | undefined;
}

/**
 * Negotiates on `stream`, a connection to the proxy, and owns it from then on.
 *
 * @param to what the tunnel calls its other side
 * @throws {NetworkError} what the negotiation throws, or `BIP_PROXY_ANSWER` when the proxy hangs up.
 * @throws `signal.reason` when aborted.
 */
export async function openTunnel(
  stream: ByteStream,
  negotiation: Negotiation,
  {
    proxy,
    to,
    signal,
  }: { readonly proxy: Proxy; readonly to: Endpoint; readonly signal: AbortSignal },
): Promise<Opened> {
  const tunnel = new Tunnel(stream, to);
  try {
    return { tunnel, bound: await agreed(tunnel, negotiation, { proxy, signal }) };
  } catch (error) {
    await tunnel[Symbol.asyncDispose]();
    throw error;
  }
}

/** The address that the proxy tells, once it has agreed. */
function agreed(
  tunnel: Tunnel,
  negotiation: Negotiation,
  { proxy, signal }: { readonly proxy: Proxy; readonly signal: AbortSignal },
): Promise<Endpoint | undefined> {
  return new Promise((resolve, reject) => {
    const settled = (): void => signal.removeEventListener('abort', onAbort);
    const fail = (error: unknown): void => {
      settled();
      reject(error instanceof Error ? error : new Error('aborted', { cause: error }));
    };
    const onAbort = (): void => fail(signal.reason);
    const hungUp = (cause?: Error): void =>
      fail(
        new NetworkError(`the proxy ${proxyName(proxy)} hung up before it answered`, {
          code: 'BIP_PROXY_ANSWER',
          cause,
        }),
      );
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) return onAbort();
    tunnel.negotiate(negotiation, {
      done: (bound) => {
        settled();
        resolve(bound);
      },
      failed: fail,
      closed: hungUp,
    });
  });
}

interface Outcome {
  done(bound: Endpoint | undefined): void;
  failed(error: unknown): void;
  closed(error?: Error): void;
}

/** Hands on what the connection to the proxy carries once that has agreed. */
export class Tunnel implements ByteStream {
  readonly remote: Endpoint;
  readonly #stream: ByteStream;
  #handler: StreamHandler | undefined;
  /** What came before somebody listened. */
  #early: Uint8Array | undefined;
  #ended: { readonly error: Error | undefined } | undefined;
  /** The user asked for a pause. */
  #isPaused = false;
  #disposed = false;

  constructor(stream: ByteStream, remote: Endpoint) {
    this.#stream = stream;
    this.remote = remote;
  }

  get local(): Endpoint {
    return this.#stream.local;
  }

  get queuedBytes(): number {
    return this.#stream.queuedBytes;
  }

  /** To be called once, before anything else. */
  negotiate(negotiation: Negotiation, outcome: Outcome): void {
    let open = false;
    this.#stream.open({
      data: (bytes) => {
        if (open) return this.#receive(bytes);
        if (this.#disposed) return;
        try {
          open = this.#feed(negotiation, bytes, outcome);
        } catch (error) {
          outcome.failed(error);
        }
      },
      drain: () => this.#handler?.drain(),
      closed: (error) => {
        if (open) this.#end(error);
        else outcome.closed(error);
      },
    });
    this.#stream.write(negotiation.begin());
  }

  open(handler: StreamHandler): void {
    this.#handler = handler;
    const early = this.#early;
    this.#early = undefined;
    if (early !== undefined) handler.data(early);
    if (this.#disposed) return;
    if (this.#ended !== undefined) this.#tellEnd();
    else if (!this.#isPaused) this.#stream.resume();
  }

  write(bytes: Uint8Array): void {
    this.#stream.write(bytes);
  }

  pause(): void {
    this.#isPaused = true;
    this.#stream.pause();
  }

  resume(): void {
    this.#isPaused = false;
    if (this.#handler !== undefined) this.#stream.resume();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    await this.#stream[Symbol.asyncDispose]();
  }

  /** Returns whether the tunnel stands. */
  #feed(negotiation: Negotiation, bytes: Uint8Array, outcome: Outcome): boolean {
    let rest = bytes;
    while (rest.length > 0) {
      const { used, send, done } = negotiation.feed(rest);
      rest = rest.subarray(used);
      if (send !== undefined) this.#stream.write(send);
      if (done === undefined) continue;
      // Nothing more is wanted before somebody listens.
      this.#stream.pause();
      if (rest.length > 0) this.#early = rest.slice();
      outcome.done(done.bound);
      return true;
    }
    return false;
  }

  #receive(bytes: Uint8Array): void {
    if (this.#disposed) return;
    if (this.#handler !== undefined) this.#handler.data(bytes);
    else this.#early = this.#early === undefined ? bytes.slice() : concatBytes(this.#early, bytes);
  }

  #end(error: Error | undefined): void {
    this.#ended = { error };
    if (this.#handler !== undefined) this.#tellEnd();
  }

  #tellEnd(): void {
    const handler = this.#handler;
    const error = this.#ended?.error;
    if (handler === undefined || this.#disposed) return;
    if (error === undefined) handler.closed();
    else handler.closed(error);
  }
}
