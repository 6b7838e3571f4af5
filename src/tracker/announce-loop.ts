/** Keeps one list of tiers informed: the decisions when to announce what to whom (BEP 3, 12, 31). @module */

import type { Endpoint } from '../base/endpoint.ts';
import { BipError } from '../base/errors.ts';
import type { Millis } from '../runtime/ports.ts';
import { announce, type Shared } from './announce.ts';
import { noAnswer } from './attempts.ts';
import {
  type AnnounceEvent,
  type AnnounceRequest,
  type AnnounceResponse,
  TrackerRefusal,
  type TrackerRuntime,
} from './model.ts';
import { TrackerTiers } from './tiers.ts';
import { parseTrackerUrl } from './url.ts';

/** What an announcer tells. `tracker` is its URL, which may hold a passkey. */
export type AnnouncerEvent =
  | {
      readonly type: 'announced';
      readonly tracker: string;
      readonly event?: AnnounceEvent;
      readonly response: AnnounceResponse;
    }
  | {
      readonly type: 'failed';
      readonly tracker: string;
      readonly event?: AnnounceEvent;
      readonly error: BipError;
    };

export interface AnnounceLoopOptions {
  readonly tiers: readonly (readonly string[])[];
  /** Called for each announce; its `event` is overwritten. */
  readonly request: () => AnnounceRequest;
  readonly onPeers: (peers: readonly Endpoint[], tracker: string) => void;
  readonly onEvent?: (event: AnnouncerEvent) => void;
  /** Patience with one tracker before the next one is asked; default 30 s. */
  readonly timeoutMs?: number;
}

/** What is known of one tracker. */
interface Known {
  /** It accepted `started`. */
  started: boolean;
  trackerId: Uint8Array | undefined;
  /** It asked not to be bothered before (BEP 31); `Infinity` for never. */
  notBefore: Millis;
}

/** Trackers have so long to hear that we leave; libtorrent's `stop_tracker_timeout`. */
export const GOODBYE: Millis = 5000;

/** The reason to abort with when {@link GOODBYE} is over: unlike others it is a failure of the tracker. */
export class TooLate extends Error {}

export class AnnounceLoop {
  readonly #runtime: TrackerRuntime;
  readonly #shared: Shared;
  readonly #options: AnnounceLoopOptions;
  readonly #tiers: TrackerTiers;
  readonly #known = new Map<string, Known>();
  /** Rounds in a row in which nobody answered. */
  #failures = 0;
  #completed = false;
  #wake: (() => void) | undefined;

  constructor(runtime: TrackerRuntime, shared: Shared, options: AnnounceLoopOptions) {
    this.#runtime = runtime;
    this.#shared = shared;
    this.#options = options;
    this.#tiers = new TrackerTiers(options.tiers, runtime.random);
  }

  /** The download is complete: the tracker hears of it at once. */
  completed(): void {
    this.#completed = true;
    this.#wake?.();
  }

  /**
   * Announces until `signal` is aborted; then returns. A `completed` that is under way by then may
   * take until `last` is aborted by {@link TooLate}: nobody would tell it later.
   */
  async run(signal: AbortSignal, last: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const next = await this.#round(signal, last);
      // `completed` may have come while the round was under way.
      if (!signal.aborted && !(this.#completed && this.#failures === 0)) {
        await this.#sleep(next, signal);
      }
    }
  }

  /**
   * Tells `stopped` to each tracker that knows us, and before that `completed` to the one in use when
   * it has not heard of it; until `last` is aborted. To be called once, at the end.
   */
  async stop(last: AbortSignal): Promise<void> {
    const knowing = this.#tiers.order.filter((tracker) => this.#of(tracker).started);
    const [current] = knowing;
    await Promise.all(
      knowing.map(async (tracker) => {
        const known = this.#of(tracker);
        if (this.#completed && tracker === current && !last.aborted) {
          await this.#announce(tracker, known, { event: 'completed', signal: last });
        }
        if (!last.aborted) await this.#announce(tracker, known, { event: 'stopped', signal: last });
      }),
    );
  }

  /** Asks the trackers in order until one answers (BEP 12). @returns when the next round is due. */
  async #round(signal: AbortSignal, last: AbortSignal): Promise<Millis> {
    const { clock } = this.#runtime;
    for (const tracker of this.#tiers.order) {
      const known = this.#of(tracker);
      if (known.notBefore > clock.now()) continue;
      const event = this.#eventFor(known);
      const until = event === 'completed' ? last : signal;
      const response = await this.#announce(tracker, known, { event, signal: until });
      if (response !== undefined) {
        this.#answered(tracker, known, event);
        return clock.now() + pause(response);
      }
      if (signal.aborted) return clock.now();
    }
    const retry = clock.now() + Math.min(BACK_OFF * 2 ** this.#failures, MAX_BACK_OFF);
    this.#failures++;
    const earliest = Math.min(...[...this.#known.values()].map(({ notBefore }) => notBefore));
    return Math.max(retry, earliest);
  }

  #eventFor({ started }: Known): AnnounceEvent | undefined {
    if (!started) return 'started';
    return this.#completed ? 'completed' : undefined;
  }

  #answered(tracker: string, known: Known, event: AnnounceEvent | undefined): void {
    this.#failures = 0;
    this.#tiers.answered(tracker);
    if (event === 'started') known.started = true;
    if (event === 'completed') this.#completed = false;
  }

