/** When all promises have settled that can: what simulated worlds have to know. @module */

/**
 * Gives a function that waits for a turn of `setImmediate`. Node runs all immediates that are there in
 * one go, and between them every reaction of every promise; asking for many at once spares a look at
 * the sockets (some microseconds) for each event.
 */
export function settler(): () => Promise<void> {
  let asked = 0;
  let waiting: (() => void)[] = [];
  const turn = (): void => {
    asked--;
    const settled = waiting;
    waiting = [];
    for (const resolve of settled) resolve();
  };
  return () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      if (asked > 0) return;
      for (; asked < TURNS; asked++) setImmediate(turn);
    });
}

/** Turns asked for at once. */
const TURNS = 64;
