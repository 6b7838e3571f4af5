/** What the nodes of the bench know: torrents with peers, and other nodes. @module */

import { SeededRandom } from '../../../src/runtime/sim/index.ts';

export const TORRENTS = 2000;
export const PEERS_PER_TORRENT = 50;
const NODES = 400;

export interface Population {
  readonly infoHashes: readonly Uint8Array[];
  /** Compact peers of one of the torrents, 6 bytes each. */
  peersOf(torrent: number): readonly Uint8Array[];
  /** Other nodes, each in a network of its own. */
  readonly nodes: readonly {
    readonly id: Uint8Array;
    readonly host: string;
    readonly port: number;
  }[];
}

/** The same for all programs. */
export function population(): Population {
  const random = new SeededRandom(5);
  const id = (): Uint8Array => Uint8Array.from(random.bytes(20));
  return {
    infoHashes: Array.from({ length: TORRENTS }, id),
    peersOf: (torrent) =>
      Array.from({ length: PEERS_PER_TORRENT }, (_, at) =>
        Uint8Array.of(40 + (torrent >>> 8), torrent & 0xff, at, 1 + (torrent % 250), 0x1a, 0xe1),
      ),
    nodes: Array.from({ length: NODES }, (_, at) => ({
      id: id(),
      host: `80.${at >>> 8}.${at & 0xff}.1`,
      port: 6881,
    })),
  };
}
