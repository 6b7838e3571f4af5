/**
 * One part of the id space that is asked to the end: all nodes whose ids begin with the same bits. Pure:
 * told who was named and what became of queries, asked whom to query next.
 *
 * @module
 */

import { type Endpoint, formatEndpoint } from '../../base/endpoint.ts';
import { parseIp } from '../../base/ip.ts';
import type { Random } from '../../runtime/ports.ts';
import type { Contact } from '../contact.ts';
import { commonPrefixBits, randomIdWithPrefix } from '../distance.ts';
import { isPlausible } from '../plausible.ts';
import type { ZoneCount } from './estimate.ts';
import { networkOf } from './networks.ts';

/**
 * `elsewhere`: it is there, and has another id than was said; `silent`: it did not answer
 * {@link MAX_TRIES} times.
 */
export type ZoneNodeState = 'waiting' | 'asked' | 'answered' | 'elsewhere' | 'silent';

export interface ZoneNode {
  readonly contact: Contact;
  /** Answers that named it. */
  named: number;
  /** Queries that were sent to it. */
  tries: number;
  at: ZoneNodeState;
}

export interface ZoneOptions {
  /** 20 bytes, of which the first {@link bits} count. */
  readonly prefix: Uint8Array;
  /** 0 to 16. */
  readonly bits: number;
  /** Few of a network; to be off where all are on one machine. */
  readonly limitAddresses: boolean;
  /** Whether one more of its network may be asked, all zones taken together. */
  readonly mayAsk: (endpoint: Endpoint) => boolean;
  readonly random: Random;
}

export class Zone {
  readonly prefix: Uint8Array;
  readonly bits: number;
  /** The way into it was found. */
  entered = false;
  readonly #options: ZoneOptions;
  readonly #nodes = new Map<string, ZoneNode>();
  readonly #networks = new Map<string, number>();
  readonly #waiting: ZoneNode[] = [];
  #asked = 0;
  #answered = 0;

  constructor(options: ZoneOptions) {
    this.prefix = options.prefix;
    this.bits = options.bits;
    this.#options = options;
  }

  /** All that were named, in their order. */
  get nodes(): Iterable<ZoneNode> {
    return this.#nodes.values();
  }

  get size(): number {
    return this.#nodes.size;
  }

  /** How many answered with ids of the zone. */
  get answered(): number {
    return this.#answered;
  }

  /** Nobody is left to ask, and no answer is waited for. */
  get isDone(): boolean {
    return this.entered && this.#waiting.length === 0 && this.#asked === 0;
  }

  /** So many answers, 0 or 1, named a node. Returns whether it is a new one that will be asked. */
  add({ id, endpoint }: Contact, named: 0 | 1 = 1): boolean {
    if (!this.#has(id)) return false;
    const known = this.#nodes.get(formatEndpoint(endpoint));
    if (known !== undefined) {
      known.named = Math.min(known.named + named, MAX_NAMED);
      return false;
    }
    if (this.#nodes.size >= MAX_ZONE_NODES || !this.#mayAdmit(endpoint)) return false;
    this.restore({ contact: { id: id.slice(), endpoint }, named, tries: 0, at: 'waiting' });
    return true;
  }

  /** Takes in a node as it was in an earlier run; a query whose answer was not waited for does not count. */
  restore(node: ZoneNode): void {
    if (node.at === 'asked') {
      node.at = 'waiting';
      node.tries--;
    }
    if (node.at === 'waiting') this.#waiting.push(node);
    if (node.at === 'answered') this.#answered++;
    const { endpoint } = node.contact;
    const network = networkOf(endpoint);
    this.#networks.set(network, (this.#networks.get(network) ?? 0) + 1);
    this.#nodes.set(formatEndpoint(endpoint), node);
  }

  /** Whom to ask next; it counts as asked. */
  take(): ZoneNode | undefined {
    const node = this.#waiting.shift();
    if (node === undefined) return undefined;
    node.at = 'asked';
    node.tries++;
    this.#asked++;
    return node;
  }

  /**
   * What to ask a node of the zone for: a random id that shares so many bits with its own that some ten
   * nodes that answered do. There it knows most of them, and where in there the point lies decides whom it
   * names: so all of them are named by some. At first, while few have answered, points lie all over the
   * zone: ids that follow from addresses stand in clusters (BEP 42), which name themselves only.
   */
  targetFor({ contact }: ZoneNode): Uint8Array {
    const depth = Math.floor(Math.log2(Math.max(1, this.#answered / NODES_AROUND)));
    return randomIdWithPrefix(contact.id, this.bits + depth, this.#options.random);
  }

  /** It answered under this id. Returns whether it counts: it is one of the zone. */
  heard(node: ZoneNode, id: Uint8Array): boolean {
    this.#asked--;
    node.at = this.#has(id) ? 'answered' : 'elsewhere';
    if (node.at === 'answered') this.#answered++;
    return node.at === 'answered';
  }

  /** It did not answer, or refused. Returns whether it is given up. */
  failed(node: ZoneNode): boolean {
    this.#asked--;
    node.at = node.tries < MAX_TRIES ? 'waiting' : 'silent';
    if (node.at === 'waiting') this.#waiting.push(node);
    return node.at === 'silent';
  }

  /**
   * There was no network: whoever did not answer is to be asked again, in the next run, for which alone the
   * zone is good now. Returns how many had been given up.
   */
  forgive(): number {
    let silent = 0;
    for (const node of this.#nodes.values()) {
      if (node.at === 'silent') silent++;
      if (node.at !== 'silent' && node.at !== 'asked') continue;
      node.at = 'waiting';
      node.tries = 0;
    }
    return silent;
  }

  count(): ZoneCount {
    const answered = [...this.#nodes.values()].filter(({ at }) => at === 'answered');
    return {
      answered: answered.length,
      once: answered.filter(({ named }) => named === 1).length,
      twice: answered.filter(({ named }) => named === 2).length,
    };
  }

  #has(id: Uint8Array): boolean {
    return commonPrefixBits(id, this.prefix) >= this.bits;
  }

  #mayAdmit(endpoint: Endpoint): boolean {
    const ip = parseIp(endpoint.host);
    if (ip === undefined || !isPlausible(ip, endpoint.port)) return false;
    const { limitAddresses, mayAsk } = this.#options;
    if (!limitAddresses) return true;
    if ((this.#networks.get(networkOf(endpoint)) ?? 0) >= MAX_PER_NETWORK) return false;
    return mayAsk(endpoint);
  }
}

/** How often a node is asked that does not answer. */
export const MAX_TRIES = 2;
/** A zone is chosen to have some 200 nodes; whatever is named beyond this is not listened to. */
export const MAX_ZONE_NODES = 8192;
/** Of one network in one zone; chance puts hardly two there. */
export const MAX_PER_NETWORK = 8;
const MAX_NAMED = 255;
/** Nodes name 8. */
const NODES_AROUND = 10;
