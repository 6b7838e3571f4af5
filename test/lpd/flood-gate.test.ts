import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FloodGate } from '../../src/lpd/flood-gate.ts';

test('a sender may send forty at once, and then one a second', () => {
  const gate = new FloodGate();
  const admitted = (now: number): boolean => gate.admits('10.0.0.1', now);
  for (let count = 0; count < 40; count++) expect(admitted(1_000_000)).toBe(true);
  expect(admitted(1_000_000)).toBe(false);
  expect(admitted(1_000_999)).toBe(false);
  expect(admitted(1_001_000)).toBe(true);
  expect(admitted(1_001_000)).toBe(false);
  expect(gate.dropped).toBe(3);
  // After a rest of forty seconds it may do so again.
  for (let count = 0; count < 40; count++) expect(admitted(1_041_000)).toBe(true);
  expect(admitted(1_041_000)).toBe(false);
});

test('one that sends too much takes nothing from others', () => {
  const gate = new FloodGate();
  for (let count = 0; count < 10_000; count++) gate.admits('10.0.0.1', 0);
  expect(gate.admits('10.0.0.2', 0)).toBe(true);
});

test('all together may send two hundred at once, and then twenty a second', () => {
  const gate = new FloodGate();
  const count = (now: number): number => {
    let admitted = 0;
    for (let sender = 0; sender < 1_000; sender++) {
      if (gate.admits(`10.1.${sender >> 8}.${sender & 255}`, now)) admitted++;
    }
    return admitted;
  };
  expect([count(0), count(0), count(1_000), count(2_000)]).toEqual([200, 0, 20, 20]);
});

test('in the long run nobody gets more than is allowed, however it comes', () => {
  const sending = fc.record({
    sender: fc.integer({ min: 0, max: 400 }),
    pauseMs: fc.integer({ min: 0, max: 200 }),
  });
  fc.assert(
    fc.property(fc.array(sending, { minLength: 1, maxLength: 1_000 }), (sendings) => {
      const gate = new FloodGate();
      let now = 0;
      let admitted = 0;
      for (const { sender, pauseMs } of sendings) {
        now += pauseMs;
        if (gate.admits(String(sender), now)) admitted++;
      }
      expect(admitted).toBeLessThanOrEqual(200 + Math.floor(now / 50));
      expect(admitted + gate.dropped).toBe(sendings.length);
    }),
    { numRuns: 50 },
  );
});
