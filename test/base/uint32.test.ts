import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readUint32, readUint32LittleEndian, writeUint32 } from '../../src/base/uint32.ts';

test('reads and writes as a DataView does', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0xffffffff }), fc.nat(4), (value, at) => {
      const bytes = new Uint8Array(8);
      writeUint32(bytes, at, value);
      const view = new DataView(bytes.buffer);
      expect(view.getUint32(at)).toBe(value);
      expect(readUint32(bytes, at)).toBe(value);
      expect(readUint32LittleEndian(bytes, at)).toBe(view.getUint32(at, true));
    }),
  );
});

test('what is beyond the end counts as 0', () => {
  const bytes = Uint8Array.of(1, 2);
  expect(readUint32(bytes, 0)).toBe(0x01020000);
  expect(readUint32LittleEndian(bytes, 0)).toBe(0x0201);
  expect(readUint32(bytes, 2)).toBe(0);
});
