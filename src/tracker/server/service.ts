/** A whole tracker: its swarms, its threads, and what has to be done now and then. @module */

import type { Endpoint } from '../../base/endpoint.ts';
import { BipError, UsageError } from '../../base/errors.ts';
import type { Listener, Millis, Runtime } from '../../runtime/ports.ts';
import { Repeating } from '../../runtime/repeating.ts';
import { Saving } from '../../runtime/saving.ts';
import { Access, type AccessLists } from './access.ts';
import { allocateCounters, Counters } from './counters.ts';
import { type HttpBudget, type HttpLimits, shareOut } from './http-limits.ts';
import { statsOf } from './service-stats.ts';
import { type OpenShared, type ServingTracker, serveTracker } from './serving.ts';
import type { AnnounceNote, TrackerSetup } from './setup.ts';
import { announceUrls, findSharedPort, type TrackerPlaces } from './sockets.ts';
import { type LoadedState, loadState, saveState } from './state.ts';
import { TrackerStats } from './stats.ts';
import { type StoreTotals, SwarmStore } from './store/index.ts';
import type { CounterTotals } from './tracker-state.ts';
import { type ThreadStarter, TrackerThreads } from './tracker-threads.ts';

export interface ServiceOptions
  extends Pick<
    TrackerSetup,
    | 'access'
    | 'answers'
    | 'trustedProxies'
    | 'requestsPerSecond'
    | 'fullScrape'
    | 'shared'
    | 'logAnnounces'
  > {
  readonly signal: AbortSignal;
  readonly places: Omit<TrackerPlaces, 'reusePort'>;
  /** The limits of the runtime when left out. */
  readonly http?: HttpBudget;
  readonly limits: {
    readonly maxSwarms: number;
    readonly maxPeers: number;
    readonly maxBytes: number;
  };
  readonly peerLifetimeSeconds: number;
  /** Where swarms are kept over restarts, and how often they are written there. */
  readonly state?: { readonly path: string; readonly everyMs: Millis };
  /** Threads in all. More than one need {@link ServiceHost.startThread}. */
  readonly workers: number;
  /** Where numbers and the status page are served. */
  readonly stats?: Endpoint;
  readonly version: string;
  readonly onEvent: (event: ServiceEvent) => void;
}

/** What a process gives to a tracker, beside the runtime. */
export interface ServiceHost {
  readonly openShared?: OpenShared;
  readonly startThread?: ThreadStarter;
}

export type ServiceEvent =
  | ({ readonly type: 'announce' } & AnnounceNote)
  | {
      readonly type: 'saved';
      readonly path: string;
      readonly swarms: number;
      readonly peers: number;
    }
  | { readonly type: 'save-failed'; readonly error: BipError }
  /** The shared swarms are there again, or away. */
  | { readonly type: 'store'; readonly up: boolean; readonly reason?: string }
  /** For the first time, connections over HTTP have to give their place to others. */
  | { readonly type: 'crowded' }
  /** A thread is gone; the tracker cannot go on. */
  | { readonly type: 'broken'; readonly error: Error };

/** Numbers of the whole tracker. */
export interface ServiceNumbers {
  readonly totals: StoreTotals;
  readonly counters: CounterTotals;
  readonly announcesPerSecond: number;
}

type ServiceRuntime = Pick<
  Runtime,
  'clock' | 'wallClock' | 'random' | 'network' | 'http' | 'files'
>;

/** What one service is made of. */
interface Parts {
  readonly runtime: ServiceRuntime;
  readonly options: ServiceOptions;
  readonly store: SwarmStore;
  readonly serving: ServingTracker;
  readonly threads: TrackerThreads | undefined;
  readonly stats: TrackerStats;
  readonly statsListener: Listener | undefined;
  readonly counters: ArrayBufferLike;
  readonly restored: LoadedState | undefined;
}

export class TrackerService implements AsyncDisposable {
  readonly #parts: Parts;
  readonly #repeating: Repeating;
  #wasCrowded = false;
  readonly #saving: Saving | undefined;
  #disposal: Promise<void> | undefined;

