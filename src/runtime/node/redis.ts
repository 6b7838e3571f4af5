/**
 * Redis and Valkey, single or as a cluster, over the package `@redis/client`, which is loaded with this
 * file and therefore only when somebody asks for Redis.
 *
 * Commands of one turn of the event loop leave in one packet. A connection that says nothing for some
 * seconds is given up and made again, as is one that breaks; what waits then fails, and nothing is
 * queued for later.
 *
 * @module
 */

import { randomInt } from 'node:crypto';
import {
  ConnectionTimeoutError,
  createClient,
  createCluster,
  ErrorReply,
  RESP_TYPES,
  SocketClosedUnexpectedlyError,
  SocketTimeoutError,
} from '@redis/client';
import { NetworkError, RemoteError, TimeoutError } from '../../base/errors.ts';
import { networkFailure } from '../failures.ts';
import type { Clock, Millis, RedisLink, RedisScript } from '../ports.ts';
import { onAbort } from './abort.ts';
import { formatRedisAddress, parseRedisUrl, type RedisAddress } from './redis-url.ts';
import { systemCode } from './system-error.ts';
import { isTlsFailure, tlsReason } from './tls-error.ts';

const DEFAULT_COMMAND_TIMEOUT: Millis = 1_000;
const CONNECT_TIMEOUT: Millis = 5_000;
/** A connection is asked for a sign of life this often, and given up when it says nothing for longer. */
const PING_INTERVAL: Millis = 2_500;
const SILENCE: Millis = 6_000;
/** Waits between attempts to connect grow from the one to the other. */
const FIRST_RETRY: Millis = 100;
const LONGEST_RETRY: Millis = 5_000;
/** Commands that wait for one node; further ones are refused. */
const MAX_QUEUE = 20_000;

export interface RedisOptions {
  /** Gives up the first connection. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** How long one command may take. Default 1 s. */
  readonly commandTimeoutMs?: Millis;
}

/**
 * Connects to the address that {@link parseRedisUrl} describes. Dispose it at the end.
 *
 * @throws {UsageError} when it is no such address.
 * @throws {NetworkError} when there is no Redis of 6.2 or later that lets us in; without the password.
 */
export async function openRedis(url: string, options: RedisOptions): Promise<RedisLink> {
  options.signal.throwIfAborted();
  const address = parseRedisUrl(url);
  const link = new NodeRedis(address, options);
  try {
    await link.connect(options.signal);
    return link;
  } catch (error) {
    await link[Symbol.asyncDispose]();
    options.signal.throwIfAborted();
    throw error;
  }
}

type Argument = string | Buffer;

/** What a client and a cluster have in common here. */
interface Commander {
  connect(): Promise<unknown>;
  /** `key` says which node of a cluster is asked. */
  send(key: string | undefined, args: Argument[]): Promise<unknown>;
  destroy(): void;
}

/** What a {@link Commander} tells. */
interface Events {
  /** After the n-th failure in turn: how long until it connects again, if at all. */
  readonly retry: (attempt: number) => Millis | false;
  readonly ready: (node: string) => void;
  readonly lost: (node: string) => void;
  /** It belongs to the cluster no more. */
  readonly gone: (node: string) => void;
  readonly failed: (error: unknown) => void;
}

class NodeRedis implements RedisLink {
  readonly #name: string;
  readonly #cluster: boolean;
  readonly #clock: Clock;
  readonly #timeout: Millis;
  readonly #commander: Commander;
  /** Nodes whose connections are being made again. */
  readonly #lost = new Set<string>();
  #listener: ((up: boolean, reason?: string) => void) | undefined;
  #lastFailure: unknown;
  #opened = false;
  #disposed = false;

