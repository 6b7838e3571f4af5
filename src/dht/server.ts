/** Answers to the queries of others: BEP 5, 32, 33, 42, 44, 51. @module */

import { type Endpoint, encodeCompact } from '../base/endpoint.ts';
import type { Clock, Millis } from '../runtime/ports.ts';
import type { Family } from './contact.ts';
import type { DhtItem } from './items/index.ts';
import {
  KRPC_ERROR,
  type KrpcError,
  type KrpcQuery,
  type KrpcResponse,
  MAX_SENT_BYTES,
} from './krpc/index.ts';
import { NODE_INFO_LENGTH } from './node-info.ts';
import type { RoutingTable } from './routing/index.ts';
import type { Stores } from './stores.ts';

export type KrpcAnswer = KrpcResponse | KrpcError;

export interface ServerOptions {
  readonly family: Family;
  readonly clock: Clock;
  readonly version: Uint8Array;
  readonly stores: Stores;
  /** Of each family that we take part in; they may be replaced. */
  readonly tables: () => Readonly<Partial<Record<Family, RoutingTable>>>;
}

/** Who asks, and when. */
interface Asking {
  readonly query: KrpcQuery;
  readonly from: Endpoint;
  /** 4 or 16 bytes. */
  readonly ip: Uint8Array;
  readonly now: Millis;
}

type Fields = Omit<KrpcResponse, 'type' | 'transaction' | 'id'>;
type Refusal = Pick<KrpcError, 'code' | 'message'>;

export class Server {
  readonly #options: ServerOptions;
  readonly #nodes4 = new Uint8Array(NODES * NODE_INFO_LENGTH[4]);
  readonly #nodes6 = new Uint8Array(NODES * NODE_INFO_LENGTH[6]);
  #sample: Sample | undefined;

  constructor(options: ServerOptions) {
    this.#options = options;
  }

  /** What to send to who asked, at `from` with the address `ip`. Valid until the next call. */
  answer(query: KrpcQuery, from: Endpoint, ip: Uint8Array): KrpcAnswer {
    const { clock, version, family, tables } = this.#options;
    const fields = this.#fields({ query, from, ip, now: clock.now() });
    const shared = { transaction: query.transaction, version, externalAddress: from };
    if ('code' in fields) return { type: 'error', ...shared, ...fields };
    return { type: 'response', id: tables()[family]?.ownId ?? NO_ID, ...shared, ...fields };
  }

