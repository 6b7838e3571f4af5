/** How a session takes part in the DHT. @module */

import { ipScope } from '../../src/base/ip-scope.ts';
import type { DhtEvent, DhtOptions, Router } from '../../src/dht/index.ts';
import type { Magnet } from '../../src/magnet/index.ts';
import type { Metainfo } from '../../src/metainfo/index.ts';
import type { SessionOptions, TorrentSource } from '../../src/session/index.ts';
import type { Context } from '../cli/context.ts';
import { isLoopback } from '../cli/dht-flags.ts';
import type { Reporter } from '../cli/reporter.ts';
import { keptTable, type TableContext, type TableFlags } from './dht-table.ts';

export interface DhtFlags extends TableFlags {
  /** False with `--no-dht`. */
  readonly dht: boolean;
  readonly host?: string;
  readonly bind?: string;
}

export interface DhtWishes {
  /** What the session is for. */
  readonly sources: readonly TorrentSource[];
  /** The session is over in a moment: of no use to the tables of others (BEP 43). */
  readonly isBrief?: boolean;
  readonly reporter: Pick<Reporter, 'explain' | 'warn'>;
  readonly context: TableContext & Pick<Context, 'proxy'>;
}

/**
 * What the flags say; `undefined` with `--no-dht`, and when all torrents are private, which the DHT must
 * not hear of (BEP 27).
 */
export async function dhtOptions(
  flags: DhtFlags,
  { sources, isBrief = false, reporter, context }: DhtWishes,
): Promise<SessionOptions['dht']> {
  const { proxy } = context;
  if (!flags.dht) return undefined;
  const open = sources.filter((source) => !isPrivate(source)).map(namesOf);
  if (open.length === 0) {
    reporter.explain('the DHT is not used: private torrents stay out of it (BEP 27)');
    return undefined;
  }
  const host = hostOf(flags);
  const isHere = host !== undefined && isLoopback(host);
  // Loaded by whoever needs it only, with all that it brings.
  const { WELL_KNOWN_ROUTERS } = await import('../../src/dht/index.ts');
  const nodes = open.flatMap((named) => named.nodes).slice(0, MAX_NODES);
  return {
    // Nobody can call through a proxy, and it looks names up by IPv4, if it is asked at all.
    ...(proxy === undefined ? hostsOf(host) : { families: [4] }),
    bootstrap: [...(flags.bootstrap ?? (isHere ? [] : WELL_KNOWN_ROUTERS)), ...nodes],
    readOnly: isBrief || proxy !== undefined,
    limitAddresses: !isHere && !areHere(flags.bootstrap),
    onEvent: (event) => reporter.explain(sentenceOf(event)),
    ...(await keptTable(context, { ...flags, isHere }, reporter)),
  };
}

/** Whether the session will look for this torrent in the DHT. */
export function isInDht(source: TorrentSource, { dht }: Pick<DhtFlags, 'dht'>): boolean {
  return dht && !isPrivate(source);
}

/** Whether nobody but its tracker is to hear of it. */
export function isPrivate(source: TorrentSource): boolean {
  return source.type === 'metainfo' && source.metainfo.private;
}

function namesOf(source: TorrentSource): Metainfo | Magnet {
  return source.type === 'metainfo' ? source.metainfo : source.magnet;
}

/**
 * The one address that both directions of UDP go by; all when there is none. What others are told to call
 * is the one that packets come from, so that `--bind` counts before `--host`.
 */
function hostOf({ bind, host }: DhtFlags): string | undefined {
  const one = bind ?? host;
  // All addresses of both families, as without a flag.
  return one === '::' ? undefined : one;
}

function hostsOf(host: string | undefined): Pick<DhtOptions, 'hosts'> {
  return host === undefined ? {} : { hosts: [host] };
}

/** All nodes that the user names are on this machine: many of one address are no attack there. */
function areHere(bootstrap: readonly Router[] | undefined): boolean {
  return bootstrap?.every(({ host }) => ipScope(host) === 'loopback') ?? false;
}

function sentenceOf(event: DhtEvent): string {
  const dht = `the DHT of IPv${event.family}`;
  switch (event.type) {
    case 'joined':
      return `joined ${dht} by ${event.nodes} ${event.nodes === 1 ? 'node' : 'nodes'}`;
    case 'alone':
      return `no node of ${dht} answers yet`;
    case 'address':
      return `${dht} sees this machine at ${event.host}`;
  }
}

/** Nodes that torrents and links name; each that is dead costs a moment. */
const MAX_NODES = 8;
