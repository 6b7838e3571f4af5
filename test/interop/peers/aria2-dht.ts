/** aria2c as a node of a DHT, with several torrents that have no trackers. @module */

import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Endpoint, formatEndpoint } from '../../../src/base/endpoint.ts';
import { Child } from '../child.ts';
import { freePort } from '../free-port.ts';
import { Aria2Rpc } from './aria2.ts';
import { READY_MS } from './peer.ts';

export interface Aria2DhtOptions {
  /** The only address it uses. */
  readonly host: string;
  readonly state: string;
  /** The node that it begins with. */
  readonly entryPoint: Endpoint;
}

export class Aria2Dht implements AsyncDisposable {
  readonly child: Child;
  /** Of peers and, over UDP, of the DHT. */
  readonly endpoint: Endpoint;
  readonly #rpcPort: number;

  static async start(options: Aria2DhtOptions): Promise<Aria2Dht> {
    const port = await freePort();
    const rpcPort = await freePort();
    await mkdir(options.state, { recursive: true });
    const child = new Child(commandOf(options, port, rpcPort), { env: { HOME: options.state } });
    try {
      await child.until(() => new Aria2Rpc(rpcPort).try('getVersion'), {
        deadlineMs: READY_MS,
        what: 'the RPC of aria2',
      });
    } catch (error) {
      await child[Symbol.asyncDispose]();
      throw error;
    }
    return new Aria2Dht(child, { host: options.host, port }, rpcPort);
  }

  private constructor(child: Child, endpoint: Endpoint, rpcPort: number) {
    this.child = child;
    this.endpoint = endpoint;
    this.#rpcPort = rpcPort;
  }

  /** Starts a torrent file; what lies in `dir` already is checked. */
  async add(torrent: string, dir: string): Promise<Aria2Rpc> {
    const rpc = new Aria2Rpc(this.#rpcPort);
    const bytes = (await readFile(torrent)).toString('base64');
    rpc.torrent = String(await rpc.call('addTorrent', bytes, [], { dir }));
    return rpc;
  }

  /** @throws {Error} when a download is not complete after `deadlineMs`, with the log. */
  async completed(download: Aria2Rpc, deadlineMs: number): Promise<void> {
    await this.child.until(async () => (await download.status()).complete, {
      deadlineMs,
      what: 'aria2 to complete',
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.child[Symbol.asyncDispose]();
  }
}

function commandOf(
  { host, state, entryPoint }: Aria2DhtOptions,
  port: number,
  rpcPort: number,
): readonly string[] {
  return [
    'aria2c',
    '--no-conf',
    '--no-netrc',
    `--stop-with-process=${process.pid}`,
    `--log=${join(state, 'log')}`,
    '--log-level=info',
    '--summary-interval=0',
    '--enable-color=false',
    `--interface=${host}`,
    '--disable-ipv6=true',
    `--listen-port=${port}`,
    '--enable-rpc',
    `--rpc-listen-port=${rpcPort}`,
    '--rpc-listen-all=false',
    '--enable-dht=true',
    `--dht-listen-port=${port}`,
    `--dht-entry-point=${formatEndpoint(entryPoint)}`,
    `--dht-file-path=${join(state, 'dht.dat')}`,
    '--dht-message-timeout=1',
    '--enable-dht6=false',
    '--bt-enable-lpd=false',
    '--enable-peer-exchange=false',
    '--seed-ratio=0.0',
    '--file-allocation=none',
    '--allow-overwrite=true',
    '--auto-file-renaming=false',
    '--check-integrity=true',
    '--bt-hash-check-seed=true',
  ];
}
