/** Keeps the trackers of one torrent informed as long as it lives in a session. @module */

import type { Clock } from '../runtime/ports.ts';
import { AnnounceLoop, type AnnounceLoopOptions, GOODBYE, TooLate } from './announce-loop.ts';
import type { TrackerRuntime } from './model.ts';
import { TrackerPreferences } from './preferences.ts';
import { UdpTrackers } from './udp/driver.ts';

export interface AnnouncerOptions extends AnnounceLoopOptions {
  /** Ends the announcing; `stopped` is sent by the disposal all the same. */
  readonly signal: AbortSignal;
  /** The session's; without it the announcer has sockets of its own. */
  readonly udp?: UdpTrackers;
  /** The session's; without it the announcer asks DNS for itself (BEP 34). */
  readonly preferences?: TrackerPreferences;
  /** Announce to one tracker of every tier instead of to the first that answers (BEP 12). */
  readonly everyTier?: boolean;
}

/**
 * Announces `started`, then regularly as the tracker asks (from 60 s to a day), falls back to other
 * trackers and backs off from 15 s to 30 minutes while none answers. Begins at once; the disposal
 * sends `stopped`, and `completed` before it when that is due, and waits for both 5 s at most.
 */
export class Announcer implements AsyncDisposable {
  readonly #clock: Clock;
  readonly #udp: UdpTrackers;
  readonly #ownsUdp: boolean;
  readonly #stopping = new AbortController();
  /** The time for the goodbye is over. */
  readonly #last = new AbortController();
  readonly #loops: readonly AnnounceLoop[];
  readonly #running: Promise<unknown>;
  readonly #release: () => void;
  #disposed: Promise<void> | undefined;

  constructor(runtime: TrackerRuntime, options: AnnouncerOptions) {
    const { tiers, everyTier, signal } = options;
    this.#clock = runtime.clock;
    this.#udp = options.udp ?? new UdpTrackers(runtime);
    this.#ownsUdp = options.udp === undefined;
    const groups = everyTier === true ? tiers.map((tier) => [tier]) : [tiers];
    const preferences = options.preferences ?? new TrackerPreferences(runtime);
    const shared = { udp: this.#udp, preferences };
    this.#loops = groups.map((group) => {
      return new AnnounceLoop(runtime, shared, { ...options, tiers: group });
    });
    const onAbort = (): void => this.#stopping.abort(new Error('the announcing was ended'));
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    this.#release = () => signal.removeEventListener('abort', onAbort);
    const [until, last] = [this.#stopping.signal, this.#last.signal];
    this.#running = Promise.all(this.#loops.map((loop) => loop.run(until, last)));
  }

  /** The download is complete: the trackers hear of it at once (BEP 3). To be called once. */
  completed(): void {
    for (const loop of this.#loops) loop.completed();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposed ??= this.#dispose();
    return this.#disposed;
  }

  async #dispose(): Promise<void> {
    this.#release();
    this.#stopping.abort(new Error('the announcer was disposed'));
    const cancel = this.#clock.schedule(this.#clock.now() + GOODBYE, () =>
      this.#last.abort(new TooLate('there is no more time for goodbyes')),
    );
    try {
      await this.#running;
      await Promise.all(this.#loops.map((loop) => loop.stop(this.#last.signal)));
    } finally {
      cancel();
      if (this.#ownsUdp) await this.#udp[Symbol.asyncDispose]();
    }
  }
}
