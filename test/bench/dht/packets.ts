/** Queries as others send them. @module */

import { type KrpcQuery, KrpcWriter } from '../../../src/dht/krpc/index.ts';
import { SeededRandom } from '../../../src/runtime/sim/index.ts';
import type { Population } from './population.ts';

export const KINDS = ['ping', 'find_node', 'get_peers'] as const;
export type Kind = (typeof KINDS)[number];

/** So many different queries of a kind, as packets; the transaction is at {@link transactionAt}. */
export function packetsOf(kind: Kind, { infoHashes }: Population, count: number): Uint8Array[] {
  const random = new SeededRandom(6);
  const writer = new KrpcWriter();
  const id = Uint8Array.from(random.bytes(20));
  return Array.from({ length: count }, () => {
    const infoHash = infoHashes[random.below(infoHashes.length)];
    const target = Uint8Array.from(random.bytes(20));
    const args: KrpcQuery['args'] =
      kind === 'ping' ? { id } : kind === 'find_node' ? { id, target } : { id, infoHash };
    const query = { type: 'query', transaction: new Uint8Array(4).fill(0x20) } as const;
    return writer.encode({ ...query, method: kind, args, readOnly: true }).slice();
  });
}

/** Where the four bytes of the transaction are in a packet of {@link packetsOf}. */
export function transactionAt(packet: Uint8Array): number {
  return Buffer.from(packet).lastIndexOf('1:t4:') + 5;
}
