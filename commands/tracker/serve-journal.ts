/** The events of `tracker serve`, of which announces may be left out. @module */

import type { Invocation } from '../cli/action.ts';
import { Journal } from '../cli/journal.ts';
import type { ServeEvent } from './serve-events.ts';
import { tellPeople } from './serve-notes.ts';
import type { ServeFlags } from './serve-options.ts';

export class TrackerJournal implements AsyncIterable<ServeEvent> {
  readonly #invocation: Invocation<ServeFlags>;
  readonly #journal: Journal<ServeEvent>;
  #untold = 0;

  constructor(invocation: Invocation<ServeFlags>) {
    const { options, reporter } = invocation;
    this.#invocation = invocation;
    this.#journal = new Journal((event, closing) => {
      if (options.json !== true) tellPeople(event, reporter, closing);
    });
  }

  /** @see Journal.begin */
  begin(first: ServeEvent): void {
    this.#journal.begin(first);
  }

  /** Announces are left out while the reader of stdout is behind: their number has no limit. */
  push(event: ServeEvent): void {
    const { queuedBytes = 0 } = this.#invocation.context.stdout;
    if (event.type === 'announce' && queuedBytes > MAX_QUEUED) this.#untold++;
    else this.#journal.push(event);
  }

  /** Says how many announces were left out, if any. */
  admit(): void {
    const announces = this.#untold;
    this.#untold = 0;
    if (announces > 0) this.#journal.push({ type: 'untold', announces });
  }

  /** @see Journal.close */
  close(): void {
    this.#journal.close();
  }

  /** `last`, and nothing after it. */
  end(last: ServeEvent): void {
    this.admit();
    this.#journal.end(last);
  }

  [Symbol.asyncIterator](): AsyncGenerator<ServeEvent, void, undefined> {
    return this.#journal[Symbol.asyncIterator]();
  }
}

/** Bytes that may wait for the reader of stdout. */
const MAX_QUEUED = 8 * 1024 * 1024;
