/** One thread of a tracker, over sockets that only write down what they send. */

import { expect, test } from 'vitest';
import type { Endpoint } from '../../../src/base/endpoint.ts';
import type { Datagrams } from '../../../src/runtime/ports.ts';
import { allocateCounters } from '../../../src/tracker/server/counters.ts';
import {
  createAnswer,
  type RemoteAnswer,
  type RemoteSwarms,
} from '../../../src/tracker/server/model.ts';
import { serveTracker } from '../../../src/tracker/server/serving.ts';
import { decodeResponse } from '../../../src/tracker/udp/codec.ts';
import { makeWorld } from '../../sim/world.ts';
import { NEVER } from '../world.ts';
import { ANSWERS } from './service-world.ts';
import { createStore } from './store/naive.ts';
import { announcePacket, connectPacket } from './udp-desk.ts';

const CLIENT: Endpoint = { host: '203.0.113.1', port: 5000 };

class Recorder implements Datagrams {
  readonly local: Endpoint;
  readonly sent: { readonly bytes: Uint8Array; readonly to: Endpoint }[] = [];
  #listener: (bytes: Uint8Array, from: Endpoint) => void = () => undefined;

  constructor(local: Endpoint) {
    this.local = local;
  }
  send(bytes: Uint8Array, to: Endpoint): void {
    this.sent.push({ bytes: bytes.slice(), to });
  }
  receive(listener: (bytes: Uint8Array, from: Endpoint) => void): void {
    this.#listener = listener;
  }
  hear(bytes: Uint8Array): void {
    this.#listener(bytes, CLIENT);
  }
  async [Symbol.asyncDispose](): Promise<void> {}
}

test('what is answered later leaves by the socket that was asked, whatever others heard meanwhile', async () => {
  const { runtime } = makeWorld().host('198.51.100.1');
  const sockets: Recorder[] = [];
  const network = {
    ...runtime.network,
    async bindDatagrams({ host = '', port = 0 }): Promise<Datagrams> {
      const socket = new Recorder({ host, port });
      sockets.push(socket);
      return socket;
    },
  };
  const waiting: ((answer: RemoteAnswer) => void)[] = [];
  const remote: RemoteSwarms = {
    up: true,
    pending: 0,
    announce: () => new Promise((resolve) => void waiting.push(resolve)),
    scrape: async () => [],
    async [Symbol.asyncDispose]() {},
  };
  const store = createStore();
  const setup = {
    store: store.handle,
    counters: allocateCounters(1),
    row: 0,
    connectionKey: new Uint8Array(16).fill(7),
    access: {},
    answers: ANSWERS,
    fullScrape: false,
    logAnnounces: false,
    httpLimits: {},
    places: {
      hosts: ['198.51.100.1', '198.51.100.2'],
      port: 6969,
      http: false,
      udp: true,
      reusePort: false,
    },
    shared: { url: 'redis://h', prefix: 'bip:' },
  };
  await using _ = await serveTracker({ ...runtime, network }, setup, {
    signal: NEVER,
    store,
    openShared: async () => remote,
  });
  for (const socket of sockets) socket.hear(connectPacket());
  const ids = sockets.map(({ sent }) => sent.shift()?.bytes.slice(8, 16) ?? new Uint8Array(8));
  // Either is good at the other one, too: they are of the same tracker and for the same client.
  for (const [at, socket] of sockets.entries()) {
    socket.hear(announcePacket(ids[1 - at] ?? new Uint8Array(8), {}));
  }
  expect(sockets.map(({ sent }) => sent)).toEqual([[], []]);
  for (const [at, answer] of waiting.entries()) {
    answer({ ...createAnswer(), local: false, seeders: at });
  }
  for (let turns = 0; turns < 10; turns++) await Promise.resolve();
  const seeders = sockets.map(({ sent }) =>
    sent.map(({ bytes, to }) => ({ to, ...decodeResponse(bytes, 4) })),
  );
  expect(seeders).toMatchObject([
    [{ to: CLIENT, action: 'announce', seeders: 0 }],
    [{ to: CLIENT, action: 'announce', seeders: 1 }],
  ]);
});
