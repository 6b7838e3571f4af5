import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatHex } from '../../../src/base/bytes.ts';
import type { Contact } from '../../../src/dht/contact.ts';
import { compareDistance } from '../../../src/dht/distance.ts';
import type { Candidate } from '../../../src/dht/lookup/candidate.ts';
import { Lookup, type LookupOptions } from '../../../src/dht/lookup/lookup.ts';
import { SeededRandom } from '../../../src/runtime/sim/index.ts';

const TARGET = new Uint8Array(20);
const OWN = new Uint8Array(20).fill(0xff);

function lookup(options: Partial<LookupOptions> = {}): Lookup {
  return new Lookup({
    target: TARGET,
    ownId: OWN,
    k: 8,
    alpha: 3,
    limitAddresses: true,
    onlySecure: false,
    ...options,
  });
}

/** A node at a distance of `distance` in the first byte, with an address and a network of its own. */
function node(distance: number, host = `10.${distance}.0.1`): Contact {
  const id = new Uint8Array(20);
  id[0] = distance;
  return { id, endpoint: { host, port: 6881 } };
}

function distances(candidates: readonly Candidate[]): (number | undefined)[] {
  return candidates.map(({ id }) => id?.[0]);
}

describe('whom it asks', () => {
  test('the closest that it knows, alpha at a time', () => {
    const search = lookup();
    for (const distance of [9, 2, 7, 4]) expect(search.add(node(distance), 0)).toBe(true);
    const first = search.take();
    expect(distances(first)).toEqual([2, 4, 7]);
    expect(search.take()).toEqual([]);
    answer(search, first[0]);
    search.add(node(1), 1);
    expect(distances(search.take())).toEqual([1]);
  });

  test('one more for each that is slow, once again one of the closest that is', () => {
    const search = lookup({ alpha: 1 });
    search.add(node(1), 0);
    search.add(node(2), 0);
    const [one] = search.take();
    if (one !== undefined) search.slow(one);
    expect(distances(search.take()), 'asked again').toEqual([1]);
    if (one !== undefined) search.slow(one);
    expect(distances(search.take())).toEqual([2]);
  });

  test('nobody farther than the k that answered', () => {
    const search = lookup({ k: 2, alpha: 2 });
    for (const distance of [1, 2, 3]) search.add(node(distance), 0);
    for (const candidate of search.take()) answer(search, candidate);
    expect(search.isDone).toBe(true);
    expect(search.take()).toEqual([]);
    expect(distances(search.closest())).toEqual([1, 2]);
  });

  test('a node without a name, when there is nobody else', () => {
    const search = lookup();
    search.add(node(1), 0);
    search.addNameless({ host: '192.0.2.1', port: 1 });
    search.addNameless({ host: '192.0.2.1', port: 1 });
    const asked = search.take();
    expect(distances(asked)).toEqual([1, undefined]);
    expect(search.isDone).toBe(false);
    for (const candidate of asked) answer(search, candidate, { id: candidate.id ?? node(5).id });
    expect(distances(search.closest())).toEqual([1, 5]);
    expect(search.isDone).toBe(true);
  });
});

