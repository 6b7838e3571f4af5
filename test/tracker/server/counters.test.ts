import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  allocateCounters,
  COUNTER,
  type CounterName,
  Counters,
} from '../../../src/tracker/server/counters.ts';

const NAMES = Object.entries(COUNTER);

test('every counter has a place of its own, and a name in the sum', () => {
  expect(new Set(Object.values(COUNTER)).size).toBe(NAMES.length);
  expect(Object.keys(Counters.sum(allocateCounters(1))).toSorted()).toEqual(
    Object.keys(COUNTER).toSorted(),
  );
});

test.each([false, true])('the sum of all workers; shared memory: %s', (shared) => {
  const additions = fc.array(fc.tuple(fc.nat(3), fc.constantFrom(...NAMES), fc.nat(1e9)), {
    maxLength: 50,
  });
  fc.assert(
    fc.property(additions, (all) => {
      const buffer = allocateCounters(4, shared);
      const workers = [0, 1, 2, 3].map((row) => new Counters(buffer, row));
      const expected: Record<string, number> = Object.fromEntries(NAMES.map(([name]) => [name, 0]));
      for (const [worker, [name, index], amount] of all) {
        workers[worker]?.add(index, amount);
        expected[name] = (expected[name] ?? 0) + amount;
      }
      expect(Counters.sum(buffer)).toEqual(expected);
    }),
  );
});

test('counts by one, beyond 32 bits', () => {
  const buffer = allocateCounters(1);
  const counters = new Counters(buffer);
  counters.add(COUNTER.bytesOut, 2 ** 40);
  counters.add(COUNTER.bytesOut);
  const name: CounterName = 'bytesOut';
  expect(Counters.sum(buffer)[name]).toBe(2 ** 40 + 1);
});

test('memory is shared when asked for', () => {
  expect(allocateCounters(2, true)).toBeInstanceOf(SharedArrayBuffer);
  expect(allocateCounters(2)).toBeInstanceOf(ArrayBuffer);
});
