import { describe, expect, test } from 'vitest';
import type { Contact } from '../../../src/dht/contact.ts';
import type { RoutingTable } from '../../../src/dht/routing/index.ts';
import { liveNodes, nameOf, namesOf, spareNodes } from './invariants.ts';
import { MINUTE, makeTable, moved, Nodes, OWN_ID, renamed, SECOND } from './nodes.ts';

/** The far half of the ids, whose bucket never splits again once there is a second one. */
function fullBucket(nodes: Nodes, now: number): { table: RoutingTable; far: Contact[] } {
  const table = makeTable();
  const far = nodes.many(8, 0);
  for (const node of [...far, ...nodes.many(2, 1)]) table.answered(node, 50, now);
  expect(table.buckets(now).map((bucket) => bucket.nodes.length)).toEqual([8, 2]);
  return { table, far };
}

function stateOf(table: RoutingTable, node: Contact, now: number): string | undefined {
  const all = [...liveNodes(table, now), ...spareNodes(table, now)];
  return all.find((one) => nameOf(one) === nameOf(node))?.state;
}

function isLive(table: RoutingTable, node: Contact, now: number): boolean {
  return namesOf(liveNodes(table, now)).includes(nameOf(node));
}

function isWaiting(table: RoutingTable, node: Contact, now: number): boolean {
  return namesOf(spareNodes(table, now)).includes(nameOf(node));
}

/** A node that may be gone is asked twice. */
function failTwice(table: RoutingTable, node: Contact, now: number): void {
  table.failed(node, now);
  table.failed(node, now);
}

describe('what a node is', () => {
  test('good for 15 minutes after an answer', () => {
    const [table, node] = [makeTable(), new Nodes().at(0)];
    table.answered(node, 20, 0);
    expect(stateOf(table, node, 15 * MINUTE)).toBe('good');
    expect(stateOf(table, node, 15 * MINUTE + SECOND)).toBe('questionable');
  });

  test('good again for 15 minutes when it asks something, after it has answered once', () => {
    const [table, node] = [makeTable(), new Nodes().at(0)];
    table.answered(node, 20, 0);
    table.queried(node, 60 * MINUTE);
    expect(stateOf(table, node, 74 * MINUTE)).toBe('good');
    expect(stateOf(table, node, 76 * MINUTE)).toBe('questionable');
  });

  test('never good by questions alone', () => {
    const [table, node] = [makeTable(), new Nodes().at(0)];
    for (let minute = 0; minute < 60; minute++) table.queried(node, minute * MINUTE);
    expect(stateOf(table, node, 60 * MINUTE)).toBe('unproven');
    expect(isLive(table, node, 60 * MINUTE)).toBe(false);
    expect(table.closest(OWN_ID, 8, 60 * MINUTE)).toEqual([]);
    expect(table.writeClosest(OWN_ID, 8, new Uint8Array(208), 60 * MINUTE)).toBe(0);
  });

  test('questionable after one failure, bad after two, good after an answer', () => {
    const [table, node] = [makeTable(), new Nodes().at(0)];
    table.answered(node, 20, 0);
    const states = [0, 1].map((at) => {
      table.failed(node, at);
      return stateOf(table, node, at);
    });
    expect(states).toEqual(['questionable', 'bad']);
    table.queried(node, 2);
    expect(stateOf(table, node, 2), 'a question does not prove that it answers').toBe('bad');
    table.answered(node, 20, 3);
    expect(stateOf(table, node, 3)).toBe('good');
  });

  test('not given to others when it failed, or is bad', () => {
    const nodes = new Nodes();
    const table = makeTable();
    const [fine, failing, bad] = [nodes.at(0), nodes.at(0), nodes.at(0)];
    for (const node of [fine, failing, bad]) table.answered(node, 20, 0);
    table.failed(failing, 1);
    failTwice(table, bad, 1);
    expect(table.writeClosest(OWN_ID, 8, new Uint8Array(208), 2)).toBe(26);
    const searched = namesOf(table.closest(OWN_ID, 8, 2)).toSorted();
    expect(searched).toEqual(namesOf([fine, failing]).toSorted());
  });

  test('the mean of its round trips, of which the last counts a third', () => {
    const [table, node] = [makeTable(), new Nodes().at(0)];
    const rtts = [undefined, 90, 30, undefined, 1e9, -5].map((rttMs) => {
      table.answered(node, rttMs, 0);
      return liveNodes(table, 0)[0]?.rttMs;
    });
    expect(rtts).toEqual([undefined, 90, 70, 70, 65_534, 43_688]);
  });
});

