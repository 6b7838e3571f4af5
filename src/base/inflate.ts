/** Files packed by gzip (RFC 1952), unpacked by code that is pure (RFC 1951). @module */

import { ProtocolError } from './errors.ts';

/** Whether bytes begin as gzip does. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * What a gzip file holds; several members one after the other are one text. Checksums are not looked at:
 * who packed what is his own, for others there are hashes.
 *
 * @throws {ProtocolError} for what is broken, ends too soon, or is longer than `maxBytes` unpacked.
 */
export function gunzip(bytes: Uint8Array, { maxBytes }: { readonly maxBytes: number }): Uint8Array {
  const output = new Output(maxBytes);
  let at = 0;
  do {
    const input = new BitReader(bytes, headerEnd(bytes, at));
    output.begin();
    inflate(input, output);
    // CRC-32 and length.
    at = input.nextByte() + TRAILER;
    if (at > bytes.length) throw endsTooSoon(bytes.length);
  } while (isGzip(bytes.subarray(at)));
  return output.bytes;
}

/** Where the packed data of a member begins (RFC 1952 §2.3). */
function headerEnd(bytes: Uint8Array, start: number): number {
  if (!isGzip(bytes.subarray(start)) || bytes[start + 2] !== DEFLATE) {
    throw broken('it does not begin as gzip files do', start);
  }
  const flags = bytes[start + 3] ?? 0;
  let at = start + HEADER;
  if ((flags & FLAGS.extra) !== 0) at += 2 + lengthAt(bytes, at);
  for (const flag of [FLAGS.name, FLAGS.comment]) {
    if ((flags & flag) !== 0) at = endOfText(bytes, at);
  }
  return (flags & FLAGS.headerCrc) === 0 ? at : at + 2;
}

function endOfText(bytes: Uint8Array, at: number): number {
  const end = bytes.indexOf(0, at);
  if (end === -1) throw endsTooSoon(bytes.length);
  return end + 1;
}

/** Two bytes, the lower one first. */
function lengthAt(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
}

function inflate(input: BitReader, output: Output): void {
  for (;;) {
    const isLast = input.take(1) === 1;
    const type = input.take(2);
    if (type === 0) copyStored(input, output);
    else if (type === 1) unpack(input, output, fixedCodes());
    else if (type === 2) unpack(input, output, readCodes(input));
    else throw broken('it has a block of no known kind', input.nextByte());
    if (isLast) return;
  }
}

/** RFC 1951 §3.2.4. */
function copyStored(input: BitReader, output: Output): void {
  const { length, complement } = input.wholeBytes(4, (bytes) => ({
    length: lengthAt(bytes, 0),
    complement: lengthAt(bytes, 2),
  }));
  if (length !== (~complement & 0xffff)) {
    throw broken('the length of a block is wrong', input.nextByte());
  }
  input.wholeBytes(length, (bytes) => output.append(bytes));
}

interface Codes {
  readonly literals: Huffman;
  readonly distances: Huffman;
}

/** RFC 1951 §3.2.5. */
function unpack(input: BitReader, output: Output, { literals, distances }: Codes): void {
  for (;;) {
    const symbol = literals.decode(input);
    if (symbol < END_OF_BLOCK) output.push(symbol);
    else if (symbol === END_OF_BLOCK) return;
    else {
      const length = extended(input, symbol - END_OF_BLOCK - 1, LENGTHS);
      output.repeat(length, extended(input, distances.decode(input), DISTANCES), input);
    }
  }
}

interface Extended {
  readonly bases: readonly number[];
  readonly bits: readonly number[];
}

function extended(input: BitReader, symbol: number, { bases, bits }: Extended): number {
  const base = bases[symbol];
  const more = bits[symbol];
  if (base === undefined || more === undefined) {
    throw broken('it has a symbol that means nothing', input.nextByte());
  }
  return base + input.take(more);
}

/** RFC 1951 §3.2.7: the lengths of the codes, themselves packed. */
function readCodes(input: BitReader): Codes {
  const literals = input.take(5) + 257;
  const distances = input.take(5) + 1;
  const count = input.take(4) + 4;
  const order = new Uint8Array(19);
  for (const symbol of CODE_ORDER.slice(0, count)) order[symbol] = input.take(3);
  const lengthCodes = new Huffman(order, input);
  const lengths = new Uint8Array(literals + distances);
  for (let at = 0; at < lengths.length; ) {
    const symbol = lengthCodes.decode(input);
    const [value, times] = symbol < 16 ? [symbol, 1] : runOf(symbol, lengths[at - 1], input);
    if (at + times > lengths.length) throw broken('it has too many codes', input.nextByte());
    lengths.fill(value, at, at + times);
    at += times;
  }
  return {
    literals: new Huffman(lengths.subarray(0, literals), input),
    distances: new Huffman(lengths.subarray(literals), input),
  };
}

function runOf(symbol: number, before: number | undefined, input: BitReader): [number, number] {
  if (symbol === 17) return [0, 3 + input.take(3)];
  if (symbol === 18) return [0, 11 + input.take(7)];
  if (before === undefined) throw broken('it repeats what is not there', input.nextByte());
  return [before, 3 + input.take(2)];
}

/** RFC 1951 §3.2.6. */
function fixedCodes(): Codes {
  const lengths = new Uint8Array(288).fill(8);
  lengths.fill(9, 144, 256);
  lengths.fill(7, 256, 280);
  return { literals: new Huffman(lengths), distances: new Huffman(new Uint8Array(30).fill(5)) };
}

