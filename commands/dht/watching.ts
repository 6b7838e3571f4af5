/** Doing something in the DHT again and again, since nodes forget. @module */

import { Option } from 'commander';
import { BipError, UsageError } from '../../src/base/errors.ts';
import { pause } from '../../src/runtime/aborting.ts';
import type { Millis } from '../../src/runtime/ports.ts';
import type { Invocation } from '../cli/action.ts';
import { formatDuration, parseDuration } from '../cli/units.ts';

export interface WatchFlags {
  readonly watch?: true;
  /** Milliseconds. */
  readonly interval?: number;
  readonly limit?: number;
}

/** `--interval`, with its default as a duration; `keeps` completes "nodes keep …". */
export function intervalOption(byDefault: string, keeps: string): Option {
  const what = `with --watch, how often; default ${byDefault}`;
  return new Option('--interval <duration>', what).argParser((text) => {
    const ms = parseDuration(text, '--interval');
    if (ms >= MIN_INTERVAL_MS) return ms;
    throw new UsageError(
      `--interval: \`${text}\` is shorter than ${formatDuration(MIN_INTERVAL_MS)}; nodes keep ${keeps}`,
    );
  });
}

/** @throws {UsageError} when `--limit` or `--interval` stands without `--watch`. */
export function checkWatch({ watch, limit, interval }: WatchFlags, what: string): void {
  if (watch === true || (limit ?? interval) === undefined) return;
  const flag = limit === undefined ? '--interval' : '--limit';
  throw new UsageError(`${flag} is about --watch; without it there is one ${what}`);
}

/** What is done each time. */
export interface Round<Result> {
  /** Failures for reasons of the network are tried again; whatever `isFinal` says ends it. */
  readonly attempt: () => Promise<Result>;
  readonly isFinal?: (error: BipError) => boolean;
  readonly failed: (error: BipError) => Result;
  /** `nextMs`: when it is done again, from now; `undefined` for the last time. */
  readonly emit: (result: Result, nextMs: Millis | undefined) => void;
}

/** Counts what was done, and comes again: after a failure sooner than after a success. */
export class Watching {
  readonly #invocation: Invocation<WatchFlags>;
  readonly #interval: Millis;
  #successes = 0;
  #failures = 0;
  /** In a row, up to the last one. */
  #failing = 0;

  /** `byDefault`: what `--interval` is when it is not given, as a duration. */
  constructor(invocation: Invocation<WatchFlags>, byDefault: string) {
    this.#invocation = invocation;
    this.#interval = invocation.options.interval ?? parseDuration(byDefault, '--interval');
  }

  get successes(): number {
    return this.#successes;
  }
  get failures(): number {
    return this.#failures;
  }
  /** The last time was a failure. */
  get isFailing(): boolean {
    return this.#failing > 0;
  }

  /** Up to `--limit` times. @throws what is final, what is a bug, and `signal.reason` when aborted. */
  async run<Result>(round: Round<Result>, signal: AbortSignal): Promise<void> {
    const { context, options, reporter } = this.#invocation;
    const { limit = Number.POSITIVE_INFINITY } = options;
    for (let count = 1; ; count++) {
      const result = await this.#try(round, signal);
      const nextMs = count < limit ? this.#pauseMs : undefined;
      round.emit(result, nextMs);
      if (nextMs === undefined) return;
      reporter.status([`next in ${formatDuration(nextMs)}; Ctrl-C ends`]);
      await pause(context.runtime.clock, nextMs, signal);
    }
  }

  async #try<Result>(round: Round<Result>, signal: AbortSignal): Promise<Result> {
    try {
      const result = await round.attempt();
      this.#successes++;
      this.#failing = 0;
      return result;
    } catch (error) {
      if (signal.aborted || !(error instanceof BipError)) throw error;
      this.#failures++;
      this.#failing++;
      if (round.isFinal?.(error) === true) throw error;
      return round.failed(error);
    }
  }

  get #pauseMs(): Millis {
    if (this.#failing === 0) return this.#interval;
    return Math.min(BACK_OFF_MS * 2 ** (this.#failing - 1), this.#interval);
  }
}

const MIN_INTERVAL_MS = 60_000;
/** After a failure; doubles with each in a row. */
const BACK_OFF_MS = 30_000;
