/** The further threads of a tracker, as the main thread has them. @module */

import { NetworkError } from '../../base/errors.ts';
import type { AccessLists } from './access.ts';
import type { AnnounceNote, TrackerSetup } from './setup.ts';
import type { FromThread, TrackerThread } from './threads.ts';

export type ThreadStarter = (setup: TrackerSetup) => TrackerThread;

/** What the main thread wants to hear of. */
export interface ThreadEvents {
  readonly onAnnounce: (note: AnnounceNote) => void;
  /** A thread ended by itself: the tracker is broken. */
  readonly onEnded: (error: Error) => void;
}

export class TrackerThreads implements AsyncDisposable {
  readonly #threads: readonly TrackerThread[];
  readonly #closed: Promise<unknown>;
  #disposal: Promise<void> | undefined;

  private constructor(threads: readonly TrackerThread[], closed: Promise<unknown>) {
    this.#threads = threads;
    this.#closed = closed;
  }

  /** Starts one for each setup, and waits until all of them listen. @throws what kept one from it. */
  static async start(
    start: ThreadStarter,
    setups: readonly TrackerSetup[],
    events: ThreadEvents,
  ): Promise<TrackerThreads> {
    const threads = setups.map((setup) => start(setup));
    const followed = threads.map((thread) => follow(thread, events));
    const closed = Promise.all(followed.map((one) => one.closed));
    const pool = new TrackerThreads(threads, closed);
    try {
      await Promise.all(followed.map((one) => one.listening));
    } catch (error) {
      await pool.#end();
      throw error;
    }
    return pool;
  }

  replaceAccess(lists: AccessLists): void {
    for (const thread of this.#threads) thread.post({ type: 'access', lists });
  }

  /** Threads close by themselves: one that was ended in the middle of an announce would leave swarms locked. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#disposal ??= this.#close();
    return this.#disposal;
  }

  async #close(): Promise<void> {
    for (const thread of this.#threads) thread.post({ type: 'close' });
    await this.#closed;
    await this.#end();
  }

  async #end(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread[Symbol.asyncDispose]()));
  }
}

interface Followed {
  readonly listening: Promise<void>;
  readonly closed: Promise<void>;
}

function follow(thread: TrackerThread, { onAnnounce, onEnded }: ThreadEvents): Followed {
  const listening = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  const received = (message: FromThread): void => {
    if (message.type === 'announce') onAnnounce(message.note);
    else if (message.type === 'listening') listening.resolve();
    else if (message.type === 'closed') closed.resolve();
    else listening.reject(new NetworkError(message.message, { code: message.code }));
  };
  thread.open({
    message: received,
    ended(error) {
      listening.reject(error);
      closed.resolve();
      onEnded(error);
    },
  });
  return { listening: listening.promise, closed: closed.promise };
}
