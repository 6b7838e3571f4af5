import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ProtocolError } from '../../src/base/errors.ts';
import { Possessions } from '../../src/probe/possessions.ts';

test('what is told in any order and more than once is counted once', () => {
  const telling = fc.record({
    total: fc.integer({ min: 1, max: 80 }),
    haves: fc.array(fc.integer({ min: 0, max: 79 })),
    field: fc.uint8Array({ minLength: 10, maxLength: 10 }),
  });
  fc.assert(
    fc.property(telling, ({ total, haves, field }) => {
      const bytes = Uint8Array.from({ length: Math.ceil(total / 8) }, (_, at) => field[at] ?? 0);
      const spare = bytes.length * 8 - total;
      bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) & (0xff << spare);
      const told = new Set(haves.filter((piece) => piece < total));
      const possessions = new Possessions(total);
      const halfway = Math.floor(told.size / 2);
      for (const piece of [...told].slice(0, halfway)) possessions.have(piece);
      possessions.field(bytes);
      for (const piece of [...told].slice(halfway)) possessions.have(piece);
      const all = new Set(told);
      for (let piece = 0; piece < total; piece++) {
        if (((bytes[piece >> 3] ?? 0) & (0x80 >> (piece & 7))) !== 0) all.add(piece);
      }
      expect(possessions.holdings).toMatchObject({ have: all.size, total });
      expect(possessions.holdings?.share).toBeCloseTo(all.size / total);
    }),
  );
});

test('pieces beyond the end, and fields that do not fit', () => {
  expect(() => new Possessions(9).have(9)).toThrow(ProtocolError);
  expect(() => new Possessions(9).have(8)).not.toThrow();
  expect(() => new Possessions(9).field(new Uint8Array(1))).toThrow(ProtocolError);
  expect(() => new Possessions(9).field(Uint8Array.of(0, 0x40))).toThrow(ProtocolError);
  expect(() => new Possessions(undefined).have(2 ** 21)).toThrow(ProtocolError);
  expect(() => new Possessions(undefined).have(2 ** 21 - 1)).not.toThrow();
});

test('nothing said is nothing known', () => {
  expect(new Possessions(9).holdings).toBeUndefined();
  expect(new Possessions(9).isKnown).toBe(false);
});
