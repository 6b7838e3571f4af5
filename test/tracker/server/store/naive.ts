/** A store as one would write it in an hour, to hold the real one to: maps, and time in plain numbers. */

import { formatHex } from '../../../../src/base/bytes.ts';
import { SeededRandom } from '../../../../src/runtime/sim/index.ts';
import {
  createAnswer,
  EVENT,
  type IncomingAnnounce,
  type SwarmAnswer,
  type SwarmCounts,
  type Wanted,
} from '../../../../src/tracker/server/model.ts';
import { SwarmStore, type SwarmStoreOptions } from '../../../../src/tracker/server/store/index.ts';

export function createStore(options: Partial<SwarmStoreOptions> = {}): SwarmStore {
  return new SwarmStore({
    shared: false,
    maxPeers: 100_000,
    maxSwarms: 1000,
    maxBytes: 64 * 1024 * 1024,
    random: new SeededRandom(3),
    peerLifetimeSeconds: 100,
    ...options,
  });
}

/** 20 bytes with a number in them. */
export function hashOf(number: number): Uint8Array {
  const bytes = new Uint8Array(20).fill(0xa5);
  new DataView(bytes.buffer).setUint32(8, number);
  return bytes;
}

export function addressOf(family: 4 | 6, number: number): Uint8Array {
  const bytes = new Uint8Array(family === 4 ? 4 : 16);
  new DataView(bytes.buffer).setUint32(bytes.length - 4, number + 0x0a00_0000);
  return bytes;
}

export function announceOf(changes: Partial<IncomingAnnounce> = {}): IncomingAnnounce {
  return {
    infoHash: hashOf(0),
    peerId: hashOf(7),
    address: addressOf(4, 1),
    port: 6881,
    seeding: false,
    event: EVENT.none,
    numWant: 50,
    ...changes,
  };
}

/** The peers of an answer: `hex of address and port/hex of peer id`. */
export function peersOf(answer: SwarmAnswer): readonly string[] {
  const list = (peers: Uint8Array, ids: Uint8Array, count: number, length: number): string[] =>
    Array.from({ length: count }, (_, at) => {
      const peer = formatHex(peers.subarray(at * length, (at + 1) * length));
      return `${peer}/${formatHex(ids.subarray(at * 20, (at + 1) * 20))}`;
    });
  return [
    ...list(answer.peers4, answer.ids4, answer.count4, 6),
    ...list(answer.peers6, answer.ids6, answer.count6, 18),
  ];
}

/** Everything in a store, in an order of its own. */
export function contentOf(store: SwarmStore): readonly string[] {
  const lines: string[] = [];
  for (const { infoHash, completed, peers } of store.swarms()) {
    const name = formatHex(infoHash);
    lines.push(`${name} completed ${completed}`);
    for (const peer of peers) {
      const key = `${formatHex(peer.address)}${peer.port.toString(16).padStart(4, '0')}`;
      const kind = peer.seeding ? 'seed' : 'leech';
      lines.push(`${name} ${key}/${formatHex(peer.peerId)} ${kind} ${peer.ageSeconds}`);
    }
  }
  return [...new Set(lines)].toSorted();
}

interface NaivePeer {
  readonly isFour: boolean;
  readonly seeding: boolean;
  readonly peerId: string;
  readonly at: number;
}

interface NaiveSwarm {
  completed: number;
  readonly peers: Map<string, NaivePeer>;
}

export class NaiveStore {
  time = 0;
  completed = 0;
  readonly swarms: Map<string, NaiveSwarm> = new Map();
  readonly #lifetime: number;

  constructor(lifetime: number) {
    this.#lifetime = lifetime;
  }

  announce(announce: IncomingAnnounce): void {
    const name = formatHex(announce.infoHash);
    const key = keyOf(announce);
    if (announce.event === EVENT.stopped) {
      this.swarms.get(name)?.peers.delete(key);
      this.#settle(name);
      return;
    }
    const swarm: NaiveSwarm = this.swarms.get(name) ?? { completed: 0, peers: new Map() };
    this.swarms.set(name, swarm);
    const completes = announce.event === EVENT.completed;
    if (completes && swarm.peers.get(key)?.seeding !== true) {
      swarm.completed++;
      this.completed++;
    }
    swarm.peers.set(key, {
      isFour: announce.address.length === 4,
      seeding: announce.seeding || completes,
      peerId: formatHex(announce.peerId),
      at: this.time,
    });
  }

