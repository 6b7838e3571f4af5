/** A byte string that grows. @module */

import { encodeUtf8 } from '../base/bytes.ts';
import { BYTE } from './tape.ts';

/** Longer text is faster encoded by the platform, which takes half a microsecond to be called. */
const SHORT_TEXT = 512;
/** Longer bytes are faster copied by the platform. */
const SHORT_BYTES = 48;
/** Numbers below are written with 32-bit arithmetic. */
const SMALL = 2 ** 31;

export class Writer {
  #bytes: Uint8Array;
  #at = 0;

  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity);
  }

  /** What was written: a view, or a copy where the view would hold on to much more. */
  finish(): Uint8Array {
    const bytes = this.#bytes;
    if (this.#at === bytes.length) return bytes;
    return this.#at * 2 < bytes.length ? bytes.slice(0, this.#at) : bytes.subarray(0, this.#at);
  }

  byte(byte: number): void {
    if (this.#at >= this.#bytes.length) this.#grow(1);
    this.#bytes[this.#at++] = byte;
  }

  /** As it is. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    const { length } = bytes;
    if (length > SHORT_BYTES) this.#bytes.set(bytes, this.#at);
    else for (let at = 0; at < length; at++) this.#bytes[this.#at + at] = bytes[at] ?? 0;
    this.#at += length;
  }

  /** As ASCII, which it must be. */
  ascii(text: string): void {
    this.#reserve(text.length);
    for (let at = 0; at < text.length; at++) this.#bytes[this.#at++] = text.charCodeAt(at);
  }

  /** A bencoded string. */
  string(bytes: Uint8Array): void {
    this.natural(bytes.length);
    this.byte(BYTE.colon);
    this.raw(bytes);
  }

  /** A bencoded string of the UTF-8 of `text`. */
  text(text: string): void {
    if (text.length > SHORT_TEXT || !this.#shortAscii(text)) this.string(encodeUtf8(text));
  }

  /** Decimal digits of a whole number from 0 to 2^53 − 1. */
  natural(value: number): void {
    if (value < 10) return this.byte(BYTE.zero + value);
    if (value >= SMALL) return this.ascii(String(value));
    let digits = 1;
    for (let power = 10; power <= value; power *= 10) digits++;
    this.#reserve(digits);
    this.#at += digits;
    const bytes = this.#bytes;
    let rest = value | 0;
    for (let at = this.#at - 1; digits > 0; digits--) {
      const tenth = (rest / 10) | 0;
      bytes[at--] = BYTE.zero + rest - tenth * 10;
      rest = tenth;
    }
  }

  /** False, with nothing written, when `text` is not ASCII. */
  #shortAscii(text: string): boolean {
    const before = this.#at;
    const { length } = text;
    this.natural(length);
    this.byte(BYTE.colon);
    this.#reserve(length);
    const bytes = this.#bytes;
    let at = this.#at;
    for (let index = 0; index < length; index++) {
      const unit = text.charCodeAt(index);
      if (unit >= 0x80) {
        this.#at = before;
        return false;
      }
      bytes[at++] = unit;
    }
    this.#at = at;
    return true;
  }

  #reserve(more: number): void {
    if (this.#at + more > this.#bytes.length) this.#grow(more);
  }

  #grow(more: number): void {
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#at + more));
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = grown;
  }
}
