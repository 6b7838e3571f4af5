/** Swarms and their peers, the same for all trackers. @module */

import { createHash } from 'node:crypto';

/** Peers come from so many addresses, 127.0.0.2 and those that follow. */
export const ADDRESSES = 8;
/** One peer of so many has nothing left to download. */
const SEED_OF = 10;
const FIRST_PORT = 1024;
const MOST_PORTS = 60_000;

export interface Peer {
  /** Index of its swarm. */
  readonly swarm: number;
  /** Which of the {@link ADDRESSES} it comes from. */
  readonly address: number;
  readonly port: number;
  readonly seeding: boolean;
  /** 20 ASCII bytes. */
  readonly id: string;
}

/** Peer n belongs to swarm n modulo their number. */
export class Population {
  readonly swarms: number;
  readonly peers: number;
  readonly infoHashes: readonly Uint8Array[];

  /** @throws {RangeError} for more peers than ports. */
  constructor({ swarms, peers }: { readonly swarms: number; readonly peers: number }) {
    if (peers / swarms > MOST_PORTS)
      throw new RangeError(`a swarm has ${MOST_PORTS} peers at most`);
    this.swarms = swarms;
    // All addresses get equal shares.
    this.peers = peers - (peers % (2 * ADDRESSES));
    this.infoHashes = Array.from({ length: swarms }, (_, at) =>
      createHash('sha1').update(`swarm ${at}`).digest(),
    );
  }

  infoHash(index: number): Uint8Array {
    const found = this.infoHashes[index % this.swarms];
    if (found === undefined) throw new RangeError(`there is no swarm ${index}`);
    return found;
  }

  peer(index: number): Peer {
    const row = Math.floor(index / this.swarms);
    return {
      swarm: index % this.swarms,
      address: Math.floor(index / (this.peers / ADDRESSES)),
      port: FIRST_PORT + row,
      seeding: row % SEED_OF === 0,
      id: `-XX0001-${String(index).padStart(12, '0')}`,
    };
  }
}
