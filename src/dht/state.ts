/** What a node keeps from one run to the next: its ids and the nodes that it knows. @module */

import { ProtocolError } from '../base/errors.ts';
import { decode, encode } from '../bencode/index.ts';
import type { Family } from './contact.ts';
import { NODE_INFO_LENGTH } from './node-info.ts';

/** Of each family that it took part in. */
export type DhtState = Readonly<Partial<Record<Family, RealmState>>>;

export interface RealmState {
  /** 20 bytes. */
  readonly id: Uint8Array;
  /** Compact nodes, best first. */
  readonly nodes: Uint8Array;
}

/** The bytes of a state file: a dictionary of bencode. */
export function encodeState(state: DhtState): Uint8Array {
  const { 4: four, 6: six } = state;
  return encode({ id: four?.id, id6: six?.id, nodes: four?.nodes, nodes6: six?.nodes });
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
  return { ...(four && { 4: four }), ...(six && { 6: six }) };
}

function fault(what: string): ProtocolError {
  return new ProtocolError(`this is no table of DHT nodes: it ${what}`, { rule: 'DHT state file' });
}

/** Some 5,000 nodes. */
export const MAX_STATE_BYTES: number = 256 * 1024;
