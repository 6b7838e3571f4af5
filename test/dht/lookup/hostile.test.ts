/** Searches that are told lies. */

import { describe, expect, test } from 'vitest';
import { parseIp } from '../../../src/base/ip.ts';
import type { Contact } from '../../../src/dht/contact.ts';
import { Candidate } from '../../../src/dht/lookup/candidate.ts';
import { closestOf } from '../../../src/dht/lookup/choice.ts';
import { Lookup, type LookupOptions } from '../../../src/dht/lookup/lookup.ts';
import { makeSecureId } from '../../../src/dht/secure-id.ts';
import { SeededRandom } from '../../../src/runtime/sim/index.ts';

const TARGET = new Uint8Array(20);
const random = new SeededRandom(1);

function lookup(options: Partial<LookupOptions> = {}): Lookup {
  return new Lookup({
    target: TARGET,
    ownId: new Uint8Array(20).fill(0xff),
    k: 2,
    alpha: 4,
    limitAddresses: true,
    onlySecure: false,
    ...options,
  });
}

function node(distance: number, host = `10.${distance}.0.1`, port = 6881): Contact {
  const id = new Uint8Array(20);
  id[0] = distance;
  return { id, endpoint: { host, port } };
}

/** A public host with an id that follows from its address. */
function secureNode(at: number): Contact {
  const host = `80.0.${at}.1`;
  const id = makeSecureId(parseIp(host) ?? new Uint8Array(4), random);
  return { id, endpoint: { host, port: 6881 } };
}

function answer(search: Lookup, candidate: Candidate, id = candidate.id): void {
  search.answered(candidate, id ?? TARGET, 50);
}

function hosts(candidates: readonly Candidate[]): string[] {
  return candidates.map(({ endpoint }) => endpoint.host);
}

describe('who named four dead nodes', () => {
  function lied(): { search: Lookup; liar: Candidate } {
    const search = lookup();
    search.add(node(100), 0);
    const [liar] = search.take();
    if (liar === undefined) throw new Error('it was asked');
    answer(search, liar);
    for (let distance = 1; distance <= 8; distance++) search.add(node(distance), 1, liar);
    for (const dead of search.take()) search.slow(dead);
    return { search, liar };
  }

  test('is believed only when there is nobody else', () => {
    const { search } = lied();
    search.add(node(50), 1);
    const [honest, ...others] = search.take();
    expect(honest?.endpoint.host).toBe('10.50.0.1');
    expect(others).toEqual([]);
    expect(search.isDone).toBe(false);
    if (honest !== undefined) answer(search, honest);
    expect(search.isDone, 'the liar and the honest one are two').toBe(true);
    expect(search.take()).toEqual([]);
  });

  test('is believed when too few are known without', () => {
    const { search } = lied();
    expect(search.isDone).toBe(false);
    expect(search.take().length).toBe(4);
  });

  test('is believed when another one says the same', () => {
    const { search } = lied();
    search.add(node(50), 0);
    const [honest] = search.take();
    if (honest === undefined) throw new Error('it was asked');
    search.add(node(8), 1, honest);
    expect(hosts(search.take())).toEqual(['10.8.0.1']);
  });

  test('is believed again when they answer late', () => {
    const { search, liar } = lied();
    const late = search.take();
    expect(liar.isDiscredited).toBe(true);
    for (const candidate of late) search.slow(candidate);
    expect(liar.isDiscredited).toBe(true);
    for (const candidate of late.slice(0, 2)) answer(search, candidate);
    expect(liar.isDiscredited).toBe(false);
  });
});

describe('the place of a node', () => {
  test('goes to those who waited for it as soon as another one of the network is slow', () => {
    const search = lookup({ alpha: 2 });
    for (const last of [1, 2]) search.add(node(last, `10.0.0.${last}`), 0);
    expect(search.add(node(3, '10.0.0.3'), 0)).toBe(false);
    for (let attempt = 0; attempt < 2; attempt++) {
      for (const candidate of search.take()) search.slow(candidate);
    }
    expect(hosts(search.take())).toEqual(['10.0.0.3']);
  });

  test('is not given back to one that is late', () => {
    const search = lookup({ alpha: 1 });
    search.add(node(1, '10.0.0.1', 1), 0);
    search.add(node(2, '10.0.0.1', 2), 0);
    const late = search.take()[0];
    if (late === undefined) throw new Error('it was asked');
    search.slow(late);
    search.take();
    search.slow(late);
    const [other] = search.take();
    expect(other?.endpoint.port).toBe(2);
    answer(search, late);
    if (other !== undefined) answer(search, other);
    expect(search.closest()).toEqual([other]);
  });

  test('is looked for six times at a host, and not at all its ports', () => {
    const search = lookup();
    let queries = 0;
    for (let port = 1; port <= 100; port++) {
      search.add(node(port, '10.0.0.1', port), 0);
      for (const candidate of search.take()) {
        queries++;
        search.failed(candidate);
      }
    }
    expect(queries).toBeGreaterThanOrEqual(6);
    expect(queries).toBeLessThanOrEqual(7);
  });

  test('is claimed once by each who names nodes', () => {
    const search = lookup();
    const liar = new Candidate({ host: '10.9.9.9', port: 1 }, undefined, { hop: 0 });
    for (let port = 1; port <= 10; port++) search.add(node(port, '10.0.0.1', port), 1, liar);
    let queries = 0;
    for (let taken = search.take(); taken.length > 0; taken = search.take()) {
      queries += taken.length;
      for (const candidate of taken) search.failed(candidate);
    }
    expect(queries).toBe(2);
  });
});

describe('ids that do not follow from addresses', () => {
  test('do not count, when only secure ones are to, though a secure one was named', () => {
    const search = lookup({ onlySecure: true });
    const { endpoint, id } = secureNode(1);
    expect(search.add({ endpoint, id }, 0)).toBe(true);
    search.addNameless({ host: '80.0.9.1', port: 1 });
    for (const candidate of search.take()) answer(search, candidate, TARGET);
    for (const candidate of search.take()) answer(search, candidate, TARGET);
    expect(search.closest()).toEqual([]);
    expect(search.isDone).toBe(true);
  });

  test('are half of the closest, as long as there are others', () => {
    const insecure = Array.from({ length: 8 }, (_, at) => heardOf(node(at, `81.0.${at}.1`)));
    const secure = Array.from({ length: 8 }, (_, at) => heardOf(secureNode(at)));
    const all = [...insecure, ...secure];
    expect(closestOf(all, 8)).toEqual([...insecure.slice(0, 4), ...secure.slice(0, 4)]);
    expect(closestOf(insecure, 8)).toEqual(insecure);
    expect(closestOf([...insecure, ...secure.slice(0, 1)], 8)).toEqual([
      ...insecure.slice(0, 7),
      ...secure.slice(0, 1),
    ]);
    expect(closestOf(secure, 4)).toEqual(secure.slice(0, 4));
  });
});

test('we do not count ourselves, whatever id we were named with', () => {
  const search = lookup();
  search.add(node(1), 0);
  for (const us of search.take()) answer(search, us, new Uint8Array(20).fill(0xff));
  expect(search.closest()).toEqual([]);
  expect(search.isDone).toBe(true);
});

function heardOf({ id, endpoint }: Contact): Candidate {
  return new Candidate(endpoint, id, { hop: 0 });
}
