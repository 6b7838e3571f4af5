/** What happened in a world, as a hash that two equal runs share. @module */

import type { Millis } from '../ports.ts';

/** What an entry of the trace is about. */
const TRACE_KINDS = [
  'timer',
  'datagram',
  'lost',
  'segment',
  'connect',
  'accept',
  'refuse',
  'end',
  'break',
  'disk',
] as const;
export type TraceKind = (typeof TRACE_KINDS)[number];

/** Where something went, as numbers for the hash and as text for the log. */
export interface TraceSubject {
  readonly id: number;
  readonly text: () => string;
}

/** Bytes at the start of a payload that go into the hash. */
const SAMPLE = 32;

export class Trace {
  readonly #float = new Float64Array(1);
  readonly #words = new Uint32Array(this.#float.buffer);
  readonly #kinds = new Map<TraceKind, number>(TRACE_KINDS.map((kind, at) => [kind, at]));
  #low = 0x811c9dc5;
  #high = 0x01000193;
  #count = 0;
  /** One line an entry; `undefined` unless asked for. */
  readonly lines: string[] | undefined;

  constructor(options: { readonly keepLines: boolean }) {
    this.lines = options.keepLines ? [] : undefined;
  }

  /** Entries so far. */
  get length(): number {
    return this.#count;
  }

  /** 16 hex digits over all entries: times, subjects, lengths and starts of payloads. */
  get hash(): string {
    return hexWord(this.#high) + hexWord(this.#low);
  }

  add(kind: TraceKind, now: Millis, subject: TraceSubject, bytes?: Uint8Array): void {
    this.#count++;
    this.#float[0] = now;
    this.#mix(this.#kinds.get(kind) ?? 0);
    this.#mix(this.#words[0] ?? 0);
    this.#mix(this.#words[1] ?? 0);
    this.#mix(subject.id);
    if (bytes !== undefined) this.#mixBytes(bytes);
    if (this.lines === undefined) return;
    const size = bytes === undefined ? '' : ` ${bytes.length} bytes`;
    this.lines.push(`${now.toFixed(3)} ${kind} ${subject.text()}${size}`);
  }

  #mixBytes(bytes: Uint8Array): void {
    this.#mix(bytes.length);
    const end = Math.min(bytes.length, SAMPLE);
    for (let at = 0; at < end; at++)
      this.#low = Math.imul(this.#low ^ (bytes[at] ?? 0), 0x01000193);
  }

  #mix(value: number): void {
    this.#low = Math.imul(this.#low ^ value, 0x01000193);
    this.#high = Math.imul(this.#high ^ this.#low ^ (this.#low >>> 15), 0x85ebca6b);
  }
}

function hexWord(value: number): string {
  return (value >>> 0).toString(16).padStart(8, '0');
}
