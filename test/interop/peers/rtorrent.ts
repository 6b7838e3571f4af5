/** rtorrent as a daemon, driven by XML-RPC over SCGI. @module */

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type Endpoint, formatEndpoint } from '../../../src/base/endpoint.ts';
import { Child } from '../child.ts';
import { freePort } from '../free-port.ts';
import { READY_MS } from './peer.ts';

export interface RtorrentOptions {
  /** The only address it uses. It keeps one peer of an address, and may take itself for that. */
  readonly host: string;
  /** Where it keeps its state and its rc file; without blanks, which it does not understand. */
  readonly state: string;
}

type Argument = string | Uint8Array;

/** Has its DHT on, and knows no node yet. */
export class Rtorrent implements AsyncDisposable {
  readonly child: Child;
  /** Of peers and, over UDP, of the DHT. */
  readonly endpoint: Endpoint;
  readonly #rpcPort: number;

  static async start({ host, state }: RtorrentOptions): Promise<Rtorrent> {
    const port = await freePort();
    const rpcPort = await freePort();
    await mkdir(join(state, 'session'), { recursive: true });
    const rc = join(state, 'rc');
    await writeFile(rc, configuration({ host, port, rpcPort, state }));
    const env = { HOME: state, TERM: 'dumb' };
    const child = new Child(['rtorrent', '-n', '-o', `import=${rc}`], { env });
    const rtorrent = new Rtorrent(child, { host, port }, rpcPort);
    try {
      await child.until(() => rtorrent.call('system.client_version').catch(() => undefined), {
        deadlineMs: READY_MS,
        what: 'the RPC of rtorrent',
      });
    } catch (error) {
      await child[Symbol.asyncDispose]();
      throw error;
    }
    return rtorrent;
  }

  private constructor(child: Child, endpoint: Endpoint, rpcPort: number) {
    this.child = child;
    this.endpoint = endpoint;
    this.#rpcPort = rpcPort;
  }

  /** Gives its DHT a node to begin with, and waits until it has answered. */
  async join(node: Endpoint): Promise<void> {
    await this.call('dht.add_node', '', formatEndpoint(node));
    await this.child.until(async () => (await this.#statistic('nodes')) > 0, {
      deadlineMs: READY_MS,
      what: 'rtorrent to have a node of the DHT',
    });
  }

  /** Starts a torrent file. */
  async load(torrent: string, dir: string): Promise<void> {
    const bytes = await readFile(torrent);
    await this.call('load.raw_start_verbose', '', bytes, `d.directory.set=${dir}`);
  }

  /** Peers that the DHT has told it of, for a torrent of its; 0 before it has. */
  async found(infoHash: string): Promise<number> {
    const of = infoHash.toUpperCase();
    const [, peers] = await this.call('t.multicall', of, '', 't.url=', 't.latest_sum_peers=');
    return Number(peers ?? 0);
  }

  /**
   * Calls a method, and gives all simple values of its answer and the names of members in their order.
   *
   * @throws {Error} when it refuses.
   */
  async call(method: string, ...args: readonly Argument[]): Promise<readonly string[]> {
    const body = `<methodCall><methodName>${method}</methodName><params>${args.map(param).join('')}</params></methodCall>`;
    const answer = await this.#exchange(body);
    const values = [...answer.matchAll(/<(?:name|string|i4|i8)>([^<]*)</g)].map(
      ([, value = '']) => value,
    );
    if (answer.includes('<fault>'))
      throw new Error(`rtorrent refuses ${method}: ${values.join(' ')}`);
    return values;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.child[Symbol.asyncDispose]();
  }

  async #statistic(name: string): Promise<number> {
    const values = await this.call('dht.statistics', '');
    return Number(values[values.indexOf(name) + 1] ?? 0);
  }

  async #exchange(body: string): Promise<string> {
    const headers = `CONTENT_LENGTH\0${Buffer.byteLength(body)}\0SCGI\0` + '1\0';
    const socket = connect(this.#rpcPort, '127.0.0.1');
    socket.end(`${headers.length}:${headers},${body}`);
    return await text(socket);
  }
}

function param(value: Argument): string {
  const typed =
    typeof value === 'string'
      ? `<string>${value}</string>`
      : `<base64>${Buffer.from(value).toString('base64')}</base64>`;
  return `<param><value>${typed}</value></param>`;
}

function configuration({
  host,
  port,
  rpcPort,
  state,
}: RtorrentOptions & { readonly port: number; readonly rpcPort: number }): string {
  return [
    'system.daemon.set = true',
    `network.scgi.open_port = 127.0.0.1:${rpcPort}`,
    `session.path.set = ${join(state, 'session')}`,
    `network.bind_address.set = ${host}`,
    `network.port_range.set = ${port}-${port}`,
    'network.port_random.set = no',
    'network.port_open.set = yes',
    'protocol.pex.set = no',
    'dht.mode.set = on',
    `dht.port.set = ${port}`,
    `log.open_file = "log", "${join(state, 'log')}"`,
    'log.add_output = "info", "log"',
    'log.add_output = "dht_all", "log"',
    'log.add_output = "tracker_info", "log"',
    '',
  ].join('\n');
}
