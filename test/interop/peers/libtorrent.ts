/** libtorrent (rasterbar), by way of the Python script beside this file. @module */

import { fileURLToPath } from 'node:url';
import { Child } from '../child.ts';
import { freePort } from '../free-port.ts';
import { isRecord, numberAt, parseJson } from '../json.ts';
import { PYTHON } from '../require.ts';
import { endpointAt, type Peer, type PeerOptions, READY_MS } from './peer.ts';

export const SCRIPT: string = fileURLToPath(new URL('rasterbar.py', import.meta.url));

export interface LibtorrentOptions extends Omit<PeerOptions, 'state'> {
  /** Peers to dial, `host:port`. */
  readonly peers?: readonly string[];
  /** Serve what is on disk without checking it: a liar when that is not what the torrent says. */
  readonly lie?: boolean;
}

/** Ready when its listener is open, its data is checked and the tracker has answered. */
export async function startLibtorrent(options: LibtorrentOptions): Promise<Peer> {
  const port = await freePort();
  const child = new Child([PYTHON, SCRIPT, ...argumentsOf(options, port)], { stopBy: 'eof' });
  const last = (event: string): Readonly<Record<string, unknown>> | undefined =>
    child.lines
      .map(parseJson)
      .filter(isRecord)
      .findLast((line) => line['event'] === event);
  try {
    await child.until(() => last('ready') !== undefined, {
      deadlineMs: READY_MS,
      what: 'libtorrent to be ready',
    });
  } catch (error) {
    await child[Symbol.asyncDispose]();
    throw error;
  }
  const counters: Peer['counters'] = async () => {
    const latest = last('stopped') ?? last('state');
    return {
      complete: last('complete') !== undefined,
      downloaded: numberAt(latest, 'downloaded'),
      uploaded: numberAt(latest, 'uploaded'),
    };
  };
  return {
    name: 'libtorrent',
    address: endpointAt(options.host, port),
    child,
    counters,
    completed: async (deadlineMs) => {
      await child.until(() => last('complete') !== undefined, {
        deadlineMs,
        what: 'libtorrent to complete',
      });
      await child.ended(deadlineMs); // only then is everything on disk
    },
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}

function argumentsOf(options: LibtorrentOptions, port: number): string[] {
  const rates: readonly (readonly [string, number | undefined])[] = [
    ['--upload-limit', options.uploadLimit],
    ['--download-limit', options.downloadLimit],
  ];
  return [
    options.mode,
    options.torrent,
    options.dir,
    '--port',
    String(port),
    ...(options.host === undefined ? [] : ['--host', options.host]),
    ...(options.peers ?? []).flatMap((peer) => ['--peer', peer]),
    ...rates.flatMap(([flag, rate]) => (rate === undefined ? [] : [flag, String(rate)])),
    ...(options.utpOnly === true ? ['--utp', '--no-tcp'] : []),
    ...(options.lie === true ? ['--lie'] : []),
    ...(options.lpd === true ? ['--lpd'] : []),
  ];
}
