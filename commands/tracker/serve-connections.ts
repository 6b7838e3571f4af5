/** How many connections over HTTP `tracker serve` takes at once. @module */

import { UsageError } from '../../src/base/errors.ts';
import type { ServeFlags } from './serve-options.ts';

type ConnectionFlags = Pick<ServeFlags, 'maxConnections' | 'workers' | 'host' | 'store'>;

/**
 * As many as were asked for, or as the system lets the process open beside what else it needs:
 * `descriptorsLeft`, when that is known.
 *
 * @throws {UsageError} when more are asked for than that.
 */
export function connectionsOf(flags: ConnectionFlags, descriptorsLeft: number | undefined): number {
  const { maxConnections } = flags;
  const most = Math.max(1, (descriptorsLeft ?? Infinity) - reserveOf(flags));
  if (maxConnections === undefined) return Math.min(MAX_CONNECTIONS, most);
  if (maxConnections <= most) return maxConnections;
  throw new UsageError(
    `--max-connections: the system lets bip have ${most} at most; raise the limit of open files (ulimit -n)`,
  );
}

/** Descriptors for all else, with some to spare. */
function reserveOf({ workers, host, store }: ConnectionFlags): number {
  const sockets = SOCKETS_OF_HOST * (host?.length ?? FAMILIES);
  const connections = store === undefined ? 0 : STORE_OF_THREAD;
  return SPARE + workers * (LOOP_OF_THREAD + sockets + connections);
}

const MAX_CONNECTIONS = 10_000;
/** State file, lists, status page, streams. */
const SPARE = 16;
/** What Node's event loop has open in each thread. */
const LOOP_OF_THREAD = 8;
/** HTTP, UDP, and a connection that is taken before another one goes for it. */
const SOCKETS_OF_HOST = 3;
const FAMILIES = 2;
/** Connections to Redis, or to the nodes of a cluster. */
const STORE_OF_THREAD = 16;
