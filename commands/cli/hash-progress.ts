/** The progress of hashing on a terminal. @module */

import type { Clock } from '../../src/runtime/ports.ts';
import { bar } from './bar.ts';
import { printable } from './printable.ts';
import type { Reporter } from './reporter.ts';
import { formatDuration, formatSize } from './units.ts';

/** Eyes see no more. */
const REDRAW_MS = 100;

/** Before this, a rate is a guess. */
const RATE_AFTER_MS = 500;

/** Draws how far hashing is: bytes, rate, time left. */
export class HashProgress {
  readonly #clock: Clock;
  readonly #reporter: Reporter;
  readonly #name: string;
  readonly #started: number;
  #drawnAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, reporter: Reporter, name: string) {
    this.#clock = clock;
    this.#reporter = reporter;
    this.#name = printable(name);
    this.#started = clock.now();
  }

  /** `totalBytes` is `undefined` while nobody knows how much will come. */
  show(doneBytes: number, totalBytes: number | undefined): void {
    if (!this.#reporter.live) return;
    const now = this.#clock.now();
    if (now - this.#drawnAt < REDRAW_MS) return;
    this.#drawnAt = now;
    const { style, columns } = this.#reporter;
    const width = columns - 1;
    const facts = this.#facts(doneBytes, totalBytes, now - this.#started);
    this.#reporter.status([
      style.bold(`hashing ${this.#name}`.slice(0, width)),
      ...(totalBytes === undefined ? [] : [bar(doneBytes, totalBytes, { style, width })]),
      `  ${facts.join('  ')}`,
    ]);
  }

  /** Takes the picture away. */
  clear(): void {
    this.#reporter.status([]);
  }

  #facts(done: number, total: number | undefined, elapsedMs: number): readonly string[] {
    const facts = total === undefined ? [formatSize(done)] : [];
    if (elapsedMs < RATE_AFTER_MS || done === 0) return [...facts, 'starting'];
    const perSecond = (done / elapsedMs) * 1000;
    facts.push(`${formatSize(Math.round(perSecond))}/s`);
    if (total !== undefined) {
      facts.push(`${formatDuration(((total - done) / perSecond) * 1000)} left`);
    }
    return facts;
  }
}
