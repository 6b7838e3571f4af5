/** What a test makes of the process that a command runs in. @module */

import type { ProcessHost } from '../../commands/cli/context.ts';

/** One without threads and without Redis, that gets SIGHUP whenever the test calls what is in `hangups`. */
export function hangingProcess(hangups: Set<() => void> = new Set()): ProcessHost {
  const refuse = (): never => {
    throw new Error('this process has no threads and no Redis');
  };
  return {
    onHangup(listener) {
      hangups.add(listener);
      return () => void hangups.delete(listener);
    },
    openRedis: refuse,
    startTrackerThread: refuse,
    descriptorsLeft: () => undefined,
    memoryBytes: () => 64 * 1024 * 1024,
  };
}