describe('whom it takes in', () => {
  test('nobody twice, not us, and no address that cannot be', () => {
    const search = lookup();
    expect(search.add(node(1), 0)).toBe(true);
    expect(search.add(node(1), 0)).toBe(false);
    expect(search.add({ id: OWN, endpoint: { host: '10.1.1.1', port: 1 } }, 0)).toBe(false);
    expect(search.add(node(2, '0.1.2.3'), 0)).toBe(false);
    expect(search.add(node(2, '224.0.0.1'), 0)).toBe(false);
    expect(search.add({ ...node(3), endpoint: { host: '10.3.3.3', port: 0 } }, 0)).toBe(false);
  });

  test('one of an address and two of a network, unless it is told otherwise', () => {
    const hosts = ['10.0.0.1', '10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.1.1'];
    const add = (search: Lookup): boolean[] =>
      hosts.map((host, at) => search.add({ id: node(at).id, endpoint: { host, port: at + 1 } }, 0));
    expect(add(lookup())).toEqual([true, false, true, false, true]);
    expect(add(lookup({ limitAddresses: false }))).toEqual([true, true, true, true, true]);
  });

  test('the node that was kept out by one at its address that does not answer', () => {
    const search = lookup();
    search.add({ id: node(1).id, endpoint: { host: '10.0.0.1', port: 1 } }, 0);
    const real = { id: node(2).id, endpoint: { host: '10.0.0.1', port: 2 } };
    expect(search.add(real, 0)).toBe(false);
    for (let attempt = 0; attempt < 2; attempt++) {
      for (const candidate of search.take()) search.failed(candidate);
    }
    expect(search.take().map(({ endpoint }) => endpoint)).toEqual([real.endpoint]);
  });

  test('of two claims about an address the closer one, as long as nobody was asked', () => {
    const search = lookup({ alpha: 1 });
    const named = (distance: number, port = 1): Contact => ({
      id: node(distance).id,
      endpoint: { host: '10.0.0.1', port },
    });
    expect(search.add(named(200), 0)).toBe(true);
    expect(search.add(named(201), 0)).toBe(false);
    expect(search.add(node(100), 0)).toBe(true);
    expect(search.add(named(50), 0), 'the id that it has now').toBe(true);
    expect(search.add(named(20, 2), 0), 'another port of it').toBe(true);
    expect(search.add(node(7, '10.0.0.2'), 0), 'one more of the network').toBe(true);
    expect(search.add(node(5, '10.0.0.3'), 0)).toBe(false);
    const [first] = search.take();
    expect(first?.endpoint.host).toBe('10.0.0.2');
    answer(search, first);
    const [second] = search.take();
    expect(second?.endpoint).toEqual({ host: '10.0.0.1', port: 2 });
    expect(search.add(named(1, 2), 1), 'it was asked').toBe(false);
    expect(search.add(named(1, 1), 1)).toBe(false);
    answer(search, second);
    const [third] = search.take();
    answer(search, third);
    expect(distances(search.closest())).toEqual([7, 20, 100]);
    expect(search.take()).toEqual([]);
  });

  test('only secure ids, when it is asked to', () => {
    const search = lookup({ onlySecure: true });
    expect(search.add(node(1, '8.8.8.8'), 0)).toBe(false);
    // BEP 42, vector 1.
    const id = Uint8Array.from({ length: 20 }, (_, at) => [0x5f, 0xbf, 0xbf][at] ?? 1);
    expect(search.add({ id, endpoint: { host: '124.31.75.21', port: 1 } }, 0)).toBe(true);
  });
});

test('a node that answers by another id stands where that one belongs', () => {
  const search = lookup({ k: 1 });
  search.add(node(1), 0);
  search.add(node(2), 0);
  const [liar, honest] = search.take();
  answer(search, liar, { id: node(200).id });
  answer(search, honest);
  expect(distances(search.closest())).toEqual([2]);
});

test('a slow one counts when it comes before the end, and is not waited for when others do', () => {
  const search = lookup({ k: 2, alpha: 4 });
  for (const distance of [1, 2, 3]) search.add(node(distance), 0);
  const [slow, ...others] = search.take();
  if (slow === undefined) throw new Error('three were asked');
  search.slow(slow);
  expect(search.take()).toEqual([slow]);
  search.slow(slow);
  for (const candidate of others) answer(search, candidate);
  expect(search.isDone).toBe(true);
  answer(search, slow);
  expect(distances(search.closest())).toEqual([1, 2]);
});

describe('in a small network, one that does not answer', () => {
  test.each([
    { name: 'is not waited for where the others answer at once', rttMs: 250, isDone: true },
    { name: 'is waited for where answers take their time', rttMs: 251, isDone: false },
  ])('$name', ({ rttMs, isDone }) => {
    const search = lookup({ alpha: 3 });
    for (const distance of [1, 2, 3]) search.add(node(distance), 0);
    const [dead, ...others] = search.take();
    for (const candidate of others) answer(search, candidate, { rttMs });
    for (let attempt = 0; attempt < 2; attempt++) {
      expect(search.isDone).toBe(false);
      if (dead !== undefined) search.slow(dead);
      search.take();
    }
    expect(search.isDone).toBe(isDone);
  });

  test('is waited for when no more than that have answered', () => {
    const search = lookup({ alpha: 2 });
    for (const distance of [1, 2]) search.add(node(distance), 0);
    const [silent, other] = search.take();
    answer(search, other);
    for (let attempt = 0; attempt < 2; attempt++) {
      if (silent !== undefined) search.slow(silent);
      search.take();
    }
    expect(search.isDone).toBe(false);
  });
});

