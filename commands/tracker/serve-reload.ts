/** Reading the lists of `tracker serve` again. @module */

import { BipError } from '../../src/base/errors.ts';
import type { Files } from '../../src/runtime/ports.ts';
import type { TrackerService } from '../../src/tracker/server/index.ts';
import type { ServeEvent } from './serve-events.ts';
import { type ListFlags, readLists } from './serve-lists.ts';

/** Who asks while the lists are being read is served by one more reading: the last one is the newest. */
export class Reloader {
  readonly #files: Files;
  readonly #flags: ListFlags;
  readonly #onEvent: (event: ServeEvent) => void;
  #service: TrackerService | undefined;
  #reading = false;
  #asked = false;

  constructor(files: Files, flags: ListFlags, onEvent: (event: ServeEvent) => void) {
    this.#files = files;
    this.#flags = flags;
    this.#onEvent = onEvent;
  }

  /** The tracker is there: what was asked for before is done now. */
  serve(service: TrackerService): void {
    this.#service = service;
    if (this.#asked) this.ask();
  }

  ask(): void {
    this.#asked = true;
    if (this.#service !== undefined && !this.#reading) void this.#read(this.#service);
  }

  async #read(service: TrackerService): Promise<void> {
    this.#reading = true;
    while (this.#asked) {
      this.#asked = false;
      await this.#readOnce(service);
    }
    this.#reading = false;
  }

  /** When one of them makes no sense, all stay as they were. */
  async #readOnce(service: TrackerService): Promise<void> {
    try {
      service.replaceAccess(await readLists(this.#files, this.#flags));
      this.#onEvent({ type: 'reloaded' });
    } catch (error) {
      if (!(error instanceof BipError)) throw error;
      this.#onEvent({ type: 'reload-failed', code: error.code, message: error.message });
    }
  }
}
