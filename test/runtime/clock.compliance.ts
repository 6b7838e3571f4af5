/** What every clock, and everything random, must do. @module */

import { expect, test } from 'vitest';
import type { Place } from './place.ts';

export function clockCompliance(place: Place): void {
  test('a timer never comes early, nor before schedule returns', () =>
    place.run(async ({ here: { clock } }) => {
      for (const delay of [-5, 0, 0.3, 1, 2.5, 10]) {
        const at = clock.now() + delay;
        let returned = false;
        const woken = new Promise<number>((resolve) => {
          clock.schedule(at, () => {
            expect(returned).toBe(true);
            resolve(clock.now());
          });
        });
        returned = true;
        expect(await woken).toBeGreaterThanOrEqual(at);
      }
    }));

  test('timers come in the order of their times', () =>
    place.run(async ({ here: { clock } }) => {
      const start = clock.now();
      const order: number[] = [];
      await new Promise<void>((resolve) => {
        for (const delay of [30, 3, 15]) clock.schedule(start + delay, () => order.push(delay));
        clock.schedule(start + 45, resolve);
      });
      expect(order).toEqual([3, 15, 30]);
    }));

  test('a cancelled timer does not come; cancelling again or late is fine', () =>
    place.run(async ({ here: { clock } }) => {
      let came = 0;
      const start = clock.now();
      const cancel = clock.schedule(start + 1, () => came++);
      cancel();
      cancel();
      await new Promise<void>((resolve) => {
        const late = clock.schedule(start + 5, () => {
          late();
          resolve();
        });
      });
      expect(came).toBe(0);
    }));

  test('a time in the far future is not now', () =>
    place.run(async ({ here: { clock } }) => {
      let came = false;
      // 30 days: more than setTimeout can take.
      const cancel = clock.schedule(clock.now() + 30 * 86_400_000, () => {
        came = true;
      });
      await new Promise<void>((resolve) => {
        clock.schedule(clock.now() + 5, resolve);
      });
      cancel();
      expect(came).toBe(false);
    }));

  test('the calendar is in this century', () =>
    place.run(async ({ here: { wallClock } }) => {
      expect(wallClock.now()).toBeGreaterThan(Date.UTC(2025, 0));
      expect(wallClock.now()).toBeLessThan(Date.UTC(2100, 0));
    }));

  test('random words are unsigned, spread, and do not repeat', () =>
    place.run(async ({ here: { random } }) => {
      const words = Array.from({ length: 5000 }, () => random.uint32());
      expect(words.every((word) => Number.isInteger(word) && word >= 0 && word < 2 ** 32)).toBe(
        true,
      );
      expect(new Set(words).size).toBeGreaterThan(4990);
      for (let bit = 0; bit < 32; bit++) {
        const ones = words.filter((word) => (word >>> bit) & 1).length;
        // 10 standard deviations of 5000 coins.
        expect(Math.abs(ones - 2500)).toBeLessThan(354);
      }
    }));

  test('random bytes have the length asked for', () =>
    place.run(async ({ here: { random } }) => {
      expect([0, 1, 20, 70_000].map((length) => random.bytes(length).length)).toEqual([
        0, 1, 20, 70_000,
      ]);
      expect(random.bytes(20)).not.toEqual(random.bytes(20));
      const counts = new Set(random.bytes(10_000));
      expect(counts.size).toBe(256);
    }));
}
