/** A web server in the simulated world, made of one function. @module */

import { concatBytes, encodeUtf8 } from '../../base/bytes.ts';
import type { Endpoint } from '../../base/endpoint.ts';
import type { ByteStream, Clock, Millis } from '../ports.ts';
import { type HttpHead, HttpReader } from './http-message.ts';

export interface SimHttpRequest {
  readonly method: string;
  /** Path and query, as sent. */
  readonly target: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly from: Endpoint;
}

export interface SimHttpResponse {
  /** Default 200. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  /** Thinks so long before it answers. */
  readonly delayMs?: Millis;
}

/** Answers a request; `undefined` breaks the connection off. */
export type SimHttpHandler = (
  request: SimHttpRequest,
) => SimHttpResponse | undefined | Promise<SimHttpResponse | undefined>;

/** How a server proves who it is; everything but `good` is found wanting by the client. */
export type SimCertificate = 'good' | 'expired' | 'self-signed' | 'wrong-name';

/** Limits of a server. */
export interface SimPatience {
  readonly clock: Clock;
  readonly maxRequestBytes: number;
  readonly requestTimeoutMs: Millis;
  readonly idleTimeoutMs: Millis;
}

export interface SimHttpConnectionOptions {
  readonly handler: SimHttpHandler;
  /** For answers with a delay. */
  readonly wait?: (delay: Millis) => Promise<void>;
  /** Default: no limits. */
  readonly patience?: SimPatience;
  readonly closed?: () => void;
}

/** Answers the requests that come on one stream, one after the other. */
export class SimHttpConnection {
  readonly #stream: ByteStream;
  readonly #options: SimHttpConnectionOptions;
  #reader: HttpReader;
  #at: 'reading' | 'answering' | 'sending' | 'closed' = 'reading';
  /** What came while another request was answered. */
  #early: Uint8Array = new Uint8Array(0);
  #keep = true;
  #cancelTimer: () => void = () => undefined;

  constructor(stream: ByteStream, options: SimHttpConnectionOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#reader = this.#newReader();
    this.#expectRequest();
    stream.open({
      data: (bytes) => this.#received(bytes),
      drain: () => this.#sent(),
      closed: () => void this.close(),
    });
  }

  /** Closes it after the answer under way, if there is one. */
  finish(): void {
    this.#keep = false;
    if (this.#at === 'reading') void this.close();
  }

  async close(): Promise<void> {
    if (this.#at === 'closed') return;
    this.#at = 'closed';
    this.#cancelTimer();
    await this.#stream[Symbol.asyncDispose]();
    this.#options.closed?.();
  }

  #newReader(): HttpReader {
    return new HttpReader(this.#options.patience?.maxRequestBytes);
  }

  #received(bytes: Uint8Array): void {
    if (this.#at === 'closed') return;
    if (this.#at === 'reading') this.#feed(bytes);
    else {
      this.#early = concatBytes(this.#early, bytes);
      this.#stream.pause();
    }
  }

  #feed(bytes: Uint8Array): void {
    if (this.#reader.isEmpty) this.#expectRequest();
    const state = this.#reader.push(bytes);
    const { head } = this.#reader;
    if (state === 'long') this.#refuse(431);
    else if (state === 'bad') this.#refuse(400);
    else if (head !== undefined) this.#answer(head);
  }

  #answer({ start, headers }: HttpHead): void {
    const [, method, target, version] = /^([A-Z]+) (\S+) HTTP\/1\.([01])$/.exec(start) ?? [];
    if (method === undefined || target === undefined) {
      this.#refuse(400);
      return;
    }
    this.#at = 'answering';
    this.#cancelTimer();
    this.#keep &&= staysOpen(headers, version === '1') && !carriesBody(headers);
    const headOnly = method === 'HEAD';
    try {
      const request = { method, target, headers, from: this.#stream.remote };
      const response = this.#options.handler(request);
      if (response instanceof Promise) this.#later(response, headOnly);
      else this.#reply(response, headOnly);
    } catch {
      this.#refuse(500);
    }
  }

  #later(response: Promise<SimHttpResponse | undefined>, headOnly: boolean): void {
    response.then(
      (settled) => this.#reply(settled, headOnly),
      () => this.#refuse(500),
    );
  }

  #reply(response: SimHttpResponse | undefined, headOnly: boolean): void {
    if (response === undefined) void this.close();
    else if (response.delayMs === undefined) this.#send(response, headOnly);
    else {
      const waited = this.#options.wait?.(response.delayMs) ?? Promise.resolve();
      void waited.then(() => this.#send(response, headOnly));
    }
  }

  #refuse(status: number): void {
    this.#keep = false;
    this.#send({ status }, false);
  }

  #send(response: SimHttpResponse, headOnly: boolean): void {
    if (this.#at === 'closed') return;
    this.#at = 'sending';
    const { requestTimeoutMs } = this.#options.patience ?? {};
    this.#giveUpAfter(requestTimeoutMs, () => void this.close());
    this.#stream.write(encodeResponse(response, { headOnly, keep: this.#keep }));
  }

  /** All of the answer is on its way. */
  #sent(): void {
    if (this.#at !== 'sending') return;
    if (!this.#keep) {
      void this.close();
      return;
    }
    const rest = concatBytes(this.#reader.rest, this.#early);
    this.#early = new Uint8Array(0);
    this.#reader = this.#newReader();
    this.#at = 'reading';
    this.#giveUpAfter(this.#options.patience?.idleTimeoutMs, () => void this.close());
    this.#stream.resume();
    if (rest.length > 0) this.#feed(rest);
  }

  #expectRequest(): void {
    this.#giveUpAfter(this.#options.patience?.requestTimeoutMs, () => this.#refuse(408));
  }

  #giveUpAfter(delay: Millis | undefined, giveUp: () => void): void {
    this.#cancelTimer();
    const { clock } = this.#options.patience ?? {};
    if (clock === undefined || delay === undefined) return;
    this.#cancelTimer = clock.schedule(clock.now() + delay, giveUp);
  }
}

function staysOpen(headers: Readonly<Record<string, string>>, byDefault: boolean): boolean {
  const wish = headers['connection']?.toLowerCase();
  return byDefault ? wish !== 'close' : wish === 'keep-alive';
}

/** What comes after the head of a request is not read: the connection ends with the answer. */
function carriesBody(headers: Readonly<Record<string, string>>): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}

function encodeResponse(
  { status = 200, headers = {}, body = '' }: SimHttpResponse,
  { headOnly, keep }: { readonly headOnly: boolean; readonly keep: boolean },
): Uint8Array {
  const bytes = typeof body === 'string' ? encodeUtf8(body) : body;
  const connection = keep ? 'keep-alive' : 'close';
  const all = { 'content-length': String(bytes.length), connection, ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = encodeUtf8(`HTTP/1.1 ${status} Status\r\n${lines.join('')}\r\n`);
  return headOnly ? head : concatBytes(head, bytes);
}
