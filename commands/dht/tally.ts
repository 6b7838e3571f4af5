/** What has come of a search so far, in all families. @module */

import { formatHex } from '../../src/base/bytes.ts';
import { formatEndpoint } from '../../src/base/endpoint.ts';
import { NetworkError } from '../../src/base/errors.ts';
import {
  commonPrefixBits,
  compareDistance,
  type Family,
  type LookupEvent,
  type LookupNode,
} from '../../src/dht/index.ts';

/** A node that answered. */
export interface NamedNode extends LookupNode {
  readonly id: Uint8Array;
  readonly family: Family;
}

/** Counts nodes, not queries: some are asked twice. */
export class Tally {
  readonly #asked = new Set<string>();
  readonly #answered = new Map<string, NamedNode>();

  add({ type, family, node }: LookupEvent): void {
    const key = formatEndpoint(node.endpoint);
    if (type === 'asked') this.#asked.add(key);
    const { endpoint, id, hop } = node;
    if (type === 'answered' && id !== undefined) {
      this.#answered.set(key, { endpoint, id, hop, family });
    }
  }

  get asked(): number {
    return this.#asked.size;
  }

  get answered(): number {
    return this.#answered.size;
  }

  /** The closest that answered, up to {@link CLOSEST} of each family, nearest first. */
  closest(target: Uint8Array): readonly NamedNode[] {
    const sorted = [...this.#answered.values()].toSorted((a, b) =>
      compareDistance(target, a.id, b.id),
    );
    const near = ([4, 6] as const).flatMap((family) =>
      sorted.filter((node) => node.family === family).slice(0, CLOSEST),
    );
    return sorted.filter((node) => near.includes(node));
  }

  /** @throws {NetworkError} `BIP_DHT_SILENT` when nobody answered. */
  check(): void {
    if (this.answered > 0) return;
    const help = '--bootstrap HOST:PORT names others';
    throw new NetworkError(
      this.asked === 0
        ? `none of the nodes to begin with has an address here; ${help}`
        : `no node of the DHT answered; ${this.asked} were asked; ${help}`,
      { code: 'BIP_DHT_SILENT' },
    );
  }
}

/** How far a node is from a target, in bits: 0 for the target itself, 160 for half of all ids. */
export function distanceBits(target: Uint8Array, id: Uint8Array): number {
  return ID_BITS - commonPrefixBits(target, id);
}

/** A node as JSON has it; a node of which only the address is known has no more. */
export function nodeJson({ endpoint, id, hop }: LookupNode, target: Uint8Array): object {
  return {
    address: formatEndpoint(endpoint),
    nodeId: id && formatHex(id),
    hop,
    distanceBits: id && distanceBits(target, id),
  };
}

const ID_BITS = 160;
/** Kademlia's k: so many are responsible for a key. */
const CLOSEST = 8;