/** Canonical codes (RFC 1951 §3.2.2), by all that the next {@link MAX_BITS} bits can be. */
class Huffman {
  /** Symbol and length of the code; 0 where there is none. */
  readonly #table = new Uint16Array(1 << MAX_BITS);

  /** @throws {ProtocolError} for more codes than fit. */
  constructor(lengths: Uint8Array, input?: BitReader) {
    const next = firstCodes(lengths, input);
    for (const [symbol, length] of lengths.entries()) {
      if (length === 0) continue;
      const code = next[length] ?? 0;
      next[length] = code + 1;
      const step = 1 << length;
      for (let bits = reversed(code, length); bits < this.#table.length; bits += step) {
        this.#table[bits] = (symbol << 4) | length;
      }
    }
  }

  decode(input: BitReader): number {
    const entry = this.#table[input.peek()] ?? 0;
    if (entry === 0) throw broken('it has a code that means nothing', input.nextByte());
    input.take(entry & 0xf);
    return entry >>> 4;
  }
}

/** The first code of each length. @throws {ProtocolError} for more codes than fit. */
function firstCodes(lengths: Uint8Array, input: BitReader | undefined): Uint16Array {
  const counts = new Uint16Array(MAX_BITS + 1);
  for (const length of lengths) if (length > 0) counts[length] = (counts[length] ?? 0) + 1;
  const codes = new Uint16Array(MAX_BITS + 1);
  let code = 0;
  for (let length = 1; length <= MAX_BITS; length++) {
    code = (code + (counts[length - 1] ?? 0)) << 1;
    codes[length] = code;
    if (code + (counts[length] ?? 0) > 1 << length) {
      throw broken('its codes contradict each other', input?.nextByte() ?? 0);
    }
  }
  return codes;
}

/** Codes stand with their highest bit first, all else with the lowest. */
function reversed(code: number, length: number): number {
  let bits = 0;
  for (let at = 0; at < length; at++) bits = (bits << 1) | ((code >>> at) & 1);
  return bits;
}

/** Bits from the lowest of each byte on. */
class BitReader {
  readonly #bytes: Uint8Array;
  #at: number;
  #held = 0;
  #heldBits = 0;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  take(bits: number): number {
    while (this.#heldBits < bits) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) throw endsTooSoon(this.#bytes.length);
      this.#at++;
      this.#held |= byte << this.#heldBits;
      this.#heldBits += 8;
    }
    const value = this.#held & ((1 << bits) - 1);
    this.#held >>>= bits;
    this.#heldBits -= bits;
    return value;
  }

  /** The next {@link MAX_BITS} bits, zeros behind the end, which stay. */
  peek(): number {
    while (this.#heldBits < MAX_BITS && this.#at < this.#bytes.length) {
      this.#held |= (this.#bytes[this.#at++] ?? 0) << this.#heldBits;
      this.#heldBits += 8;
    }
    return this.#held & ((1 << MAX_BITS) - 1);
  }

  /** Skips to the next byte, and gives so many. */
  wholeBytes<Result>(count: number, use: (bytes: Uint8Array) => Result): Result {
    const start = this.nextByte();
    if (start + count > this.#bytes.length) throw endsTooSoon(this.#bytes.length);
    this.#held = 0;
    this.#heldBits = 0;
    this.#at = start + count;
    return use(this.#bytes.subarray(start, this.#at));
  }

  /** The first byte of which no bit was taken. */
  nextByte(): number {
    return this.#at - (this.#heldBits >>> 3);
  }
}

/** Grows as it is written, up to a limit. */
class Output {
  readonly #maxBytes: number;
  #buffer = new Uint8Array(1 << 16);
  #length = 0;
  /** Repetitions do not reach back over this. */
  #start = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  begin(): void {
    this.#start = this.#length;
  }

  push(byte: number): void {
    this.#reserve(1);
    this.#buffer[this.#length++] = byte;
  }

  append(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  repeat(length: number, distance: number, input: BitReader): void {
    if (distance > this.#length - this.#start) {
      throw broken('it repeats what is not there', input.nextByte());
    }
    this.#reserve(length);
    for (let count = 0; count < length; count++, this.#length++) {
      this.#buffer[this.#length] = this.#buffer[this.#length - distance] ?? 0;
    }
  }

  #reserve(count: number): void {
    const wanted = this.#length + count;
    if (wanted > this.#maxBytes) {
      throw new ProtocolError(`unpacked it is longer than ${this.#maxBytes} bytes`, {
        rule: 'bip limit of unpacked files',
        code: 'BIP_TOO_LARGE',
      });
    }
    if (wanted <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(wanted, 2 * this.#buffer.length));
    grown.set(this.bytes);
    this.#buffer = grown;
  }
}

function endsTooSoon(offset: number): ProtocolError {
  return broken('it ends too soon', offset);
}

function broken(what: string, offset: number): ProtocolError {
  return new ProtocolError(`this gzip file is broken: ${what}`, {
    rule: 'RFC 1951, RFC 1952',
    code: 'BIP_GZIP',
    offset,
  });
}

const DEFLATE = 8;
const HEADER = 10;
const TRAILER = 8;
const FLAGS = { headerCrc: 0x02, extra: 0x04, name: 0x08, comment: 0x10 } as const;
const MAX_BITS = 15;
const END_OF_BLOCK = 256;
const CODE_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15] as const;
/** RFC 1951 §3.2.5, lengths and distances. */
const LENGTHS: Extended = {
  bases: [
    3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131,
    163, 195, 227, 258,
  ],
  bits: [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0],
};
const DISTANCES: Extended = {
  bases: [
    1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049,
    3073, 4097, 6145, 8193, 12_289, 16_385, 24_577,
  ],
  bits: [
    0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13,
    13,
  ],
};
