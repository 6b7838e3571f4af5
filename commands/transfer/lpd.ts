/** How a session looks for peers on the local network. @module */

import type { SessionLpd, TorrentSource } from '../../src/session/index.ts';
import type { Context } from '../cli/context.ts';
import type { Reporter } from '../cli/reporter.ts';
import { isPrivate } from './dht.ts';

export interface LpdFlags {
  /** False with `--no-lpd`. */
  readonly lpd: boolean;
  readonly host?: string;
  readonly bind?: string;
}

interface LpdWishes {
  readonly sources: readonly TorrentSource[];
  readonly context: Pick<Context, 'proxy'>;
  readonly reporter: Pick<Reporter, 'explain'>;
}

/**
 * What the flags say; `undefined` with `--no-lpd`, and when all torrents are private, which nobody but the
 * tracker is to hear of (BEP 27), and with a proxy, which multicast cannot go through.
 */
export function lpdOptions(
  flags: LpdFlags,
  { sources, context, reporter }: LpdWishes,
): SessionLpd | undefined {
  if (!flags.lpd || sources.every(isPrivate)) return undefined;
  if (context.proxy !== undefined) {
    reporter.explain('the local network is not asked for peers: nothing goes around the proxy');
    return undefined;
  }
  const address = addressOf(flags);
  return {
    ...(address === undefined ? {} : { address }),
    onUnavailable: ({ message }) =>
      reporter.explain(`no peers are looked for on the local network: ${message}`),
  };
}

/** Whether the session will look for this torrent on the local network. */
export function isOnLan(source: TorrentSource, { lpd }: Pick<LpdFlags, 'lpd'>): boolean {
  return lpd && !isPrivate(source);
}

/** Others call the address that an announce comes from: the one that we listen on, if it is one. */
function addressOf({ host, bind }: LpdFlags): string | undefined {
  return host === undefined || host === '::' || host === '0.0.0.0' ? (bind ?? host) : host;
}
