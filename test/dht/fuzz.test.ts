/** Whatever may come over the network: nothing throws, nothing grows, and others are answered. */

import { expect, test } from 'vitest';
import { type Endpoint, equalEndpoints } from '../../src/base/endpoint.ts';
import { MAX_ITEMS } from '../../src/dht/items/index.ts';
import {
  decodeMessage,
  type KrpcQuery,
  KrpcWriter,
  MAX_SENT_BYTES,
} from '../../src/dht/krpc/index.ts';
import { SeededRandom } from '../../src/runtime/sim/index.ts';
import { bytes } from '../bencode/values.ts';
import { TEST_SEED } from '../sim/world.ts';
import { BareNode } from './bare-node.ts';
import { BEP_5, EXTENSIONS } from './krpc/vectors.ts';

const PACKETS = 200_000;
const VALID = [...BEP_5, ...EXTENSIONS].map(({ packet }) => bytes(packet));
const METHODS = [
  'ping',
  'find_node',
  'get_peers',
  'announce_peer',
  'get',
  'put',
  'sample_infohashes',
  'vote',
];
/** Items of BEP 44 and their nodes go up to here. */
const LONGEST = 1500;

test('200,000 packets, most of them broken', async () => {
  await using bare = await BareNode.open({ limits: { queriesPerSecond: 1000 } });
  const random = new SeededRandom(TEST_SEED);
  const stranger = new Stranger(random);
  const faults: string[] = [];
  let answered = 0;
  for (let count = 0; count < PACKETS; count++) {
    const from = stranger.endpoint();
    const packet = random.chance(0.3) ? stranger.query() : stranger.broken();
    for (const { bytes: answer, to } of bare.receive(packet, from)) {
      answered++;
      stranger.learn(answer);
      faults.push(...faultsOf(answer, { from, to }));
    }
    // Queries of its own run out, and what it keeps grows old.
    if (count % 1000 === 0) await bare.world.runFor(1000);
  }
  expect(faults.slice(0, 5)).toEqual([]);
  expect(answered).toBeGreaterThan(PACKETS / 50);

  const { stores, realms } = bare.node;
  const [realm] = realms;
  expect(stores.peers.peers).toBeGreaterThan(0);
  expect(stores.items.size).toBeLessThanOrEqual(MAX_ITEMS);
  expect(realm?.pending).toBeLessThan(1000);
  expect(realm?.table.size, 'nobody has answered').toBe(0);
  expect(realm?.table.replacements).toBeLessThanOrEqual(200);
  expect(realm?.counters.undecodable).toBeGreaterThan(1000);
  expect(realm?.counters.malformed).toBeGreaterThan(100);
  expect(realm?.counters.unasked).toBeGreaterThan(100);

  const honest = { host: '203.0.113.77', port: 6881 };
  const [pong] = bare.receive(new KrpcWriter().encode(queryOf('ping', {})), honest);
  expect(pong && decodeMessage(pong.bytes)).toMatchObject({
    type: 'response',
    externalAddress: honest,
  });
});

test('answers fit into the packets of BEP 32, whatever is asked, but for items', async () => {
  await using bare = await BareNode.open({ limits: { queriesPerSecond: 100_000 } });
  const writer = new KrpcWriter();
  const hash = new Uint8Array(20).fill(5);
  const want = { n4: true, n6: true };
  for (let at = 0; at < 400; at++) {
    const from = { host: `80.${at >>> 8}.${at & 255}.1`, port: 6881 };
    const args = { infoHash: hash, want, scrape: at % 2 === 1 };
    const [found] = bare.receive(writer.encode(queryOf('get_peers', args)), from);
    const message = found && decodeMessage(found.bytes);
    if (message?.type !== 'response') throw new Error('no answer');
    expect(found?.bytes.length).toBeLessThanOrEqual(MAX_SENT_BYTES);
    const announce = { infoHash: hash, token: message.token, port: 5000, seed: at % 3 === 0 };
    const [stored] = bare.receive(writer.encode(queryOf('announce_peer', announce)), from);
    expect(stored && decodeMessage(stored.bytes).type).toBe('response');
    if (at === 399) expect(message.values?.length).toBeGreaterThan(20);
  }
});

function faultsOf(
  answer: Uint8Array,
  { from, to }: { readonly from: Endpoint; readonly to: Endpoint },
): string[] {
  const isToOther = !equalEndpoints(from, to) && decodeMessage(answer).type !== 'query';
  return [
    ...(answer.length > LONGEST ? [`${answer.length} bytes to ${from.host}`] : []),
    ...(isToOther ? [`an answer to ${to.host} instead of ${from.host}`] : []),
  ];
}

function queryOf(method: string, args: Partial<KrpcQuery['args']>): KrpcQuery {
  const id = new Uint8Array(20).fill(9);
  return {
    type: 'query',
    transaction: Uint8Array.of(1, 2),
    method,
    args: { id, ...args },
    readOnly: false,
  };
}

class Stranger {
  readonly #random: SeededRandom;
  readonly #writer = new KrpcWriter();
  #token = new Uint8Array(8);

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  endpoint(): Endpoint {
    const random = this.#random;
    const host = `80.0.${random.below(4)}.${random.below(60)}`;
    return { host: random.chance(0.02) ? '::ffff:1.2.3.4' : host, port: random.below(4) * 2000 };
  }

  /** Takes a token, to show it again. */
  learn(answer: Uint8Array): void {
    const message = decodeMessage(answer);
    const token = message.type === 'response' ? message.token : undefined;
    if (token !== undefined) this.#token = Uint8Array.from(token);
  }

  query(): Uint8Array {
    const random = this.#random;
    const method = METHODS[random.below(METHODS.length)] ?? 'ping';
    return this.#writer
      .encode({
        ...queryOf(method, {
          id: this.#id(),
          target: this.#id(),
          infoHash: this.#id(),
          token: random.chance(0.8) ? this.#token : Uint8Array.from(random.bytes(8)),
          port: 1 + random.below(65_535),
          impliedPort: random.chance(0.5),
          seed: random.chance(0.5),
          scrape: random.chance(0.2),
          value: bytes(`i${random.below(1000)}e`),
        }),
        transaction: Uint8Array.from(random.bytes(1 + random.below(8))),
      })
      .slice();
  }

  /** A valid packet with some bytes changed, cut off or doubled; or noise. */
  broken(): Uint8Array {
    const random = this.#random;
    if (random.chance(0.1)) return Uint8Array.from(random.bytes(random.below(300)));
    const valid = VALID[random.below(VALID.length)] ?? new Uint8Array(0);
    const packet = random.chance(0.5) ? valid.slice() : this.query();
    for (let changes = random.below(4); changes > 0; changes--) {
      packet[random.below(packet.length)] = random.below(256);
    }
    return random.chance(0.2) ? packet.slice(0, random.below(packet.length)) : packet;
  }

  /** A few that are met again and again, and others. */
  #id(): Uint8Array {
    const random = this.#random;
    return random.chance(0.5)
      ? new Uint8Array(20).fill(random.below(20))
      : Uint8Array.from(random.bytes(20));
  }
}
