/** Messages of KRPC to packets, canonical: the keys of every dictionary stand in their order. @module */

import { encodeUtf8 } from '../../base/bytes.ts';
import { type Endpoint, encodeCompact } from '../../base/endpoint.ts';
import { invariant } from '../../base/errors.ts';
import { MAX_PACKET_BYTES } from './decode.ts';
import type { KrpcError, KrpcQuery, KrpcResponse, QueryArguments, Want } from './model.ts';

/** BEP 32: "must not send UDP datagrams with a payload larger than 1024 octets". */
export const MAX_SENT_BYTES = 1024;

/** Writes one message after the other into the same memory. */
export class KrpcWriter {
  readonly #buffer = new Uint8Array(MAX_PACKET_BYTES);
  #at = 0;

  /**
   * The packet, a view that is valid until the next call. That it has at most
   * {@link MAX_SENT_BYTES} is up to the caller, who knows what can be left out.
   *
   * @throws {InvariantError} when it is longer than {@link MAX_PACKET_BYTES}, or something in it cannot be written.
   */
  encode(message: KrpcQuery | KrpcResponse | KrpcError): Uint8Array {
    this.#at = 0;
    switch (message.type) {
      case 'query':
        this.#query(message);
        break;
      case 'response':
        this.#response(message);
        break;
      case 'error':
        this.#error(message);
        break;
    }
    this.#text('1:t');
    this.#string(message.transaction);
    this.#field('1:v', message.version);
    this.#text(TYPES[message.type]);
    invariant(this.#at <= MAX_PACKET_BYTES, TOO_LONG);
    return this.#buffer.subarray(0, this.#at);
  }

  #query({ method, args, readOnly }: KrpcQuery): void {
    this.#text('d1:ad');
    this.#arguments(args);
    this.#text('e1:q');
    this.#integer(method.length);
    this.#text(':');
    this.#text(method);
    if (readOnly) this.#text('2:roi1e');
  }

  #arguments(args: QueryArguments): void {
    this.#number('3:casi', args.compareSequence);
    this.#text('2:id');
    this.#string(args.id);
    this.#flag('12:implied_porti', args.impliedPort);
    this.#field('9:info_hash', args.infoHash);
    this.#field('1:k', args.publicKey);
    this.#flag('6:noseedi', args.noSeed);
    this.#number('4:porti', args.port);
    this.#field('4:salt', args.salt);
    this.#flag('6:scrapei', args.scrape);
    this.#flag('4:seedi', args.seed);
    this.#number('3:seqi', args.sequence);
    this.#field('3:sig', args.signature);
    this.#field('6:target', args.target);
    this.#field('5:token', args.token);
    this.#raw('1:v', args.value);
    this.#want(args.want);
  }

  /** BEP 32: "a list of one or more strings". */
  #want(want: Want | undefined): void {
    if (want === undefined || !(want.n4 || want.n6)) return;
    this.#text('4:wantl');
    if (want.n4) this.#text('2:n4');
    if (want.n6) this.#text('2:n6');
    this.#text('e');
  }

  #response(message: KrpcResponse): void {
    this.#text('d');
    this.#address(message.externalAddress);
    this.#text('1:rd');
    this.#field('4:BFpe', message.peerBloom);
    this.#field('4:BFsd', message.seedBloom);
    this.#text('2:id');
    this.#string(message.id);
    this.#number('8:intervali', message.intervalSeconds);
    this.#field('1:k', message.publicKey);
    this.#field('5:nodes', message.nodes);
    this.#field('6:nodes6', message.nodes6);
    this.#number('3:numi', message.sampleTotal);
    this.#field('7:samples', message.samples);
    this.#number('3:seqi', message.sequence);
    this.#field('3:sig', message.signature);
    this.#field('5:token', message.token);
    this.#raw('1:v', message.value);
    this.#values(message.values);
    this.#text('e');
  }

  #values(values: readonly Uint8Array[] | undefined): void {
    if (values === undefined) return;
    this.#text('6:valuesl');
    for (const peer of values) this.#string(peer);
    this.#text('e');
  }

  #error({ code, message, externalAddress }: KrpcError): void {
    this.#text('d1:eli');
    this.#integer(code);
    this.#text('e');
    this.#string(encodeUtf8(message));
    this.#text('e');
    this.#address(externalAddress);
  }

  #address(endpoint: Endpoint | undefined): void {
    if (endpoint === undefined) return;
    const compact = encodeCompact(endpoint);
    invariant(compact !== undefined, 'an external address is a literal one');
    this.#field('2:ip', compact);
  }

  #field(key: string, bytes: Uint8Array | undefined): void {
    if (bytes === undefined) return;
    this.#text(key);
    this.#string(bytes);
  }

  #raw(key: string, value: Uint8Array | undefined): void {
    if (value === undefined) return;
    this.#text(key);
    this.#bytes(value);
  }

  /** `key` ends with the `i` of the integer. */
  #number(key: string, value: number | bigint | undefined): void {
    if (value === undefined) return;
    this.#text(key);
    this.#integer(value);
    this.#text('e');
  }

  #flag(key: string, value: boolean | undefined): void {
    if (value !== undefined) this.#number(key, value ? 1 : 0);
  }

  #string(bytes: Uint8Array): void {
    this.#integer(bytes.length);
    this.#text(':');
    this.#bytes(bytes);
  }

  #integer(value: number | bigint): void {
    invariant(typeof value === 'bigint' || Number.isSafeInteger(value), 'an integer is exact');
    this.#text(value.toString());
  }

  #bytes(bytes: Uint8Array): void {
    invariant(bytes.length <= MAX_PACKET_BYTES - this.#at, TOO_LONG);
    this.#buffer.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** One byte for each character. */
  #text(text: string): void {
    const buffer = this.#buffer;
    let at = this.#at;
    let all = 0;
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      all |= code;
      buffer[at++] = code;
    }
    invariant(all <= 0xff, 'names have one character for each byte');
    this.#at = at;
  }
}

const TYPES = { query: '1:y1:qe', response: '1:y1:re', error: '1:y1:ee' } as const;
const TOO_LONG = `a message has at most ${MAX_PACKET_BYTES} bytes`;
