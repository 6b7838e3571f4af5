import { describe, expect, test } from 'vitest';
import type { Contact } from '../../../src/dht/contact.ts';
import { commonPrefixBits } from '../../../src/dht/distance.ts';
import type { RoutingTable } from '../../../src/dht/routing/index.ts';
import { nameOf, namesOf } from './invariants.ts';
import { MINUTE, makeTable, Nodes, OWN_ID, renamed, SECOND } from './nodes.ts';

/** A table of full buckets down to `depth`, all of whose nodes answered at 0. */
function fullTable(nodes: Nodes, depth: number): { table: RoutingTable; all: Contact[] } {
  const table = makeTable();
  const all = Array.from({ length: depth + 1 }, (_, at) => nodes.many(8, at)).flat();
  for (const node of all) table.answered(node, 50, 0);
  expect(table.size).toBe(8 * (depth + 1));
  return { table, all };
}

/** When each node was pinged, by calls as `pace` says that nobody answers. */
function timesOf(
  table: RoutingTable,
  { from, to, every, max }: { from: number; to: number; every: number; max: number },
  onPing: (ping: Contact, now: number) => void = () => undefined,
): Map<string, number[]> {
  const times = new Map<string, number[]>();
  for (let now = from; now < to; now += every) {
    for (const ping of table.takePings(now, max)) {
      times.set(nameOf(ping), [...(times.get(nameOf(ping)) ?? []), now]);
      onPing(ping, now);
    }
  }
  return times;
}

function shortestPause(times: ReadonlyMap<string, readonly number[]>): number {
  const pauses = [...times.values()].flatMap((ofNode) =>
    ofNode.slice(1).map((time, at) => time - (ofNode[at] ?? 0)),
  );
  return Math.min(...pauses);
}

describe('whom to ping', () => {
  test('nobody while all are good and nobody waits', () => {
    const { table } = fullTable(new Nodes(), 4);
    expect(table.takePings(15 * MINUTE, 99)).toEqual([]);
    expect(makeTable().takePings(0, 99)).toEqual([]);
  });

  test('all that were quiet for 15 minutes, at most so many at once, and no one twice', () => {
    const { table, all } = fullTable(new Nodes(), 4);
    const now = 16 * MINUTE;
    expect(table.takePings(now, 0)).toEqual([]);
    const pings = Array.from({ length: 20 }, () => table.takePings(now, 3));
    expect(pings.map(({ length }) => length)).toEqual([
      ...Array<number>(13).fill(3),
      1,
      0,
      0,
      0,
      0,
      0,
      0,
    ]);
    expect(namesOf(pings.flat()).toSorted()).toEqual(namesOf(all).toSorted());
  });

  test('who was silent for longest comes first', () => {
    const nodes = new Nodes();
    const table = makeTable();
    const all = nodes.many(6, 0);
    const inOrder = [3, 0, 5, 1, 4, 2].map((at) => all[at] ?? nodes.at(0));
    for (const node of all) table.answered(node, 50, 0);
    for (const [at, node] of inOrder.entries()) table.answered(node, 50, at * SECOND);
    expect(namesOf(table.takePings(20 * MINUTE, 99))).toEqual(namesOf(inOrder));
  });

  test('one that asks us something need not be pinged', () => {
    const nodes = new Nodes();
    const table = makeTable();
    const [asking, quiet] = [nodes.at(0), nodes.at(0)];
    for (const node of [asking, quiet]) table.answered(node, 50, 0);
    table.queried(asking, 10 * MINUTE);
    expect(namesOf(table.takePings(16 * MINUTE, 9))).toEqual([nameOf(quiet)]);
  });

  test('candidates where there is room for them, and replacements that are good nowhere', () => {
    const nodes = new Nodes();
    const { table } = fullTable(nodes, 3);
    const [far, near] = [nodes.at(0), nodes.at(5)];
    table.queried(far, SECOND);
    table.queried(near, SECOND);
    table.answered(nodes.at(1), 50, SECOND);
    expect(namesOf(table.takePings(2 * SECOND, 99))).toEqual([nameOf(near)]);
  });

  test('candidates for the place of a node that has failed, before it is gone', () => {
    const nodes = new Nodes();
    const { table, all } = fullTable(nodes, 3);
    const [spare, failing] = [nodes.at(0), all[0]];
    table.heard(spare, SECOND);
    expect(table.takePings(2 * SECOND, 99)).toEqual([]);
    if (failing !== undefined) table.failed(failing, 20 * SECOND);
    const pings = table.takePings(40 * SECOND, 99);
    expect(namesOf(pings).toSorted()).toEqual(
      [nameOf(spare), failing ? nameOf(failing) : ''].toSorted(),
    );
  });

  test('everybody of a table that came back from a long sleep, whatever fails', () => {
    const nodes = new Nodes();
    const { table, all } = fullTable(nodes, 20);
    const dead = new Set(namesOf(all.slice(0, 120)));
    for (const node of all.slice(120)) table.answered(node, 50, SECOND);
    const sleep = 10 * 60 * MINUTE;
    const times = timesOf(
      table,
      { from: sleep, to: sleep + 10 * MINUTE, every: 5 * SECOND, max: 4 },
      (ping, now) => {
        if (dead.has(nameOf(ping))) table.failed(ping, now);
        else table.answered(ping, 50, now);
      },
    );
    expect(namesOf(all).filter((name) => !times.has(name))).toEqual([]);
  });
});

