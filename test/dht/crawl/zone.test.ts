import { describe, expect, test } from 'vitest';
import type { Contact } from '../../../src/dht/contact.ts';
import { MAX_OF_NETWORK, Networks } from '../../../src/dht/crawl/networks.ts';
import {
  MAX_PER_NETWORK,
  MAX_TRIES,
  MAX_ZONE_NODES,
  Zone,
  type ZoneOptions,
} from '../../../src/dht/crawl/zone.ts';
import { prefixOf, zoneOrder } from '../../../src/dht/crawl/zone-order.ts';
import { commonPrefixBits } from '../../../src/dht/distance.ts';
import { SeededRandom } from '../../../src/runtime/sim/index.ts';

const random = new SeededRandom(1);

function zone(options: Partial<ZoneOptions> = {}): Zone {
  const made = new Zone({
    ...{ prefix: prefixOf(0b1010, 4), bits: 4, limitAddresses: true, random },
    ...{ mayAsk: () => true, ...options },
  });
  made.entered = true;
  return made;
}

function contact(at: number, first = 0xa7, host = `80.${at >>> 8}.${at & 255}.1`): Contact {
  const id = Uint8Array.from(random.bytes(20));
  id[0] = first;
  return { id, endpoint: { host, port: 6881 } };
}

describe('a zone', () => {
  test('takes in nodes with ids of it, each once, and asks them in turn', () => {
    const asked = zone();
    const [one, two] = [contact(1), contact(2)];
    expect(asked.isDone).toBe(true);
    expect([asked.add(one), asked.add(two), asked.add(one)]).toEqual([true, true, false]);
    expect(asked.add(contact(3, 0xb7))).toBe(false);
    const nodes = [asked.take(), asked.take(), asked.take()];
    expect(nodes.map((node) => node?.contact)).toEqual([one, two, undefined]);
    expect([nodes[0]?.named, nodes[1]?.named, asked.isDone]).toEqual([2, 1, false]);
  });

  test('tries the silent twice, and counts who answered, by how often they were named', () => {
    const asked = zone();
    const contacts = [contact(1), contact(2), contact(3), contact(4)];
    for (const one of contacts) asked.add(one);
    for (const one of contacts.slice(0, 2)) asked.add(one);
    asked.add(contact(1, 0xa7, '80.0.1.1'));
    const [first, second, third, fourth] = [1, 2, 3, 4].map(() => asked.take());
    if (!first || !second || !third || !fourth) throw new Error('there are four');
    expect(asked.heard(first, first.contact.id)).toBe(true);
    expect(asked.heard(second, contact(9, 0xa0).id)).toBe(true);
    expect(asked.heard(third, contact(9, 0x10).id)).toBe(false);
    expect(asked.failed(fourth)).toBe(false);
    expect(asked.take()).toBe(fourth);
    expect([asked.isDone, asked.failed(fourth), asked.isDone]).toEqual([false, true, true]);
    expect([fourth.tries, fourth.at, third.at]).toEqual([MAX_TRIES, 'silent', 'elsewhere']);
    expect(asked.count()).toEqual({ answered: 2, once: 0, twice: 1 });
  });

  test.each([
    ['port 0', { host: '80.0.0.1', port: 0 }],
    ['multicast', { host: '224.0.0.1', port: 1 }],
    ['no address', { host: 'node.example', port: 1 }],
  ])('does not ask %s', (_, endpoint) => {
    expect(zone().add({ id: contact(1).id, endpoint })).toBe(false);
  });

  test('has few of a network, unless all are on one machine', () => {
    const [few, many] = [zone(), zone({ limitAddresses: false })];
    for (let at = 1; at <= MAX_PER_NETWORK; at++) {
      expect(few.add(contact(0, 0xa1, `80.1.1.${at}`))).toBe(true);
      many.add(contact(0, 0xa1, `80.1.1.${at}`));
    }
    expect(few.add(contact(0, 0xa1, '80.1.1.99'))).toBe(false);
    expect(few.add(contact(0, 0xa1, '80.1.2.99'))).toBe(true);
    expect(many.add(contact(0, 0xa1, '80.1.1.99'))).toBe(true);
    expect(zone({ mayAsk: () => false }).add(contact(1))).toBe(false);
  });

  test('is full at its limit', () => {
    const full = zone();
    for (let at = 0; at < MAX_ZONE_NODES; at++) expect(full.add(contact(at))).toBe(true);
    expect([full.add(contact(MAX_ZONE_NODES)), full.size]).toEqual([false, MAX_ZONE_NODES]);
  });

  test('asks for points all over it at first, and near each node later', () => {
    const asked = zone();
    for (let at = 0; at < 320; at++) asked.add(contact(at));
    const depths: number[] = [];
    for (let node = asked.take(); node !== undefined; node = asked.take()) {
      const target = asked.targetFor(node);
      expect(commonPrefixBits(target, asked.prefix)).toBeGreaterThanOrEqual(4);
      depths.push(commonPrefixBits(target, node.contact.id));
      asked.heard(node, node.contact.id);
    }
    expect(Math.min(...depths.slice(0, 20))).toBe(4);
    expect(Math.min(...depths.slice(-100))).toBe(8);
  });

  test('goes on where it was', () => {
    const [before, after] = [zone(), zone()];
    for (let at = 0; at < 4; at++) before.add(contact(at));
    const [answered, once, twice] = [before.take(), before.take(), before.take()];
    if (!answered || !once || !twice) throw new Error('there are four');
    before.heard(answered, answered.contact.id);
    before.failed(twice);
    const rest = [before.take(), before.take()];
    expect(rest[1]).toBe(twice);
    for (const node of before.nodes) after.restore({ ...node });
    // Those whose answers were not waited for are asked as if they had not been asked.
    const asked = [after.take(), after.take(), after.take(), after.take()];
    expect(asked.map((node) => [node?.contact, node?.tries])).toEqual([
      [once.contact, 1],
      [twice.contact, 2],
      [rest[0]?.contact, 1],
      [undefined, undefined],
    ]);
    expect(after.answered).toBe(1);
  });

  test('without a network all silent ones are to be asked again', () => {
    const asked = zone();
    asked.add(contact(1));
    asked.add(contact(2));
    const silent = asked.take();
    if (!silent) throw new Error('there are two');
    asked.failed(silent);
    asked.take();
    asked.take();
    asked.failed(silent);
    expect(asked.forgive()).toBe(1);
    expect([...asked.nodes].map(({ at, tries }) => [at, tries])).toEqual([
      ['waiting', 0],
      ['waiting', 0],
    ]);
  });
});

