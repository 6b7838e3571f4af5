/** Just enough of HTTP/1.1 (RFC 9112) for the simulated world: heads, chunks, lengths. @module */

import { concatBytes, decodeUtf8Lossy } from '../../base/bytes.ts';

/** A start line with its headers. */
export interface HttpHead {
  readonly start: string;
  /** Names in lower case; repeated ones joined by `, `. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Longest head that a client takes, bytes. */
const LONGEST_HEAD = 65_536;
const CARRIAGE_RETURN = 13;
const LINE_FEED = 10;

/** Collects the bytes of one message. */
export class HttpReader {
  #bytes: Uint8Array = new Uint8Array(0);
  #head: HttpHead | undefined;
  readonly #maxHeadBytes: number;

  constructor(maxHeadBytes: number = LONGEST_HEAD) {
    this.#maxHeadBytes = maxHeadBytes;
  }

  get head(): HttpHead | undefined {
    return this.#head;
  }

  /** Nothing came yet. */
  get isEmpty(): boolean {
    return this.#head === undefined && this.#bytes.length === 0;
  }

  /** Bytes after the head, as sent. */
  get rest(): Uint8Array {
    return this.#head === undefined ? new Uint8Array(0) : this.#bytes;
  }

  /** `bad` when it cannot become an HTTP message any more, `long` when its head is too long. */
  push(bytes: Uint8Array): 'more' | 'bad' | 'long' {
    this.#bytes = concatBytes(this.#bytes, bytes);
    if (this.#head !== undefined) return 'more';
    const end = endOfHead(this.#bytes);
    if ((end ?? this.#bytes.length) > this.#maxHeadBytes) return 'long';
    if (end === undefined) return 'more';
    this.#head = parseHead(decodeUtf8Lossy(this.#bytes.subarray(0, end)));
    this.#bytes = this.#bytes.slice(end);
    return this.#head === undefined ? 'bad' : 'more';
  }

  /** The whole body, `undefined` while some of it is missing. */
  body(closed: boolean): Uint8Array | undefined | 'bad' {
    const headers = this.#head?.headers;
    if (headers === undefined) return closed ? 'bad' : undefined;
    if (headers['transfer-encoding'] === 'chunked') return unchunk(this.rest, closed);
    const length = headers['content-length'];
    if (length === undefined) return closed ? this.rest : undefined;
    if (this.rest.length >= Number(length)) return this.rest.subarray(0, Number(length));
    return closed ? 'bad' : undefined;
  }
}

function endOfHead(bytes: Uint8Array): number | undefined {
  let lineLength = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === LINE_FEED && lineLength === 0 && at > 1) return at + 1;
    if (byte === LINE_FEED) lineLength = 0;
    else if (byte !== CARRIAGE_RETURN) lineLength++;
  }
  return undefined;
}

function parseHead(text: string): HttpHead | undefined {
  const [start = '', ...lines] = text.trimEnd().split(/\r?\n/);
  if (!/HTTP\/1\.[01]/.test(start)) return undefined;
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon < 1) return undefined;
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  return { start, headers };
}

function unchunk(bytes: Uint8Array, closed: boolean): Uint8Array | undefined | 'bad' {
  const parts: Uint8Array[] = [];
  for (let at = 0; ; ) {
    const lineEnd = bytes.indexOf(LINE_FEED, at);
    if (lineEnd === -1) return closed ? 'bad' : undefined;
    const size = Number.parseInt(decodeUtf8Lossy(bytes.subarray(at, lineEnd)), 16);
    if (!(size >= 0)) return 'bad';
    if (size === 0) return concatBytes(...parts);
    const from = lineEnd + 1;
    if (bytes.length < from + size + 2) return closed ? 'bad' : undefined;
    parts.push(bytes.subarray(from, from + size));
    at = from + size + 2;
  }
}
