import { describe, expect, test } from 'vitest';
import { parseHex } from '../../../src/base/bytes.ts';
import type { Contact } from '../../../src/dht/contact.ts';
import type { RoutingTable } from '../../../src/dht/routing/index.ts';
import { NodeRecords, SCRATCH } from '../../../src/dht/routing/records.ts';
import { liveNodes, namesOf, spareNodes } from './invariants.ts';
import { makeTable, Nodes, OWN_ID } from './nodes.ts';

/** Of libtorrent's tests. */
const THEIRS = '1234876923549721020394873245098347598635';

function idOf(hex: string): Uint8Array {
  const id = parseHex(hex);
  if (id === undefined) throw new Error(hex);
  return id;
}

function lives(table: RoutingTable): number[] {
  return table.buckets(0).map(({ nodes }) => nodes.length);
}

/** Nodes that have the id with another first byte each, and differ in the last ones. */
function withFirstBytes(nodes: Nodes, hex: string, bytes: readonly number[]): Contact[] {
  return bytes.map((byte, at) => {
    const { endpoint } = nodes.at(0);
    const id = idOf(hex);
    id[0] = byte;
    id[18] = at >>> 8;
    id[19] = at;
    return { id, endpoint };
  });
}

function shuffled(nodes: Nodes): number[] {
  const bytes = Array.from({ length: 256 }, (_, byte) => byte);
  for (let at = 255; at > 0; at--) {
    const other = nodes.random.below(at + 1);
    [bytes[at], bytes[other]] = [bytes[other] ?? 0, bytes[at] ?? 0];
  }
  return bytes;
}

function answerAll(table: RoutingTable, nodes: readonly Contact[]): void {
  for (const node of nodes) table.answered(node, 50, 0);
}

describe('how buckets split', () => {
  test('only that of our own id does', () => {
    const nodes = new Nodes();
    const table = makeTable();
    answerAll(table, nodes.many(8, 0));
    expect(lives(table)).toEqual([8]);
    answerAll(table, nodes.many(50, 0));
    expect(lives(table), 'all in one half').toEqual([8]);
    answerAll(table, nodes.many(3, 1));
    expect(lives(table)).toEqual([8, 3]);
    answerAll(table, nodes.many(50, 0));
    expect(lives(table)).toEqual([8, 3]);
    answerAll(table, nodes.many(6, 1));
    answerAll(table, nodes.many(8, 4));
    expect(lives(table)).toEqual([8, 8, 8]);
    answerAll(table, nodes.many(9, 2));
    expect(lives(table)).toEqual([8, 8, 8, 8]);
    answerAll(table, nodes.many(9, 3));
    expect(lives(table)).toEqual([8, 8, 8, 8, 8]);
    for (const depth of [0, 1, 2, 3, 4]) answerAll(table, nodes.many(50, depth));
    expect(lives(table)).toEqual([8, 8, 8, 8, 8]);
  });

  test('only for nodes that answered', () => {
    const nodes = new Nodes();
    const table = makeTable();
    answerAll(table, nodes.many(8, 0));
    for (const node of nodes.many(100, 3)) table.queried(node, 0);
    for (const node of nodes.many(100, 3)) table.heard(node, 0);
    expect(lives(table)).toEqual([8]);
    expect(table.replacements).toBe(8);
  });

  test('the first four have more room', () => {
    const nodes = new Nodes();
    const table = makeTable({ extended: true });
    for (let depth = 0; depth < 8; depth++) answerAll(table, nodes.many(200, depth));
    expect(table.buckets(0).map(({ room }) => room)).toEqual([128, 64, 32, 16, 8, 8, 8, 8]);
    expect(lives(table)).toEqual([128, 64, 32, 16, 8, 8, 8, 8]);
    expect(table.buckets(0).map(({ replacements }) => replacements.length)).toEqual(
      Array<number>(8).fill(8),
    );
  });

  test('who has no place in the smaller one waits, the worst first', () => {
    const nodes = new Nodes();
    const table = makeTable({ extended: true });
    const near = nodes.many(126, 1);
    for (const [at, node] of near.entries()) table.answered(node, 1000 - at, 0);
    const [failing] = near.splice(125, 1);
    if (failing !== undefined) table.failed(failing, 0);
    answerAll(table, nodes.many(3, 0));
    expect(lives(table)).toEqual([3, 64]);
    const [, second] = table.buckets(0);
    expect(namesOf(second?.nodes ?? []).toSorted()).toEqual(namesOf(near.slice(61)).toSorted());
    const waiting = namesOf(second?.replacements ?? []).toSorted();
    expect(waiting).toEqual(namesOf(near.slice(53, 61)).toSorted());
  });

  test('as deep as ids are long, and no deeper', () => {
    const nodes = new Nodes();
    const table = makeTable();
    for (let depth = 0; depth < 160; depth++) answerAll(table, nodes.many(9, depth));
    expect(table.buckets(0).length).toBeGreaterThan(150);
    expect(table.closest(OWN_ID, 1, 0)[0]?.id.subarray(0, 19)).toEqual(new Uint8Array(19));
  });

  test('the last one goes when nobody is left in it', () => {
    const nodes = new Nodes();
    const table = makeTable();
    const near = nodes.many(3, 2);
    answerAll(table, [...nodes.many(8, 0), ...nodes.many(6, 1), ...near]);
    expect(lives(table)).toEqual([8, 6, 3]);
    const alive = nodes.at(0);
    for (const node of near) {
      for (let at = 0; at < 5; at++) table.failed(node, 0);
      table.answered(alive, 50, 0);
    }
    expect(lives(table)).toEqual([8, 6]);
  });
});