  constructor(address: RedisAddress, { clock, commandTimeoutMs }: RedisOptions) {
    this.#name = formatRedisAddress(address);
    this.#cluster = address.cluster;
    this.#clock = clock;
    this.#timeout = commandTimeoutMs ?? DEFAULT_COMMAND_TIMEOUT;
    const events: Events = {
      retry: (attempt) => (this.#opened && !this.#disposed ? retryAfter(attempt) : false),
      ready: (node) => this.#change(() => this.#lost.delete(node)),
      lost: (node) => this.#change(() => this.#lost.add(node)),
      gone: (node) => this.#change(() => this.#lost.delete(node)),
      failed: (error) => {
        this.#lastFailure = error;
      },
    };
    this.#commander = address.cluster ? clusterOf(address, events) : clientOf(address, events);
  }

  get up(): boolean {
    return this.#opened && !this.#disposed && this.#lost.size === 0;
  }

  onChange(listener: (up: boolean, reason?: string) => void): void {
    this.#listener = listener;
  }

  /** Makes the first connection, and sees whether the other side will do. */
  async connect(signal: AbortSignal): Promise<void> {
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const stop = onAbort(signal, reject);
    try {
      await Promise.race([this.#firstConnection(), aborted]);
    } finally {
      stop();
    }
  }

  async evaluate(
    script: RedisScript,
    keys: readonly string[],
    args: readonly (string | Uint8Array)[],
  ): Promise<unknown> {
    if (!this.up) throw this.#failure(this.#lastFailure);
    const rest = [String(keys.length), ...keys, ...args.map(toArgument)];
    try {
      return await this.#inTime(this.#send(script, keys[0], rest));
    } catch (error) {
      throw error instanceof TimeoutError ? error : this.#failure(error);
    }
  }

  // A client has nothing to wait for: what was under way fails at once.
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#commander.destroy();
  }

  async #firstConnection(): Promise<void> {
    try {
      await this.#commander.connect();
      const ask = this.#commander.send(undefined, ['EVAL', ABOUT, '0']);
      const about = await this.#inTime(ask);
      this.#judge(String(about));
      this.#opened = true;
    } catch (error) {
      if (error instanceof NetworkError || error instanceof TimeoutError) throw error;
      // A cluster says only that no node would do, and its events say why.
      throw this.#failure(error instanceof ErrorReply ? error : (this.#lastFailure ?? error));
    }
  }

  #judge(about: string): void {
    const [, major = '', minor = ''] = /^redis_version:(\d+)\.(\d+)/m.exec(about) ?? [];
    if (Number(major) * 100 + Number(minor) < OLDEST) {
      const message = `${this.#called} is Redis ${major}.${minor}; 6.2 or later is needed`;
      throw new NetworkError(message, { code: 'BIP_REDIS' });
    }
    if (!this.#cluster && /^redis_mode:cluster/m.test(about)) {
      const message = `${this.#called} belongs to a cluster; write its address as redis+cluster://`;
      throw new NetworkError(message, { code: 'BIP_REDIS' });
    }
  }

  async #send(
    { text, digest }: RedisScript,
    key: string | undefined,
    rest: Argument[],
  ): Promise<unknown> {
    if (digest === undefined) return this.#commander.send(key, ['EVAL', text, ...rest]);
    try {
      return await this.#commander.send(key, ['EVALSHA', digest, ...rest]);
    } catch (error) {
      if (!(error instanceof ErrorReply) || !error.message.startsWith('NOSCRIPT')) throw error;
      return this.#commander.send(key, ['EVAL', text, ...rest]);
    }
  }

  #inTime<T>(call: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.schedule(this.#clock.now() + this.#timeout, () =>
        reject(new TimeoutError(`${this.#called} does not answer`, this.#timeout)),
      );
      call.then(
        (answer) => {
          cancel();
          resolve(answer);
        },
        (error: unknown) => {
          cancel();
          reject(error);
        },
      );
    });
  }

  #change(apply: () => unknown): void {
    const before = this.up;
    apply();
    const now = this.up;
    if (now === before || this.#disposed) return;
    if (now) this.#listener?.(true);
    else this.#listener?.(false, this.#failure(this.#lastFailure).message);
  }

  get #called(): string {
    return `Redis at ${this.#name}`;
  }

  #failure(error: unknown): NetworkError | RemoteError {
    if (error instanceof ErrorReply) {
      const help = error.message.startsWith('NOAUTH') ? ' Write redis://:PASSWORD@HOST.' : '';
      const message = `${this.#called} refuses: ${error.message}${help}`;
      if (!this.#opened) return new NetworkError(message, { code: 'BIP_REDIS', cause: error });
      return new RemoteError(message, { code: 'BIP_REDIS', cause: error });
    }
    const system = systemReason(error);
    const doing = this.#opened ? `${this.#called} is away` : `cannot connect to ${this.#called}`;
    if (isTlsFailure(system)) {
      return new NetworkError(`${doing}: ${tlsReason(system)}`, { code: 'BIP_TLS', cause: error });
    }
    return networkFailure(doing, system, { code: 'BIP_REDIS', cause: error });
  }
}

