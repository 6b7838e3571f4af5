/** The events of a command that serves, on their way to stdout and to people. @module */

import { EventQueue } from './event-queue.ts';

export class Journal<Event> implements AsyncIterable<Event> {
  readonly #tell: (event: Event, closing: boolean) => void;
  readonly #events = new EventQueue<Event>();
  /** What happened before {@link begin}. */
  #early: Event[] | undefined = [];
  #closing = false;

  /** `tell` is called for each event: what people are told beside the result. */
  constructor(tell: (event: Event, closing: boolean) => void) {
    this.#tell = tell;
  }

  /** `first`, and then what came before it: sockets are open a moment before all is ready. */
  begin(first: Event): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const event of [first, ...early]) this.#add(event);
  }

  push(event: Event): void {
    if (this.#early === undefined) this.#add(event);
    else this.#early.push(event);
  }

  /** From now on what comes is the last of its kind. */
  close(): void {
    this.#closing = true;
  }

  /** `last`, and nothing after it. */
  end(last: Event): void {
    this.#add(last);
    this.#events.end();
  }

  [Symbol.asyncIterator](): AsyncGenerator<Event, void, undefined> {
    return this.#events[Symbol.asyncIterator]();
  }

  #add(event: Event): void {
    this.#tell(event, this.#closing);
    this.#events.push(event);
  }
}
