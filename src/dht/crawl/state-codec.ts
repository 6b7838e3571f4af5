/** The bytes of a file that a crawl goes on from: bencode, with a hash of its content. @module */

import { equalBytes, formatHex } from '../../base/bytes.ts';
import { ProtocolError } from '../../base/errors.ts';
import { sha1 } from '../../base/sha.ts';
import { readUint32, writeUint32 } from '../../base/uint32.ts';
import { type BencodeInput, type BencodeNode, decode, encode } from '../../bencode/index.ts';
import type { Family } from '../contact.ts';
import { ID_BYTES } from '../distance.ts';
import { decodeNodes, encodeNodes, NODE_INFO_LENGTH } from '../node-info.ts';
import {
  type CensusState,
  COUNTS,
  MAX_VERSIONS,
  NO_COUNTS,
  type OfVersion,
  VERSION_BYTES,
  versionBytes,
} from './census.ts';
import type { ZoneCount } from './estimate.ts';
import { CELLS, ENTRY_BYTES } from './networks.ts';
import type { CrawlState, FamilyState, OpenZone } from './state.ts';
import { MAX_TRIES, MAX_ZONE_NODES, type ZoneNode, type ZoneNodeState } from './zone.ts';
import { MAX_ZONE_BITS } from './zone-order.ts';

/** What a file holds: the crawl, and the infohashes that were listed, 20 bytes each. */
export interface CrawlFile {
  readonly state: CrawlState;
  readonly infoHashes: Uint8Array;
}

/** The bytes of a file. */
export function encodeCrawl({ state, infoHashes }: CrawlFile): Uint8Array {
  const families = FAMILIES.flatMap((family) => {
    const of = state[family];
    return of === undefined ? [] : [[`ipv${family}`, encodeFamily(of, family)] as const];
  });
  const content = encode({ ...Object.fromEntries(families), infoHashes });
  return encode({ content, format: FORMAT, sha1: sha1(content) });
}

/**
 * What {@link encodeCrawl} wrote.
 *
 * @throws {ProtocolError} `BIP_DHT_CRAWL_STATE` for anything else, changed or cut files among them.
 */
export function decodeCrawl(bytes: Uint8Array): CrawlFile {
  const content = decoded(contentOf(bytes));
  const infoHashes = content?.get('infoHashes')?.asBytes();
  if (content === undefined || infoHashes === undefined) throw broken();
  if (infoHashes.length % ID_BYTES !== 0) throw broken();
  const families = FAMILIES.flatMap((family) => {
    const node = content.get(`ipv${family}`);
    return node === undefined ? [] : [[family, decodeFamily(node, family)] as const];
  });
  return { state: Object.fromEntries(families), infoHashes: infoHashes.slice() };
}

/** Of whole crawls of both families with a million infohashes there are some 40 MB. */
export const MAX_CRAWL_BYTES: number = 96 * 2 ** 20;

const FORMAT = 'bip dht crawl 1';
const FAMILIES: readonly Family[] = [4, 6];
const STATES: readonly ZoneNodeState[] = ['waiting', 'asked', 'answered', 'elsewhere', 'silent'];
const ZONE_BYTES = 16;
/** Behind the compact form of a node: how often it was named, tries, and its state. */
const NOTE_BYTES = 3;
const KEY_BYTES = 16;
const MAX_DISTANCES = 64;
const MAX_OPEN = 64;

function contentOf(bytes: Uint8Array): Uint8Array {
  const root = decoded(bytes);
  if (root?.get('format')?.asText() !== FORMAT) throw fault('is no state of a crawl of bip');
  const content = root.get('content')?.asBytes() ?? new Uint8Array(0);
  const hash = root.get('sha1')?.asBytes() ?? new Uint8Array(0);
  if (equalBytes(sha1(content), hash)) return content;
  throw fault('is damaged: its content does not match its hash');
}

function encodeFamily(state: FamilyState, family: Family): BencodeInput {
  const { bits, seed, census, networks, networksKey } = state;
  return {
    ...{ bits, seed, networks, networksKey },
    distances: encodeDoubles(state.distances),
    done: encodeDone(state.done),
    open: state.open.map(({ place, nodes }) => ({ place, nodes: encodeZone(nodes, family) })),
    counts: { ...census.counts },
    versions: [...census.versions].map(([version, { nodes, sampling }]) => [
      versionBytes(version),
      nodes,
      sampling,
    ]),
  };
}

function decodeFamily(node: BencodeNode, family: Family): FamilyState {
  const bits = wholeAt(node, 'bits', MAX_ZONE_BITS);
  const zones = 2 ** bits;
  const networks = bytesAt(node, 'networks', ENTRY_BYTES, CELLS);
  const networksKey = bytesAt(node, 'networksKey', KEY_BYTES, 1);
  if (networksKey.length !== KEY_BYTES) throw broken();
  return {
    ...{ bits, networks, networksKey },
    seed: wholeAt(node, 'seed', 0xffff_ffff),
    distances: decodeDoubles(bytesAt(node, 'distances', 8, MAX_DISTANCES)),
    done: decodeDone(bytesAt(node, 'done', ZONE_BYTES, zones), zones),
    open: decodeOpen(node.get('open'), zones, family),
    census: decodeCensus(node),
  };
}

