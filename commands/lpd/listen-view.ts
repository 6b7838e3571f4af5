/** How announces of others look. @module */

import { type Endpoint, formatEndpoint } from '../../src/base/endpoint.ts';
import type { HeardAnnounce } from '../../src/lpd/index.ts';
import type { Millis } from '../../src/runtime/ports.ts';
import { tsv, type View } from '../cli/action.ts';
import { printable } from '../cli/printable.ts';
import type { Style } from '../cli/style.ts';
import { roundMillis } from '../cli/units.ts';
import { countOf, tookTime } from '../dht/words.ts';

export type Heard =
  | {
      readonly type: 'announce';
      readonly heard: HeardAnnounce;
      /** In hex. */
      readonly infoHashes: readonly string[];
      /** It comes from an address of this machine. */
      readonly ours: boolean;
      /** ISO 8601. */
      readonly time: string;
    }
  | {
      readonly type: 'done';
      readonly announces: number;
      readonly peers: number;
      readonly torrents: number;
      readonly dropped: number;
      readonly invalid: number;
      readonly elapsedMs: Millis;
    };

type Announce = Extract<Heard, { readonly type: 'announce' }>;

export const listenView: View<Heard> = {
  terminal: (heard, style) =>
    heard.type === 'announce' ? lines(heard, style) : style.dim(`${summary(heard)}\n`),
  plain(heard) {
    if (heard.type === 'done') return undefined;
    const { infoHashes, ours } = heard;
    const { cookie } = heard.heard.announce;
    const address = formatEndpoint(peerOf(heard));
    return infoHashes
      .map((infoHash) => tsv(address, infoHash, printable(cookie ?? ''), ours ? 'us' : ''))
      .join('');
  },
  json(heard) {
    if (heard.type === 'done') return { ...heard, elapsedMs: roundMillis(heard.elapsedMs) };
    const { infoHashes, ours, time } = heard;
    const { cookie, host } = heard.heard.announce;
    const address = formatEndpoint(peerOf(heard));
    return { type: 'announce', address, infoHashes, cookie, host, ours, time };
  },
};

/** A line for each torrent, columns under each other. */
function lines(announce: Announce, style: Style): string {
  const { infoHashes, ours, time, heard } = announce;
  const { cookie } = heard.announce;
  const address = formatEndpoint(peerOf(announce)).padEnd(ADDRESS_WIDTH);
  const said = [
    ...(cookie === undefined ? [] : [printable(cookie)]),
    ...(ours ? ['(this machine)'] : []),
  ].join(' ');
  return infoHashes
    .map((infoHash, at) => {
      const who = at === 0 ? address : ' '.repeat(address.length);
      const tail = at === 0 && said !== '' ? `  ${style.dim(said)}` : '';
      return `${style.dim(time.slice(11, 19))}  ${style.bold(who)}  ${infoHash}${tail}\n`;
    })
    .join('');
}

function peerOf({ heard: { from, announce } }: Announce): Endpoint {
  return { host: from.host, port: announce.port };
}

function summary(done: Extract<Heard, { readonly type: 'done' }>): string {
  const { announces, peers, torrents, dropped, invalid, elapsedMs } = done;
  const left = [
    ...(dropped === 0 ? [] : [`${countOf(dropped, 'packet')} too many`]),
    ...(invalid === 0 ? [] : [`${countOf(invalid, 'packet')} that were none`]),
  ];
  const heard = `${countOf(announces, 'announce')} of ${countOf(torrents, 'torrent')} by ${countOf(peers, 'peer')}`;
  return [`${heard} in ${tookTime(elapsedMs)}`, ...left].join('; ');
}

/** Of `255.255.255.255:65535`. */
const ADDRESS_WIDTH = 21;