describe('a network in which nodes know their neighbourhood', () => {
  test.each([0, 0.2, 0.5])('finds the closest that live when %d of them are dead', (dead) => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 31 }), (seed) => {
        const net = new Net(new SeededRandom(seed), { size: 300, dead });
        const search = lookup({ target: net.target, alpha: 3, limitAddresses: false });
        const asked = net.run(search);
        const found = search.closest().map(({ id }) => formatHex(id ?? OWN));
        expect(search.isDone).toBe(true);
        expect(found).toEqual(found.toSorted());
        expect(asked).toBeLessThan(120);
        if (dead === 0) expect(found).toEqual(net.closest(8));
      }),
      { numRuns: 30 },
    );
  });
});

function answer(
  search: Lookup,
  candidate: Candidate | undefined,
  { id = candidate?.id, rttMs = 20 }: { readonly id?: Uint8Array; readonly rttMs?: number } = {},
): void {
  if (candidate === undefined || id === undefined) throw new Error('nobody was asked');
  search.answered(candidate, id, rttMs);
}

/** Nodes that know others as routing tables do: 8 in each distance from them. */
class Net {
  /** All zeros, so that distances are ids. */
  readonly target = new Uint8Array(20);
  readonly #nodes: readonly Contact[];
  readonly #dead = new Set<Contact>();
  readonly #byAddress = new Map<string, Contact>();
  readonly #random: SeededRandom;

  constructor(random: SeededRandom, { size, dead }: { size: number; dead: number }) {
    this.#random = random;
    this.#nodes = Array.from({ length: size }, (_, at) => ({
      id: random.bytes(20),
      endpoint: { host: `10.0.${at >> 8}.${at & 255}`, port: 1 },
    }));
    for (const contact of this.#nodes) {
      this.#byAddress.set(contact.endpoint.host, contact);
      if (random.chance(dead)) this.#dead.add(contact);
    }
  }

  closest(count: number): string[] {
    return this.#nearest(this.target)
      .slice(0, count)
      .map(({ id }) => formatHex(id));
  }

  /** Runs a search from three nodes on. Returns how many queries it sent. */
  run(search: Lookup): number {
    for (const contact of this.#nodes.slice(0, 3)) search.add(contact, 0);
    let asked = 0;
    let flying: Candidate[] = [];
    for (;;) {
      const taken = search.take();
      asked += taken.length;
      flying.push(...taken);
      const [next] = flying.splice(this.#random.below(flying.length || 1), 1);
      if (next === undefined) return asked;
      this.#end(search, next);
      if (search.isDone) return asked;
      flying = flying.filter(({ state }) => state === 'asked');
    }
  }

  #end(search: Lookup, candidate: Candidate): void {
    const contact = this.#byAddress.get(candidate.endpoint.host);
    if (contact === undefined || this.#dead.has(contact)) return search.failed(candidate);
    search.answered(candidate, contact.id, 20);
    for (const known of this.#known(contact)) search.add(known, candidate.hop + 1);
  }

  /** What a node answers: the 8 closest to the target of those in its table. */
  #known(from: Contact): Contact[] {
    const buckets = new Map<number, Contact[]>();
    for (const contact of this.#nodes) {
      if (contact === from) continue;
      const depth = Math.clz32(((contact.id[0] ?? 0) ^ (from.id[0] ?? 0)) | 1);
      const bucket = buckets.get(depth) ?? [];
      buckets.set(depth, bucket);
      if (bucket.length < 8 || depth >= 29) bucket.push(contact);
    }
    return [...buckets.values()]
      .flat()
      .toSorted((one, other) => compareDistance(this.target, one.id, other.id))
      .slice(0, 8);
  }

  #nearest(target: Uint8Array): Contact[] {
    return this.#nodes.toSorted((one, other) => compareDistance(target, one.id, other.id));
  }
}
