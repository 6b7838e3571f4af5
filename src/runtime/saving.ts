/** State that is saved now and then, and at the end. @module */

import type { Clock, Millis } from './ports.ts';
import { Repeating } from './repeating.ts';

export class Saving implements AsyncDisposable {
  readonly #save: () => Promise<void>;
  readonly #repeating: Repeating;
  #underWay: Promise<void> | undefined;
  #disposed: Promise<void> | undefined;

  /** `save` is called every so many milliseconds, never twice at once; it must not reject. */
  constructor(clock: Clock, everyMs: Millis, save: () => Promise<void>) {
    this.#save = save;
    this.#repeating = new Repeating(clock);
    // A disk that is slower than this is not asked again before it is done.
    this.#repeating.every(everyMs, () => {
      this.#underWay ??= this.#save().finally(() => {
        this.#underWay = undefined;
      });
    });
  }

  /** Saves once more. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#disposed ??= this.#end();
    return this.#disposed;
  }

  async #end(): Promise<void> {
    this.#repeating.stop();
    await this.#underWay;
    await this.#save();
  }
}
