/** The four tests that everything disposable gets. @module */

import { expect, test } from 'vitest';
import type { Place, Scene } from './place.ts';

/** Something disposable, and how to see that it is gone. */
export interface Specimen {
  readonly resource: AsyncDisposable;
  /** Fails unless it is gone; cleans up what else was made. */
  readonly expectGone: () => Promise<void>;
}

export function disposalQuartet(
  place: Place,
  what: string,
  open: (scene: Scene) => Promise<Specimen>,
): void {
  test(`${what}: the end of the scope disposes it`, () =>
    place.run(async (scene) => {
      const { resource, expectGone } = await open(scene);
      {
        await using kept = resource;
        expect(kept).toBeDefined();
      }
      await expectGone();
    }));

  test(`${what}: disposing twice is fine`, () =>
    place.run(async (scene) => {
      const { resource, expectGone } = await open(scene);
      await resource[Symbol.asyncDispose]();
      await resource[Symbol.asyncDispose]();
      await expectGone();
    }));

  test(`${what}: a disposal under way is waited for`, () =>
    place.run(async (scene) => {
      const { resource, expectGone } = await open(scene);
      const first = resource[Symbol.asyncDispose]();
      await resource[Symbol.asyncDispose]();
      await expectGone();
      await first;
    }));

  test(`${what}: a body that throws disposes it, and its error survives`, () =>
    place.run(async (scene) => {
      const { resource, expectGone } = await open(scene);
      const body = async (): Promise<void> => {
        await using kept = resource;
        throw new RangeError(`from the body with ${typeof kept}`);
      };
      await expect(body()).rejects.toThrow(new RangeError('from the body with object'));
      await expectGone();
    }));
}