describe('in a full bucket', () => {
  test('good nodes stay, however fast others are', () => {
    const nodes = new Nodes();
    const { table, far } = fullBucket(nodes, 0);
    for (const node of nodes.many(200, 0)) table.answered(node, 1, SECOND);
    for (const node of far) expect(isLive(table, node, SECOND)).toBe(true);
    expect(table.buckets(SECOND)[0]?.replacements.length, 'few wait').toBe(8);
  });

  test('questionable nodes stay, too, until they failed twice', () => {
    const nodes = new Nodes();
    const { table, far } = fullBucket(nodes, 0);
    const [quiet] = far;
    if (quiet === undefined) throw new Error('a node');
    const now = 20 * MINUTE;
    for (const node of far.slice(1)) table.answered(node, 50, now);
    const fresh = nodes.at(0);
    table.answered(fresh, 1, now);
    expect(isWaiting(table, fresh, now)).toBe(true);
    expect(namesOf(table.takePings(now, 1)), 'asked before it is replaced').toEqual([
      nameOf(quiet),
    ]);
    table.failed(quiet, now + 15 * SECOND);
    expect(isLive(table, quiet, now + 15 * SECOND)).toBe(true);
    expect(namesOf(table.takePings(now + 30 * SECOND, 1)), 'once more').toEqual([nameOf(quiet)]);
    table.failed(quiet, now + 45 * SECOND);
    expect(isLive(table, fresh, now + 45 * SECOND)).toBe(true);
    expect(stateOf(table, quiet, now + 45 * SECOND), 'forgotten').toBeUndefined();
  });

  test('a questionable node that answers its ping keeps its place', () => {
    const nodes = new Nodes();
    const { table, far } = fullBucket(nodes, 0);
    const now = 20 * MINUTE;
    const fresh = nodes.at(0);
    table.answered(fresh, 1, now);
    for (const ping of table.takePings(now, 99)) table.answered(ping, 50, now + SECOND);
    for (const node of far) expect(isLive(table, node, now + SECOND)).toBe(true);
    expect(isWaiting(table, fresh, now + SECOND)).toBe(true);
  });

  test('the best that has answered follows, and nobody who has not', () => {
    const nodes = new Nodes();
    const { table, far } = fullBucket(nodes, 0);
    const [slow, fast, lame, unknown] = [nodes.at(0), nodes.at(0), nodes.at(0), nodes.at(0)];
    table.queried(unknown, SECOND);
    table.answered(slow, 900, SECOND);
    table.answered(lame, 10, SECOND);
    table.answered(fast, 30, SECOND);
    table.failed(lame, SECOND);
    for (const node of far.slice(0, 4)) failTwice(table, node, SECOND);
    expect([slow, fast].map((node) => isLive(table, node, SECOND))).toEqual([true, true]);
    expect([lame, unknown].map((node) => isLive(table, node, SECOND))).toEqual([false, false]);
    expect(stateOf(table, far[3] ?? slow, SECOND), 'nobody follows it').toBe('bad');
    table.answered(unknown, 500, 2 * SECOND);
    table.answered(lame, 500, 2 * SECOND);
    expect([lame, unknown].map((node) => isLive(table, node, 2 * SECOND))).toEqual([true, true]);
  });

  test('the first to follow is the fastest', () => {
    const nodes = new Nodes();
    const { table, far } = fullBucket(nodes, 0);
    // All in one part of the bucket, that of a node that is there.
    const spares = [700, 20, 300].map((rttMs) => {
      const spare = nodes.at(0);
      spare.id.set(far[0]?.id.subarray(0, 1) ?? []);
      table.answered(spare, rttMs, SECOND);
      return spare;
    });
    failTwice(table, far[7] ?? nodes.at(0), SECOND);
    expect(spares.map((spare) => isLive(table, spare, SECOND))).toEqual([false, true, false]);
  });

  test('before speed counts who stands where nobody else does (libtorrent: replace_node_impl)', () => {
    const nodes = new Nodes();
    const table = makeTable();
    // Parts of a bucket that is no more the last one: the three bits behind the first.
    const inPart = (part: number): Contact => {
      const node = nodes.at(0);
      node.id[0] = 0x80 | (part << 4) | nodes.random.below(16);
      return node;
    };
    const far = [0, 1, 2, 3, 4, 5, 6, 6].map((part) => inPart(part));
    for (const node of [...far, ...nodes.many(2, 1)]) table.answered(node, 50, 0);
    const [fast, alone] = [inPart(6), inPart(7)];
    table.answered(fast, 1, SECOND);
    table.answered(alone, 500, SECOND);
    failTwice(table, far[0] ?? fast, SECOND);
    expect([fast, alone].map((node) => isLive(table, node, SECOND))).toEqual([false, true]);
    failTwice(table, far[1] ?? fast, SECOND);
    expect(isLive(table, fast, SECOND)).toBe(true);
  });

  test('a bad one goes at once when somebody answers', () => {
    const nodes = new Nodes();
    const { table, far } = fullBucket(nodes, 0);
    failTwice(table, far[2] ?? nodes.at(0), SECOND);
    const fresh = nodes.at(0);
    table.answered(fresh, 999, SECOND);
    expect(isLive(table, fresh, SECOND)).toBe(true);
    expect(isLive(table, far[2] ?? fresh, SECOND)).toBe(false);
  });

  test('a bad one that nobody follows is forgotten after five failures', () => {
    const [table, node] = [makeTable(), new Nodes().at(0)];
    table.answered(node, 20, 0);
    const sizes = [1, 2, 3, 4, 5].map((at) => {
      table.failed(node, at);
      return table.size;
    });
    expect(sizes).toEqual([1, 1, 1, 1, 0]);
  });

  test('a candidate that fails is forgotten, a replacement that does not fail twice is not', () => {
    const nodes = new Nodes();
    const { table } = fullBucket(nodes, 0);
    const [unknown, spare] = [nodes.at(0), nodes.at(0)];
    table.heard(unknown, SECOND);
    table.answered(spare, 20, SECOND);
    table.failed(unknown, 2 * SECOND);
    table.failed(spare, 2 * SECOND);
    expect([unknown, spare].map((node) => isWaiting(table, node, 2 * SECOND))).toEqual([
      false,
      true,
    ]);
    table.failed(spare, 3 * SECOND);
    expect(isWaiting(table, spare, 3 * SECOND)).toBe(false);
  });
});

