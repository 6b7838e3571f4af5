/** What one message costs a node of bip: bytes in, bytes out, without a socket. @module */

import type { Endpoint } from '../../../src/base/endpoint.ts';
import { DhtNode } from '../../../src/dht/index.ts';
import { nodeRuntime } from '../../../src/runtime/node/index.ts';
import type { Datagrams, Network } from '../../../src/runtime/ports.ts';
import { KINDS, packetsOf } from './packets.ts';
import { type Population, population } from './population.ts';

export interface Cost {
  readonly kind: string;
  /** Microseconds of CPU. */
  readonly micros: number;
  /** Of an answer. */
  readonly bytes: number;
}

const PACKETS = 1024;
const ROUNDS = 7;
/** CPU time of one measurement, at least. */
const MEASURE_MS = 150;

/** Medians of several rounds, the kinds alternating. @throws {Error} when something is not answered. */
export async function inProcess(): Promise<readonly Cost[]> {
  const known = population();
  await using runtime = nodeRuntime();
  const wire = new Wire();
  await using node = await openBip({ ...runtime, network: wire }, 6881);
  fillBip(node, known);
  const cases = KINDS.map((kind) => ({ kind, packets: packetsOf(kind, known, PACKETS) }));
  const costs = new Map<string, number[]>();
  const bytes = new Map<string, number>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const { kind, packets } of cases) {
      const { micros, length } = measure(wire, packets);
      costs.set(kind, [...(costs.get(kind) ?? []), micros]);
      bytes.set(kind, length);
    }
  }
  return [...costs].map(([kind, all]) => ({
    kind,
    micros: all.toSorted((a, b) => a - b)[ROUNDS >> 1] ?? 0,
    bytes: Math.round(bytes.get(kind) ?? 0),
  }));
}

function measure(
  wire: Wire,
  packets: readonly Uint8Array[],
): { readonly micros: number; readonly length: number } {
  const from = { host: '127.0.0.1', port: 7000 };
  const [sent, length] = [wire.sent, wire.bytes];
  let messages = 0;
  const before = process.cpuUsage();
  for (;;) {
    for (const packet of packets) wire.receiver(packet, from);
    messages += packets.length;
    const { user, system } = process.cpuUsage(before);
    if (user + system < MEASURE_MS * 1000) continue;
    if (wire.sent - sent !== messages) throw new Error('some queries were not answered');
    return { micros: (user + system) / messages, length: (wire.bytes - length) / messages };
  }
}

/** A node of bip on loopback. */
export async function openBip(
  runtime: Parameters<typeof DhtNode.open>[0],
  port: number,
): Promise<DhtNode> {
  return await DhtNode.open(runtime, {
    signal: new AbortController().signal,
    port,
    hosts: ['127.0.0.1'],
    bootstrap: [],
    readOnly: false,
  });
}

export function fillBip(node: DhtNode, { infoHashes, peersOf, nodes }: Population): void {
  const now = performance.now();
  for (const [torrent, infoHash] of infoHashes.entries()) {
    for (const peer of peersOf(torrent))
      node.stores.peers.announce(infoHash, peer, { seed: false }, now);
  }
  for (const { id, host, port } of nodes) {
    for (const { table } of node.realms) table.answered({ id, endpoint: { host, port } }, 50, now);
  }
}

class Wire implements Network {
  sent = 0;
  bytes = 0;
  receiver: (bytes: Uint8Array, from: Endpoint) => void = () => undefined;

  async bindDatagrams({ host = '127.0.0.1', port = 0 }): Promise<Datagrams> {
    return {
      local: { host, port },
      send: (bytes) => {
        this.sent++;
        this.bytes += bytes.length;
      },
      receive: (listener) => {
        this.receiver = listener;
      },
      [Symbol.asyncDispose]: async () => undefined,
    };
  }

  async connect(): Promise<never> {
    throw new Error('the DHT connects to nobody');
  }

  async listen(): Promise<never> {
    throw new Error('the DHT listens for nobody');
  }
}
