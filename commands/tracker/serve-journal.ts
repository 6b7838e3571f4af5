/** The events of `tracker serve` on their way to stdout and to people. @module */

import type { Invocation } from '../cli/action.ts';
import { EventQueue } from '../cli/event-queue.ts';
import type { ServeEvent } from './serve-events.ts';
import { tellPeople } from './serve-notes.ts';
import type { ServeFlags } from './serve-options.ts';

export class Journal implements AsyncIterable<ServeEvent> {
  readonly #invocation: Invocation<ServeFlags>;
  readonly #events = new EventQueue<ServeEvent>();
  /** What happened before {@link begin}. */
  #early: ServeEvent[] | undefined = [];
  #untold = 0;
  #closing = false;

  constructor(invocation: Invocation<ServeFlags>) {
    this.#invocation = invocation;
  }

  /** `first`, and then what came before it: sockets are open a moment before all is ready. */
  begin(first: ServeEvent): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const event of [first, ...early]) this.#add(event);
  }

  /** Announces are left out while the reader of stdout is behind: their number has no limit. */
  push(event: ServeEvent): void {
    const { queuedBytes = 0 } = this.#invocation.context.stdout;
    if (event.type === 'announce' && queuedBytes > MAX_QUEUED) this.#untold++;
    else if (this.#early === undefined) this.#add(event);
    else this.#early.push(event);
  }

  /** Says how many announces were left out, if any. */
  admit(): void {
    const announces = this.#untold;
    this.#untold = 0;
    if (announces > 0) this.#add({ type: 'untold', announces });
  }

  /** From now on what comes is the last of its kind. */
  close(): void {
    this.#closing = true;
  }

  /** `last`, and nothing after it. */
  end(last: ServeEvent): void {
    this.admit();
    this.#add(last);
    this.#events.end();
  }

  [Symbol.asyncIterator](): AsyncGenerator<ServeEvent, void, undefined> {
    return this.#events[Symbol.asyncIterator]();
  }

  #add(event: ServeEvent): void {
    const { options, reporter } = this.#invocation;
    if (options.json !== true) tellPeople(event, reporter, this.#closing);
    this.#events.push(event);
  }
}

/** Bytes that may wait for the reader of stdout. */
const MAX_QUEUED = 8 * 1024 * 1024;