describe('ids that follow from addresses (BEP 42)', () => {
  test('have the places of others that are as good', () => {
    const nodes = new Nodes();
    const table = makeTable();
    const wrong = Array.from({ length: 8 }, () => nodes.wrongAt(0));
    for (const [at, node] of wrong.entries()) table.answered(node, at === 3 ? 500 : 10 + at, 0);
    for (const node of nodes.many(2, 1)) table.answered(node, 10, 0);
    const right = nodes.rightAt(0);
    table.answered(right, 900, SECOND);
    expect(isLive(table, right, SECOND)).toBe(true);
    expect(isLive(table, wrong[3] ?? right, SECOND), 'the slowest').toBe(false);
    expect(wrong.filter((node) => isLive(table, node, SECOND))).toHaveLength(7);
    expect(
      wrong.filter((node) => isWaiting(table, node, SECOND)),
      'it is good still',
    ).toHaveLength(1);
  });

  test('have no places of others with such ids, nor of better ones', () => {
    const nodes = new Nodes();
    const table = makeTable();
    const right = Array.from({ length: 7 }, () => nodes.rightAt(0));
    const wrong = nodes.wrongAt(0);
    const late = [nodes.rightAt(0), nodes.rightAt(0)];
    for (const node of [...right, wrong, ...nodes.many(2, 1)]) table.answered(node, 900, 0);
    for (const node of late) table.answered(node, 10, SECOND);
    expect(late.map((node) => isLive(table, node, SECOND))).toEqual([true, false]);
    for (const node of right) expect(isLive(table, node, SECOND)).toBe(true);
  });

  test('are all right on private networks', () => {
    const nodes = new Nodes();
    const table = makeTable();
    for (const node of [nodes.at(0), nodes.wrongAt(0), nodes.rightAt(0)]) {
      table.answered(node, 10, 0);
    }
    expect(liveNodes(table, 0).map(({ isVerified }) => isVerified)).toEqual([true, false, true]);
  });

  test('let a candidate be asked for the place of one whose id is wrong', () => {
    const nodes = new Nodes();
    const table = makeTable();
    for (let count = 0; count < 8; count++) table.answered(nodes.wrongAt(0), 10, 0);
    for (const node of nodes.many(2, 1)) table.answered(node, 10, 0);
    const [right, wrong] = [nodes.rightAt(0), nodes.wrongAt(0)];
    table.queried(wrong, SECOND);
    table.queried(right, SECOND);
    expect(namesOf(table.takePings(SECOND, 9))).toEqual([nameOf(right)]);
  });
});