  private constructor(parts: Parts) {
    this.#parts = parts;
    this.#repeating = this.#begin();
    const { state } = parts.options;
    if (state !== undefined) {
      this.#saving = new Saving(parts.runtime.clock, state.everyMs, () => this.#save(state.path));
    }
  }

  /**
   * Loads the state, opens the sockets and serves until it is disposed.
   *
   * @throws {NetworkError} a port is taken, or the shared swarms are not there.
   * @throws {ProtocolError} the state file is damaged. {StorageError} it cannot be read or written.
   */
  static async open(
    runtime: ServiceRuntime,
    options: ServiceOptions,
    host: ServiceHost = {},
  ): Promise<TrackerService> {
    const { workers, limits, peerLifetimeSeconds } = options;
    const { random } = runtime;
    const isShared = workers > 1;
    const store = new SwarmStore({ ...limits, peerLifetimeSeconds, random, shared: isShared });
    const { path } = options.state ?? {};
    const restored = path === undefined ? undefined : await loadState(runtime, path, store);
    const counters = allocateCounters(workers, isShared);
    const places = await placesOf(runtime, options);
    const { ofEach: httpLimits, ofStats } = httpLimitsOf(options);
    const connectionKey = random.bytes(16);
    const setup = setupOf(options, { places, httpLimits, store, counters, connectionKey });
    const opened: AsyncDisposable[] = [];
    try {
      const serving = await serveTracker(runtime, setup, {
        signal: options.signal,
        store,
        onAnnounce: (note) => options.onEvent({ type: 'announce', ...note }),
        ...(host.openShared === undefined ? {} : { openShared: host.openShared }),
      });
      opened.push(serving);
      const threads = await startThreads(setup, serving.port, { options, host });
      if (threads !== undefined) opened.push(threads);
      const stats = statsOf(runtime, options, { store, counters, serving });
      const statsListener = await serveStats(runtime, options, { stats, limits: ofStats });
      const made = { serving, threads, stats, statsListener, counters, restored };
      return new TrackerService({ runtime, options, store, ...made });
    } catch (error) {
      await Promise.all(opened.map((one) => one[Symbol.asyncDispose]()));
      throw error;
    }
  }

  /** Where clients announce to. */
  get announceUrls(): readonly string[] {
    const { serving, options } = this.#parts;
    return announceUrls(options.places, serving.hosts, serving.port);
  }

  /** Where numbers and the status page are. */
  get statsAt(): Endpoint | undefined {
    return this.#parts.statsListener?.local;
  }

  /** What the state file had; `undefined` without one. */
  get restored(): LoadedState | undefined {
    return this.#parts.restored;
  }

  get numbers(): ServiceNumbers {
    const { store, counters, stats } = this.#parts;
    return {
      totals: store.totals,
      counters: Counters.sum(counters),
      announcesPerSecond: stats.announcesPerSecond,
    };
  }

  /** From now on these lists count; swarms that are not served any more are forgotten. */
  replaceAccess(lists: AccessLists): void {
    const { serving, threads, store } = this.#parts;
    serving.replaceAccess(lists);
    threads?.replaceAccess(lists);
    const access = new Access(lists);
    for (const { infoHash } of [...store.counts()]) {
      if (access.refusesInfoHash(infoHash) !== undefined) store.remove(infoHash);
    }
  }

  /** Closes the sockets, then writes the state. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#disposal ??= this.#dispose();
    return this.#disposal;
  }

  async #dispose(): Promise<void> {
    const { serving, threads, statsListener } = this.#parts;
    this.#repeating.stop();
    await statsListener?.[Symbol.asyncDispose]();
    await Promise.all([serving[Symbol.asyncDispose](), threads?.[Symbol.asyncDispose]()]);
    await this.#saving?.[Symbol.asyncDispose]();
  }

  #begin(): Repeating {
    const { runtime, store, stats } = this.#parts;
    const { clock } = runtime;
    const began = clock.now();
    const repeating = new Repeating(clock);
    repeating.every(1000, () => {
      store.setTime(Math.floor((clock.now() - began) / 1000));
      this.#tellWhenCrowded();
    });
    repeating.every(SWEEP_EVERY, () => store.expire(sweepBudget(store.totals)));
    repeating.every(TrackerStats.sampleEvery, () => stats.sample());
    return repeating;
  }

  /** Once is enough: from then on the counter tells. */
  #tellWhenCrowded(): void {
    const { options, counters } = this.#parts;
    if (this.#wasCrowded || Counters.sum(counters).displacedConnections === 0) return;
    this.#wasCrowded = true;
    options.onEvent({ type: 'crowded' });
  }

