/** What a node keeps from one run to the next: its ids and the nodes that it knows. @module */

import { ProtocolError } from '../base/errors.ts';
import { type BencodeNode, decode, encode } from '../bencode/index.ts';
import type { Family } from './contact.ts';
import { NODE_INFO_LENGTH } from './node-info.ts';

/** Of each family that it took part in. */
export interface DhtState extends Readonly<Partial<Record<Family, RealmState>>> {
  /** The UDP port that the ids are for; any when left out. */
  readonly port?: number;
}

export interface RealmState {
  /** 20 bytes. */
  readonly id: Uint8Array;
  /** Compact nodes, best first. */
  readonly nodes: Uint8Array;
}

/** How many nodes of all families are in it. */
export function countNodes(state: DhtState | undefined): number {
  return FAMILIES.reduce((sum, family) => sum + nodesOf(state, family), 0);
}

/** `state`, and of `before` the families that are not in it. */
export function withFamilies(state: DhtState, before: DhtState | undefined): DhtState {
  const { 4: four, 6: six } = { ...before, ...state };
  const { port } = state;
  return { ...(four && { 4: four }), ...(six && { 6: six }), ...(port && { port }) };
}

/**
 * The same for a state that others write, too: where it has few nodes, those of `before` stand behind
 * them, so that who was there for a moment takes nothing away.
 */
export function withNodes(state: DhtState, before: DhtState | undefined): DhtState {
  const filled = { ...state };
  for (const family of FAMILIES) {
    const own = state[family];
    const others = before?.[family]?.nodes;
    if (own === undefined || others === undefined || nodesOf(state, family) >= FEW) continue;
    filled[family] = { id: own.id, nodes: joined(own.nodes, others, NODE_INFO_LENGTH[family]) };
  }
  return withFamilies(filled, before);
}

/** The bytes of a state file: a dictionary of bencode. */
export function encodeState(state: DhtState): Uint8Array {
  const { 4: four, 6: six, port } = state;
  return encode({ id: four?.id, id6: six?.id, nodes: four?.nodes, nodes6: six?.nodes, port });
}

/** @throws {ProtocolError} when the bytes are no such file, or longer than {@link MAX_STATE_BYTES}. */
export function decodeState(bytes: Uint8Array): DhtState {
  if (bytes.length > MAX_STATE_BYTES) throw fault(`has more than ${MAX_STATE_BYTES} bytes`);
  const root = decode(bytes);
  const realm = (family: Family, suffix: string): RealmState | undefined => {
    const id = root.get(`id${suffix}`)?.asBytes();
    const nodes = root.get(`nodes${suffix}`)?.asBytes();
    if (id === undefined || nodes === undefined) return undefined;
    if (id.length !== 20) throw fault(`has an id of ${id.length} bytes`);
    if (nodes.length % NODE_INFO_LENGTH[family] !== 0) throw fault('ends within a node');
    return { id: id.slice(), nodes: nodes.slice() };
  };
  const four = realm(4, '');
  const six = realm(6, '6');
  if (four === undefined && six === undefined) throw fault('has no nodes');
  const port = portOf(root.get('port'));
  return { ...(four && { 4: four }), ...(six && { 6: six }), ...(port && { port }) };
}

function portOf(node: BencodeNode | undefined): number | undefined {
  if (node === undefined) return undefined;
  const port = node.asNumber() ?? 0;
  if (port > 0 && port <= 0xffff) return port;
  throw fault('has a port that is none');
}

function nodesOf(state: DhtState | undefined, family: Family): number {
  return (state?.[family]?.nodes.length ?? 0) / NODE_INFO_LENGTH[family];
}

/** The entries of both, each once, up to {@link MAX_NODES}. */
function joined(first: Uint8Array, second: Uint8Array, length: number): Uint8Array {
  const entries = new Map<string, Uint8Array>();
  for (const bytes of [first, second]) {
    for (let at = 0; at < bytes.length && entries.size < MAX_NODES; at += length) {
      const entry = bytes.subarray(at, at + length);
      // A node that moved to another id is at the same address.
      const address = entry.subarray(20).join('.');
      if (!entries.has(address)) entries.set(address, entry);
    }
  }
  const all = new Uint8Array(entries.size * length);
  for (const [at, entry] of [...entries.values()].entries()) all.set(entry, at * length);
  return all;
}

function fault(what: string): ProtocolError {
  return new ProtocolError(`this is no table of DHT nodes: it ${what}`, { rule: 'DHT state file' });
}

const FAMILIES: readonly Family[] = [4, 6];

/** Some 5,000 nodes. */
export const MAX_STATE_BYTES: number = 256 * 1024;
/** Of a node that was there long enough there are more. */
export const FEW = 32;
/** As many as one table saves. */
export const MAX_NODES = 200;