describe('who changes', () => {
  test('its id is another node from the answer by the new one on', () => {
    const nodes = new Nodes();
    const [table, node] = [makeTable(), nodes.at(0)];
    table.answered(node, 20, 0);
    const other = renamed(node, nodes.at(1).id);
    table.queried(other, SECOND);
    table.heard(other, SECOND);
    expect(namesOf(liveNodes(table, SECOND)), 'anybody could say so').toEqual([nameOf(node)]);
    expect(table.replacements).toBe(0);
    table.answered(other, 20, 2 * SECOND);
    expect(stateOf(table, node, 2 * SECOND)).toBeUndefined();
    expect(stateOf(table, other, 2 * SECOND), 'once is not enough').toBe('unproven');
    expect(namesOf(table.takePings(2 * SECOND, 9))).toEqual([nameOf(other)]);
    table.answered(other, 20, 3 * SECOND);
    expect(stateOf(table, other, 3 * SECOND)).toBe('good');
  });

  test('its port is not believed while the old one answers', () => {
    const [table, node] = [makeTable(), new Nodes().at(0)];
    table.answered(node, 20, 0);
    const other = moved(node);
    table.queried(other, SECOND);
    table.answered(other, 20, SECOND);
    expect(namesOf(liveNodes(table, SECOND))).toEqual([nameOf(node)]);
    failTwice(table, other, SECOND);
    expect(stateOf(table, node, SECOND), 'that was not this one').toBe('good');
    failTwice(table, node, SECOND);
    table.answered(other, 20, SECOND);
    expect(namesOf(liveNodes(table, SECOND))).toEqual([nameOf(other)]);
  });

  test('whoever took its id in vain does not keep a node out that answers', () => {
    const nodes = new Nodes();
    const [table, node] = [makeTable(), nodes.at(0)];
    const liar = renamed(nodes.at(0), node.id);
    table.queried(liar, 0);
    expect(isWaiting(table, liar, 0)).toBe(true);
    table.queried(node, 0);
    expect(isWaiting(table, node, 0)).toBe(false);
    table.answered(node, 20, SECOND);
    expect(isLive(table, node, SECOND)).toBe(true);
    expect(isWaiting(table, liar, SECOND)).toBe(false);
  });

  test('whoever came by its address in vain does not keep a node out that answers', () => {
    const nodes = new Nodes();
    const [table, node] = [makeTable(), nodes.at(0)];
    const liars = [renamed(node, nodes.at(0).id), renamed(moved(node), nodes.at(1).id)];
    for (const liar of liars) table.queried(liar, 0);
    expect(table.replacements, 'one of an address').toBe(1);
    table.answered(node, 20, SECOND);
    expect(namesOf(liveNodes(table, SECOND))).toEqual([nameOf(node)]);
    expect(table.replacements).toBe(0);
  });
});

describe('when the network is away', () => {
  test('nodes do not suffer for it', () => {
    const nodes = new Nodes();
    const table = makeTable({ extended: true });
    const all = nodes.many(60, 0);
    for (const node of all) table.answered(node, 20, 0);
    for (let hour = 1; hour < 50; hour++) {
      for (const node of all) table.failed(node, hour * 60 * MINUTE);
    }
    expect(table.size).toBe(60);
    expect(table.closest(OWN_ID, 99, 50 * 60 * MINUTE).length).toBeGreaterThanOrEqual(44);
  });

  test('one answer ends it, and failures count again', () => {
    const nodes = new Nodes();
    const table = makeTable({ extended: true });
    const all = nodes.many(20, 0);
    for (const node of all) table.answered(node, 20, 0);
    for (const node of all) failTwice(table, node, SECOND);
    const [first, second, third] = all.slice(17);
    if (first === undefined || second === undefined || third === undefined) throw new Error('20');
    expect(stateOf(table, third, SECOND), 'the 16 failures before were enough').toBe('good');
    table.answered(first, 20, 2 * SECOND);
    failTwice(table, third, 2 * SECOND);
    expect(stateOf(table, third, 2 * SECOND)).toBe('bad');
  });
});