  async #announce(
    tracker: string,
    known: Known,
    { event, signal }: { readonly event: AnnounceEvent | undefined; readonly signal: AbortSignal },
  ): Promise<AnnounceResponse | undefined> {
    const answer = await this.#ask(tracker, known, { event, signal });
    if (answer === undefined) return undefined;
    const { onEvent, onPeers } = this.#options;
    const which = event === undefined ? {} : { event };
    if (answer instanceof BipError) {
      if (answer instanceof TrackerRefusal) this.#postpone(known, answer);
      onEvent?.({ type: 'failed', tracker, ...which, error: answer });
      return undefined;
    }
    // A tracker that sends no id again means the old one (BEP 3).
    known.trackerId = answer.trackerId ?? known.trackerId;
    onEvent?.({ type: 'announced', tracker, ...which, response: answer });
    if (answer.peers.length > 0) onPeers(answer.peers, tracker);
    return answer;
  }

  /** The answer, the failure, or `undefined` when aborted. */
  async #ask(
    tracker: string,
    { trackerId }: Known,
    { event, signal }: { readonly event: AnnounceEvent | undefined; readonly signal: AbortSignal },
  ): Promise<AnnounceResponse | BipError | undefined> {
    const { timeoutMs = TIMEOUT } = this.#options;
    const how = { ...this.#shared, signal, timeoutMs, trackerId };
    try {
      refuseWebRtc(tracker);
      return await announce(this.#runtime, tracker, this.#request(event), how);
    } catch (error) {
      if (signal.aborted)
        return signal.reason instanceof TooLate
          ? noAnswer(parseTrackerUrl(tracker), GOODBYE)
          : undefined;
      if (error instanceof BipError) return error;
      throw error;
    }
  }

  #request(event: AnnounceEvent | undefined): AnnounceRequest {
    const { event: _, ...request } = this.#options.request();
    // Who leaves needs no peers.
    return { ...request, event, ...(event === 'stopped' ? { numWant: 0 } : {}) };
  }

  /** BEP 31. */
  #postpone(known: Known, { retryInSeconds }: TrackerRefusal): void {
    if (retryInSeconds === undefined) return;
    known.notBefore =
      retryInSeconds === 'never'
        ? Number.POSITIVE_INFINITY
        : this.#runtime.clock.now() + Math.min(retryInSeconds * 1000, MAX_INTERVAL);
  }

  #of(tracker: string): Known {
    let known = this.#known.get(tracker);
    if (known === undefined) {
      known = { started: false, trackerId: undefined, notBefore: 0 };
      this.#known.set(tracker, known);
    }
    return known;
  }

  /** Until `at`, {@link completed} or an abort. */
  async #sleep(at: Millis, signal: AbortSignal): Promise<void> {
    const { clock } = this.#runtime;
    let cancel: (() => void) | undefined;
    let wake: (() => void) | undefined;
    try {
      await new Promise<void>((resolve) => {
        wake = () => resolve();
        this.#wake = wake;
        if (Number.isFinite(at)) cancel = clock.schedule(at, wake);
        signal.addEventListener('abort', wake, { once: true });
      });
    } finally {
      this.#wake = undefined;
      cancel?.();
      if (wake !== undefined) signal.removeEventListener('abort', wake);
    }
  }
}

/** Peers of WebSocket trackers speak WebRTC, which bip does not: they are of no use to a session. */
function refuseWebRtc(tracker: string): void {
  if (!/^wss?:/i.test(tracker)) return;
  const reason = 'the peers of WebSocket trackers speak WebRTC, which bip does not';
  throw new TrackerRefusal(reason, { reason, retryInSeconds: 'never', code: 'BIP_TRACKER_WEBRTC' });
}

function pause({ intervalSeconds, minIntervalSeconds = 0 }: AnnounceResponse): Millis {
  const wanted = Math.max(intervalSeconds, minIntervalSeconds) * 1000;
  return Math.min(Math.max(wanted, MIN_INTERVAL), MAX_INTERVAL);
}

/** No tracker makes us ask more often, and none makes us silent for longer. */
const MIN_INTERVAL: Millis = 60_000;
const MAX_INTERVAL: Millis = 86_400_000;
/** As libtorrent's `tracker_completion_timeout`. */
const TIMEOUT: Millis = 30_000;
/** Doubles with every round in which nobody answered. */
const BACK_OFF: Millis = 15_000;
const MAX_BACK_OFF: Millis = 1_800_000;
