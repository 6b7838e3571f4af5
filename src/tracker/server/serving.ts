/** One thread of a tracker: sockets, and who answers what comes through them. @module */

import { formatIp } from '../../base/ip.ts';
import type { Datagrams, Runtime } from '../../runtime/ports.ts';
import { RateLimiter } from '../../runtime/rate-limiter.ts';
import { Access, type AccessLists } from './access.ts';
import { noteOf } from './announce-note.ts';
import { ServerConnectionIds } from './connection-ids.ts';
import { COUNTER, Counters } from './counters.ts';
import { HttpTracker } from './http.ts';
import type { RemoteSwarms } from './model.ts';
import { NetworkSet } from './network-set.ts';
import { SenderAddress } from './sender.ts';
import type { AnnounceNote, SharedSwarmsAt, TrackerSetup } from './setup.ts';
import { openSockets, type TrackerHandlers, type TrackerSockets } from './sockets.ts';
import { SwarmStore } from './store/index.ts';
import { Tracker, type TrackerOptions } from './tracker.ts';
import { UdpServer } from './udp.ts';

export type ServingRuntime = Pick<Runtime, 'clock' | 'random' | 'network' | 'http'>;

/** Opens the swarms that several trackers share. */
export type OpenShared = (at: SharedSwarmsAt, store: SwarmStore) => Promise<RemoteSwarms>;

export interface ServingOptions {
  readonly signal: AbortSignal;
  /** The thread's own store; another door to it is opened otherwise. */
  readonly store?: SwarmStore;
  readonly openShared?: OpenShared;
  /** Told of each announce when the setup says so. */
  readonly onAnnounce?: (note: AnnounceNote) => void;
}

/** Open sockets that are answered. */
export interface ServingTracker extends TrackerSockets {
  readonly remote: RemoteSwarms | undefined;
  replaceAccess(lists: AccessLists): void;
}

/**
 * Serves until it is disposed.
 *
 * @throws {NetworkError} the port is taken, or the shared swarms are nowhere to be found.
 */
export async function serveTracker(
  runtime: ServingRuntime,
  setup: TrackerSetup,
  options: ServingOptions,
): Promise<ServingTracker> {
  const store = options.store ?? SwarmStore.attach(setup.store);
  const { shared } = setup;
  const remote = shared && (await options.openShared?.(shared, store));
  try {
    const tracker = createTracker(runtime, setup, { ...options, store, remote });
    const handlers = createHandlers(runtime, setup, { tracker, store });
    const { places, httpLimits } = setup;
    const how = { handlers, signal: options.signal, httpLimits };
    const sockets = await openSockets(runtime, places, how);
    return {
      port: sockets.port,
      hosts: sockets.hosts,
      remote,
      replaceAccess(lists) {
        tracker.access = new Access(lists);
      },
      async [Symbol.asyncDispose]() {
        await sockets[Symbol.asyncDispose]();
        await remote?.[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await remote?.[Symbol.asyncDispose]();
    throw error;
  }
}

function createTracker(
  { clock, random }: ServingRuntime,
  setup: TrackerSetup,
  deps: ServingOptions & {
    readonly store: SwarmStore;
    readonly remote: RemoteSwarms | undefined;
  },
): Tracker {
  const { requestsPerSecond, logAnnounces } = setup;
  const { remote, onAnnounce } = deps;
  return new Tracker(
    {
      store: deps.store,
      access: new Access(setup.access),
      counters: new Counters(setup.counters, setup.row),
      random,
      clock,
      ...(requestsPerSecond === undefined ? {} : { limiter: limiterOf(requestsPerSecond, random) }),
      ...(remote === undefined ? {} : { remote }),
      ...(logAnnounces && onAnnounce !== undefined
        ? { onAnnounce: (...told) => onAnnounce(noteOf(...told)) }
        : {}),
    },
    optionsOf(setup),
  );
}

function optionsOf({ answers, trustedProxies }: TrackerSetup): TrackerOptions {
  return trustedProxies === undefined
    ? answers
    : { ...answers, trustedProxies: NetworkSet.attach(trustedProxies) };
}

/** Bursts of ten seconds' worth; a network is many hosts. */
function limiterOf(perSecond: number, random: Runtime['random']): RateLimiter {
  return new RateLimiter(
    {
      perSecond,
      burst: BURST_SECONDS * perSecond,
      networkPerSecond: NETWORK_FACTOR * perSecond,
      networkBurst: BURST_SECONDS * NETWORK_FACTOR * perSecond,
    },
    random,
  );
}

function createHandlers(
  { clock, random }: ServingRuntime,
  setup: TrackerSetup,
  { tracker, store }: { readonly tracker: Tracker; readonly store: SwarmStore },
): TrackerHandlers {
  const counters = new Counters(setup.counters, setup.row);
  const http = new HttpTracker({
    tracker,
    counters,
    clock,
    ...(setup.fullScrape ? { allSwarms: () => store.counts() } : {}),
  });
  const { requestsPerSecond } = setup;
  const common = {
    tracker,
    counters,
    clock,
    connectionIds: new ServerConnectionIds(setup.connectionKey),
    ...(requestsPerSecond === undefined ? {} : { strangers: limiterOf(requestsPerSecond, random) }),
  };
  // Answers that come later leave by the socket that was asked: clients heed nobody else.
  const servers = new Map<Datagrams, UdpServer>();
  const serverOf = (socket: Datagrams): UdpServer => {
    const server = new UdpServer({
      ...common,
      send: (bytes, address, port) => socket.send(bytes, { host: formatIp(address), port }),
    });
    servers.set(socket, server);
    return server;
  };
  const sender = new SenderAddress();
  return {
    http: (request) => http.handle(request),
    displaced: () => counters.add(COUNTER.displacedConnections),
    udp(bytes, from, socket) {
      const address = sender.read(from.host);
      if (address === undefined) return;
      const udp = servers.get(socket) ?? serverOf(socket);
      const length = udp.handle(bytes, address, from.port);
      if (length > 0) socket.send(udp.out.subarray(0, length), from);
    },
  };
}

const BURST_SECONDS = 10;
const NETWORK_FACTOR = 10;
