/** Where a suite of compliance runs: on the real system or in the simulated world. @module */

import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { nodeRuntime } from '../../src/runtime/node/index.ts';
import type { Runtime } from '../../src/runtime/ports.ts';
import { makeWorld } from '../sim/world.ts';

/** What a web server of a scene is asked and answers; `undefined` breaks off the connection. */
export interface WebRequest {
  readonly target: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}
export interface WebAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}
export type WebHandler = (request: WebRequest) => WebAnswer | undefined;

/** Two machines; on the real system they are one. */
export interface Scene {
  readonly here: Runtime;
  readonly there: Runtime;
  /** The address of `here`, for both. */
  readonly hereHost: string;
  /** The address of `there`, for both. */
  readonly thereHost: string;
  readonly signal: AbortSignal;
  /** An empty directory of `here`. */
  readonly directory: string;
  /** Bytes of a transfer that fills every buffer on the way several times. */
  readonly much: number;
  /** Long enough for everything under way to arrive, without a clock. */
  settle(): Promise<void>;
  /** A web server on `there`; its address without a path. */
  serve(handler: WebHandler): Promise<string>;
}

export interface Place {
  readonly name: 'node' | 'sim';
  run(story: (scene: Scene) => Promise<void>): Promise<void>;
}

const MIB = 1024 * 1024;

export const PLACES: readonly Place[] = [
  { name: 'node', run: runOnNode },
  { name: 'sim', run: runInWorld },
];

async function runOnNode(story: (scene: Scene) => Promise<void>): Promise<void> {
  await using runtime = nodeRuntime();
  await using cleanup = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'bip-runtime-'));
  cleanup.defer(() => rm(directory, { recursive: true, force: true }));
  await story({
    here: runtime,
    there: runtime,
    hereHost: '127.0.0.1',
    thereHost: '127.0.0.1',
    signal: new AbortController().signal,
    directory,
    much: 64 * MIB,
    async settle() {
      for (let turns = 0; turns < 20; turns++) await turn();
    },
    async serve(handler) {
      const server = createServer((request, response) => {
        const answer = handler({ target: request.url ?? '', headers: request.headers });
        if (answer === undefined) {
          request.socket.destroy();
          return;
        }
        response.writeHead(answer.status ?? 200, answer.headers).end(answer.body);
      });
      await new Promise<void>((resolve) => {
        server.listen(0, '127.0.0.1', resolve);
      });
      cleanup.defer(() => {
        server.closeAllConnections();
        server.close();
      });
      return `http://127.0.0.1:${portOf(server.address())}`;
    },
  });
}

function portOf(address: AddressInfo | string | null): number {
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function runInWorld(story: (scene: Scene) => Promise<void>): Promise<void> {
  const world = makeWorld();
  const here = world.host('10.0.0.1', { jitterMs: 3, loss: 0.001 });
  const there = world.host('10.0.0.2', { upload: 4 * MIB, download: 8 * MIB });
  here.disk.latencyMs = 0.1;
  await world.run(
    here.runtime.files.makeDirectory('/scene').then(() =>
      story({
        here: here.runtime,
        there: there.runtime,
        hereHost: here.address,
        thereHost: there.address,
        signal: new AbortController().signal,
        directory: '/scene',
        much: 4 * MIB,
        settle: () => here.sleep(3000),
        async serve(handler) {
          there.serveHttp(8080, (request) => handler(request));
          return `http://${there.address}:8080`;
        },
      }),
    ),
  );
  await world.runToRest();
  world.assertClosed();
}
