/** How many connections over HTTP the parts of a tracker may have, and how slow they may be. @module */

import type { HttpServeOptions, Millis } from '../../runtime/ports.ts';

/** Of a whole tracker. */
export interface HttpBudget {
  /** Connections of all threads and addresses together, those to the numbers among them. */
  readonly maxConnections?: number;
  /** How long a request may take to arrive, and an answer to leave. */
  readonly requestTimeoutMs?: Millis;
}

/** Of one socket. */
export type HttpLimits = Pick<HttpServeOptions, 'maxConnections' | 'requestTimeoutMs'>;

/** Who shares a budget. */
export interface HttpSharers {
  /** Sockets for clients, of all threads. */
  readonly sockets: number;
  /** Whether numbers are served, too. */
  readonly stats: boolean;
}

/** Few for the numbers, and equal parts of the rest for the sockets: one at least for each. */
export function shareOut(
  { maxConnections, ...slowness }: HttpBudget,
  { sockets, stats }: HttpSharers,
): { readonly ofEach: HttpLimits; readonly ofStats: HttpLimits } {
  const eighth = Math.floor((maxConnections ?? Infinity) / 8);
  const forStats = Math.max(1, Math.min(MOST_FOR_STATS, eighth));
  const ofStats = { ...slowness, maxConnections: forStats };
  if (maxConnections === undefined) return { ofEach: slowness, ofStats };
  const forClients = maxConnections - (stats ? forStats : 0);
  const forEach = Math.max(1, Math.floor(forClients / sockets));
  return { ofEach: { ...slowness, maxConnections: forEach }, ofStats };
}

const MOST_FOR_STATS = 64;