  #fields(asking: Asking): Fields | Refusal {
    switch (asking.query.method) {
      case 'ping':
        return {};
      case 'find_node':
        return this.#findNode(asking);
      case 'get_peers':
        return this.#peers(asking);
      case 'announce_peer':
        return this.#announce(asking);
      case 'get':
        return this.#item(asking);
      case 'put':
        return this.#put(asking);
      case 'sample_infohashes':
        return this.#samples(asking);
      default:
        return this.#unknown(asking);
    }
  }

  /** As libtorrent's "Forward Compatibility": a query with a target is answered as find_node. */
  #unknown(asking: Asking): Fields | Refusal {
    const { target, infoHash } = asking.query.args;
    if (target ?? infoHash) return this.#findNode(asking);
    return { code: KRPC_ERROR.unknownMethod, message: 'unknown method' };
  }

  #findNode(asking: Asking): Fields {
    const { target, infoHash, want } = asking.query.args;
    return this.#closest(target ?? infoHash ?? NO_ID, asking.now, want);
  }

  #peers({ query: { args, transaction }, ip, now }: Asking): Fields | Refusal {
    const { infoHash, want, scrape, noSeed } = args;
    if (infoHash === undefined) return missing('info_hash');
    const { peers, tokens } = this.#options.stores;
    const { family } = this.#options;
    const wantsBlooms = scrape === true && peers.has(infoHash, now);
    // Blooms take half of the packet: what is not mandatory has to go (BEP 33).
    const nodes = this.#closest(infoHash, now, wantsBlooms ? undefined : want);
    const token = tokens.issue(ip, now);
    const blooms = wantsBlooms ? peers.blooms(infoHash, now) : undefined;
    const used =
      ENVELOPE + transaction.length + nodesLength(nodes) + (blooms === undefined ? 0 : BLOOMS);
    const maxCount = Math.floor((MAX_SENT_BYTES - used) / VALUE_LENGTH[family]);
    const values = peers.sample(infoHash, { family, noSeed: noSeed === true, maxCount }, now);
    return {
      ...nodes,
      token,
      values: values.length === 0 ? undefined : values,
      seedBloom: blooms?.seeds.bytes,
      peerBloom: blooms?.peers.bytes,
    };
  }

  #announce({ query: { args }, from, ip, now }: Asking): Fields | Refusal {
    const { infoHash, token, impliedPort, port, seed } = args;
    const { peers, tokens } = this.#options.stores;
    if (infoHash === undefined) return missing('info_hash');
    if (token === undefined || !tokens.check(token, ip, now)) return BAD_TOKEN;
    const peerPort = impliedPort === true ? from.port : port;
    if (peerPort === undefined) return missing('port');
    const peer = encodeCompact({ host: from.host, port: peerPort });
    if (peer === undefined) return missing('port');
    const isStored = peers.announce(infoHash, peer, { seed: seed === true }, now);
    return isStored ? {} : TOO_MANY;
  }

  #item({ query: { args }, ip, now }: Asking): Fields | Refusal {
    const { target, sequence, want } = args;
    if (target === undefined) return missing('target');
    const token = this.#options.stores.tokens.issue(ip, now);
    const item = this.#options.stores.items.get(target, now);
    const found = item === undefined ? {} : itemFields(item, sequence);
    const nodes = this.#closest(target, now, want);
    return { ...trimmed(nodes, MAX_ITEM_PACKET - ENVELOPE - itemLength(found)), token, ...found };
  }

  #put({ query: { args }, ip, now }: Asking): Fields | Refusal {
    const { items, tokens } = this.#options.stores;
    if (args.token === undefined || !tokens.check(args.token, ip, now)) return BAD_TOKEN;
    const item = itemOf(args);
    if ('code' in item) return item;
    const result = items.put(item, { compareSequence: args.compareSequence, from: ip }, now);
    return result.type === 'stored' ? {} : { code: result.code, message: result.message };
  }

  /** A sample stays the same for a while, so that nobody asks again and again (BEP 51). */
  #samples({ query: { args }, now }: Asking): Fields | Refusal {
    if (args.target === undefined) return missing('target');
    const nodes = this.#closest(args.target, now, args.want);
    const fresh =
      this.#sample !== undefined && now < this.#sample.until && now >= this.#sample.from;
    if (!fresh || this.#sample === undefined) {
      const { samples, total } = this.#options.stores.peers.sampleHashes(MAX_SAMPLES, now);
      this.#sample = { samples, total, from: now, until: now + SAMPLE_MS };
    }
    const { samples, total, until } = this.#sample;
    const intervalSeconds = Math.ceil((until - now) / 1000);
    return { ...nodes, samples, sampleTotal: total, intervalSeconds };
  }

  /** Nodes of the family that the question came by, or of those that are wanted (BEP 32). */
  #closest(
    target: Uint8Array,
    now: Millis,
    want: { readonly n4: boolean; readonly n6: boolean } | undefined,
  ): Pick<Fields, 'nodes' | 'nodes6'> {
    const { family, tables } = this.#options;
    const { 4: four, 6: six } = tables();
    const { n4, n6 } = want ?? { n4: family === 4, n6: family === 6 };
    const write = (table: RoutingTable | undefined, into: Uint8Array): Uint8Array | undefined =>
      table && into.subarray(0, table.writeClosest(target, NODES, into, now));
    return {
      nodes: n4 ? write(four, this.#nodes4) : undefined,
      nodes6: n6 ? write(six, this.#nodes6) : undefined,
    };
  }
}

interface Sample {
  readonly samples: Uint8Array;
  readonly total: number;
  readonly from: Millis;
  readonly until: Millis;
}

function missing(what: string): Refusal {
  return { code: KRPC_ERROR.protocol, message: `${what} missing` };
}

const TOO_MANY: Refusal = { code: KRPC_ERROR.server, message: 'too many peers of this address' };
const BAD_TOKEN: Refusal = { code: KRPC_ERROR.protocol, message: 'bad token' };

/** The item of a put; what is missing in it as a refusal. */
function itemOf(args: KrpcQuery['args']): DhtItem | Refusal {
  const { value, publicKey, signature, sequence, salt } = args;
  if (value === undefined) return missing('v');
  if (publicKey === undefined) return { type: 'immutable', value };
  if (signature === undefined) return missing('sig');
  if (sequence === undefined) return missing('seq');
  return { type: 'mutable', value, publicKey, signature, sequence, salt: salt ?? NO_SALT };
}

/** Who knows the item already is told its sequence only (BEP 44). */
function itemFields(item: DhtItem, known: bigint | undefined): Fields {
  if (item.type === 'immutable') return { value: item.value };
  const { sequence, publicKey, signature, value } = item;
  return known !== undefined && sequence <= known
    ? { sequence }
    : { sequence, publicKey, signature, value };
}

function itemLength({ value, signature }: Fields): number {
  return (value?.length ?? 0) + (signature === undefined ? 0 : MUTABLE);
}

function nodesLength({ nodes, nodes6 }: Pick<Fields, 'nodes' | 'nodes6'>): number {
  return fieldLength(nodes) + fieldLength(nodes6);
}

function fieldLength(bytes: Uint8Array | undefined): number {
  return bytes === undefined ? 0 : bytes.length + KEY;
}

/** Whole nodes that fit into `room` bytes, those of IPv4 first. */
function trimmed(
  { nodes, nodes6 }: Pick<Fields, 'nodes' | 'nodes6'>,
  room: number,
): Pick<Fields, 'nodes' | 'nodes6'> {
  const four = nodes && cut(nodes, NODE_INFO_LENGTH[4], room);
  const left = room - nodesLength({ nodes: four });
  return { nodes: four, nodes6: nodes6 && cut(nodes6, NODE_INFO_LENGTH[6], left) };
}

function cut(nodes: Uint8Array, length: number, room: number): Uint8Array {
  return nodes.subarray(0, Math.max(0, Math.floor((room - KEY) / length)) * length);
}

/** Kademlia's k: nodes of an answer. */
const NODES = 8;
const NO_ID = new Uint8Array(20);
const NO_SALT = new Uint8Array(0);

/** Bytes of all that is in every answer beside the transaction: id, token, `ip`, `t`, `v`, `y` and brackets. */
const ENVELOPE = 150;
/** `6:nodes6` and a length of three digits. */
const KEY = 12;
/** Of BEP 33: two keys and 256 bytes each. */
const BLOOMS = 2 * (6 + 4 + 256);
/** With the length in front. */
const VALUE_LENGTH = { 4: 8, 6: 21 } as const;
/** Key, sequence and signature, with their names. */
const MUTABLE = 170;

/** Items have up to 1000 bytes (BEP 44), beyond what BEP 32 allows for a packet; fits any link in use. */
const MAX_ITEM_PACKET = 1400;

/** libtorrent's: 400 bytes. */
const MAX_SAMPLES = 20;
/** BEP 51 allows up to six hours. */
const SAMPLE_MS = 10 * 60 * 1000;
