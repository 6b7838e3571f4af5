/** libtorrent (rasterbar) as nodes of a DHT, by way of the Python script beside this file. @module */

import { fileURLToPath } from 'node:url';
import { formatHex } from '../../../src/base/bytes.ts';
import { type Endpoint, formatEndpoint } from '../../../src/base/endpoint.ts';
import { Child } from '../child.ts';
import { freePort } from '../free-port.ts';
import { at, isRecord, parseJson, textAt } from '../json.ts';
import { PYTHON } from '../require.ts';
import { READY_MS } from './peer.ts';

const SCRIPT = fileURLToPath(new URL('rasterbar-dht.py', import.meta.url));
/** libtorrent's own searches end after some seconds, whoever is silent. */
const ANSWER_MS = 15_000;

export type LibtorrentAnswer = Readonly<Record<string, unknown>>;
type Argument = Uint8Array | Endpoint | string;

/** One node; what its methods do not return comes as lines, which {@link LibtorrentDht.answers} gives. */
export interface LibtorrentNode {
  readonly endpoint: Endpoint;
  /** 40 hexadecimal digits. */
  readonly id: string;
  /** Gives it a command of the script. */
  tell(command: string, args?: Readonly<Record<string, Argument>>): void;
  /**
   * Gives it a command and waits for the first answer to it that has the given fields.
   *
   * @throws {Error} when there is none, with what the script has printed.
   */
  ask(
    command: string,
    args: Readonly<Record<string, Argument>>,
    answer: Readonly<Record<string, unknown>>,
  ): Promise<LibtorrentAnswer>;
}

/** Several nodes in one process, which know nobody yet. */
export class LibtorrentDht implements AsyncDisposable {
  readonly child: Child;
  readonly nodes: readonly LibtorrentNode[];

  /** A node at each of `hosts`, each on a port of its own. */
  static async start(hosts: readonly string[]): Promise<LibtorrentDht> {
    const endpoints: Endpoint[] = [];
    for (const host of hosts) endpoints.push({ host, port: await freePort() });
    const child = new Child([PYTHON, SCRIPT, ...endpoints.map(formatEndpoint)], { stopBy: 'eof' });
    try {
      const ready = await child.until(() => answersOf(child, { event: 'ready' })[0], {
        deadlineMs: READY_MS,
        what: 'the DHT of libtorrent to be ready',
      });
      return new LibtorrentDht(child, endpoints, ready);
    } catch (error) {
      await child[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(child: Child, endpoints: readonly Endpoint[], ready: LibtorrentAnswer) {
    this.child = child;
    this.nodes = endpoints.map((endpoint, node) => {
      const tell: LibtorrentNode['tell'] = (command, args = {}) =>
        child.write(`${JSON.stringify({ do: command, node, ...plain(args) })}\n`);
      return {
        endpoint,
        id: textAt(ready, 'nodes', node, 'id'),
        tell,
        ask: async (command, args, answer) => {
          const before = this.answers(answer).length;
          tell(command, args);
          return await child.until(() => this.answers(answer)[before], {
            deadlineMs: ANSWER_MS,
            what: `libtorrent to answer ${command} by ${JSON.stringify(answer)}`,
          });
        },
      };
    });
  }

  node(index: number): LibtorrentNode {
    const node = this.nodes[index];
    if (node === undefined) throw new Error(`there are ${this.nodes.length} nodes`);
    return node;
  }

  /** Waits until each node has at least `count` others in its table. */
  async knows(count: number): Promise<void> {
    for (const node of this.nodes) {
      const table = { event: 'table', at: formatEndpoint(node.endpoint) };
      await this.child.until(
        async () => {
          const known = at(await node.ask('table', {}, table), 'nodes');
          return Array.isArray(known) && known.length >= count;
        },
        { deadlineMs: READY_MS, what: `a node of libtorrent to know ${count} others` },
      );
    }
  }

  /** All lines so far that have these fields. */
  answers(fields: Readonly<Record<string, unknown>>): readonly LibtorrentAnswer[] {
    return answersOf(this.child, fields);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.child[Symbol.asyncDispose]();
  }
}

function answersOf(child: Child, fields: Readonly<Record<string, unknown>>): LibtorrentAnswer[] {
  const wanted = Object.entries(fields);
  return child.lines
    .map(parseJson)
    .filter(isRecord)
    .filter((line) => wanted.every(([key, value]) => at(line, key) === value));
}

function plain(args: Readonly<Record<string, Argument>>): Record<string, string> {
  return Object.fromEntries(Object.entries(args).map(([key, value]) => [key, textOf(value)]));
}

function textOf(value: Argument): string {
  if (typeof value === 'string') return value;
  return value instanceof Uint8Array ? formatHex(value) : formatEndpoint(value);
}
