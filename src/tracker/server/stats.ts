/** What a tracker shows of itself: numbers for programs, and a page for people. @module */

import { formatIsoTime } from '../../base/iso-time.ts';
import type { Clock, HttpIncoming, HttpReply, Millis, WallClock } from '../../runtime/ports.ts';
import { History, SAMPLE_SECONDS } from './history.ts';
import { formatMetrics } from './metrics.ts';
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
  readonly #routes: ReadonlyMap<string, () => HttpReply>;
  #page: StatusPage | undefined;
  #sampled: { readonly at: Millis; readonly announces: number };
  #sampledAtMs: number;
  #announcesPerSecond = 0;

  constructor(deps: TrackerStatsDeps) {
    this.#deps = deps;
    this.#began = deps.clock.now();
    this.#sampled = { at: this.#began, announces: announcesIn(deps.counters()) };
    this.#sampledAtMs = deps.wallClock.now();
    this.#routes = new Map([
      ['/', () => this.#statusPage()],
      ['/stats', () => json(this.#document())],
      ['/metrics', () => text(formatMetrics(this.#state()), METRICS)],
      ['/healthz', () => text('ok\n')],
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
  handle({ target }: Pick<HttpIncoming, 'target'>): HttpReply {
    const mark = target.indexOf('?');
    const route = this.#routes.get(mark < 0 ? target : target.slice(0, mark));
    return route?.() ?? { ...text('there are /, /stats, /metrics and /healthz\n'), status: 404 };
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
    return { headers: { ...HEADERS, ...headers }, body: html };
  }
}

const HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } as const;
const PLAIN = 'text/plain; charset=utf-8';
/** Prometheus' text format. */
const METRICS = 'text/plain; version=0.0.4; charset=utf-8';

function text(body: string, type: string = PLAIN): HttpReply {
  return { headers: { ...HEADERS, 'content-type': type }, body };
}

function json(document: object): HttpReply {
  return text(`${JSON.stringify(document)}\n`, 'application/json');
}

function announcesIn(counters: CounterTotals): number {
  const { announcesHttp4, announcesHttp6, announcesUdp4, announcesUdp6 } = counters;
  return announcesHttp4 + announcesHttp6 + announcesUdp4 + announcesUdp6;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