/** Asked by a script, since it is scripts that have to be permitted. */
const ABOUT = "return redis.call('INFO', 'server')";
/** The first that takes random members of sorted sets: 6.2. */
const OLDEST = 602;

/** The package has classes for what the system has names for. */
function systemReason(error: unknown): string | undefined {
  if (error instanceof SocketClosedUnexpectedlyError) return 'EPIPE';
  const isLate = error instanceof ConnectionTimeoutError || error instanceof SocketTimeoutError;
  return isLate ? 'ETIMEDOUT' : systemCode(error);
}

/** Grows with every attempt; a random part keeps many clients from coming at once. */
function retryAfter(attempt: number): Millis {
  const longest = Math.min(FIRST_RETRY * 2 ** Math.min(attempt, 10), LONGEST_RETRY);
  return randomInt(longest / 2, longest + 1);
}

function toArgument(value: string | Uint8Array): Argument {
  if (typeof value === 'string') return value;
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

/**
 * Strings come as bytes, in the older protocol, which everything that calls itself Redis speaks. The
 * package's own limit of time is off: it makes an `AbortSignal` for every command, which lives until
 * that time whenever the answer comes, and ends only what was not sent yet.
 */
const SPOKEN = {
  RESP: 2,
  commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer }, timeout: 0 },
} as const;

/** For a client and for every node of a cluster. */
function clientOptions({ username, password }: RedisAddress) {
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    disableOfflineQueue: true,
    commandsQueueMaxLength: MAX_QUEUE,
    pingInterval: PING_INTERVAL,
    maintNotifications: 'disabled',
    disableClientInfo: true,
  } as const;
}

function socketOptions({ tls }: RedisAddress, { retry }: Events) {
  const timing = {
    connectTimeout: CONNECT_TIMEOUT,
    socketTimeout: SILENCE,
    reconnectStrategy: retry,
  };
  return tls ? ({ ...timing, tls } as const) : timing;
}

function clientOf(address: RedisAddress, events: Events): Commander {
  const [node] = address.nodes;
  const client = createClient({
    ...SPOKEN,
    ...clientOptions(address),
    database: address.database,
    socket: { ...socketOptions(address, events), ...node },
  });
  const name = formatRedisAddress(address);
  client.on('error', (error) => events.failed(error));
  client.on('reconnecting', () => events.lost(name));
  client.on('ready', () => events.ready(name));
  return {
    connect: () => client.connect(),
    send: (_, args) => client.sendCommand(args),
    destroy: () => client.destroy(),
  };
}

function clusterOf(address: RedisAddress, events: Events): Commander {
  const cluster = createCluster({
    ...SPOKEN,
    rootNodes: address.nodes.map((node) => ({ socket: { ...node } })),
    defaults: { ...clientOptions(address), socket: socketOptions(address, events) },
  });
  cluster.on('error', (error) => events.failed(error));
  cluster.on('node-error', (error) => events.failed(error));
  cluster.on('node-reconnecting', (node: Node) => events.lost(nameOf(node)));
  cluster.on('node-ready', (node: Node) => events.ready(nameOf(node)));
  cluster.on('node-disconnect', (node: Node) => events.gone(nameOf(node)));
  return {
    connect: () => cluster.connect(),
    send: (key, args) => cluster.sendCommand(key, false, args),
    destroy: () => cluster.destroy(),
  };
}

interface Node {
  readonly host: string;
  readonly port: number;
}

function nameOf({ host, port }: Node): string {
  return `${host}:${port}`;
}
