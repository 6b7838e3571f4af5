/** The connections of a tracker, shared out among its sockets. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { shareOut } from '../../../src/tracker/server/http-limits.ts';

test('each socket gets the same, the numbers an eighth of all and 64 at most', () => {
  const sharers = { sockets: 4, stats: true };
  expect(shareOut({ maxConnections: 80, requestTimeoutMs: 5 }, sharers)).toEqual({
    ofEach: { maxConnections: 17, requestTimeoutMs: 5 },
    ofStats: { maxConnections: 10, requestTimeoutMs: 5 },
  });
  expect(shareOut({ maxConnections: 10_000 }, sharers)).toEqual({
    ofEach: { maxConnections: 2484 },
    ofStats: { maxConnections: 64 },
  });
  expect(shareOut({ maxConnections: 10_000 }, { sockets: 4, stats: false }).ofEach).toEqual({
    maxConnections: 2500,
  });
});

test('without a budget sockets have the limits of the runtime, the numbers still few', () => {
  expect(shareOut({}, { sockets: 2, stats: true })).toEqual({
    ofEach: {},
    ofStats: { maxConnections: 64 },
  });
});

test('all together have no more than there are, unless that is less than one each', () => {
  fc.assert(
    fc.property(
      fc.nat(100_000),
      fc.integer({ min: 1, max: 128 }),
      fc.boolean(),
      (most, sockets, stats) => {
        const { ofEach, ofStats } = shareOut({ maxConnections: most }, { sockets, stats });
        const each = ofEach.maxConnections ?? Infinity;
        const own = stats ? (ofStats.maxConnections ?? Infinity) : 0;
        expect(Math.min(each, ofStats.maxConnections ?? 0)).toBeGreaterThanOrEqual(1);
        if (each > 1) expect(each * sockets + own).toBeLessThanOrEqual(most);
      },
    ),
  );
});
