/** aria2c, driven by its JSON-RPC. @module */

import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Child } from '../child.ts';
import { freePort } from '../free-port.ts';
import { at, numberAt, parseJson, textAt } from '../json.ts';
import { endpointAt, type Peer, type PeerOptions, READY_MS } from './peer.ts';

/** Ready when its data is checked and its announce is on the way (aria2 does not say when it came). */
export async function startAria2(options: PeerOptions): Promise<Peer> {
  const port = await freePort();
  const rpcPort = await freePort();
  await mkdir(options.state, { recursive: true });
  const child = new Child(commandOf(options, port, rpcPort), { env: { HOME: options.state } });
  const rpc = new Aria2Rpc(rpcPort);
  try {
    await child.until(() => rpc.try('getVersion'), {
      deadlineMs: READY_MS,
      what: 'the RPC of aria2',
    });
    const add = options.torrent.startsWith('magnet:')
      ? rpc.call('addUri', [options.torrent])
      : rpc.call('addTorrent', (await readFile(options.torrent)).toString('base64'));
    rpc.torrent = String(await add);
    if (options.mode === 'seed') {
      await child.until(async () => (await rpc.status()).complete, {
        deadlineMs: READY_MS,
        what: 'aria2 to have checked its data',
      });
    }
  } catch (error) {
    await child[Symbol.asyncDispose]();
    throw error;
  }
  return {
    name: 'aria2',
    address: endpointAt(options.host, port),
    child,
    counters: () => rpc.status(),
    completed: async (deadlineMs) => {
      await child.until(async () => (await rpc.status()).complete, {
        deadlineMs,
        what: 'aria2 to complete',
      });
    },
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}

function commandOf(options: PeerOptions, port: number, rpcPort: number): string[] {
  const checks = options.mode === 'seed' ? 'true' : 'false';
  return [
    'aria2c',
    '--no-conf',
    '--no-netrc',
    `--stop-with-process=${process.pid}`,
    `--dir=${options.dir}`,
    `--log=${join(options.state, 'log')}`,
    '--log-level=notice',
    '--summary-interval=0',
    '--enable-color=false',
    `--interface=${options.host ?? '127.0.0.1'}`,
    `--disable-ipv6=${options.host !== '::1'}`,
    `--listen-port=${port}`,
    '--enable-rpc',
    `--rpc-listen-port=${rpcPort}`,
    '--rpc-listen-all=false',
    // aria2 asks UDP trackers only with its DHT on: a DHT of nobody, on its own port, in no table.
    '--enable-dht=true',
    `--dht-listen-port=${port}`,
    `--dht-file-path=${join(options.state, 'dht.dat')}`,
    '--enable-dht6=false',
    `--bt-enable-lpd=${options.lpd === true}`,
    ...(options.lpd === true ? [`--bt-lpd-interface=${options.host}`] : []),
    '--bt-tracker-timeout=5',
    '--seed-ratio=0.0',
    '--file-allocation=none',
    '--allow-overwrite=true',
    '--auto-file-renaming=false',
    `--check-integrity=${checks}`,
    '--bt-hash-check-seed=true',
    `--max-overall-upload-limit=${options.uploadLimit ?? 0}`,
    `--max-overall-download-limit=${options.downloadLimit ?? 0}`,
  ];
}

/** JSON-RPC of one download of one aria2. */
export class Aria2Rpc {
  readonly #url: string;
  /** aria2's own number of the download. */
  torrent = '';

  constructor(port: number) {
    this.#url = `http://127.0.0.1:${port}/jsonrpc`;
  }

  /** @throws {Error} when aria2 refuses, or cannot be reached. */
  async call(method: string, ...params: readonly unknown[]): Promise<unknown> {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: `aria2.${method}`, params });
    const response = await fetch(this.#url, { method: 'POST', body });
    const answer = parseJson(await response.text());
    const fault = textAt(answer, 'error', 'message');
    if (fault !== '') throw new Error(`aria2 refuses ${method}: ${fault}`);
    return at(answer, 'result');
  }

  /** Like {@link call}, with `undefined` for every failure. */
  try(method: string): Promise<unknown> {
    return this.call(method).catch(() => undefined);
  }

  /** How far {@link torrent} is. */
  async status(): Promise<{ complete: boolean; downloaded: number; uploaded: number }> {
    let status = await this.call('tellStatus', this.torrent);
    const follower = textAt(status, 'followedBy', 0);
    if (follower !== '') {
      // The metadata of a magnet has come: the content is a new download.
      this.torrent = follower;
      status = await this.call('tellStatus', follower);
    }
    const total = numberAt(status, 'totalLength');
    const done = numberAt(status, 'completedLength');
    const checking =
      textAt(status, 'verifyIntegrityPending') === 'true' ||
      at(status, 'verifiedLength') !== undefined;
    const known = at(status, 'bittorrent', 'info') !== undefined;
    return {
      complete: known && total > 0 && done === total && !checking,
      downloaded: done,
      uploaded: numberAt(status, 'uploadLength'),
    };
  }
}
