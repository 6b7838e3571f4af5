/** WebSockets between simulated hosts: the upgrade, and texts in frames without masks (RFC 6455). @module */

import { concatBytes, decodeUtf8Lossy, encodeUtf8 } from '../../base/bytes.ts';
import type { Endpoint } from '../../base/endpoint.ts';
import { type ErrorCode, NetworkError } from '../../base/errors.ts';
import { ipFamily } from '../../base/ip.ts';
import { networkFailure } from '../failures.ts';
import type { ByteStream, Lookup, TlsFacts, WebSocketLink, WebSockets } from '../ports.ts';
import { abortReason } from './aborting.ts';
import { type HttpHost, lookupFor, makeStream } from './http-client.ts';
import { type HttpHead, HttpReader } from './http-message.ts';

/** Is given each connection that was made to a WebSocket server, and the path and query asked for. */
export type SimWebSocketHandler = (link: WebSocketLink, target: string) => void;

export function webSocketsOf(host: HttpHost): WebSockets {
  return {
    async connect(text, { signal, family, maxBytes, connect }) {
      signal.throwIfAborted();
      const url = checkedUrl(text, family);
      const secure = url.protocol === 'wss:';
      let stream: ByteStream | undefined;
      try {
        const to = await endpointOf(lookupFor(host, connect), url, { signal, family });
        stream = await makeStream(host, to, { signal, connect });
        const fault = await host.handshake(to, secure, signal);
        if (fault !== undefined) throw failure(url, fault, secure ? 'BIP_TLS' : 'BIP_WEBSOCKET');
        return await upgrade(stream, url, { signal, maxBytes, tls: secure ? host.tls : undefined });
      } catch (error) {
        await stream?.[Symbol.asyncDispose]();
        throw connect === undefined ? inWords(url, error) : error;
      }
    },
  };
}

/** What the network says, as a client of WebSockets says it. */
function inWords(url: URL, error: unknown): unknown {
  if (!(error instanceof NetworkError) || error.message.startsWith(doing(url))) return error;
  const reason = error.message.slice(error.message.lastIndexOf(': ') + 2);
  return failure(url, reason, error.code, error);
}

/** The server's side of a connection: an upgrade, or a refusal. */
export function acceptWebSocket(stream: ByteStream, handler: SimWebSocketHandler): void {
  const reader = new HttpReader();
  let link: SimWebSocketLink | undefined;
  stream.open({
    data(bytes) {
      if (link !== undefined) return link.feed(bytes);
      const { head } = reader.push(bytes) === 'more' ? reader : { head: BROKEN };
      if (head === undefined) return;
      if (head.headers['upgrade']?.toLowerCase() !== 'websocket') {
        stream.write(encodeUtf8('HTTP/1.1 426 Upgrade Required\r\ncontent-length: 0\r\n\r\n'));
        return;
      }
      stream.write(encodeUtf8(`HTTP/1.1 101 Switching Protocols\r\n${UPGRADE}\r\n`));
      link = new SimWebSocketLink(stream, { maxBytes: Number.POSITIVE_INFINITY });
      handler(link, head.start.split(' ')[1] ?? '');
      link.feed(reader.rest);
    },
    drain() {
      if (link === undefined) void stream[Symbol.asyncDispose]();
    },
    closed: (error) => link?.ended(error),
  });
}

function upgrade(
  stream: ByteStream,
  url: URL,
  how: {
    readonly signal: AbortSignal;
    readonly maxBytes: number;
    readonly tls: TlsFacts | undefined;
  },
): Promise<WebSocketLink> {
  const { signal } = how;
  const reader = new HttpReader();
  return new Promise((resolve, reject) => {
    let link: SimWebSocketLink | undefined;
    const onAbort = (): void => reject(abortReason(signal));
    const settled = (): void => signal.removeEventListener('abort', onAbort);
    const refuse = (reason: string): void => {
      settled();
      reject(failure(url, reason, 'BIP_WEBSOCKET'));
    };
    signal.addEventListener('abort', onAbort, { once: true });
    stream.open({
      data(bytes) {
        if (link !== undefined) return link.feed(bytes);
        if (reader.push(bytes) !== 'more') return refuse('it does not speak WebSocket');
        if (reader.head === undefined) return;
        const status = / (\d{3})/.exec(reader.head.start)?.[1] ?? '0';
        if (status !== '101') {
          return refuse(`it answers with the HTTP status ${status} instead of a WebSocket`);
        }
        settled();
        link = new SimWebSocketLink(stream, how);
        resolve(link);
        link.feed(reader.rest);
      },
      drain: () => undefined,
      closed(error) {
        if (link === undefined) refuse('it does not speak WebSocket');
        else link.ended(error);
      },
    });
    const lines = `host: ${url.host}\r\n${UPGRADE}`;
    stream.write(encodeUtf8(`GET ${url.pathname}${url.search} HTTP/1.1\r\n${lines}\r\n`));
  });
}

