import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Contact, Family } from '../../../src/dht/contact.ts';
import { decodeNodes } from '../../../src/dht/node-info.ts';
import { RoutingTable } from '../../../src/dht/routing/index.ts';
import { Ticks } from '../../../src/dht/routing/ticks.ts';
import { SeededRandom } from '../../../src/runtime/sim/index.ts';
import { liveNodes, nameOf, namesOf, spareNodes } from './invariants.ts';
import { MINUTE, makeTable, Nodes, OWN_ID, SECOND } from './nodes.ts';

function restored(saved: Uint8Array, family: Family): RoutingTable {
  const table = makeTable({ family, extended: true });
  for (const node of decodeNodes(saved, family)) table.heard(node, 0);
  return table;
}

describe('from one run to the next', () => {
  test.each([4, 6] as const)('all nodes of IPv%i that answered are candidates again', (family) => {
    fc.assert(
      fc.property(fc.nat(), fc.array(fc.nat(8), { maxLength: 120 }), (seed, depths) => {
        const nodes = new Nodes(family, seed);
        const table = makeTable({ family, extended: true });
        for (const depth of depths) table.answered(nodes.at(depth), 50, 0);
        const sound = namesOf([...liveNodes(table, 0), ...spareNodes(table, 0)]);
        const again = restored(table.save(0), family);
        expect(again.size, 'they have to answer first').toBe(0);
        expect(namesOf(spareNodes(again, 0)).toSorted()).toEqual(sound.toSorted());
        for (const node of spareNodes(again, 0)) again.answered(node, 50, SECOND);
        const target = nodes.random.bytes(20);
        expect(namesOf(again.closest(target, 999, SECOND)).length).toBeGreaterThanOrEqual(
          namesOf(table.closest(target, 999, 0)).length,
        );
      }),
      { numRuns: 50 },
    );
  });

  test('the best come first, and none that failed comes at all', () => {
    const nodes = new Nodes();
    const table = makeTable();
    const [slow, fast, wrong, quiet, failing] = [
      nodes.rightAt(0),
      nodes.rightAt(0),
      nodes.wrongAt(0),
      nodes.rightAt(0),
      nodes.rightAt(0),
    ];
    table.answered(quiet, 1, 0);
    for (const node of [slow, failing]) table.answered(node, 500, 20 * MINUTE);
    table.answered(wrong, 1, 20 * MINUTE);
    table.answered(fast, 20, 20 * MINUTE);
    table.failed(failing, 20 * MINUTE);
    table.heard(nodes.at(0), 20 * MINUTE);
    const saved = decodeNodes(table.save(20 * MINUTE), 4);
    expect(namesOf(saved)).toEqual(namesOf([fast, slow, wrong, quiet]));
  });

  test('at most 200', () => {
    const nodes = new Nodes();
    const table = makeTable({ extended: true });
    for (let depth = 0; depth < 4; depth++) {
      for (const node of nodes.many(200, depth)) table.answered(node, 50, 0);
    }
    expect(table.size).toBe(240);
    expect(table.save(0)).toHaveLength(200 * 26);
  });

  test('a run in which nobody answers loses nobody', () => {
    const nodes = new Nodes();
    const table = makeTable({ extended: true });
    for (const node of nodes.many(30, 1)) table.answered(node, 50, 0);
    const again = restored(table.save(0), 4);
    for (let at = 1; at < 50; at++) {
      for (const ping of again.takePings(at * 5 * SECOND, 4)) again.failed(ping, at * 5 * SECOND);
    }
    expect(again.save(MINUTE).length).toBeGreaterThanOrEqual(14 * 26);
    expect(makeTable().save(0)).toHaveLength(0);
  });
});