test('all zones, each once, in an order that a seed decides', () => {
  const order = zoneOrder(8, 7);
  expect(new Set(order).size).toBe(256);
  expect(order).toEqual(zoneOrder(8, 7));
  expect(order).not.toEqual(zoneOrder(8, 8));
  expect(zoneOrder(0, 1)).toEqual(Uint32Array.of(0));
  expect(prefixOf(0, 0)).toEqual(new Uint8Array(20));
  expect([...prefixOf(0xabcd, 16).subarray(0, 3)]).toEqual([0xab, 0xcd, 0]);
  expect([...prefixOf(0b101, 3).subarray(0, 2)]).toEqual([0xa0, 0]);
});

test('networks: so many of each, and the same after they were saved', () => {
  const networks = new Networks(Uint8Array.from(random.bytes(16)));
  const endpoint = { host: '80.1.2.3', port: 1 };
  for (let at = 0; at < MAX_OF_NETWORK; at++) {
    expect(networks.hasRoom(endpoint)).toBe(true);
    networks.count({ host: `80.1.2.${at}`, port: at + 1 });
  }
  expect(networks.hasRoom(endpoint)).toBe(false);
  expect(networks.hasRoom({ host: '80.1.3.3', port: 1 })).toBe(true);
  networks.count({ host: '2001:db8:1::1', port: 1 });
  const again = new Networks(networks.key, networks.save());
  expect(again.hasRoom(endpoint)).toBe(false);
  expect(again.save()).toEqual(networks.save());
  expect(networks.save()).toHaveLength(8);
});
