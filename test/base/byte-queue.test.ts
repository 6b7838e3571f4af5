import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteQueue } from '../../src/base/byte-queue.ts';
import { concatBytes } from '../../src/base/bytes.ts';

test('gives what was put in, in its order, however it is cut', () => {
  const chunk = fc.uint8Array({ maxLength: 9 });
  const steps = fc.array(fc.oneof(chunk, fc.nat({ max: 12 })), { maxLength: 400 });
  fc.assert(
    fc.property(steps, (all) => {
      const queue = new ByteQueue();
      const put: Uint8Array[] = [];
      const got: Uint8Array[] = [];
      for (const step of all) {
        if (typeof step === 'number') {
          const next = queue.first();
          const taken = queue.take(step);
          expect(taken).toEqual(next.subarray(0, step));
          got.push(taken.slice());
        } else {
          put.push(step);
          queue.push(step);
        }
        const lengthOf = (parts: readonly Uint8Array[]): number =>
          parts.reduce((sum, { length }) => sum + length, 0);
        expect(queue.length).toBe(lengthOf(put) - lengthOf(got));
      }
      while (queue.length > 0) got.push(queue.take(5).slice());
      expect(concatBytes(...got)).toEqual(concatBytes(...put));
      expect(queue.take(5)).toHaveLength(0);
    }),
  );
});

test('a hundred thousand chunks go through in no time, and a cleared queue is a new one', () => {
  const queue = new ByteQueue();
  for (let at = 0; at < 100_000; at++) queue.push(Uint8Array.of(at & 255, 1));
  for (let at = 0; at < 50_000; at++) {
    expect(queue.first()[0]).toBe(at & 255);
    queue.drop(1);
    queue.drop(1);
  }
  expect(queue.length).toBe(100_000);
  queue.clear();
  expect([queue.length, queue.first().length]).toEqual([0, 0]);
  queue.push(Uint8Array.of(7));
  expect(queue.take(9)).toEqual(Uint8Array.of(7));
});
