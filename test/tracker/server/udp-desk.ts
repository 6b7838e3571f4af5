/** A tracker behind its UDP half, asked without a network. @module */

import { parseIp } from '../../../src/base/ip.ts';
import { SeededRandom } from '../../../src/runtime/sim/seeded-random.ts';
import { Access, type AccessLists } from '../../../src/tracker/server/access.ts';
import { ServerConnectionIds } from '../../../src/tracker/server/connection-ids.ts';
import {
  allocateCounters,
  type CounterName,
  Counters,
} from '../../../src/tracker/server/counters.ts';
import { EVENT } from '../../../src/tracker/server/model.ts';
import { SwarmStore } from '../../../src/tracker/server/store/index.ts';
import {
  Tracker,
  type TrackerDeps,
  type TrackerOptions,
} from '../../../src/tracker/server/tracker.ts';
import { UdpServer, type UdpServerOptions } from '../../../src/tracker/server/udp.ts';

const OPTIONS: TrackerOptions = {
  intervalSeconds: 1800,
  minIntervalSeconds: 900,
  jitter: 0,
  maxNumWant: 200,
  defaultNumWant: 50,
  ipParameter: 'local',
};

/** Time stands still until it is set. */
class StillClock {
  at = 1000;
  now(): number {
    return this.at;
  }
  schedule(): () => void {
    throw new Error('nothing here waits');
  }
}

export class UdpDesk {
  readonly clock: StillClock = new StillClock();
  readonly store: SwarmStore;
  readonly tracker: Tracker;
  readonly server: UdpServer;
  readonly #counted = allocateCounters(1);

  constructor({
    access,
    tracker,
    deps,
    server,
    limits = {},
  }: {
    readonly access?: AccessLists;
    readonly tracker?: Partial<TrackerOptions>;
    readonly deps?: Partial<TrackerDeps>;
    readonly server?: Partial<UdpServerOptions>;
    readonly limits?: { readonly maxPeers?: number; readonly maxSwarms?: number };
  } = {}) {
    const random = new SeededRandom(7);
    const counters = new Counters(this.#counted);
    const { clock } = this;
    this.store = new SwarmStore({
      shared: false,
      maxPeers: 10_000,
      maxSwarms: 1000,
      maxBytes: 16 * 1024 * 1024,
      random,
      peerLifetimeSeconds: 3600,
      ...limits,
    });
    this.tracker = new Tracker(
      { store: this.store, access: new Access(access), counters, random, clock, ...deps },
      { ...OPTIONS, ...tracker },
    );
    const connectionIds = new ServerConnectionIds(KEY);
    this.server = new UdpServer({
      tracker: this.tracker,
      connectionIds,
      counters,
      clock,
      ...server,
    });
  }

  get counters(): Record<CounterName, number> {
    return Counters.sum(this.#counted);
  }

  /** A copy of what is sent back, empty when nothing is. */
  ask(bytes: Uint8Array, from: string = HOME, port = 5000): Uint8Array {
    const length = this.server.handle(bytes, ip(from), port);
    return this.server.out.slice(0, length);
  }

  /** The connection id that `from` gets. */
  connect(from: string = HOME): Uint8Array {
    return this.ask(connectPacket(), from).slice(8, 16);
  }

  announce(fields: Partial<AnnounceFields> = {}, from: string = HOME): Uint8Array {
    return this.ask(announcePacket(this.connect(from), fields), from);
  }
}

/** Far away: no private address. */
export const HOME = '8.8.4.4';
export const TRANSACTION = 0xdeadbeef;
const KEY: Uint8Array = Uint8Array.from({ length: 16 }, (_, at) => at + 1);

export interface AnnounceFields {
  infoHash: Uint8Array;
  peerId: Uint8Array;
  left: bigint;
  event: number;
  ip: Uint8Array;
  numWant: number;
  port: number;
  options: Uint8Array;
}

export function ip(text: string): Uint8Array {
  const bytes = parseIp(text);
  if (bytes === undefined) throw new Error(`no address: ${text}`);
  return bytes;
}

export function hashOf(seed: number): Uint8Array {
  return Uint8Array.from({ length: 20 }, (_, at) => (seed * 31 + at * 17 + (seed >>> 8)) & 0xff);
}

export function connectPacket(): Uint8Array {
  const view = new DataView(new ArrayBuffer(16));
  view.setBigUint64(0, 0x41727101980n);
  view.setUint32(12, TRANSACTION);
  return new Uint8Array(view.buffer);
}

export function announcePacket(
  connection: Uint8Array,
  fields: Partial<AnnounceFields> = {},
): Uint8Array {
  const { options = new Uint8Array(0), numWant = -1, port = 6881, left = 1n } = fields;
  const packet = new Uint8Array(98 + options.length);
  const view = new DataView(packet.buffer);
  packet.set(connection);
  view.setUint32(8, 1);
  view.setUint32(12, TRANSACTION);
  packet.set(fields.infoHash ?? hashOf(1), 16);
  packet.set(fields.peerId ?? hashOf(200), 36);
  view.setBigUint64(64, left);
  view.setUint32(80, fields.event ?? EVENT.started);
  packet.set(fields.ip ?? [0, 0, 0, 0], 84);
  view.setInt32(92, numWant);
  view.setUint16(96, port);
  packet.set(options, 98);
  return packet;
}

export function scrapePacket(
  connection: Uint8Array,
  infoHashes: readonly Uint8Array[],
): Uint8Array {
  const packet = new Uint8Array(16 + 20 * infoHashes.length);
  packet.set(connection);
  const view = new DataView(packet.buffer);
  view.setUint32(8, 2);
  view.setUint32(12, TRANSACTION);
  for (const [index, hash] of infoHashes.entries()) packet.set(hash, 16 + 20 * index);
  return packet;
}
