/** Asking trackers for a command, whatever the question: once, or again and again. @module */

import type { BipError } from '../../src/base/errors.ts';
import type { Invocation } from '../cli/action.ts';
import { EXIT, ExitWith } from '../cli/exit-codes.ts';
import type { Reporter } from '../cli/reporter.ts';
import { formatDuration } from '../cli/units.ts';
import { type Ask, askAll, noneAnswered } from './asking.ts';
import type { ExchangeFlags } from './exchange-flags.ts';
import { type Exchanged, type Inquiry, type Outcome, type Shown, showOutcome } from './outcome.ts';
import type { Result } from './result.ts';
import { type Round, watchAll } from './watching.ts';

export interface Question<Response> {
  readonly ask: Ask<Response>;
  /** A tracker is not asked any more. */
  readonly leave: (inquiry: Inquiry) => void;
  /** When a tracker wishes to be asked again. */
  readonly pauseSeconds: (response: Response) => number;
}

/**
 * Yields what becomes of each tracker; on a terminal one table of several.
 *
 * @throws {NetworkError} when none answered (the error of a single tracker itself); in a watch, and
 *   when some did, {ExitWith} code 1 for those that failed, in a watch the last time.
 */
export async function* inquire<Response extends Exchanged>(
  invocation: Invocation<ExchangeFlags>,
  inquiries: readonly Inquiry[],
  question: Question<Response>,
): AsyncGenerator<Result<Response>, void, undefined> {
  const { context, options } = invocation;
  const failed =
    options.watch === true
      ? yield* watch(invocation, inquiries, question)
      : yield* askThem(invocation, inquiries, question);
  context.signal.throwIfAborted();
  if (failed) throw new ExitWith(EXIT.network);
}

/** @returns whether any failed. */
async function* askThem<Response extends Exchanged>(
  invocation: Invocation<ExchangeFlags>,
  inquiries: readonly Inquiry[],
  { ask, leave }: Question<Response>,
): AsyncGenerator<Result<Response>, boolean, undefined> {
  const { context, options, reporter } = invocation;
  const show = shower<Response>(invocation);
  const tabular = context.stdout.isTTY && options.json !== true && inquiries.length > 1;
  const settle = progress(reporter, inquiries.length);
  const table: Shown<Response>[] = [];
  const failures = new Map<Inquiry, BipError>();
  let answers = 0;
  for await (const outcome of askAll(inquiries, {
    signal: context.signal,
    concurrency: options.concurrency,
    ask,
    showFailures: tabular || options.raw === true,
    onSettled: (settled) => {
      if ('response' in settled) {
        answers++;
        leave(settled.inquiry);
      } else failures.set(settled.inquiry, settled.error);
      settle();
    },
  })) {
    const shown = show(outcome);
    if (tabular) table.push(shown);
    else yield { type: 'outcome', shown };
  }
  if (table.length > 0) {
    yield { type: 'table', outcomes: table, Table: (await import('cli-table3')).default };
  }
  context.signal.throwIfAborted();
  if (answers > 0) return failures.size > 0;
  const errors = inquiries.flatMap((inquiry) => failures.get(inquiry) ?? []);
  throw noneAnswered(errors, { shown: tabular });
}

/** @returns whether any failed the last time. */
async function* watch<Response extends Exchanged>(
  invocation: Invocation<ExchangeFlags>,
  inquiries: readonly Inquiry[],
  { ask, leave, pauseSeconds }: Question<Response>,
): AsyncGenerator<Result<Response>, boolean, undefined> {
  const { context, options, reporter } = invocation;
  const { signal, runtime } = context;
  const show = shower<Response>(invocation);
  const pace = new Pace<Response>(reporter, inquiries.length);
  const { concurrency, limit } = options;
  const how = { signal, clock: runtime.clock, concurrency, limit, ask, leave, pauseSeconds };
  let failing = 0;
  for await (const event of watchAll<Response>(inquiries, how)) {
    if (event.type === 'end') {
      failing = event.failing;
      reporter.status([]);
      yield event;
    } else {
      const { outcome, ...when } = event;
      yield { ...when, shown: show(outcome) };
      pace.draw(event);
    }
  }
  return failing > 0;
}

function shower<Response extends Exchanged>({
  context,
  options,
}: Invocation<ExchangeFlags>): (outcome: Outcome<Response>) => Shown<Response> {
  const { reveal, bothFamilies } = options;
  const { wallClock } = context.runtime;
  return (outcome) => showOutcome(outcome, { reveal, bothFamilies, at: wallClock.now() });
}

/** Draws how many trackers are still waited for. */
function progress(reporter: Reporter, total: number): () => void {
  let waiting = total;
  const draw = (): void =>
    reporter.status(waiting === 0 ? [] : [`waiting for ${waiting} of ${total} trackers`]);
  draw();
  return () => {
    waiting--;
    draw();
  };
}

/** Draws what a watch waits for. */
class Pace<Response> {
  readonly #reporter: Reporter;
  readonly #total: number;
  /** When each is asked again, milliseconds since the start; absent when it is not. */
  readonly #next = new Map<Inquiry, number | undefined>();

  constructor(reporter: Reporter, total: number) {
    this.#reporter = reporter;
    this.#total = total;
    reporter.status([`waiting for ${total} of ${total} trackers`]);
  }

  draw({ outcome, elapsedMs, nextMs }: Round<Response>): void {
    this.#next.set(outcome.inquiry, nextMs === undefined ? undefined : elapsedMs + nextMs);
    const times = [...this.#next.values()].filter((time) => time !== undefined);
    const waiting = this.#total - this.#next.size;
    const asked = waiting > 0 ? `waiting for ${waiting} of ${this.#total} trackers; ` : '';
    const next = `next after ${formatDuration(Math.min(...times))}; Ctrl-C ends`;
    this.#reporter.status(times.length === 0 ? [] : [`${asked}${next}`]);
  }
}
