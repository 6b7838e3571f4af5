import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PAGE, SparseBytes } from '../../../src/runtime/sim/sparse-bytes.ts';
import { pattern } from '../recorder.ts';

const END = 5 * PAGE;
const position = fc.oneof(fc.nat(END), fc.constantFrom(0, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE));

test('behaves as an array of bytes, through crashes too', () => {
  const action = fc.record({
    type: fc.constantFrom('write', 'resize', 'sync', 'crash', 'clone'),
    position,
    length: position,
  });
  fc.assert(
    fc.property(fc.array(action, { maxLength: 40 }), (actions) => {
      let content = new SparseBytes();
      let model = new Uint8Array(0);
      let durable = model;
      for (const { type, position: at, length } of actions) {
        if (type === 'write') {
          content.write(pattern(length, at), at);
          // A write of nothing does not lengthen a file.
          if (length > 0) model = resized(model, Math.max(model.length, at + length));
          if (length > 0) model.set(pattern(length, at), at);
        } else if (type === 'resize') {
          content.resize(at);
          model = resized(model, at);
        } else if (type === 'sync') {
          content.sync();
          durable = model.slice();
        } else if (type === 'crash') {
          content.crash();
          model = durable.slice();
        } else content = content.clone();
        const seen = new Uint8Array(2 * END + 10);
        expect(content.size).toBe(model.length);
        expect(content.read(seen, 0)).toBe(model.length);
        expect(Buffer.compare(seen.subarray(0, model.length), model)).toBe(0);
      }
    }),
  );
});

test('takes room only where something was written', () => {
  const content = new SparseBytes();
  content.resize(1_000_000_000_000);
  expect(content.pages).toBe(0);
  content.write(pattern(10), 500_000_000_000);
  expect(content.pages).toBe(1);
  expect(content.newPages(10, 0)).toBe(1);
  expect(content.newPages(2 * PAGE, 500_000_000_000 - PAGE)).toBe(
    500_000_000_000 % PAGE === 0 ? 1 : 2,
  );
});

function resized(bytes: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(length);
  result.set(bytes.subarray(0, length));
  return result;
}
