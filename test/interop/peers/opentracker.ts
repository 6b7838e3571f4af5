/** opentracker: one port for announces by HTTP and by UDP. @module */

import { createSocket } from 'node:dgram';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Child } from '../child.ts';
import { READY_MS } from './peer.ts';

const PROBE_MS = 200;

export interface Tracker extends AsyncDisposable {
  readonly pid: number;
  /** What it knows of a torrent. */
  scrape(infoHash: string): Promise<Scraped>;
}

export interface Scraped {
  readonly seeders: number;
  readonly leechers: number;
  /** How many have said that they completed it. */
  readonly completed: number;
}

export interface TrackerOptions {
  /** Chosen before, since torrents name it. */
  readonly port: number;
  /** The torrents it tracks, 40 hex digits each: Debian's build refuses all others. */
  readonly infoHashes: readonly string[];
  readonly state: string;
}

/** Where a tracker on `port` is announced to. */
export function announceUrl(port: number, by: 'http' | 'udp'): string {
  return `${by}://127.0.0.1:${port}/announce`;
}

/** Ready when it has answered over HTTP and over UDP. */
export async function startOpentracker(options: TrackerOptions): Promise<Tracker> {
  const whitelist = join(options.state, 'whitelist');
  const config = join(options.state, 'opentracker.conf');
  await mkdir(options.state, { recursive: true });
  await writeFile(whitelist, options.infoHashes.map((hash) => `${hash}\n`).join(''));
  await writeFile(
    config,
    `listen.tcp_udp 127.0.0.1:${options.port}\naccess.whitelist ${whitelist}\n`,
  );
  const child = new Child(['opentracker', '-f', config], {
    cwd: options.state,
    unprivileged: true,
  });
  try {
    const wait = { deadlineMs: READY_MS, what: 'opentracker to answer' };
    await child.until(() => answersHttp(options.port), wait);
    await child.until(() => answersUdp(options.port), wait);
  } catch (error) {
    await child[Symbol.asyncDispose]();
    throw error;
  }
  return {
    pid: child.pid,
    scrape: (infoHash) => scrape(options.port, infoHash),
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}

async function answersHttp(port: number): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${port}/stats`).catch(() => undefined);
  await answer?.arrayBuffer();
  return answer !== undefined;
}

/** BEP 15 connect: any answer will do. */
function answersUdp(port: number): Promise<boolean> {
  const connect = new Uint8Array(16);
  new DataView(connect.buffer).setBigUint64(0, 0x41727101980n);
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    const settle = (answered: boolean): void => {
      clearTimeout(timer);
      socket.close();
      resolve(answered);
    };
    const timer = setTimeout(() => settle(false), PROBE_MS);
    socket.once('message', () => settle(true));
    socket.once('error', () => settle(false));
    socket.connect(port, '127.0.0.1', () => socket.send(connect));
  });
}

async function scrape(port: number, infoHash: string): Promise<Scraped> {
  const escaped = infoHash.replace(/../g, '%$&');
  const answer = await fetch(`http://127.0.0.1:${port}/scrape?info_hash=${escaped}`);
  const text = Buffer.from(await answer.arrayBuffer()).toString('latin1');
  const count = (key: string): number => Number(new RegExp(`${key}i(\\d+)e`).exec(text)?.[1] ?? 0);
  return {
    seeders: count('8:complete'),
    leechers: count('10:incomplete'),
    completed: count('10:downloaded'),
  };
}
