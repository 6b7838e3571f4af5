import { describe, expect, test } from 'vitest';
import type { Contact, Family } from '../../../src/dht/contact.ts';
import type { RoutingTable } from '../../../src/dht/routing/index.ts';
import { liveNodes, namesOf, networkOf, spareNodes } from './invariants.ts';
import { MINUTE, makeTable, moved, Nodes, OWN_ID, renamed, SECOND } from './nodes.ts';

/** Whoever has the network may choose any address, port and id in it. */
const NETWORK: Readonly<Record<Family, (at: number) => string>> = {
  4: (at) => `10.255.255.${at & 0xff}`,
  6: (at) => `fd00:bad:1:1::${(at + 1).toString(16)}`,
};

function attackers(nodes: Nodes, family: Family): Contact[] {
  return Array.from({ length: 10_000 }, (_, at) => nodes.at(at % 25, NETWORK[family](at)));
}

/** A table as full as it gets. */
function settled(nodes: Nodes, family: Family): { table: RoutingTable; good: string[] } {
  const table = makeTable({ family, extended: true });
  for (let depth = 0; depth < 12; depth++) {
    for (const node of nodes.many(200, depth)) table.answered(node, 50, 0);
  }
  return { table, good: namesOf(liveNodes(table, 0)) };
}

const KINDS = {
  queried: (table: RoutingTable, node: Contact) => table.queried(node, SECOND),
  heard: (table: RoutingTable, node: Contact) => table.heard(node, SECOND),
  answered: (table: RoutingTable, node: Contact) => table.answered(node, 1, SECOND),
} as const;

describe.each([4, 6] as const)('10,000 ids from one network of IPv%i', (family) => {
  test.each(['queried', 'heard', 'answered'] as const)('that %s push nobody out', (kind) => {
    const nodes = new Nodes(family);
    const { table, good } = settled(nodes, family);
    for (const node of attackers(nodes, family)) KINDS[kind](table, node);
    const after = new Set(namesOf(liveNodes(table, SECOND)));
    expect(good.filter((name) => !after.has(name))).toEqual([]);
  });

  test.each(['queried', 'heard', 'answered'] as const)('that %s get few places', (kind) => {
    const nodes = new Nodes(family);
    const table = makeTable({ family, extended: true });
    for (const node of attackers(nodes, family)) KINDS[kind](table, node);
    expect(table.size + table.replacements).toBeLessThanOrEqual(8);
    for (let depth = 0; depth < 12; depth++) {
      for (const node of nodes.many(10, depth)) table.answered(node, 50, 2 * SECOND);
    }
    const hosts = [...liveNodes(table, 0), ...spareNodes(table, 0)].map(
      ({ endpoint }) => endpoint.host,
    );
    const bad = networkOf(NETWORK[family](0));
    expect(hosts.filter((host) => networkOf(host) === bad).length).toBeLessThanOrEqual(8);
    expect(table.size).toBeGreaterThanOrEqual(96);
  });

  test('who said they were in it do not keep out one that answers from it', () => {
    const nodes = new Nodes(family);
    const table = makeTable({ family });
    for (const node of attackers(nodes, family)) table.queried(node, 0);
    const honest = nodes.at(0, NETWORK[family](77));
    table.answered(honest, 50, SECOND);
    expect(namesOf(liveNodes(table, SECOND))).toEqual(namesOf([honest]));
  });

  test('bad ones give way to good ones of their network', () => {
    const nodes = new Nodes(family);
    const table = makeTable({ family });
    const [first, second, third] = [1, 2, 3].map((at) => nodes.at(0, NETWORK[family](at)));
    if (first === undefined || second === undefined || third === undefined) throw new Error('3');
    for (const node of [first, second, third]) table.answered(node, 50, 0);
    expect(namesOf(liveNodes(table, 0)).toSorted()).toEqual(namesOf([first, second]).toSorted());
    table.failed(first, SECOND);
    table.failed(first, SECOND);
    table.answered(third, 50, SECOND);
    expect(namesOf(liveNodes(table, 0)).toSorted()).toEqual(namesOf([second, third]).toSorted());
  });
});

