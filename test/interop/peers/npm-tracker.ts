/** npm's bittorrent-tracker: announces by HTTP, UDP and WebSocket. @module */

import { join } from 'node:path';
import { npmPeers } from '../../../scripts/npm-peers.ts';
import { Child } from '../child.ts';
import { freePort } from '../free-port.ts';
import { READY_MS } from './peer.ts';

const SERVER = join(import.meta.dirname, 'npm-tracker-server.ts');

/** A running tracker; it takes all torrents. */
export interface NpmTracker extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
  /** URLs to announce to. */
  readonly http: string;
  readonly udp: string;
  readonly ws: string;
}

/** Ready when all its sockets are open. @throws {Error} when it is not installed, and cannot be. */
export async function startNpmTracker(): Promise<NpmTracker> {
  const modules = npmPeers();
  if (modules === undefined) throw new Error('bittorrent-tracker cannot be installed here');
  const port = await freePort();
  const child = new Child([process.execPath, SERVER, modules, String(port)]);
  try {
    await child.until(() => child.lines.includes('ready'), {
      deadlineMs: READY_MS,
      what: 'bittorrent-tracker to listen',
    });
  } catch (error) {
    await child[Symbol.asyncDispose]();
    throw error;
  }
  const place = `127.0.0.1:${port}`;
  return {
    port,
    pid: child.pid,
    http: `http://${place}/announce`,
    udp: `udp://${place}/announce`,
    ws: `ws://${place}/announce`,
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}
