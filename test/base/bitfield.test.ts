import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Bitfield } from '../../src/base/bitfield.ts';
import { InvariantError } from '../../src/base/errors.ts';

const lengths = fc.integer({ min: 0, max: 200 });
const commands = fc.array(fc.tuple(fc.boolean(), fc.nat(199)), { maxLength: 100 });

test('it is a set of indices', () => {
  fc.assert(
    fc.property(lengths, commands, (length, steps) => {
      const field = new Bitfield(length);
      const model = new Set<number>();
      for (const [add, index] of steps) {
        if (index >= length) continue;
        const changes = model.has(index) !== add;
        expect(add ? field.add(index) : field.delete(index)).toBe(changes);
        if (add) model.add(index);
        else model.delete(index);
      }
      expect([...field]).toEqual([...model].toSorted((a, b) => a - b));
      expect(field.count).toBe(model.size);
      expect(field.isEmpty).toBe(model.size === 0);
      expect(field.isFull).toBe(model.size === length);
      expect(Bitfield.fromBytes(field.bytes, length)?.bytes).toEqual(field.bytes);
    }),
  );
});

test('the first piece is the highest bit (BEP 3)', () => {
  const field = new Bitfield(10);
  field.add(0);
  field.add(9);
  expect(field.bytes).toEqual(Uint8Array.of(0x80, 0x40));
});

test('full has no spare bits set', () => {
  fc.assert(
    fc.property(lengths, (length) => {
      const field = new Bitfield(length);
      field.fill();
      expect(field.isFull).toBe(true);
      expect(Bitfield.fromBytes(field.bytes, length)?.count).toBe(length);
    }),
  );
});

test('a wrong length or a spare bit is refused', () => {
  expect(Bitfield.fromBytes(Uint8Array.of(0xff), 9)).toBeUndefined();
  expect(Bitfield.fromBytes(Uint8Array.of(0xff, 0x80, 0), 9)).toBeUndefined();
  expect(Bitfield.fromBytes(Uint8Array.of(0xff, 0xc0), 9)).toBeUndefined();
  expect(Bitfield.fromBytes(Uint8Array.of(0xff, 0x80), 9)?.isFull).toBe(true);
});

test('the wire form is copied', () => {
  const bytes = Uint8Array.of(0x80);
  const field = Bitfield.fromBytes(bytes, 8);
  bytes[0] = 0;
  expect(field?.has(0)).toBe(true);
});

test('outside there is nothing, and nothing can be added', () => {
  const field = new Bitfield(9);
  field.fill();
  expect([-1, 9, 16, 1e9].map((index) => field.has(index))).toEqual([false, false, false, false]);
  for (const index of [-1, 9]) expect(() => field.add(index)).toThrow(InvariantError);
});
