import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Bitfield } from '../../src/base/bitfield.ts';

test('the first bit is the highest of the first byte', () => {
  const field = new Bitfield(10);
  field.add(0);
  field.add(9);
  expect([...field.bytes]).toEqual([0x80, 0x40]);
  expect(Bitfield.fromBytes(Uint8Array.of(0x80, 0x40), 10)?.count).toBe(2);
});

test('behaves as a set of numbers', () => {
  const action = fc.record({
    type: fc.constantFrom('add', 'delete', 'fill'),
    index: fc.nat(99),
  });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100 }), fc.array(action), (length, actions) => {
      const field = new Bitfield(length);
      const model = new Set<number>();
      for (const { type, index } of actions) {
        const at = index % length;
        if (type === 'add') expect(field.add(at)).toBe(!model.has(at) && model.add(at).has(at));
        else if (type === 'delete') expect(field.delete(at)).toBe(model.delete(at));
        else if (index < 3) {
          field.fill();
          for (let bit = 0; bit < length; bit++) model.add(bit);
        }
        expect([field.count, field.isEmpty, field.isFull]).toEqual([
          model.size,
          model.size === 0,
          model.size === length,
        ]);
      }
      expect([...field]).toEqual([...model].toSorted((a, b) => a - b));
      for (let bit = 0; bit < length; bit++) expect(field.has(bit)).toBe(model.has(bit));
      const again = Bitfield.fromBytes(field.bytes, length);
      expect(again?.count).toBe(field.count);
      expect(again?.bytes).toEqual(field.bytes);
    }),
  );
});

test('arbitrary bytes: a set of exactly these bits, or refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 6 }), fc.nat(50), (bytes, length) => {
      const field = Bitfield.fromBytes(bytes, length);
      const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
      const fits = bytes.length === Math.ceil(length / 8) && !bits.slice(length).includes('1');
      expect(field !== undefined).toBe(fits);
      if (field !== undefined) {
        expect([...field].every((index) => bits[index] === '1')).toBe(true);
        expect(field.count).toBe(bits.replaceAll('0', '').length);
      }
    }),
  );
});

test('the wire form is copied', () => {
  const bytes = Uint8Array.of(0xff);
  const field = Bitfield.fromBytes(bytes, 8);
  bytes.fill(0);
  expect(field?.isFull).toBe(true);
});

test.each([-1, 8, 9, 1000, 2 ** 32, 2 ** 40, Number.NaN])('bit %d of 8 is not there', (index) => {
  const field = new Bitfield(8);
  field.fill();
  expect(field.has(index)).toBe(false);
  expect(field.delete(index)).toBe(false);
  expect(field.count).toBe(8);
  expect(() => field.add(index)).toThrow(/bit .* of 8/);
});

test('a set of nothing is empty and full', () => {
  const field = new Bitfield(0);
  field.fill();
  expect([field.isEmpty, field.isFull, field.bytes.length, [...field]]).toEqual([
    true,
    true,
    0,
    [],
  ]);
});
