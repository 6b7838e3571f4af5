/** The sockets of a tracker: HTTP and UDP on one port, of each address. @module */

import { type Endpoint, formatEndpoint } from '../../base/endpoint.ts';
import { NetworkError } from '../../base/errors.ts';
import type { Datagrams, HttpHandler, Runtime } from '../../runtime/ports.ts';
import type { HttpLimits } from './http-limits.ts';

/** Where a tracker is to be reached. */
export interface TrackerPlaces {
  /** Literal addresses; without them one socket serves all of both families. */
  readonly hosts?: readonly string[];
  /** 0 for any that is free for both. */
  readonly port: number;
  readonly http: boolean;
  readonly udp: boolean;
  /** Other threads are to listen there, too. */
  readonly reusePort: boolean;
}

/** Who answers. */
export interface TrackerHandlers {
  readonly http: HttpHandler;
  /** A connection over HTTP had to give its place to another one. */
  readonly displaced: () => void;
  /** Called for each datagram; `socket` is where an answer leaves. */
  readonly udp: (bytes: Uint8Array, from: Endpoint, socket: Datagrams) => void;
}

/** Open sockets. */
export interface TrackerSockets extends AsyncDisposable {
  readonly port: number;
  /** Addresses that are listened on. */
  readonly hosts: readonly string[];
}

type SocketRuntime = Pick<Runtime, 'network' | 'http'>;

/**
 * Opens all of them, or none. Where no address was named, a machine without one of the families
 * serves the other one.
 *
 * @throws {NetworkError} `BIP_PORT_IN_USE` when somebody else is there.
 */
export async function openSockets(
  runtime: SocketRuntime,
  places: TrackerPlaces,
  how: Omit<Opening, 'opened'>,
): Promise<TrackerSockets> {
  for (let attempt = 1; ; attempt++) {
    const opened: AsyncDisposable[] = [];
    try {
      return await openAll(runtime, places, { ...how, opened });
    } catch (error) {
      await disposeAll(opened);
      // A free port of the one kind may be taken of the other.
      const unlucky = error instanceof NetworkError && error.code === 'BIP_PORT_IN_USE';
      if (!unlucky || places.port !== 0 || attempt === ATTEMPTS) throw error;
    }
  }
}

/**
 * The port for sockets that share it: {@link TrackerPlaces.port}, or one that is free. The system lets
 * whoever wants to share a port share it, another tracker of the same user as well, and each would get
 * a part of what comes; so it is tried first without sharing.
 *
 * @throws {NetworkError} `BIP_PORT_IN_USE` when somebody else is there.
 */
export async function findSharedPort(
  runtime: SocketRuntime,
  places: TrackerPlaces,
  signal: AbortSignal,
): Promise<number> {
  const handlers: TrackerHandlers = { http: noop, displaced: noop, udp: noop };
  const alone = { ...places, reusePort: false };
  await using sockets = await openSockets(runtime, alone, { handlers, signal });
  return sockets.port;
}

const noop = (): undefined => undefined;

interface Opening {
  readonly handlers: TrackerHandlers;
  readonly signal: AbortSignal;
  readonly httpLimits?: HttpLimits;
  /** What is open already. */
  readonly opened: AsyncDisposable[];
}

async function openAll(
  runtime: SocketRuntime,
  places: TrackerPlaces,
  opening: Opening,
): Promise<TrackerSockets> {
  const wanted: readonly (string | undefined)[] = places.hosts ?? [undefined];
  const hosts: string[] = [];
  let { port } = places;
  for (const host of wanted) {
    const local = await openPlace(runtime, { ...places, port }, host, opening);
    if (local === undefined) continue;
    ({ port } = local);
    hosts.push(local.host);
  }
  if (hosts.length === 0) {
    throw new NetworkError('this machine has none of the addresses to listen on', {
      code: 'BIP_ADDRESS',
    });
  }
  const { opened } = opening;
  return { port, hosts, [Symbol.asyncDispose]: () => disposeAll(opened) };
}

/** `undefined` when the machine has nothing of the family of an address that means all. */
async function openPlace(
  runtime: SocketRuntime,
  places: TrackerPlaces,
  host: string | undefined,
  opening: Opening,
): Promise<Endpoint | undefined> {
  try {
    return await openHost(runtime, places, host, opening);
  } catch (error) {
    const absent = error instanceof NetworkError && error.code === 'BIP_ADDRESS';
    if (absent && (host === '::' || host === '0.0.0.0')) return undefined;
    throw error;
  }
}

async function openHost(
  runtime: SocketRuntime,
  { http, udp, port, reusePort }: TrackerPlaces,
  host: string | undefined,
  { handlers, signal, httpLimits, opened }: Opening,
): Promise<Endpoint | undefined> {
  const at = { reusePort, signal, ...(host === undefined ? {} : { host }) };
  let local: Endpoint | undefined;
  if (http) {
    const how = { ...at, ...httpLimits, port, onDisplaced: handlers.displaced };
    const listener = await runtime.http.serve(handlers.http, how);
    opened.push(listener);
    ({ local } = listener);
  }
  if (udp) {
    const socket = await runtime.network.bindDatagrams({ ...at, port: local?.port ?? port });
    opened.push(socket);
    socket.receive((bytes, from) => handlers.udp(bytes, from, socket));
    local ??= socket.local;
  }
  return local;
}

async function disposeAll(opened: AsyncDisposable[]): Promise<void> {
  await Promise.all(opened.splice(0).map((one) => one[Symbol.asyncDispose]()));
}

/** `http://` and `udp://` URLs to announce to. */
export function announceUrls(
  { http, udp }: Pick<TrackerPlaces, 'http' | 'udp'>,
  hosts: readonly string[],
  port: number,
): string[] {
  return hosts.flatMap((host) => {
    const endpoint = formatEndpoint({ host, port });
    return [
      ...(http ? [`http://${endpoint}/announce`] : []),
      ...(udp ? [`udp://${endpoint}/announce`] : []),
    ];
  });
}

/** Free ports to try. */
const ATTEMPTS = 20;
