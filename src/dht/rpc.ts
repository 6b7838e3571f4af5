/**
 * Queries on their way and the answers that belong to them (BEP 5 "KRPC Protocol").
 *
 * An answer counts when its transaction and the address and port that it comes from are those of a
 * query that waits, of any address where a proxy looked a name up. Transactions are random, so that nobody
 * off the path can guess one.
 *
 * @module
 */

import { type Endpoint, equalEndpoints } from '../base/endpoint.ts';
import { ipFamily } from '../base/ip.ts';
import { readUint32, writeUint32 } from '../base/uint32.ts';
import type { Clock, Millis, Random } from '../runtime/ports.ts';
import type { KrpcError, KrpcQuery, KrpcResponse, QueryArguments } from './krpc/index.ts';

/** What becomes of one query: `slow` at most once, then one of the others, once. */
export interface RpcHandler {
  /** The bytes in it are views that are valid during the call only. */
  answered(response: KrpcResponse, rttMs: Millis): void;
  refused(error: KrpcError, rttMs: Millis): void;
  /** There was no answer in the short time; it may still come. */
  slow(): void;
  /** There was no answer in the long time. */
  timedOut(): void;
}

export interface RpcOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Sends a query; the bytes of its transaction are valid during the call only. */
  readonly send: (query: KrpcQuery, to: Endpoint) => void;
  readonly readOnly: boolean;
  readonly version: Uint8Array;
  /** {@link SHORT_TIMEOUT_MS} by default. */
  readonly shortMs?: Millis;
  /** {@link LONG_TIMEOUT_MS} by default. */
  readonly longMs?: Millis;
}

/** Most answers of the Mainline DHT come sooner; libtorrent's short time-out. */
export const SHORT_TIMEOUT_MS = 1000;
/** libtorrent waits 15 s; 99.9 % of what comes later than 8 s never comes. */
export const LONG_TIMEOUT_MS = 8000;

interface Waiting {
  readonly key: number;
  readonly to: Endpoint;
  readonly sentAt: Millis;
  readonly handler: RpcHandler;
}

export class Rpc {
  readonly #options: RpcOptions;
  readonly #shortMs: Millis;
  readonly #longMs: Millis;
  /** In the order of their sending, which is that of their time-outs. */
  readonly #waiting = new Map<number, Waiting>();
  /** Those of them that are not slow yet. */
  readonly #fresh = new Map<number, Waiting>();
  readonly #transaction = new Uint8Array(TRANSACTION_BYTES);
  #cancelTimer: (() => void) | undefined;
  #stopped = false;

  constructor(options: RpcOptions) {
    this.#options = options;
    this.#shortMs = options.shortMs ?? SHORT_TIMEOUT_MS;
    this.#longMs = Math.max(options.longMs ?? LONG_TIMEOUT_MS, this.#shortMs);
  }

  /** How long an answer is waited for. */
  get longMs(): Millis {
    return this.#longMs;
  }

  /** How many wait for an answer. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Sends a query. After {@link stop} nothing is sent, and nothing becomes of it. */
  query(to: Endpoint, method: string, args: QueryArguments, handler: RpcHandler): void {
    if (this.#stopped) return;
    const { clock, send, readOnly, version } = this.#options;
    const waiting = { key: this.#newKey(), to, sentAt: clock.now(), handler };
    this.#waiting.set(waiting.key, waiting);
    this.#fresh.set(waiting.key, waiting);
    writeUint32(this.#transaction, 0, waiting.key);
    this.#arm();
    send({ type: 'query', transaction: this.#transaction, method, args, readOnly, version }, to);
  }

  /** Whether somebody waited for this, from there; if so, it is handed over. */
  receive(message: KrpcResponse | KrpcError, from: Endpoint): boolean {
    const { transaction } = message;
    if (transaction.length !== TRANSACTION_BYTES) return false;
    const key = readUint32(transaction, 0);
    const waiting = this.#waiting.get(key);
    if (waiting === undefined || !isFrom(from, waiting.to)) return false;
    this.#forget(key);
    const rttMs = this.#options.clock.now() - waiting.sentAt;
    if (message.type === 'response') waiting.handler.answered(message, rttMs);
    else waiting.handler.refused(message, rttMs);
    return true;
  }

  /** Gives up all that wait, without a word to them. */
  stop(): void {
    this.#stopped = true;
    this.#cancelTimer?.();
    this.#waiting.clear();
    this.#fresh.clear();
  }

  #newKey(): number {
    for (;;) {
      const key = this.#options.random.uint32();
      if (!this.#waiting.has(key)) return key;
    }
  }

  #forget(key: number): void {
    this.#waiting.delete(key);
    this.#fresh.delete(key);
  }

  #arm(): void {
    if (this.#cancelTimer !== undefined || this.#stopped) return;
    const at = this.#deadline();
    if (at === undefined) return;
    this.#cancelTimer = this.#options.clock.schedule(at, () => {
      this.#cancelTimer = undefined;
      this.#expire(this.#options.clock.now());
      this.#arm();
    });
  }

  #deadline(): Millis | undefined {
    const slowAt = first(this.#fresh);
    const lateAt = first(this.#waiting);
    if (lateAt === undefined) return undefined;
    const late = lateAt.sentAt + this.#longMs;
    return slowAt === undefined ? late : Math.min(late, slowAt.sentAt + this.#shortMs);
  }

  /** Handlers may ask anew from within: what they add stands at the end of the maps, and is not due. */
  #expire(now: Millis): void {
    for (const [key, waiting] of this.#waiting) {
      if (waiting.sentAt + this.#longMs > now) break;
      this.#forget(key);
      waiting.handler.timedOut();
    }
    for (const [key, waiting] of this.#fresh) {
      if (waiting.sentAt + this.#shortMs > now) break;
      this.#fresh.delete(key);
      waiting.handler.slow();
    }
  }
}

/** A name was looked up by a proxy, so that nobody here knows its address: the transaction has to do. */
function isFrom(from: Endpoint, to: Endpoint): boolean {
  return equalEndpoints(to, from) || ipFamily(to.host) === undefined;
}

function first(map: ReadonlyMap<number, Waiting>): Waiting | undefined {
  for (const waiting of map.values()) return waiting;
  return undefined;
}

const TRANSACTION_BYTES = 4;
