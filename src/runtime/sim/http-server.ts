/** A web server in the simulated world, made of one function. @module */

import { concatBytes, encodeUtf8 } from '../../base/bytes.ts';
import type { Endpoint } from '../../base/endpoint.ts';
import type { ByteStream, Millis } from '../ports.ts';
import { HttpReader } from './http-message.ts';

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

/** Serves one request on `stream` and closes it. */
export function serve(
  stream: ByteStream,
  handler: SimHttpHandler,
  wait: (delay: Millis) => Promise<void>,
): void {
  const reader = new HttpReader();
  let answering = false;
  const close = (): void => void stream[Symbol.asyncDispose]();
  const answer = async (): Promise<void> => {
    const [method = '', target = ''] = (reader.head?.start ?? '').split(' ');
    const { headers = {} } = reader.head ?? {};
    const response = await handler({ method, target, headers, from: stream.remote });
    if (response?.delayMs !== undefined) await wait(response.delayMs);
    if (response === undefined) close();
    else stream.write(encodeResponse(response));
  };
  stream.open({
    data(bytes) {
      if (answering) return;
      if (reader.push(bytes) === 'bad') close();
      if (reader.head === undefined) return;
      answering = true;
      answer().catch(close);
    },
    // All of the answer is on its way.
    drain: close,
    closed: () => undefined,
  });
}

function encodeResponse({ status = 200, headers = {}, body = '' }: SimHttpResponse): Uint8Array {
  const bytes = typeof body === 'string' ? encodeUtf8(body) : body;
  const all = { 'content-length': String(bytes.length), connection: 'close', ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return concatBytes(encodeUtf8(`HTTP/1.1 ${status} Status\r\n${lines.join('')}\r\n`), bytes);
}
