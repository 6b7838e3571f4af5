/** What a tracker shows of itself: numbers for programs, and a page for people. @module */

import { formatIsoTime } from '../../base/iso-time.ts';
import { METRICS_TYPE } from '../../base/metrics-text.ts';
import {
  answerPage,
  jsonPage,
  PAGE_HEADERS,
  type Pages,
  textPage,
} from '../../runtime/http-pages.ts';
import type { Clock, HttpIncoming, HttpReply, Millis, WallClock } from '../../runtime/ports.ts';
import { History, SAMPLE_SECONDS } from './history.ts';
import { trackerMetrics } from './metrics.ts';
import { type StatusPage, statusPage } from './status-page.ts';
import type { CounterTotals, TrackerInfo, TrackerState, TrackerTotals } from './tracker-state.ts';

export interface TrackerStatsDeps {
  readonly totals: () => TrackerTotals;
  readonly counters: () => CounterTotals;
  readonly info: () => TrackerInfo;
  readonly clock: Clock;
  readonly wallClock: WallClock;
}

export class TrackerStats {
  /** How often {@link sample} is to be called, milliseconds. */
  static readonly sampleEvery: Millis = SAMPLE_SECONDS * 1000;

  readonly #deps: TrackerStatsDeps;
  readonly #history = new History();
  readonly #began: Millis;
  readonly #pages: Pages;
  #page: StatusPage | undefined;
  #sampled: { readonly at: Millis; readonly announces: number };
  #sampledAtMs: number;
  #announcesPerSecond = 0;

  constructor(deps: TrackerStatsDeps) {
    this.#deps = deps;
    this.#began = deps.clock.now();
    this.#sampled = { at: this.#began, announces: announcesIn(deps.counters()) };
    this.#sampledAtMs = deps.wallClock.now();
    this.#pages = new Map([
      ['/', () => this.#statusPage()],
      ['/stats', () => jsonPage(this.#document())],
      ['/metrics', () => textPage(trackerMetrics(this.#state()), METRICS_TYPE)],
      ['/healthz', () => textPage('ok\n')],
    ]);
  }

  /** Announces a second between the last two samples. */
  get announcesPerSecond(): number {
    return this.#announcesPerSecond;
  }

  /** Adds the present to the history. */
  sample(): void {
    const { clock, wallClock, counters, totals } = this.#deps;
    const now = { at: clock.now(), announces: announcesIn(counters()) };
    const seconds = (now.at - this.#sampled.at) / 1000;
    if (seconds <= 0) return;
    this.#announcesPerSecond = round((now.announces - this.#sampled.announces) / seconds);
    this.#sampled = now;
    this.#sampledAtMs = wallClock.now();
    const { seeders, leechers, swarms } = totals();
    const announcesPerSecond = this.#announcesPerSecond;
    this.#history.add({ announcesPerSecond, seeders, leechers, swarms });
  }

  /** `/` the page, `/stats` JSON, `/metrics` for Prometheus, `/healthz`. */
  handle(request: Pick<HttpIncoming, 'target'>): HttpReply {
    return answerPage(this.#pages, request);
  }

  #state(): TrackerState {
    const { totals, counters, info, clock } = this.#deps;
    const counted = counters();
    return {
      ...info(),
      totals: totals(),
      counters: counted,
      announces: announcesIn(counted),
      announcesPerSecond: this.#announcesPerSecond,
      uptimeSeconds: Math.floor((clock.now() - this.#began) / 1000),
    };
  }

  /** The JSON of `/stats`. */
  #document(): object {
    const { totals, ...state } = this.#state();
    const { peers4, peers6, bytesUsed, bytesReserved, ...sums } = totals;
    const nowMs = this.#deps.wallClock.now();
    return {
      version: state.version,
      workers: state.workers,
      startedAt: formatIsoTime(nowMs - state.uptimeSeconds * 1000),
      uptimeSeconds: state.uptimeSeconds,
      announcesPerSecond: state.announcesPerSecond,
      announces: state.announces,
      ...sums,
      peers: peers4 + peers6,
      peersIpv4: peers4,
      peersIpv6: peers6,
      memory: { usedBytes: bytesUsed, reservedBytes: bytesReserved },
      ...(state.store === undefined ? {} : { store: state.store }),
      counters: state.counters,
      history: {
        intervalSeconds: SAMPLE_SECONDS,
        endsAt: formatIsoTime(this.#sampledAtMs),
        ...this.#history.series(),
      },
    };
  }

  #statusPage(): HttpReply {
    this.#page ??= statusPage();
    const { html, headers } = this.#page;
    return { headers: { ...PAGE_HEADERS, ...headers }, body: html };
  }
}

function announcesIn(counters: CounterTotals): number {
  const { announcesHttp4, announcesHttp6, announcesUdp4, announcesUdp6 } = counters;
  return announcesHttp4 + announcesHttp6 + announcesUdp4 + announcesUdp6;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
