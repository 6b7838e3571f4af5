import fc from 'fast-check';
import { describe, test } from 'vitest';
import type { Contact, Family } from '../../../src/dht/contact.ts';
import { randomIdWithPrefix } from '../../../src/dht/distance.ts';
import { TEST_SEED } from '../../sim/world.ts';
import { Model } from './model.ts';
import { MINUTE, moved, Nodes, OWN_ID, renamed } from './nodes.ts';

/** What happens: what, to which node of the pool, and how much of it. */
type Step = readonly [kind: number, node: number, amount: number];

const steps = fc.array(fc.tuple(fc.nat(99), fc.nat(9999), fc.nat(9999)), {
  maxLength: 60,
  size: 'max',
});

/** Nodes of all kinds, near us and far, alone and in crowds, honest and not. */
function makePool(family: Family, seed: number): Contact[] {
  const nodes = new Nodes(family, seed);
  const { random } = nodes;
  const network = family === 4 ? '10.200.0.' : 'fd02::';
  const pool: Contact[] = [];
  const any = (): Contact => pool[random.below(pool.length)] ?? nodes.at(0);
  // Of IPv6 the networks are /64: fd02:: is one.
  const makers: readonly ((depth: number) => Contact)[] = [
    (depth) => nodes.at(depth),
    (depth) => nodes.at(depth),
    (depth) => nodes.at(depth),
    (depth) => nodes.at(depth, `${network}${1 + random.below(99)}`),
    (depth) => nodes.wrongAt(depth),
    (depth) => nodes.rightAt(Math.min(depth, 3)),
    (depth) => renamed(any(), nodes.at(depth).id),
    (depth) => renamed(nodes.at(depth), any().id),
    () => moved(any()),
    () => renamed(nodes.at(0), randomIdWithPrefix(any().id, 32 + random.below(100), random)),
    () => renamed(nodes.at(0), OWN_ID),
    (depth) => nodes.at(depth, family === 4 ? '0.0.0.0' : '::ffff:10.1.2.3'),
    (depth) => nodes.at(depth, family === 4 ? 'fd00::1' : '10.9.9.9'),
  ];
  const most = random.below(2) === 0 ? 3 : 12;
  while (pool.length < 300) {
    const pick = random.below(2) === 0 ? 0 : random.below(makers.length);
    const depth = Math.min(random.below(most), random.below(most));
    const node = makers[pick]?.(depth);
    if (node !== undefined) pool.push(node);
  }
  return pool;
}

function take(model: Model, pool: readonly Contact[], [kind, at, amount]: Step): void {
  const node = pool[at % pool.length];
  if (node === undefined) return;
  const rttMs = amount % 3 === 0 ? undefined : amount;
  const crowd = Array.from({ length: 20 }, (_, more) => pool[(at + more) % pool.length] ?? node);
  const acts: readonly (readonly [weight: number, act: () => void])[] = [
    [30, () => model.answered(node, rttMs)],
    [12, () => crowd.forEach((one) => model.answered(one, rttMs))],
    [8, () => model.queried(node)],
    [8, () => model.heard(node)],
    [14, () => crowd.slice(0, 1 + (amount % 4)).forEach(() => model.failed(node))],
    [5, () => crowd.forEach((one) => model.failed(one))],
    [5, () => model.pass(100 * (amount % 200))],
    [4, () => model.pass((amount % 20) * MINUTE)],
    [2, () => model.setBack(100 * amount)],
    [3, () => model.pings(amount % 7)],
    [2, () => model.pings(amount % 7).forEach((ping) => model.failed(ping))],
    [1, () => model.pings(amount % 7).forEach((ping) => model.answered(ping))],
    [2, () => model.rebase(randomIdWithPrefix(node.id, amount % 30, new Nodes().random))],
    [4, () => model.closest(amount % 2 === 0 ? node.id : OWN_ID, amount % 20)],
  ];
  let left = kind;
  for (const [weight, act] of acts) {
    if (left < weight) return act();
    left -= weight;
  }
}

describe('whatever happens, the table is in order, and finds the closest', () => {
  test.each([
    { family: 4, extended: false, limitAddresses: true },
    { family: 4, extended: true, limitAddresses: true },
    { family: 4, extended: false, limitAddresses: false },
    { family: 4, extended: true, limitAddresses: false },
    { family: 6, extended: false, limitAddresses: true },
    { family: 6, extended: true, limitAddresses: false },
  ] as const)(
    '$family $extended $limitAddresses',
    (options) => {
      fc.assert(
        fc.property(fc.nat(), steps, (seed, todo) => {
          const pool = makePool(options.family, seed);
          const model = new Model(options);
          for (const step of todo) take(model, pool, step);
          for (const target of [OWN_ID, model.table.ownId, pool[0]?.id ?? OWN_ID]) {
            for (const count of [0, 1, 8, 16, 999]) model.closest(target, count);
          }
        }),
        // As all worlds: `BIP_SEED` tries others.
        { numRuns: 40, seed: TEST_SEED },
      );
    },
    60_000,
  );
});