describe('how often', () => {
  test('not again within a minute while there is no word', () => {
    const { table, all } = fullTable(new Nodes(), 2);
    const pace = { from: 16 * MINUTE, to: 20 * MINUTE, every: SECOND, max: 4 };
    const times = timesOf(table, pace);
    expect(times.size).toBe(all.length);
    expect(shortestPause(times)).toBe(MINUTE);
  });

  test('not within 15 seconds after it failed, but once more then', () => {
    const { table, all } = fullTable(new Nodes(), 0);
    const pace = { from: 16 * MINUTE, to: 17 * MINUTE, every: SECOND, max: 99 };
    const alive = all[0];
    const times = timesOf(table, pace, (ping, now) => {
      if (alive !== undefined) table.answered(alive, 50, now);
      table.failed(ping, now);
    });
    expect(times.size).toBe(8);
    expect(shortestPause(times)).toBe(15 * SECOND);
  });

  test('a bad one that nobody follows every five minutes', () => {
    const { table, all } = fullTable(new Nodes(), 0);
    const [alive, dead] = all;
    if (alive === undefined || dead === undefined) throw new Error('two');
    const pace = { from: MINUTE, to: 12 * MINUTE, every: SECOND, max: 99 };
    table.failed(dead, SECOND);
    table.failed(dead, SECOND);
    const times = timesOf(table, pace, (ping, now) => {
      table.answered(alive, 50, now);
      table.failed(ping, now);
    });
    expect([...times.keys()]).toEqual([nameOf(dead)]);
    expect(shortestPause(times)).toBeGreaterThanOrEqual(5 * MINUTE);
    expect(times.get(nameOf(dead))?.length).toBe(2);
  });

  test('sooner when it asks us something, which makes no flood', () => {
    const { table, all } = fullTable(new Nodes(), 0);
    const [alive, dead] = all;
    if (alive === undefined || dead === undefined) throw new Error('two');
    table.failed(dead, SECOND);
    table.failed(dead, SECOND);
    const times: number[] = [];
    for (let now = 2 * SECOND; now < 10 * MINUTE; now += 200) {
      table.queried(dead, now);
      table.answered(alive, 50, now);
      const pings = table.takePings(now, 9).filter((ping) => nameOf(ping) === nameOf(dead));
      if (pings.length > 0) times.push(now);
    }
    expect(times[0]).toBeLessThanOrEqual(17 * SECOND);
    expect(shortestPause(new Map([['dead', times]]))).toBeGreaterThanOrEqual(15 * SECOND);
  });

  test('once a minute when the network is away', () => {
    const { table } = fullTable(new Nodes(), 3);
    const from = 16 * MINUTE;
    for (let at = 0; at < 3; at++) {
      for (const ping of table.takePings(from + at * MINUTE, 99)) {
        table.failed(ping, from + at * MINUTE);
      }
    }
    const pace = { from: from + 3 * MINUTE, to: from + 20 * MINUTE, every: SECOND, max: 99 };
    const times = timesOf(table, pace, (ping, now) => table.failed(ping, now));
    expect(times.size).toBe(32);
    expect(shortestPause(times)).toBeGreaterThanOrEqual(MINUTE);
    expect(table.size, 'nobody is forgotten').toBe(32);
  });

  test('in all buckets, however many new ones come to those near us', () => {
    const nodes = new Nodes();
    const table = makeTable();
    for (let depth = 0; depth < 12; depth++) {
      for (const node of nodes.many(7, depth)) table.answered(node, 50, 0);
    }
    const waiting = [0, 1, 2, 3].map((depth) => nodes.at(depth));
    for (const node of waiting) table.heard(node, SECOND);
    const pinged = new Set<string>();
    for (let now = 2 * SECOND; now < 30 * SECOND; now += 200) {
      for (let depth = 4; depth < 12; depth++) table.queried(nodes.at(depth), now);
      for (const ping of table.takePings(now, 2)) {
        pinged.add(nameOf(ping));
        table.failed(ping, now);
        table.answered(renamed(nodes.at(0), nodes.at(0).id), 50, now);
      }
    }
    expect(namesOf(waiting).filter((name) => !pinged.has(name))).toEqual([]);
  });
});

