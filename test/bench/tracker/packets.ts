/** Packets of BEP 15, made beforehand, in a file for blast.py. @module */

import { writeFile } from 'node:fs/promises';
import type { Population } from './population.ts';

/** A file of packets, and what they are to be answered with; blast.py says more. */
export interface Load {
  readonly file: string;
  readonly stride: number;
  readonly lengths: readonly number[];
  readonly actions: readonly number[];
  readonly head: number;
  readonly entry: number;
  /** Fewer entries are no answer. */
  readonly least: number;
}

/** What an announce asks and says. */
export interface Announce {
  readonly numWant: number;
  readonly event: 'none' | 'started';
}

const CONNECT = 16;
const ANNOUNCE = 98;
const ACTION = { connect: 0, announce: 1, scrape: 2 } as const;
const EVENTS: Readonly<Record<Announce['event'], number>> = { none: 0, started: 2 };
const PROTOCOL_ID = 0x41727101980n;
const PEERS = { head: 20, entry: 6 } as const;
const COUNTS = { head: 8, entry: 12 } as const;
/** Torrents of one scrape. */
const SCRAPED = 10;
/** blast.py looks at the heads as words. */
const ANNOUNCE_STRIDE = 100;

/** One announce of each peer. */
export async function writeAnnounces(
  file: string,
  population: Population,
  announce: Announce,
): Promise<Load> {
  const packets = Buffer.alloc(population.peers * ANNOUNCE_STRIDE);
  for (let index = 0; index < population.peers; index++) {
    const packet = packets.subarray(index * ANNOUNCE_STRIDE, (index + 1) * ANNOUNCE_STRIDE);
    fillAnnounce(packet, population, index, announce);
  }
  await writeFile(file, packets);
  const shape = { stride: ANNOUNCE_STRIDE, lengths: [ANNOUNCE], actions: [ACTION.announce] };
  return { file, ...shape, ...PEERS, least: announce.numWant };
}

/** A connect and an announce, by turns. */
export async function writeConnects(
  file: string,
  population: Population,
  numWant: number,
): Promise<Load> {
  const packets = Buffer.alloc(population.peers * ANNOUNCE_STRIDE);
  for (let index = 0; index < population.peers; index++) {
    const packet = packets.subarray(index * ANNOUNCE_STRIDE, (index + 1) * ANNOUNCE_STRIDE);
    if (index % 2 === 1) {
      fillAnnounce(packet, population, index, { numWant, event: 'none' });
      continue;
    }
    packet.writeBigUInt64BE(PROTOCOL_ID, 0);
    packet.writeUInt32LE(index, 12);
  }
  await writeFile(file, packets);
  const actions = [ACTION.connect, ACTION.announce];
  const shape = { stride: ANNOUNCE_STRIDE, lengths: [CONNECT, ANNOUNCE], actions };
  return { file, ...shape, ...PEERS, least: numWant };
}

/** Scrapes of ten torrents each. */
export async function writeScrapes(file: string, population: Population): Promise<Load> {
  const length = CONNECT + SCRAPED * 20;
  const count = population.swarms - (population.swarms % 16);
  const packets = Buffer.alloc(count * length);
  for (let index = 0; index < count; index++) {
    const packet = packets.subarray(index * length, (index + 1) * length);
    packet.writeUInt32BE(ACTION.scrape, 8);
    packet.writeUInt32LE(index, 12);
    for (let nth = 0; nth < SCRAPED; nth++) {
      packet.set(population.infoHash(index * SCRAPED + nth), CONNECT + nth * 20);
    }
  }
  await writeFile(file, packets);
  const shape = { stride: length, lengths: [length], actions: [ACTION.scrape] };
  return { file, ...shape, ...COUNTS, least: SCRAPED };
}

function fillAnnounce(
  packet: Buffer,
  population: Population,
  index: number,
  { numWant, event }: Announce,
): void {
  const { swarm, port, seeding, id } = population.peer(index);
  packet.writeUInt32BE(ACTION.announce, 8);
  packet.writeUInt32LE(index, 12);
  packet.set(population.infoHash(swarm), 16);
  packet.write(id, 36, 'latin1');
  packet.writeBigUInt64BE(seeding ? 0n : 1_000_000n, 64);
  packet.writeUInt32BE(EVENTS[event], 80);
  packet.writeUInt32BE(index, 88);
  packet.writeInt32BE(numWant, 92);
  packet.writeUInt16BE(port, 96);
}
