/** State that is saved now and then, and at the end. */

import { expect, test } from 'vitest';
import { Saving } from '../../src/runtime/saving.ts';
import { makeWorld } from '../sim/world.ts';

/** A disk that takes so many milliseconds, and the times at which it was asked. */
function slowDisk(ms: number) {
  const world = makeWorld();
  const { clock } = world.host('10.0.0.1').runtime;
  const saves: number[] = [];
  const save = (): Promise<void> => {
    saves.push(world.now);
    return new Promise((resolve) => {
      clock.schedule(clock.now() + ms, resolve);
    });
  };
  return { world, saves, saving: new Saving(clock, 1000, save) };
}

test('it is saved at each interval, and once more at the end', async () => {
  const { world, saves, saving } = slowDisk(10);
  await world.runFor(2500);
  await world.run(saving[Symbol.asyncDispose]());
  expect(saves).toEqual([1000, 2000, 2500]);
  await world.runFor(5000);
  expect(saves).toHaveLength(3);
});

test('a slow disk is not asked again before it is done, and the end waits for it', async () => {
  const { world, saves, saving } = slowDisk(1500);
  await world.runFor(3100);
  expect(saves).toEqual([1000, 3000]);
  await world.run(saving[Symbol.asyncDispose]());
  expect(saves).toEqual([1000, 3000, 4500]);
  expect(world.now).toBe(6000);
});

test('two disposals are one', async () => {
  const { world, saves, saving } = slowDisk(10);
  await world.run(Promise.all([saving[Symbol.asyncDispose](), saving[Symbol.asyncDispose]()]));
  expect(saves).toEqual([0]);
});