describe('limits', () => {
  test.each([
    [4, ['10.1.2.', '10.1.3.', '10.2.2.', '11.1.2.'], '10.1.2.'],
    [6, ['fd00:0:0:1::', 'fd00::', 'fd00:0:1:1::', 'fd01:0:0:1::'], 'fd00:0:0:1::ffff:'],
  ] as const)('two of a network of IPv%i in a bucket, eight in all', (family, networks, one) => {
    const nodes = new Nodes(family);
    const table = makeTable({ family, extended: true });
    for (const at of [1, 2, 3, 4]) {
      for (const network of networks) table.answered(nodes.at(0, `${network}${at}`), 50, 0);
    }
    expect(table.size + table.replacements).toBe(8);
    for (let depth = 0; depth < 12; depth++) {
      for (const node of nodes.many(150, depth)) table.answered(node, 50, 0);
    }
    for (let at = 10; at < 100; at++) table.answered(nodes.at(at % 12, `${one}${at}`), 1, 0);
    const all = [...liveNodes(table, 0), ...spareNodes(table, 0)];
    const network = networkOf(`${one}1`);
    const count = all.filter(({ endpoint }) => networkOf(endpoint.host) === network).length;
    expect(count).toBeGreaterThanOrEqual(2);
    expect(count).toBeLessThanOrEqual(8);
  });

  test('eight of a network in buckets that have room', () => {
    const nodes = new Nodes();
    const table = makeTable();
    for (let depth = 0; depth < 12; depth++) {
      for (const node of nodes.many(6, depth)) table.answered(node, 50, 0);
    }
    for (let at = 1; at < 100; at++) table.answered(nodes.at(at % 12, `10.1.2.${at}`), 1, 0);
    const hosts = liveNodes(table, 0).map(({ endpoint }) => endpoint.host);
    expect(hosts.filter((host) => host.startsWith('10.1.2.'))).toHaveLength(8);
  });
});

describe('lies', () => {
  test('questions in the names of good nodes, by other ids, change nothing', () => {
    const nodes = new Nodes();
    const { table, good } = settled(nodes, 4);
    const before = table.buckets(SECOND);
    for (const node of before.flatMap((bucket) => bucket.nodes)) {
      table.queried(renamed(node, nodes.at(3).id), SECOND);
      table.heard(renamed(node, nodes.at(4).id), SECOND);
      table.queried(moved(node), SECOND);
      table.queried(renamed(nodes.at(0), node.id), SECOND);
      table.failed(moved(node), SECOND);
      table.failed(renamed(nodes.at(0), node.id), SECOND);
    }
    expect(table.buckets(SECOND)).toEqual(before);
    expect(good).toHaveLength(table.size);
  });

  test('10,000 questions from everywhere let no candidate into answers', () => {
    const nodes = new Nodes();
    const { table, good } = settled(nodes, 4);
    for (let at = 0; at < 10_000; at++) table.queried(nodes.at(at % 20), SECOND);
    expect(namesOf(table.closest(OWN_ID, 9999, SECOND)).toSorted()).toEqual(good.toSorted());
    expect(table.replacements).toBeLessThanOrEqual(8 * table.buckets(SECOND).length);
  });

  test('nodes that answer find places where candidates only wait', () => {
    const nodes = new Nodes();
    const table = makeTable();
    for (let at = 0; at < 1000; at++) table.queried(nodes.at(0), SECOND);
    const honest = nodes.many(8, 0);
    for (const node of honest) table.answered(node, 50, 2 * SECOND);
    expect(namesOf(liveNodes(table, 0)).toSorted()).toEqual(namesOf(honest).toSorted());
    expect(table.replacements).toBe(8);
    const late = nodes.at(0);
    table.answered(late, 50, 2 * SECOND);
    expect(namesOf(spareNodes(table, 0))).toContain(namesOf([late])[0]);
  });

  test('candidates that were heard of long ago give way to new ones', () => {
    const nodes = new Nodes();
    const table = makeTable();
    for (const node of nodes.many(16, 0)) table.heard(node, 0);
    const early = nodes.at(0);
    table.heard(early, 10 * MINUTE);
    expect(namesOf(spareNodes(table, 0))).not.toContain(namesOf([early])[0]);
    const late = nodes.at(0);
    table.heard(late, 16 * MINUTE);
    expect(namesOf(spareNodes(table, 0))).toContain(namesOf([late])[0]);
  });

  test.each([
    ['0.1.2.3', 1],
    ['224.0.0.1', 1],
    ['255.255.255.255', 1],
    ['10.0.0.1', 0],
    ['10.0.0.1', 65_536],
    ['10.0.0.1', Number.NaN],
    ['example.org', 1],
    ['fd00::1', 1],
    ['', 1],
  ] as const)('nobody can be at %s port %d', (host, port) => {
    const table = makeTable();
    const node = { id: new Nodes().at(0).id, endpoint: { host, port } };
    table.answered(node, 1, 0);
    table.queried(node, 0);
    table.heard(node, 0);
    table.failed(node, 0);
    expect([table.size, table.replacements]).toEqual([0, 0]);
  });

  test.each([0, 19, 21])('nobody has an id of %i bytes', (length) => {
    const table = makeTable();
    const { endpoint } = new Nodes().at(0);
    table.answered({ id: new Uint8Array(length).fill(1), endpoint }, 1, 0);
    table.queried({ id: new Uint8Array(length).fill(1), endpoint }, 0);
    expect([table.size, table.replacements]).toEqual([0, 0]);
  });

  test('nobody has our own id', () => {
    const table = makeTable();
    table.answered(renamed(new Nodes().at(0), OWN_ID), 1, 0);
    table.queried(renamed(new Nodes().at(0), OWN_ID), 0);
    expect([table.size, table.replacements]).toEqual([0, 0]);
  });
});
