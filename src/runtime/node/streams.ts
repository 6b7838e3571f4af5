/** TCP connections. @module */

import { once } from 'node:events';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { concatBytes } from '../../base/bytes.ts';
import { type Endpoint, formatEndpoint } from '../../base/endpoint.ts';
import { invariant } from '../../base/errors.ts';
import { networkFailure } from '../failures.ts';
import type { BindOptions, ByteStream, Listener, Network, StreamHandler } from '../ports.ts';
import { abortReason } from './abort.ts';
import { literalFamily, plainEndpoint } from './addresses.ts';
import { plainBytes } from './plain-bytes.ts';
import { systemCode } from './system-error.ts';

/**
 * Bytes read at once. Against 64 KiB this takes up to a third of the CPU off a fast download when
 * the machine is busy, and nothing when it is not (test/bench/streams.ts); more would not stay in
 * the cache.
 */
const RECEIVE_BUFFER = 256 * 1024;

/** From which number of queued bytes on Node reports that they went out: always. */
const HIGH_WATER_MARK = 1;

/**
 * TCP with one receive buffer for all outgoing connections: Node reads into it and hands it over in
 * one go, before it reads for the next connection.
 */
export function nodeStreams(): Pick<Network, 'connect' | 'listen'> {
  let buffer: Uint8Array | undefined;
  return {
    connect(to, options) {
      buffer ??= new Uint8Array(RECEIVE_BUFFER);
      return connect(to, options, buffer);
    },
    listen,
  };
}

async function connect(
  to: Endpoint,
  options: { readonly host?: string; readonly signal: AbortSignal },
  receiveBuffer: Uint8Array,
): Promise<ByteStream> {
  const { host, signal } = options;
  invariant(literalFamily(to.host) !== undefined, `a literal address to connect to: ${to.host}`);
  signal.throwIfAborted();
  const reader: { stream?: TcpStream } = {};
  const socket = createConnection({
    host: to.host,
    port: to.port,
    ...(host === undefined ? {} : { localAddress: host }),
    allowHalfOpen: false,
    noDelay: true,
    ...writableHighWaterMark,
    onread: {
      buffer: receiveBuffer,
      callback(count, buffer) {
        const whole = count === buffer.length;
        return reader.stream?.received(whole ? buffer : buffer.subarray(0, count)) ?? false;
      },
    },
  });
  // Nothing is read before somebody listens.
  socket.pause();
  try {
    await once(socket, 'connect', { signal });
  } catch (error) {
    socket.on('error', () => undefined).destroy();
    if (signal.aborted) throw abortReason(signal);
    throw networkFailure(`cannot connect to ${formatEndpoint(to)}`, systemCode(error), {
      cause: error,
    });
  }
  reader.stream = new TcpStream(socket);
  return reader.stream;
}

/** An option of streams that @types/node does not know for sockets. */
const writableHighWaterMark = { writableHighWaterMark: HIGH_WATER_MARK };

async function listen(
  accept: (stream: ByteStream) => void,
  options: BindOptions & { readonly signal: AbortSignal },
): Promise<Listener> {
  const { host, port = 0, reusePort = false, signal } = options;
  signal.throwIfAborted();
  const server = createServer({
    allowHalfOpen: false,
    pauseOnConnect: true,
    noDelay: true,
    highWaterMark: HIGH_WATER_MARK,
  });
  server.on('connection', (socket) => {
    // Gone again already: nobody is there to talk to.
    if (socket.remoteAddress === undefined) {
      socket.destroy();
      return;
    }
    const stream = new TcpStream(socket);
    socket.on('data', (bytes: Uint8Array) => void stream.received(plainBytes(bytes)));
    // A listener for data starts the flow; it waits until the stream is opened.
    socket.pause();
    accept(stream);
  });
  try {
    // Who names `::` may want another socket for IPv4 on the same port.
    const ipv6Only = host === '::';
    server.listen({ port, reusePort, ipv6Only, ...(host === undefined ? {} : { host }) });
    await once(server, 'listening', { signal });
  } catch (error) {
    server.close();
    if (signal.aborted) throw abortReason(signal);
    const where = host === undefined ? `port ${port}` : formatEndpoint({ host, port });
    throw networkFailure(`cannot listen on TCP ${where}`, systemCode(error), { cause: error });
  }
  return new TcpListener(server);
}

class TcpListener implements Listener {
  readonly local: Endpoint;
  readonly #server: Server;
  #closing: Promise<void> | undefined;

