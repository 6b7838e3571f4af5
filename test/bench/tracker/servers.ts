/** The trackers that are measured. @module */

import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { npmPeers } from '../../../scripts/npm-peers.ts';
import { Child } from '../../interop/child.ts';
import { freePort } from '../../interop/free-port.ts';
import { numberAt, parseJson, textAt } from '../../interop/json.ts';
import { startNpmTracker } from '../../interop/peers/npm-tracker.ts';
import { startOpentracker } from '../../interop/peers/opentracker.ts';
import { READY_MS } from '../../interop/peers/peer.ts';
import { RedisServer } from '../../interop/peers/redis.ts';
import { BIP } from '../download/contestants.ts';
import type { Population } from './population.ts';

/** A running tracker on 127.0.0.1. */
export interface Server extends AsyncDisposable {
  /** The tracker itself, then who helps it. */
  readonly pids: readonly [number, ...number[]];
  /** Of UDP and HTTP. */
  readonly port: number;
  /** What swarms and peers take by its own count, in bytes; `undefined` when it does not say. */
  storeBytes?(): Promise<number>;
}

export interface ServerOptions {
  readonly population: Population;
  /** A folder for its files. */
  readonly state: string;
}

export interface Contestant {
  readonly name: string;
  /** More peers it never gives. */
  readonly mostPeers: number;
  /** Whether it keeps connections of HTTP. */
  readonly keepsAlive: boolean;
  /** Says what is missing where it cannot run. */
  missing(): string | undefined;
  start(options: ServerOptions): Promise<Server>;
}

export const OPENTRACKER: Contestant = {
  name: 'opentracker',
  mostPeers: 200,
  // Debian's build closes every connection.
  keepsAlive: false,
  missing: () => (isOnPath('opentracker') ? undefined : 'apt-get install -y opentracker'),
  async start({ population, state }) {
    const port = await freePort();
    const infoHashes = population.infoHashes.map((hash) => Buffer.from(hash).toString('hex'));
    const tracker = await startOpentracker({ port, infoHashes, state });
    return {
      pids: [tracker.pid],
      port,
      [Symbol.asyncDispose]: () => tracker[Symbol.asyncDispose](),
    };
  },
};

export const NPM: Contestant = {
  name: 'bittorrent-tracker',
  mostPeers: 82,
  keepsAlive: true,
  missing: () => (npmPeers() === undefined ? 'npm cannot install it here' : undefined),
  async start() {
    const tracker = await startNpmTracker();
    return {
      pids: [tracker.pid],
      port: tracker.port,
      [Symbol.asyncDispose]: () => tracker[Symbol.asyncDispose](),
    };
  },
};

/** No tracker: what Node costs each that runs on it. */
export const BARE: Contestant = {
  name: 'Node alone',
  mostPeers: 200,
  keepsAlive: true,
  missing: () => undefined,
  async start() {
    const child = new Child([process.execPath, join(import.meta.dirname, 'bare.ts')]);
    try {
      const port = await child.until(() => child.lines[0], {
        deadlineMs: READY_MS,
        what: 'Node to listen',
      });
      return {
        pids: [child.pid],
        port: Number(port),
        [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
      };
    } catch (error) {
      await child[Symbol.asyncDispose]();
      throw error;
    }
  },
};

/** bip as a bundle, with further flags. */
export function bip(name: string, flags: readonly string[] = [], bundle: string = BIP): Contestant {
  return {
    name,
    mostPeers: 200,
    keepsAlive: true,
    missing: () => undefined,
    start: () => startBip(bundle, flags),
  };
}

/** bip with its swarms in a Redis of its own. */
export const BIP_REDIS: Contestant = {
  ...bip('bip with Redis'),
  missing: () => (isOnPath('redis-server') ? undefined : 'apt-get install -y redis-server'),
  async start({ state }) {
    await mkdir(state, { recursive: true });
    await using stack = new AsyncDisposableStack();
    const redis = stack.use(await RedisServer.start({ state }));
    const server = stack.use(await startBip(BIP, ['--store', redis.url]));
    const open = stack.move();
    return {
      pids: [...server.pids, numberIn(await redis.ask('INFO server'), 'process_id')],
      port: server.port,
      storeBytes: async () => numberIn(await redis.ask('INFO memory'), 'used_memory'),
      [Symbol.asyncDispose]: () => open.disposeAsync(),
    };
  },
};

async function startBip(bundle: string, flags: readonly string[]): Promise<Server> {
  const serve = ['tracker', 'serve', '--host', '127.0.0.1', '--port', '0', '--no-rate-limit'];
  const node = [process.execPath, ...nodeFlags()];
  const child = new Child(
    [...node, bundle, '--json', ...serve, '--stats', '0', ...flags],
    // The configuration of whoever measures is not to matter.
    { env: { XDG_CONFIG_HOME: '/nonexistent', NO_COLOR: '1' } },
  );
  try {
    const listening = await child.until(
      () => child.lines.map(parseJson).find((line) => textAt(line, 'type') === 'listening'),
      { deadlineMs: READY_MS, what: 'bip to listen' },
    );
    return {
      pids: [child.pid],
      port: Number(new URL(textAt(listening, 'announce', 0)).port),
      storeBytes: async () => {
        const answer = await fetch(new URL('/stats', textAt(listening, 'stats')));
        return numberAt(parseJson(await answer.text()), 'memory', 'usedBytes');
      },
      [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
    };
  } catch (error) {
    await child[Symbol.asyncDispose]();
    throw error;
  }
}

/** For profiles: `BIP_BENCH_NODE='--cpu-prof --cpu-prof-dir=/tmp'`. */
function nodeFlags(): readonly string[] {
  return (process.env['BIP_BENCH_NODE'] ?? '').split(' ').filter((flag) => flag !== '');
}

function isOnPath(program: string): boolean {
  const folders = (process.env['PATH'] ?? '').split(':');
  return folders.some((folder) => existsSync(`${folder}/${program}`));
}

/** A number out of what Redis tells of itself. */
function numberIn(info: string, name: string): number {
  return Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
}