describe('what to look up', () => {
  test('every bucket once in 15 minutes, our neighbourhood first', () => {
    const { table } = fullTable(new Nodes(), 5);
    const buckets = table.buckets(0).length;
    expect(table.takeRefresh(14 * MINUTE)).toBeUndefined();
    for (const from of [15 * MINUTE, 30 * MINUTE, 45 * MINUTE]) {
      const targets = Array.from({ length: buckets }, () => table.takeRefresh(from));
      expect(targets[0]).toEqual(OWN_ID);
      const depths = targets.map((target) => commonPrefixBits(target ?? OWN_ID, OWN_ID));
      expect(depths).toEqual([
        160,
        ...Array.from({ length: buckets - 1 }, (_, at) => buckets - 2 - at),
      ]);
      expect(table.takeRefresh(from), 'no more').toBeUndefined();
    }
  });

  test('nothing when there is nobody to ask', () => {
    const table = makeTable();
    expect(table.takeRefresh(0)).toBeUndefined();
    expect(table.takeRefresh(60 * MINUTE)).toBeUndefined();
  });

  test('no bucket that is full and whose nodes answer', () => {
    const { table, all } = fullTable(new Nodes(), 2);
    for (const node of all.slice(0, 8)) table.answered(node, 50, 10 * MINUTE);
    const targets = [1, 2, 3].map(() => table.takeRefresh(16 * MINUTE));
    expect(targets.map((target) => target && commonPrefixBits(target, OWN_ID))).toEqual([
      160,
      1,
      undefined,
    ]);
  });

  test('a bucket that has room, though its nodes answer, until there is a new one', () => {
    const nodes = new Nodes();
    const table = makeTable();
    const one = nodes.at(0);
    table.answered(one, 50, 0);
    table.answered(one, 50, 10 * MINUTE);
    expect(table.takeRefresh(15 * MINUTE)).toEqual(OWN_ID);
    table.answered(nodes.at(0), 50, 20 * MINUTE);
    expect(table.takeRefresh(30 * MINUTE)).toBeUndefined();
    expect(table.takeRefresh(35 * MINUTE)).toEqual(OWN_ID);
  });
});