  /** A state that cannot be written is told, and tried again the next time. */
  async #save(path: string): Promise<void> {
    const { runtime, options, store } = this.#parts;
    try {
      await saveState(runtime, path, store);
      const { swarms, peers4, peers6 } = store.totals;
      options.onEvent({ type: 'saved', path, swarms, peers: peers4 + peers6 });
    } catch (error) {
      if (!(error instanceof BipError)) throw error;
      options.onEvent({ type: 'save-failed', error });
    }
  }
}

/** Whether threads share the port is known here, and which one it is then. */
async function placesOf(
  runtime: ServiceRuntime,
  { places, workers, signal }: ServiceOptions,
): Promise<TrackerPlaces> {
  const reusePort = workers > 1;
  const asked = { ...places, reusePort };
  return reusePort ? { ...asked, port: await findSharedPort(runtime, asked, signal) } : asked;
}

function httpLimitsOf(options: ServiceOptions): ReturnType<typeof shareOut> {
  const { http = {}, places, workers, stats } = options;
  const sockets = workers * (places.hosts?.length ?? 1);
  return shareOut(http, { sockets, stats: stats !== undefined });
}

function setupOf(
  options: ServiceOptions,
  made: {
    readonly places: TrackerPlaces;
    readonly httpLimits: HttpLimits;
    readonly store: SwarmStore;
    readonly counters: ArrayBufferLike;
    readonly connectionKey: Uint8Array;
  },
): TrackerSetup {
  const { access, answers, fullScrape, logAnnounces, workers } = options;
  const { trustedProxies, requestsPerSecond, shared } = options;
  return {
    store: made.store.handle,
    counters: made.counters,
    row: 0,
    connectionKey: made.connectionKey,
    access,
    answers,
    fullScrape,
    logAnnounces,
    places: made.places,
    httpLimits: made.httpLimits,
    ...(trustedProxies === undefined ? {} : { trustedProxies }),
    // The system spreads connections, so that each thread sees a part of what an address sends.
    ...(requestsPerSecond === undefined ? {} : { requestsPerSecond: requestsPerSecond / workers }),
    ...(shared === undefined ? {} : { shared }),
  };
}

async function startThreads(
  setup: TrackerSetup,
  port: number,
  { options, host }: { readonly options: ServiceOptions; readonly host: ServiceHost },
): Promise<TrackerThreads | undefined> {
  const { workers, onEvent } = options;
  if (workers === 1) return undefined;
  if (host.startThread === undefined) throw new UsageError('there are no threads for workers here');
  const places = { ...setup.places, port };
  const setups = Array.from({ length: workers - 1 }, (_, at) => ({
    ...setup,
    places,
    row: at + 1,
  }));
  return TrackerThreads.start(host.startThread, setups, {
    onAnnounce: (note) => onEvent({ type: 'announce', ...note }),
    onEnded: (error) => onEvent({ type: 'broken', error }),
  });
}

async function serveStats(
  { http }: ServiceRuntime,
  { stats: at, signal }: ServiceOptions,
  { stats, limits }: { readonly stats: TrackerStats; readonly limits: HttpLimits },
): Promise<Listener | undefined> {
  if (at === undefined) return undefined;
  return http.serve((request) => stats.handle(request), { ...at, ...limits, signal });
}

/** Looks at every peer about once a minute, and at some in any case. */
function sweepBudget({ peers4, peers6, swarms }: StoreTotals): number {
  return Math.max(LEAST_SWEPT, Math.ceil((peers4 + peers6 + swarms) * (SWEEP_EVERY / 60_000)));
}

const SWEEP_EVERY: Millis = 100;
const LEAST_SWEPT = 1000;
