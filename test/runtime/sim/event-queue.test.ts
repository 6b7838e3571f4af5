import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EventQueue } from '../../../src/runtime/sim/event-queue.ts';

test('events come by time, then by order, without the cancelled ones', () => {
  const action = fc.oneof(
    { weight: 4, arbitrary: fc.record({ type: fc.constant('push'), at: fc.integer({ max: 9 }) }) },
    { weight: 2, arbitrary: fc.record({ type: fc.constant('cancel'), at: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('pop'), at: fc.constant(0) }) },
  );
  fc.assert(
    fc.property(fc.array(action, { maxLength: 2000, size: 'max' }), (actions) => {
      const queue = new EventQueue();
      let model: { at: number; order: number; event: ReturnType<EventQueue['push']> }[] = [];
      let order = 0;
      for (const { type, at } of actions) {
        if (type === 'push') {
          model.push({ at, order: order++, event: queue.push(at, () => undefined) });
        } else if (type === 'cancel') {
          const [victim] = model.splice(at % (model.length + 1), 1);
          if (victim !== undefined) queue.cancel(victim.event);
        } else {
          model = model.toSorted((a, b) => a.at - b.at || a.order - b.order);
          const popped = queue.pop();
          expect(popped).toBe(model.shift()?.event);
          if (popped !== undefined) popped.run = undefined;
        }
        expect(queue.size).toBe(model.length);
      }
      for (const { event } of model.toSorted((a, b) => a.at - b.at || a.order - b.order)) {
        expect(queue.peek()).toBe(event);
        expect(queue.pop()).toBe(event);
      }
      expect(queue.pop()).toBeUndefined();
    }),
    { numRuns: 60 },
  );
});

test('timers that are set and cancelled again and again do not pile up', () => {
  const queue = new EventQueue();
  queue.push(1, () => undefined);
  for (let round = 0; round < 100_000; round++) queue.cancel(queue.push(1000, () => undefined));
  expect(queue.size).toBe(1);
  expect(queue.held).toBeLessThan(1000);
});
