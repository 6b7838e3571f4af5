/** Where a suite of compliance runs: on the real system or in the simulated world. @module */

import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { WebSocketServer } from 'ws';
import { nodeRuntime } from '../../src/runtime/node/index.ts';
import type { Runtime, WebSocketLink } from '../../src/runtime/ports.ts';
import { makeWorld } from '../sim/world.ts';
import { tinyNameServer } from './tiny-name-server.ts';

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

/** What a WebSocket server of a scene does with each text: further texts, or the end. */
export interface SocketService {
  message(text: string, target: string): readonly string[] | 'close';
  /** Texts that it sends first. */
  readonly greeting?: readonly string[];
  /** A connection is gone. */
  closed?(): void;
}

/** Two machines; on the real system they are one. */
export interface Scene {
  readonly here: Runtime;
  readonly there: Runtime;
  /** The address of `here`, for both. */
  readonly hereHost: string;
  /** The address of `there`, for both. */
  readonly thereHost: string;
  /** The interface of `here` and that of `there` on the network that both are in. */
  readonly hereInterface: string;
  readonly thereInterface: string;
  readonly signal: AbortSignal;
  /** An empty directory of `here`. */
  readonly directory: string;
  /** Bytes of a transfer that fills every buffer on the way several times. */
  readonly much: number;
  /** Long enough for everything under way to arrive, without a clock. */
  settle(): Promise<void>;
  /** A web server on `there`; its address without a path. */
  serve(handler: WebHandler): Promise<string>;
  /** A WebSocket server on `there`; its address without a path. */
  serveWebSockets(service: SocketService): Promise<string>;
  /** Makes `name` have these TXT records, and no others. */
  publishTexts(name: string, texts: readonly string[]): void;
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
  await using cleanup = new AsyncDisposableStack();
  const names = await tinyNameServer();
  cleanup.defer(() => names.close());
  await using runtime = nodeRuntime({ nameServers: [names.address] });
  const directory = await mkdtemp(join(tmpdir(), 'bip-runtime-'));
  cleanup.defer(() => rm(directory, { recursive: true, force: true }));
  await story({
    here: runtime,
    there: runtime,
    hereHost: '127.0.0.1',
    thereHost: '127.0.0.1',
    hereInterface: loopbackOf(runtime),
    thereInterface: loopbackOf(runtime),
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
    serveWebSockets: (service) => serveOnNode(service, cleanup),
    publishTexts: (name, texts) => names.set(name, texts),
  });
}

function loopbackOf({ lookup }: Runtime): string {
  const loopback = lookup.interfaces().find(({ address }) => address === '127.0.0.1');
  if (loopback === undefined) throw new Error('no interface has 127.0.0.1');
  return loopback.interface;
}

async function serveOnNode(service: SocketService, cleanup: AsyncDisposableStack): Promise<string> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  server.on('connection', (socket, { url = '' }) => {
    for (const text of service.greeting ?? []) socket.send(text);
    socket.on('error', () => undefined);
    socket.on('close', () => service.closed?.());
    socket.on('message', (data) => {
      const said = service.message(data instanceof Uint8Array ? data.toString() : '', url);
      if (said === 'close') socket.close();
      else for (const text of said) socket.send(text);
    });
  });
  cleanup.defer(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  return `ws://127.0.0.1:${portOf(server.address())}`;
}

function portOf(address: AddressInfo | string | null): number {
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function runInWorld(story: (scene: Scene) => Promise<void>): Promise<void> {
  const world = makeWorld();
  const here = world.host('10.0.0.1', { jitterMs: 3, loss: 0.001, lans: ['lan'] });
  const line = { upload: 4 * MIB, download: 8 * MIB };
  const there = world.host('10.0.0.2', { ...line, lans: ['lan'] });
  here.disk.latencyMs = 0.1;
  await world.run(
    here.runtime.files.makeDirectory('/scene').then(() =>
      story({
        here: here.runtime,
        there: there.runtime,
        hereHost: here.address,
        thereHost: there.address,
        hereInterface: 'eth0',
        thereInterface: 'eth0',
        signal: new AbortController().signal,
        directory: '/scene',
        much: 4 * MIB,
        settle: () => here.sleep(3000),
        async serve(handler) {
          there.serveHttp(8080, (request) => handler(request));
          return `http://${there.address}:8080`;
        },
        async serveWebSockets(service) {
          there.serveWebSockets(8081, (link, target) => serveInWorld(service, link, target));
          return `ws://${there.address}:8081`;
        },
        publishTexts: (name, texts) => world.names.setTexts(name, texts),
      }),
    ),
  );
  await world.runToRest();
  world.assertClosed();
}

function serveInWorld(service: SocketService, link: WebSocketLink, target: string): void {
  for (const text of service.greeting ?? []) link.send(text);
  link.open({
    message(text) {
      const said = service.message(text, target);
      if (said === 'close') void link[Symbol.asyncDispose]();
      else for (const answer of said) link.send(answer);
    },
    closed: () => service.closed?.(),
  });
}