function encodeDoubles(values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(8 * values.length);
  const view = new DataView(bytes.buffer);
  for (const [at, value] of values.entries()) view.setFloat64(8 * at, value);
  return bytes;
}

function decodeDoubles(bytes: Uint8Array): readonly number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const values = Array.from({ length: bytes.length / 8 }, (_, at) => view.getFloat64(8 * at));
  if (!values.every((value) => value >= 0 && value <= 1)) throw broken();
  return values;
}

function encodeDone(done: ReadonlyMap<number, ZoneCount>): Uint8Array {
  const bytes = new Uint8Array(done.size * ZONE_BYTES);
  let at = 0;
  for (const [place, { answered, once, twice }] of done) {
    for (const [word, value] of [place, answered, once, twice].entries()) {
      writeUint32(bytes, at + 4 * word, value);
    }
    at += ZONE_BYTES;
  }
  return bytes;
}

function decodeDone(bytes: Uint8Array, zones: number): ReadonlyMap<number, ZoneCount> {
  const done = new Map<number, ZoneCount>();
  for (let at = 0; at < bytes.length; at += ZONE_BYTES) {
    const place = readUint32(bytes, at);
    const answered = readUint32(bytes, at + 4);
    const once = readUint32(bytes, at + 8);
    const twice = readUint32(bytes, at + 12);
    if (place >= zones || done.has(place)) throw broken();
    if (answered > MAX_ZONE_NODES || once + twice > answered) throw broken();
    done.set(place, { answered, once, twice });
  }
  return done;
}

function encodeZone(nodes: readonly ZoneNode[], family: Family): Uint8Array {
  const length = NODE_INFO_LENGTH[family] + NOTE_BYTES;
  const bytes = new Uint8Array(nodes.length * length);
  for (const [index, { contact, named, tries, at }] of nodes.entries()) {
    bytes.set(encodeNodes([contact], family), index * length);
    bytes.set([named, tries, STATES.indexOf(at)], (index + 1) * length - NOTE_BYTES);
  }
  return bytes;
}

function decodeOpen(
  list: BencodeNode | undefined,
  zones: number,
  family: Family,
): readonly OpenZone[] {
  if (list?.kind !== 'list' || list.length > MAX_OPEN) throw broken();
  return [...list.items()].map((zone) => {
    const length = NODE_INFO_LENGTH[family] + NOTE_BYTES;
    const bytes = bytesAt(zone, 'nodes', length, MAX_ZONE_NODES);
    return {
      place: wholeAt(zone, 'place', zones - 1),
      nodes: Array.from({ length: bytes.length / length }, (_, index) =>
        decodeZoneNode(bytes.subarray(index * length, (index + 1) * length), family),
      ),
    };
  });
}

function decodeZoneNode(bytes: Uint8Array, family: Family): ZoneNode {
  const [contact] = decodeNodes(bytes.subarray(0, NODE_INFO_LENGTH[family]), family);
  const [named = 0, tries = 0, state = 0] = bytes.subarray(NODE_INFO_LENGTH[family]);
  const at = STATES[state];
  if (contact === undefined || at === undefined) throw broken();
  if (tries > MAX_TRIES || (at === 'asked' && tries === 0)) throw broken();
  return { contact, named, tries, at };
}

function decodeCensus(node: BencodeNode): CensusState {
  const given = node.get('counts');
  const counts = Object.fromEntries(
    COUNTS.map((name) => [name, wholeAt(given, name, Number.MAX_SAFE_INTEGER)]),
  );
  const list = node.get('versions');
  if (list?.kind !== 'list' || list.length > MAX_VERSIONS) throw broken();
  const versions = new Map([...list.items()].map(decodeVersion));
  return { counts: { ...NO_COUNTS, ...counts }, versions };
}

function decodeVersion(entry: BencodeNode): readonly [string, OfVersion] {
  const [version, ...numbers] = [...entry.items()];
  const bytes = version?.asBytes();
  const [nodes = -1, sampling = -1] = numbers.map((number) => number.asNumber());
  if (bytes === undefined || bytes.length > VERSION_BYTES) throw broken();
  if (sampling < 0 || sampling > nodes) throw broken();
  return [formatHex(bytes), { nodes, sampling }];
}

function wholeAt(node: BencodeNode | undefined, key: string, most: number): number {
  const value = node?.get(key)?.asNumber();
  if (value === undefined || value < 0 || value > most) throw broken();
  return value;
}

/** A copy of at most `most` entries of `size` bytes each. */
function bytesAt(node: BencodeNode, key: string, size: number, most: number): Uint8Array {
  const bytes = node.get(key)?.asBytes();
  if (bytes === undefined || bytes.length % size !== 0 || bytes.length > size * most) {
    throw broken();
  }
  return bytes.slice();
}

function decoded(bytes: Uint8Array): BencodeNode | undefined {
  try {
    return decode(bytes);
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

function broken(): ProtocolError {
  return fault('is no state that bip can go on from');
}

function fault(what: string): ProtocolError {
  return new ProtocolError(what, { code: 'BIP_DHT_CRAWL_STATE', rule: 'state of a DHT crawl' });
}
