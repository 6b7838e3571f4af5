/** A connection of uTP as a stream of bytes. @module */

import { type Endpoint, formatEndpoint } from '../base/endpoint.ts';
import { invariant, type NetworkError } from '../base/errors.ts';
import type { ByteStream, Clock, Millis, StreamHandler } from '../runtime/ports.ts';
import { type ConnectionHost, UtpConnection } from './connection.ts';
import type { Waiting } from './deadlines.ts';
import type { PacketPool } from './packet-pool.ts';

/** What a stream wants of the socket it belongs to. */
export interface StreamOwner {
  readonly clock: Clock;
  readonly pool: PacketPool;
  readonly local: Endpoint;
  transmit(packet: Uint8Array, to: Endpoint): void;
  /** Something is to be sent at the end of this turn. */
  wake(stream: UtpStream): void;
  /** Nothing is left to do for it. */
  forget(stream: UtpStream): void;
}

/** Numbers of a connection. */
export interface StreamIds {
  /** Of packets that come, and of those that go (BEP 29 "connection_id"). */
  readonly receiveId: number;
  readonly sendId: number;
  readonly sequence: number;
  readonly called: number | undefined;
}

export class UtpStream implements ByteStream, ConnectionHost, Waiting {
  readonly transport = 'utp';
  readonly remote: Endpoint;
  readonly ids: StreamIds;
  readonly connection: UtpConnection;
  /** It is in the socket's list for the end of the turn. */
  isAwake = false;
  lookAt: Millis | undefined;
  /** The next stream of the same id, by another address. */
  sibling: UtpStream | undefined;
  readonly #owner: StreamOwner;
  readonly #connected = Promise.withResolvers<void>();
  #handler: StreamHandler | undefined;
  #paused = false;
  #outcome: { readonly error: NetworkError | undefined } | undefined;
  #disposed = false;

  constructor(owner: StreamOwner, remote: Endpoint, ids: StreamIds) {
    this.#owner = owner;
    this.remote = remote;
    this.ids = ids;
    // Nobody may wait for the answer any more when the call fails.
    this.#connected.promise.catch(() => undefined);
    const { pool, clock } = owner;
    this.connection = new UtpConnection(
      {
        host: this,
        pool,
        remote,
        sendId: ids.sendId,
        sequence: ids.sequence,
        called: ids.called,
      },
      clock.now(),
    );
  }

  toString(): string {
    return `uTP connection to ${formatEndpoint(this.remote)}`;
  }

  get local(): Endpoint {
    return this.#owner.local;
  }

  open(handler: StreamHandler): void {
    invariant(this.#handler === undefined, 'a stream is opened once');
    this.#handler = handler;
    this.#soon();
  }

  write(bytes: Uint8Array): void {
    if (this.#disposed || this.#outcome !== undefined) return;
    this.connection.write(bytes);
    this.#owner.wake(this);
  }

  get queuedBytes(): number {
    return this.connection.queuedBytes;
  }

  pause(): void {
    this.#paused = true;
    this.connection.read(false);
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#soon();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    if (this.#outcome !== undefined) return;
    this.connection.close(this.#owner.clock.now());
    this.#owner.wake(this);
  }

  // For the socket.

  /** Settles when the other side has answered, or will not. */
  get isConnected(): Promise<void> {
    return this.#connected.promise;
  }

  deadline(): Millis | undefined {
    return this.connection.deadline();
  }

  /** Nobody uses it any more, and what was written is still under way. */
  get isLingering(): boolean {
    return this.#disposed;
  }

  /** The end of a turn. */
  turn(now: Millis): void {
    if (this.#handler !== undefined && !this.#paused) {
      if (this.#outcome !== undefined) this.#tellEnd();
      else this.connection.read(true);
    }
    this.connection.flush(now);
  }

  /** The socket goes away: everybody who waits hears of it. */
  breakOff(error: NetworkError, now: Millis): void {
    if (this.connection.isClosed) return;
    this.connection.reset(now);
    if (!this.#disposed && this.#outcome === undefined) this.ended(error);
  }

  // From the connection.

  transmit(packet: Uint8Array): void {
    this.#owner.transmit(packet, this.remote);
  }
  connected(): void {
    this.#connected.resolve();
  }
  deliver(payload: Uint8Array): void {
    if (!this.#disposed) this.#handler?.data(payload);
  }
  drained(): void {
    if (!this.#disposed) this.#handler?.drain();
  }
  ended(error: NetworkError | undefined): void {
    this.#outcome = { error };
    if (error !== undefined) this.#connected.reject(error);
    if (this.#handler !== undefined) this.#tellEnd();
  }
  released(): void {
    this.#owner.forget(this);
  }

  /** What waits for a reader is delivered at the end of this turn, not from within a call of its. */
  #soon(): void {
    this.#owner.wake(this);
  }

  #tellEnd(): void {
    const handler = this.#handler;
    if (this.#disposed || handler === undefined) return;
    this.#disposed = true;
    const error = this.#outcome?.error;
    if (error === undefined) handler.closed();
    else handler.closed(error);
  }
}
