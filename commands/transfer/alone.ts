/** What is said when nobody is known who could have a torrent. @module */

import type { Magnet } from '../../src/magnet/index.ts';
import type { Metainfo } from '../../src/metainfo/index.ts';
import type { TorrentSource } from '../../src/session/index.ts';
import type { Context } from '../cli/context.ts';
import type { Reporter } from '../cli/reporter.ts';
import { isInDht } from './dht.ts';
import type { TransferFlags } from './flags.ts';
import { isOnLan } from './lpd.ts';

/** Nobody is known, and nobody is asked: says so at once, since waiting may last for ever. */
export function warnWhenAlone(
  reporter: Reporter,
  source: TorrentSource,
  flags: Pick<TransferFlags, 'peer' | 'trackers' | 'dht' | 'lpd'>,
  { proxy }: Pick<Context, 'proxy'>,
): void {
  const { peer = [], trackers } = flags;
  const named = source.type === 'magnet' ? source.magnet : source.metainfo;
  const peers = peer.length + peersOf(named);
  if (peers > 0 || (trackers && trackersOf(named) > 0) || isInDht(source, flags)) return;
  const noDht = proxy === undefined ? '--no-dht' : 'a proxy without UDP or --no-dht';
  const [why, dht] = flags.dht
    ? ['the torrent is private, which keeps it out of the DHT, and names no tracker', '']
    : ['the torrent names no tracker', ` and ${noDht} keeps bip from looking for some`];
  const what = hopeOf(proxy !== undefined, isOnLan(source, flags));
  reporter.warn(`${why}, no peer is known${dht}: ${what}; --peer HOST:PORT names one`);
}

function hopeOf(isBehindProxy: boolean, hasLan: boolean): string {
  if (isBehindProxy) return 'nothing will come, since nobody can call through a proxy';
  return hasLan
    ? 'this waits for a peer on the local network, or a call'
    : 'this waits for somebody to call';
}

function peersOf(named: Magnet | Metainfo): number {
  return 'peers' in named ? named.peers.length : 0;
}

function trackersOf(named: Magnet | Metainfo): number {
  return 'trackers' in named ? named.trackers.length : named.announce.length;
}