class SimWebSocketLink implements WebSocketLink {
  readonly remote: Endpoint;
  readonly tls?: TlsFacts;
  readonly #stream: ByteStream;
  readonly #maxBytes: number;
  readonly #early: string[] = [];
  #bytes: Uint8Array = new Uint8Array(0);
  #handler: Parameters<WebSocketLink['open']>[0] | undefined;
  #closed: { readonly error: Error | undefined } | undefined;
  #disposed: Promise<void> | undefined;

  constructor(
    stream: ByteStream,
    { maxBytes, tls }: { readonly maxBytes: number; readonly tls?: TlsFacts | undefined },
  ) {
    this.#stream = stream;
    this.#maxBytes = maxBytes;
    this.remote = stream.remote;
    if (tls !== undefined) this.tls = tls;
  }

  send(text: string): void {
    if (this.#closed === undefined) this.#stream.write(encodeFrame(TEXT, encodeUtf8(text)));
  }

  open(handler: Parameters<WebSocketLink['open']>[0]): void {
    this.#handler = handler;
    for (const text of this.#early.splice(0)) handler.message(text);
    if (this.#closed !== undefined && this.#disposed === undefined) {
      handler.closed(this.#closed.error);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposed ??= this.#dispose();
    return this.#disposed;
  }

  async #dispose(): Promise<void> {
    if (this.#closed === undefined) this.#stream.write(encodeFrame(CLOSE, new Uint8Array(0)));
    this.#closed ??= { error: undefined };
    await this.#stream[Symbol.asyncDispose]();
  }

  feed(bytes: Uint8Array): void {
    this.#bytes = concatBytes(this.#bytes, bytes);
    while (this.#closed === undefined) {
      const frame = decodeFrame(this.#bytes);
      const length = frame?.length ?? 0;
      if (length > this.#maxBytes) return this.#breakOff();
      if (frame === undefined || this.#bytes.length < frame.end) return;
      const payload = this.#bytes.slice(frame.end - length, frame.end);
      this.#bytes = this.#bytes.slice(frame.end);
      if (frame.opcode === CLOSE) this.ended();
      else this.#receive(decodeUtf8Lossy(payload));
    }
  }

  /** The other side is gone. */
  ended(error?: Error): void {
    if (this.#closed !== undefined) return;
    this.#closed = { error };
    void this.#stream[Symbol.asyncDispose]();
    this.#handler?.closed(error);
  }

  #receive(text: string): void {
    if (this.#handler === undefined) this.#early.push(text);
    else this.#handler.message(text);
  }

  #breakOff(): void {
    const { host } = this.remote;
    const message = `a message of ${host} is longer than ${this.#maxBytes} bytes`;
    this.ended(new NetworkError(message, { code: 'BIP_WEBSOCKET_TOO_LARGE' }));
  }
}

function encodeFrame(opcode: number, payload: Uint8Array): Uint8Array {
  const head = new DataView(new ArrayBuffer(10));
  head.setUint8(0, FINAL | opcode);
  head.setUint8(1, LONG);
  head.setBigUint64(2, BigInt(payload.length));
  return concatBytes(new Uint8Array(head.buffer), payload);
}

/** The first frame, as soon as its head is there. */
function decodeFrame(
  bytes: Uint8Array,
): { readonly opcode: number; readonly length: number; readonly end: number } | undefined {
  if (bytes.length < 10) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = Number(view.getBigUint64(2));
  return { opcode: (bytes[0] ?? 0) & 0x0f, length, end: 10 + length };
}

function checkedUrl(text: string, family: 4 | 6 | undefined): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['ws:', 'wss:'].includes(url.protocol)) {
    throw new NetworkError(`cannot connect to ${text}: it is no ws or wss address`, {
      code: 'BIP_WEBSOCKET',
    });
  }
  const literal = ipFamily(hostIn(url));
  if (family !== undefined && literal !== undefined && literal !== family) {
    throw networkFailure(`cannot connect to ${text} by IPv${family}`, 'ENODATA');
  }
  return url;
}

async function endpointOf(
  lookup: Pick<Lookup, 'addresses'>,
  url: URL,
  { signal, family }: { readonly signal: AbortSignal; readonly family: 4 | 6 | undefined },
): Promise<Endpoint> {
  const [address = ''] = await lookup.addresses(hostIn(url), {
    signal,
    ...(family === undefined ? {} : { family }),
  });
  const standard = url.protocol === 'wss:' ? 443 : 80;
  return { host: address, port: url.port === '' ? standard : Number(url.port) };
}

/** Without the brackets of IPv6. */
function hostIn(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1');
}

function failure(url: URL, reason: string, code: ErrorCode, cause?: unknown): NetworkError {
  return new NetworkError(`${doing(url)}: ${reason}`, { code, cause });
}

function doing(url: URL): string {
  return `cannot connect to ${url.protocol}//${url.host}${url.pathname}`;
}

const UPGRADE = 'connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n';
/** Of what is no HTTP: asks for no upgrade. */
const BROKEN: HttpHead = { start: '', headers: {} };
const FINAL = 0x80;
/** A length of eight bytes follows. */
const LONG = 127;
const TEXT = 1;
const CLOSE = 8;
