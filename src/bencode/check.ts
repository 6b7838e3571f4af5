/** Every fault of an input, with its offset and path. @module */

import { ProtocolError } from '../base/errors.ts';
import type { Fault } from './fault.ts';
import type { DecodeOptions } from './options.ts';
import { endPath, formatStep } from './path.ts';
import { Scanner } from './scanner.ts';
import { BYTE, contentStart, endOf, isOpener, type Tape } from './tape.ts';

/** A fault and the value that has it. */
export interface LocatedFault extends Fault {
  /** As `formatPath` writes it; empty for the value as a whole. */
  readonly path: string;
}

/**
 * All faults in the order of their offsets; none for canonical input. After a fault that leaves it
 * open where the next value begins, nothing more is found. Integers beyond 64 bits count as faults,
 * because no other implementation reads them.
 */
export function check(
  bytes: Uint8Array,
  options: Pick<DecodeOptions, 'maxDepth' | 'maxTokens' | 'maxBytes'> = {},
): readonly LocatedFault[] {
  const faults: Fault[] = [];
  const scanner = new Scanner(bytes, options, faults);
  try {
    scanner.scan();
  } catch (error) {
    // A fault that ends the scan is collected like the others.
    if (!(error instanceof ProtocolError)) throw error;
  }
  faults.sort((a, b) => a.offset - b.offset);
  return new Locator(scanner.tape, faults).run();
}

/** A list or dictionary around the current token. */
interface Level {
  /** The word of its end. */
  readonly last: number;
  /** Index of the next item; `undefined` in a dictionary. */
  index: number | undefined;
  /** Key whose value is next; `undefined` where a key is next, and in lists. */
  key: Uint8Array | undefined;
  /** Its own path, once it was asked for: with many faults deep inside, finding it is most of the work. */
  path: string | undefined;
}

function wantsKey(level: Level | undefined): level is Level {
  return level !== undefined && level.index === undefined && level.key === undefined;
}

/** Walks the tape once and gives each fault the path at which the walk passes it. */
class Locator {
  readonly #tape: Tape;
  readonly #faults: readonly Fault[];
  readonly #located: LocatedFault[] = [];
  readonly #levels: Level[] = [];

  constructor(tape: Tape, faults: readonly Fault[]) {
    this.#tape = tape;
    this.#faults = faults;
  }

  run(): readonly LocatedFault[] {
    for (let word = 0; word < this.#tape.used; word += 2) {
      if (this.#located.length === this.#faults.length) break;
      this.#token(word);
    }
    this.#locate(Number.POSITIVE_INFINITY);
    return this.#located;
  }

  #token(word: number): void {
    const { bytes, words } = this.#tape;
    const level = this.#levels.at(-1);
    const start = words[word] ?? 0;
    const end = words[word + 1] ?? 0;
    if (word === level?.last) {
      this.#locate(start + 1);
      this.#levels.pop();
      this.#passed();
    } else if (isOpener(bytes[start] ?? 0)) {
      this.#locate(start);
      this.#levels.push({
        last: endOf(this.#tape, word),
        index: bytes[start] === BYTE.list ? 0 : undefined,
        key: undefined,
        path: undefined,
      });
    } else if (wantsKey(level)) {
      this.#locate(start);
      level.key = bytes.subarray(contentStart(bytes, start), end);
      this.#locate(end);
    } else {
      this.#locate(end);
      this.#passed();
    }
  }

  /** A value is complete. */
  #passed(): void {
    const level = this.#levels.at(-1);
    if (level === undefined) return;
    level.key = undefined;
    if (level.index !== undefined) level.index++;
  }

  /** The faults before `offset` lie here. */
  #locate(offset: number): void {
    for (;;) {
      const fault = this.#faults[this.#located.length];
      if (fault === undefined || fault.offset >= offset) return;
      this.#located.push({ ...fault, path: this.#path() });
    }
  }

  /** The path of the current token, from the innermost level whose path is known. */
  #path(): string {
    const levels = this.#levels;
    let from = Math.max(0, levels.length - 1);
    while (from > 0 && levels[from]?.path === undefined) from--;
    let path = levels[from]?.path ?? '';
    let steps = from;
    for (const level of levels.slice(from)) {
      level.path = path;
      const step = level.key ?? level.index;
      if (step === undefined) break;
      path = steps === 0 ? formatStep(step) : `${path}.${formatStep(step)}`;
      steps++;
    }
    return endPath(path, steps);
  }
}
