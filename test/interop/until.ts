/** Waiting for a condition of the real world: polled, bounded, and clear about what did not come. @module */

import { setTimeout as pause } from 'node:timers/promises';

/** How often a condition is looked at. */
const POLL_MS = 20;

export interface UntilOptions {
  /** After so many milliseconds the wait fails. */
  readonly deadlineMs: number;
  /** What is waited for, to end the sentence "waited N ms for …". */
  readonly what: string;
  /** Added to the error, e.g. the log of the program that did not get there. */
  readonly log?: () => string;
  /** Ends the wait at once, e.g. since the program is dead: the reason, or `undefined` to go on. */
  readonly hopeless?: () => string | undefined;
}

/**
 * The first answer of `condition` that is neither `undefined` nor `false`.
 * @throws {Error} at the deadline or when there is no hope, with the log.
 */
export async function until<T>(
  condition: () => T | false | undefined | Promise<T | false | undefined>,
  options: UntilOptions,
): Promise<T> {
  const began = performance.now();
  for (;;) {
    // Judged before the condition: what came true in between must still count.
    const lost = options.hopeless?.();
    const late = performance.now() - began > options.deadlineMs;
    const answer = await condition();
    if (answer !== undefined && answer !== false) return answer;
    if (lost !== undefined || late) throw failure(options, lost, began);
    await pause(POLL_MS);
  }
}

function failure(options: UntilOptions, lost: string | undefined, began: number): Error {
  const waited = Math.round(performance.now() - began);
  const log = options.log?.() ?? '';
  const reason = lost === undefined ? '' : `: ${lost}`;
  const tail = log === '' ? '' : `\n--- log ---\n${log}`;
  return new Error(`waited ${waited} ms for ${options.what}${reason}${tail}`);
}