  constructor(server: Server) {
    const bound = server.address();
    invariant(typeof bound === 'object' && bound !== null, 'a listening server has an address');
    this.local = plainEndpoint(bound.address, bound.port);
    this.#server = server;
    // Failures of single accepts (no descriptor left) come and go.
    server.on('error', () => undefined);
  }

  [Symbol.asyncDispose](): Promise<void> {
    // `close` frees the port at once, and calls back only when the accepted streams are gone too;
    // those belong to others.
    this.#closing ??= new Promise((resolve) => {
      this.#server.close();
      setImmediate(resolve);
    });
    return this.#closing;
  }
}

type Outcome = { readonly error?: Error };

class TcpStream implements ByteStream {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly #socket: Socket;
  #handler: StreamHandler | undefined;
  /** How it ended when not by us. */
  #outcome: Outcome | undefined;
  #corked = false;
  #paused = false;
  /** What the system delivered in spite of a pause: it waits for the end of it. */
  #held: Uint8Array | undefined;
  #disposal: Promise<void> | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.local = plainEndpoint(socket.localAddress, socket.localPort);
    this.remote = plainEndpoint(socket.remoteAddress, socket.remotePort);
    socket.on('drain', () => this.#drained());
    socket.on('end', () => this.#ended({}));
    socket.on('error', (error) => this.#ended({ error: this.#broken(error) }));
    socket.on('close', () => this.#ended({}));
  }

  open(handler: StreamHandler): void {
    invariant(this.#handler === undefined, 'a stream is opened once');
    this.#handler = handler;
    this.#continue();
  }

  write(bytes: Uint8Array): void {
    if (this.#outcome !== undefined || this.#disposal !== undefined) return;
    if (!this.#corked) {
      // All writes of one turn go out by one system call.
      this.#corked = true;
      this.#socket.cork();
      process.nextTick(uncork, this);
    }
    this.#socket.write(bytes);
  }

  get queuedBytes(): number {
    return this.#outcome === undefined ? this.#socket.writableLength : 0;
  }

  pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#continue();
  }

  /** Called by the owner of the socket for each chunk; false when no more is wanted for now. */
  received(bytes: Uint8Array): boolean {
    if (this.#disposal !== undefined) return false;
    if (this.#paused) {
      // A pause in the tick of a resume comes too late for Node, which reads once more.
      this.#held = this.#held === undefined ? bytes.slice() : concatBytes(this.#held, bytes);
    } else this.#handler?.data(bytes);
    return !this.#paused;
  }

  /** Called by the tick that ends a burst of writes. */
  uncork(): void {
    if (!this.#corked) return;
    this.#corked = false;
    this.#socket.uncork();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposal ??= this.#dispose();
    return this.#disposal;
  }

  async #dispose(): Promise<void> {
    // What was written this turn still gets its chance to reach the system.
    this.uncork();
    if (this.#socket.closed) return;
    const closed = new Promise((resolve) => {
      this.#socket.once('close', resolve);
    });
    this.#socket.destroy();
    await closed;
  }

  #drained(): void {
    if (this.#disposal === undefined && this.#outcome === undefined) this.#handler?.drain();
  }

  #ended(outcome: Outcome): void {
    if (this.#outcome !== undefined || this.#disposal !== undefined) return;
    this.#outcome = outcome;
    this.#socket.destroy();
    if (this.#handler !== undefined) this.#tellEnd();
  }

  /** Delivers what waited, then lets the system go on. */
  #continue(): void {
    if (this.#handler === undefined) return;
    if (this.#held === undefined && this.#outcome === undefined) {
      if (!this.#paused) this.#socket.resume();
      return;
    }
    process.nextTick(() => {
      if (this.#paused || this.#disposal !== undefined) return;
      const held = this.#held;
      this.#held = undefined;
      if (held !== undefined) this.#handler?.data(held);
      if (this.#outcome !== undefined) this.#tellEnd();
      else if (!this.#paused) this.#socket.resume();
    });
  }

  #tellEnd(): void {
    const { error } = this.#outcome ?? {};
    // An end waits for the data before it; a break does not.
    if (this.#disposal !== undefined || (this.#paused && error === undefined)) return;
    const handler = this.#handler;
    this.#handler = undefined;
    if (error === undefined) handler?.closed();
    else handler?.closed(error);
  }

  #broken(error: Error): Error {
    const doing = `the connection to ${formatEndpoint(this.remote)} broke`;
    return networkFailure(doing, systemCode(error), { cause: error });
  }
}

function uncork(stream: TcpStream): void {
  stream.uncork();
}
