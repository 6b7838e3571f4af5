/** The announces of one run: what each tracker hears, and that we are gone in the end. @module */

import { BipError } from '../../src/base/errors.ts';
import {
  type AnnounceRequest,
  type AnnounceResponse,
  announce,
  type ExchangeOptions,
  type Shared,
  type TrackerRuntime,
} from '../../src/tracker/index.ts';
import type { Inquiry } from './outcome.ts';

export interface AnnouncesOptions {
  readonly request: AnnounceRequest;
  readonly how: ExchangeOptions & Shared;
  /** Trackers are told that we are gone. */
  readonly stop: boolean;
  /** A tracker could not be told. */
  readonly onRudeness: (tracker: string, error: BipError) => void;
}

export class Announces {
  readonly #runtime: TrackerRuntime;
  readonly #options: AnnouncesOptions;
  /** The `tracker id` of each that accepted an announce, if it gave one. */
  readonly #accepted = new Map<Inquiry, Uint8Array | undefined>();
  readonly #goodbyes: Promise<void>[] = [];

  constructor(runtime: TrackerRuntime, options: AnnouncesOptions) {
    this.#runtime = runtime;
    this.#options = options;
  }

  /** The event of the request until the tracker accepted it, and regular announces then. */
  async ask(inquiry: Inquiry): Promise<AnnounceResponse> {
    const { request, how } = this.#options;
    const { tracker, typed, family } = inquiry;
    const known = this.#accepted.has(inquiry);
    const response = await announce(
      this.#runtime,
      tracker,
      known ? { ...request, event: undefined } : request,
      { ...how, trusted: typed, family, trackerId: this.#accepted.get(inquiry) },
    );
    // A tracker that sends no id again means the old one (BEP 3).
    this.#accepted.set(inquiry, response.trackerId ?? this.#accepted.get(inquiry));
    return response;
  }

  /** Announces `stopped` to a tracker that accepted an announce, 5 s long at most; {@link settle} waits for it. */
  leave(inquiry: Inquiry): void {
    if (this.#options.stop && this.#accepted.has(inquiry)) {
      this.#goodbyes.push(this.#sayGoodbye(inquiry));
    }
  }

  async settle(): Promise<void> {
    await Promise.all(this.#goodbyes);
  }

  async #sayGoodbye(inquiry: Inquiry): Promise<void> {
    const { request, how, onRudeness } = this.#options;
    const { tracker, typed, family } = inquiry;
    try {
      await announce(
        this.#runtime,
        tracker,
        { ...request, event: 'stopped', numWant: 0 },
        {
          ...how,
          // Not the user's signal: leaving is part of stopping cleanly.
          signal: new AbortController().signal,
          timeoutMs: GOODBYE_TIMEOUT,
          retries: undefined,
          keepRaw: false,
          trusted: typed,
          family,
          trackerId: this.#accepted.get(inquiry),
        },
      );
    } catch (error) {
      if (!(error instanceof BipError)) throw error;
      onRudeness(tracker, error);
    }
  }
}

/** Milliseconds; libtorrent's `stop_tracker_timeout`. */
const GOODBYE_TIMEOUT = 5000;