describe("libtorrent's tables", () => {
  test('routing_table_uniform', () => {
    const nodes = new Nodes();
    const table = makeTable({ ownId: idOf(THEIRS) });
    const firsts = Array.from({ length: 256 }, (_, at) => 0x12 ^ (255 - at));
    answerAll(table, withFirstBytes(nodes, THEIRS, firsts));
    expect(lives(table)).toEqual([8, 8, 8, 8, 8, 8]);
  });

  test('routing_table_balance', () => {
    const nodes = new Nodes();
    const table = makeTable({ ownId: idOf(THEIRS) });
    const firsts = Array.from({ length: 32 }, (_, at) => at << 3);
    answerAll(table, withFirstBytes(nodes, THEIRS, firsts));
    expect(lives(table)).toEqual([8, 8]);
  });

  test('routing_table_extended', () => {
    const nodes = new Nodes();
    const table = makeTable({ ownId: idOf(THEIRS), extended: true });
    answerAll(table, withFirstBytes(nodes, THEIRS, shuffled(nodes)));
    expect(lives(table)).toEqual([128, 64, 32, 16, 8, 8]);
  });

  test('routing_table_set_id', () => {
    const nodes = new Nodes();
    const table = makeTable();
    answerAll(table, withFirstBytes(nodes, '00'.repeat(20), shuffled(nodes)));
    expect(lives(table)).toEqual([8, 8, 8, 8, 8, 8]);
    const before = new Set(namesOf([...liveNodes(table, 0), ...spareNodes(table, 0)]));
    table.rebase(new Uint8Array(20).fill(0xff), 0);
    expect(table.ownId).toEqual(new Uint8Array(20).fill(0xff));
    expect(lives(table).length).toBeLessThanOrEqual(4);
    const after = namesOf(liveNodes(table, 0));
    expect(after.length).toBeGreaterThanOrEqual(16);
    expect(after.filter((name) => !before.has(name))).toEqual([]);
  });

  test('all_in_same_bucket', () => {
    const nodes = new Nodes();
    const near = (depth: number): number => {
      const table = makeTable();
      answerAll(table, [...nodes.many(2, 0), ...nodes.many(8, 1), ...nodes.many(8, depth)]);
      return lives(table).length;
    };
    expect(near(1), 'all share one bit').toBe(2);
    expect(near(2), 'some share more').toBe(3);
  });

  test('a table next to us and nowhere else is no natural one, and does not split', () => {
    const nodes = new Nodes();
    const table = makeTable();
    answerAll(table, [...nodes.many(500, 40), ...nodes.many(500, 41)]);
    expect(lives(table)).toEqual([8]);
    answerAll(table, nodes.many(1, 0));
    expect(lives(table)).toEqual([1, 8]);
    answerAll(table, [...nodes.many(500, 42), ...nodes.many(3, 1)]);
    expect(lives(table), 'one before it is not enough').toEqual([1, 8]);
    answerAll(table, [...nodes.many(1, 0), ...nodes.many(1, 1)]);
    expect(lives(table)).toEqual([2, 1, 8]);
  });

  test('10,000 random nodes', () => {
    const nodes = new Nodes();
    const table = makeTable();
    const all = Array.from({ length: 10_000 }, () => ({
      ...nodes.at(0),
      id: nodes.random.bytes(20),
    }));
    answerAll(table, all);
    expect(lives(table).length).toBeGreaterThanOrEqual(10);
    expect(lives(table).length).toBeLessThanOrEqual(13);
    expect(table.size).toBeGreaterThanOrEqual(80);
    const found = namesOf(table.closest(nodes.random.bytes(20), 2 * table.size, 0));
    expect(found.toSorted()).toEqual(namesOf(liveNodes(table, 0)).toSorted());
  });

  test.each([
    // Hexadecimal id, the first bit that counts, bits that count, what they say.
    ['0cdc', 0, 3, 0],
    ['2cdc', 0, 3, 1],
    ['8cdc', 0, 3, 4],
    ['fcdc', 0, 3, 7],
    ['c0cd', 4, 3, 0],
    ['c2cd', 4, 3, 1],
    ['cfcd', 4, 3, 7],
    ['dc0c', 8, 3, 0],
    ['dcac', 8, 3, 5],
    ['cdc2', 12, 3, 1],
    ['cdcf', 12, 3, 7],
    ['cdc8', 13, 3, 0],
    ['cdcf', 13, 3, 7],
    ['cdc0', 12, 4, 0],
    ['cdcd', 12, 4, 13],
    ['00000002a0', 30, 7, 0b10_10100],
    ['fe', 0, 7, 127],
  ] as const)('classify_prefix %s from bit %i, %i bits: %i', (hex, from, count, expected) => {
    const records = new NodeRecords(4);
    records.loadId(SCRATCH, idOf(hex.padEnd(40, 'cd')));
    expect(records.idBits(SCRATCH, from, count)).toBe(expected);
  });

  test('bits behind the end of an id are 0', () => {
    const records = new NodeRecords(4);
    const id = new Uint8Array(20).fill(0xff);
    records.loadId(SCRATCH, id);
    const bits = [156, 157, 159, 160, 200].map((from) => records.idBits(SCRATCH, from, 3));
    expect(bits).toEqual([7, 7, 4, 0, 0]);
  });
});
