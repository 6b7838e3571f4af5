/** Redis on loopback. What is killed comes back empty, unless it is told to log what it does. @module */

import { connect } from 'node:net';
import { Child } from '../child.ts';
import { freePort } from '../free-port.ts';
import { until } from '../until.ts';
import { READY_MS } from './peer.ts';

export interface RedisOptions {
  /** Where it keeps its state. */
  readonly state: string;
  readonly password?: string;
  /** Keep a log of all writes, and come back with them. */
  readonly appendOnly?: boolean;
  /** A node of a cluster; join them by {@link formCluster}. */
  readonly cluster?: boolean;
}

/** A server on one port, whoever runs there at the time. */
export class RedisServer implements AsyncDisposable {
  readonly port: number;
  readonly #options: RedisOptions;
  #child: Child | undefined;

  private constructor(port: number, options: RedisOptions) {
    this.port = port;
    this.#options = options;
  }

  static async start(options: RedisOptions): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), options);
    await server.start();
    return server;
  }

  get url(): string {
    const { password } = this.#options;
    const who = password === undefined ? '' : `:${encodeURIComponent(password)}@`;
    return `redis://${who}127.0.0.1:${this.port}`;
  }

  /** Starts it after it was killed. */
  async start(): Promise<void> {
    const { state, password, appendOnly = false, cluster } = this.#options;
    const settings = {
      port: String(this.port),
      bind: '127.0.0.1',
      save: '',
      appendonly: appendOnly ? 'yes' : 'no',
      dir: state,
      'enable-debug-command': 'yes',
      ...(password === undefined ? {} : { requirepass: password }),
      ...(cluster === true ? clusterSettings(this.port) : {}),
    };
    const flags = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
    this.#child = new Child(['redis-server', ...flags], { cwd: state });
    try {
      await this.#child.until(async () => /^(?:PONG|NOAUTH)/.test(await this.ask('PING')), {
        deadlineMs: READY_MS,
        what: 'redis-server to answer',
      });
    } catch (error) {
      await this[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Ends it at once, as a loss of power would. */
  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.#child?.ended(READY_MS);
  }

  /** Stops it in its tracks: connections stay, and nothing answers. */
  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  /** The answer to an inline command as Redis writes it, without its marks; empty when there is none. */
  ask(command: string): Promise<string> {
    const { password } = this.#options;
    const login = password === undefined ? '' : `AUTH ${password}\r\n`;
    return new Promise((resolve) => {
      let text = '';
      const socket = connect(this.port, '127.0.0.1', () => {
        socket.end(`${login}${command}\r\n`);
      });
      socket.setTimeout(2_000, () => socket.destroy());
      socket.on('data', (data) => {
        text += data.toString('latin1');
      });
      socket.on('error', () => undefined);
      socket.on('close', () => {
        const answer = password === undefined ? text : text.replace(/^\+OK\r\n/, '');
        resolve(answer.replace(/^[+:-]/, '').trimEnd());
      });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child?.kill('SIGCONT');
    await this.#child?.[Symbol.asyncDispose]();
  }
}

/** Nodes of a cluster fail over, and forget each other, only much later than a test takes. */
function clusterSettings(port: number): Readonly<Record<string, string>> {
  return {
    'cluster-enabled': 'yes',
    'cluster-config-file': `nodes-${port}.conf`,
    'cluster-node-timeout': '60000',
    // The usual one is 10,000 above, which may be somebody's.
    'cluster-port': String(port + 12_000),
  };
}

const SLOTS = 16_384;

/** Makes nodes know each other, each with its share of the slots, and waits until they serve. */
export async function formCluster(nodes: readonly RedisServer[]): Promise<void> {
  const [first] = nodes;
  const share = Math.ceil(SLOTS / nodes.length);
  for (const [index, node] of nodes.entries()) {
    const from = index * share;
    const to = Math.min(from + share, SLOTS) - 1;
    await node.ask(`CLUSTER ADDSLOTSRANGE ${from} ${to}`);
    await node.ask(`CLUSTER SET-CONFIG-EPOCH ${index + 1}`);
    if (first !== undefined && node !== first) {
      await first.ask(`CLUSTER MEET 127.0.0.1 ${node.port} ${node.port + 12_000}`);
    }
  }
  for (const node of nodes) {
    await until(
      async () => {
        const info = await node.ask('CLUSTER INFO');
        return /cluster_state:ok/.test(info) && info.includes(`cluster_size:${nodes.length}`);
      },
      { deadlineMs: READY_MS, what: 'the cluster to serve' },
    );
  }
}