describe('another id of ours', () => {
  test('keeps all nodes that there is room for, and what they are', () => {
    const nodes = new Nodes();
    const table = makeTable({ extended: true });
    const all = [...nodes.many(50, 0), ...nodes.many(30, 1), ...nodes.many(8, 2)];
    for (const node of all) table.answered(node, 50, 0);
    const [bad, failing] = all;
    if (bad === undefined || failing === undefined) throw new Error('two');
    for (const node of [bad, bad, failing]) table.failed(node, SECOND);
    const candidate = nodes.at(3);
    table.queried(candidate, SECOND);
    const before = statesOf(table);
    table.rebase(nodes.at(0).id, 2 * SECOND);
    expect(statesOf(table)).toEqual(before);
    expect(table.size).toBe(86);
    table.answered(failing, 50, 3 * SECOND);
    expect(table.size).toBe(87);
  });

  test('that a node has already makes us forget the node', () => {
    const nodes = new Nodes();
    const table = makeTable();
    const [twin, other] = [nodes.at(0), nodes.at(1)];
    for (const node of [twin, other]) table.answered(node, 50, 0);
    table.rebase(twin.id, SECOND);
    expect(namesOf(liveNodes(table, SECOND))).toEqual([nameOf(other)]);
    twin.id.fill(9);
    expect(table.ownId, 'copied').not.toEqual(twin.id);
  });

  test('prefers who had a place to who waited', () => {
    const nodes = new Nodes();
    const table = makeTable();
    const far = nodes.many(16, 0);
    const near = nodes.many(8, 1);
    for (const node of [...far, ...near]) table.answered(node, 50, 0);
    const live = namesOf(liveNodes(table, 0));
    table.rebase(nodes.at(3).id, SECOND);
    const after = namesOf(liveNodes(table, SECOND));
    expect(after.filter((name) => live.includes(name)).length).toBe(16);
  });
});

describe('on loopback', () => {
  test('one host may have many nodes, but no endpoint two', () => {
    const nodes = new Nodes();
    const table = makeTable({ limitAddresses: false });
    const all = Array.from({ length: 40 }, (_, at): Contact => {
      const { id } = nodes.at(at % 8);
      return { id, endpoint: { host: '127.0.0.1', port: 4000 + at } };
    });
    for (const node of all) table.answered(node, 1, 0);
    expect(table.size).toBe(40);
    const [first] = all;
    if (first === undefined) throw new Error('a node');
    table.answered({ id: nodes.at(0).id, endpoint: first.endpoint }, 1, 0);
    expect(namesOf(liveNodes(table, 0))).not.toContain(nameOf(first));
    expect(table.size + table.replacements).toBe(40);
  });

  test('limits are the default', () => {
    const nodes = new Nodes();
    const table = new RoutingTable({ family: 4, ownId: OWN_ID, random: new SeededRandom(1) });
    for (let at = 1; at < 40; at++) table.answered(nodes.at(at % 3, `10.0.0.${at}`), 1, 0);
    expect(table.size).toBe(2);
    expect(table.buckets(0)[0]?.room).toBe(128);
  });
});

describe('memory', () => {
  test.each([
    [4, 46],
    [6, 60],
  ] as const)('a node of IPv%i takes at most %i bytes', (family, bytes) => {
    const nodes = new Nodes(family);
    const table = makeTable({ family, extended: true });
    for (let at = 0; at < 5000; at++) {
      table.answered({ ...nodes.at(0), id: nodes.random.bytes(20) }, 50, 0);
    }
    const count = table.size + table.replacements;
    expect(count).toBeGreaterThan(300);
    expect(table.byteLength / count).toBeLessThanOrEqual(bytes);
    for (let at = 0; at < 5000; at++) table.queried(nodes.at(at % 20), 1);
    expect(table.byteLength).toBeLessThanOrEqual(600 * bytes);
  });
});

describe('the clock of a table', () => {
  test('counts tenths of a second from 1 on', () => {
    const ticks = new Ticks();
    expect([5000, 5099, 5100, 6000].map((now) => ticks.at(now))).toEqual([1, 1, 2, 11]);
  });

  test('stands still when the one outside is set back, and goes on from there', () => {
    const ticks = new Ticks();
    const times = [1e12, 1e12 + 1000, 500, 600, 100, 1100];
    expect(times.map((now) => ticks.at(now))).toEqual([1, 11, 11, 12, 12, 22]);
  });

  test('ends, after 13 years, without beginning anew', () => {
    const ticks = new Ticks();
    ticks.at(0);
    expect(ticks.at(1e15)).toBe(0xffff_ffff);
  });

  test('makes nobody younger when it is set back', () => {
    const [table, node] = [makeTable(), new Nodes().at(0)];
    table.answered(node, 50, 100 * MINUTE);
    const states = [110, 5, 10, 11].map((minute) => {
      return table.buckets(minute * MINUTE)[0]?.nodes[0]?.state;
    });
    expect(states).toEqual(['good', 'good', 'good', 'questionable']);
  });
});

function statesOf(table: RoutingTable): string[] {
  const all = [...liveNodes(table, 2 * SECOND), ...spareNodes(table, 2 * SECOND)];
  return all.map((node) => `${nameOf(node)} ${node.state} ${node.rttMs}`).toSorted();
}
