/**
 * A handshake of message stream encryption under way, as a push parser: it is fed what the other side
 * sends, in pieces of any size, and takes not a byte too much.
 *
 * @module
 */

import { equalBytes } from '../../base/bytes.ts';
import { invariant, ProtocolError } from '../../base/errors.ts';
import type { Random } from '../../runtime/ports.ts';
import type { Rc4 } from './rc4.ts';

/** "PadA, PadB, PadC, PadD … 0 to 512 bytes" */
const MAX_PADDING = 512;

/** The bits of crypto_provide and crypto_select. */
export const METHODS = { plain: 0x01, rc4: 0x02 } as const;
export type Method = keyof typeof METHODS;

/** The verification constant. */
export const VC_LENGTH = 8;

/** What the two sides have agreed on. */
export interface Agreement {
  /** How a connection is hidden: not at all, its handshake alone, or all of it. */
  readonly disguise: 'none' | 'header' | 'rc4';
  /** Belongs before what comes next: of a peer that began without any encryption. */
  readonly replay?: Uint8Array;
  /** Decrypts the next {@link hiddenBytes} bytes. */
  readonly incoming?: Rc4;
  /** `Infinity` when all is encrypted. */
  readonly hiddenBytes: number;
  /** Encrypts what we send; absent when we send in plain. */
  readonly outgoing?: Rc4;
  /** The torrent that was named: 20 bytes. */
  readonly infoHash?: Uint8Array;
}

/** A step asks for so many bytes, and names what they are for the one who waits in vain. */
export interface Wanted {
  readonly length: number;
  readonly what: string;
}

/** The steps of one side: it asks for bytes, and gets a view that is valid until it asks again. */
export type Steps<Result = Agreement> = Generator<Wanted, Result, Uint8Array>;

export class Negotiation {
  readonly #steps: Steps;
  /** No step asks for more than a padding. */
  readonly #buffer = new Uint8Array(MAX_PADDING);
  #filled = 0;
  #wanted: Wanted = NOTHING;
  #agreement: Agreement | undefined;

  /** The first step is taken at once. */
  constructor(steps: Steps) {
    this.#steps = steps;
    this.#take(steps.next());
  }

  get agreement(): Agreement | undefined {
    return this.#agreement;
  }

  /** What the other side is to send next, e.g. `its key`. */
  get waitingFor(): string {
    return this.#wanted.what;
  }

  /**
   * Takes what belongs to the handshake and returns how many bytes that was. Not to be called again
   * when it has thrown.
   *
   * @throws {ProtocolError} what came is no handshake that we can agree to.
   */
  feed(bytes: Uint8Array): number {
    let at = 0;
    while (this.#agreement === undefined) {
      const { length } = this.#wanted;
      const part = bytes.subarray(at, at + length - this.#filled);
      this.#buffer.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled < length) break;
      this.#filled = 0;
      this.#take(this.#steps.next(this.#buffer.subarray(0, length)));
    }
    return at;
  }

  #take(result: IteratorResult<Wanted, Agreement>): void {
    if (result.done === true) {
      this.#agreement = result.value;
      this.#wanted = NOTHING;
      return;
    }
    invariant(result.value.length <= MAX_PADDING, 'a step that fits into the buffer');
    this.#wanted = result.value;
  }
}

const NOTHING: Wanted = { length: 0, what: 'nothing' };

/**
 * Passes over padding that ends where `mark` begins. `first` are the bytes that came already, as many
 * as the mark has.
 *
 * @throws {ProtocolError} when there is no mark where the longest padding ends.
 */
export function* synchronise(mark: Uint8Array, first: Uint8Array): Steps<void> {
  const window = new Uint8Array(MAX_PADDING + mark.length);
  window.set(first);
  for (let at = 0; ; at++) {
    const end = at + mark.length;
    if (equalBytes(window.subarray(at, end), mark)) return;
    if (at === MAX_PADDING) {
      throw new ProtocolError(`no mark behind ${MAX_PADDING} bytes of padding`, {
        rule: 'MSE padding length',
        offset: at,
      });
    }
    window.set(yield ONE_OF_PADDING, end);
  }
}

const ONE_OF_PADDING: Wanted = { length: 1, what: 'the end of its padding' };

/**
 * Reads the padding whose length stands at `at` of `fields`.
 *
 * @throws {ProtocolError} when it is too long.
 */
export function* passPadding(fields: Uint8Array, at: number, incoming: Rc4): Steps<void> {
  const length = readUint16(fields, at);
  if (length > MAX_PADDING) {
    throw new ProtocolError(`padding of ${length} bytes, at most ${MAX_PADDING} are allowed`, {
      rule: 'MSE padding length',
    });
  }
  yield { length, what: 'the rest of its padding' };
  incoming.skip(length);
}

/** Random bytes of a random length, so that no two handshakes look alike. */
export function padding(random: Random): Uint8Array {
  return random.bytes(paddingLength(random));
}

/** The padding of encrypted parts: its length is random, its bytes are zeros until they are encrypted. */
export function zeroPadding(random: Random): Uint8Array {
  return new Uint8Array(paddingLength(random));
}

function paddingLength(random: Random): number {
  return random.uint32() % (MAX_PADDING + 1);
}

export function readUint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

/** Two bytes, big-endian. */
export function uint16(value: number): Uint8Array {
  return Uint8Array.of(value >>> 8, value);
}