  counts(infoHash: Uint8Array): SwarmCounts {
    const swarm = this.swarms.get(formatHex(infoHash));
    const peers = [...(swarm?.peers.values() ?? [])];
    const seeders = peers.filter(({ seeding }) => seeding).length;
    return { seeders, leechers: peers.length - seeders, completed: swarm?.completed ?? 0 };
  }

  /** Whom an announce may be answered with, of its own family and of the other. */
  candidates(announce: IncomingAnnounce): { own: readonly string[]; other: readonly string[] } {
    const isSeed = announce.seeding || announce.event === EVENT.completed;
    const isFour = announce.address.length === 4;
    const peers = [...(this.swarms.get(formatHex(announce.infoHash))?.peers ?? [])].filter(
      ([key, peer]) => key !== keyOf(announce) && !(isSeed && peer.seeding),
    );
    const named = (own: boolean): string[] =>
      peers
        .filter(([, peer]) => (peer.isFour === isFour) === own)
        .map(([key, peer]) => `${key}/${peer.peerId}`);
    return { own: named(true), other: named(false) };
  }

  expire(): number {
    let expired = 0;
    for (const [name, swarm] of this.swarms) {
      for (const [key, peer] of swarm.peers) {
        if (this.time - peer.at < this.#lifetime) continue;
        swarm.peers.delete(key);
        expired++;
      }
      this.#settle(name);
    }
    return expired;
  }

  content(): readonly string[] {
    const lines: string[] = [];
    for (const [name, { completed, peers }] of this.swarms) {
      lines.push(`${name} completed ${completed}`);
      for (const [key, peer] of peers) {
        const kind = peer.seeding ? 'seed' : 'leech';
        lines.push(`${name} ${key}/${peer.peerId} ${kind} ${this.time - peer.at}`);
      }
    }
    return lines.toSorted();
  }

  #settle(name: string): void {
    const swarm = this.swarms.get(name);
    if (swarm?.peers.size === 0 && swarm.completed === 0) this.swarms.delete(name);
  }
}

/** One announce to both; what is wrong with the real answer, if anything. */
export function announceToBoth(
  store: SwarmStore,
  naive: NaiveStore,
  { announce, wanted }: { announce: IncomingAnnounce; wanted: Wanted },
): string | undefined {
  const answer = createAnswer();
  if (!store.announce(announce, wanted, answer)) return 'refused';
  naive.announce(announce);
  const peers = peersOf(answer);
  const counts = naive.counts(announce.infoHash);
  const { seeders, leechers, completed } = answer;
  if (JSON.stringify({ seeders, leechers, completed }) !== JSON.stringify(counts)) {
    return `counts ${seeders} ${leechers} ${completed}, not ${JSON.stringify(counts)}`;
  }
  if (announce.event === EVENT.stopped) return peers.length === 0 ? undefined : 'peers for stopped';
  return faultOfPeers(peers, naive.candidates(announce), { announce, wanted });
}

function faultOfPeers(
  peers: readonly string[],
  { own, other }: { own: readonly string[]; other: readonly string[] },
  { announce, wanted }: { announce: IncomingAnnounce; wanted: Wanted },
): string | undefined {
  const owns = new Set(own);
  const others = new Set(wanted === 'both-families' ? other : []);
  const ownCount = Math.min(announce.numWant, owns.size);
  const count = ownCount + Math.min(announce.numWant - ownCount, others.size);
  if (new Set(peers).size !== peers.length) return 'a peer twice';
  if (peers.length !== count) return `${peers.length} peers, not ${count}`;
  if (peers.filter((peer) => owns.has(peer)).length !== ownCount) return 'not its own family first';
  if (!peers.every((peer) => owns.has(peer) || others.has(peer))) return 'a wrong peer';
  return undefined;
}

function keyOf({ address, port }: IncomingAnnounce): string {
  return formatHex(address) + port.toString(16).padStart(4, '0');
}
