/** A world in which everything goes through a proxy, and what cannot go through is refused. @module */

import type { Endpoint } from '../base/endpoint.ts';
import { NetworkError, TimeoutError } from '../base/errors.ts';
import { ipFamily } from '../base/ip.ts';
import { ipScope } from '../base/ip-scope.ts';
import { bounded } from '../runtime/aborting.ts';
import { networkFailure } from '../runtime/failures.ts';
import type {
  ByteStream,
  Http,
  Listener,
  Lookup,
  Millis,
  Network,
  Runtime,
  WebSockets,
} from '../runtime/ports.ts';
import { HttpNegotiation } from './http-negotiation.ts';
import type { Negotiation } from './negotiation.ts';
import { type Association, RelayedDatagrams } from './relay.ts';
import { Socks5Negotiation } from './socks5/negotiation.ts';
import { type Opened, openTunnel } from './tunnel.ts';
import { type Proxy, proxyName } from './url.ts';

/** What a proxy stands before. */
export type ProxiedRuntime = Pick<Runtime, 'network' | 'lookup' | 'http' | 'webSockets'>;

/**
 * Ports around those of `runtime`:
 *
 * - TCP, HTTP and WebSockets go through the proxy, by whatever address or name is asked for.
 * - UDP goes through a SOCKS5 proxy; one of HTTP cannot carry it (`BIP_PROXY_UDP`).
 * - Nobody is listened to: listeners have port 0.
 * - Names are looked up by the proxy: {@link Lookup.addresses} answers with the name itself, DNS is asked
 *   for nothing but the address of the proxy, and this machine has no addresses to tell.
 *
 * @param options.bind the local address that the proxy is called from; any when absent
 */
export function proxied(
  runtime: ProxiedRuntime & Pick<Runtime, 'clock'>,
  proxy: Proxy,
  { bind }: { readonly bind?: string | undefined } = {},
): ProxiedRuntime {
  const door = new Door(runtime, proxy, bind);
  const { http, webSockets } = runtime;
  const connect = (to: Endpoint, { signal }: { readonly signal: AbortSignal }) =>
    door.connect(to, signal);
  return {
    network: networkBehind(runtime, proxy, { door, bind }),
    lookup: lookupBehind(proxy),
    http: {
      async get(request, options) {
        refuseFamily(new URL(request.url), request.family, proxy);
        return await http.get(request, { ...options, connect });
      },
      async serve() {
        throw unheard(proxy);
      },
    } satisfies Http,
    webSockets: {
      async connect(url, options) {
        refuseFamily(new URL(url), options.family, proxy);
        return await webSockets.connect(url, { ...options, connect });
      },
    } satisfies WebSockets,
  };
}

function networkBehind(
  { clock, network }: Pick<Runtime, 'clock' | 'network'>,
  proxy: Proxy,
  { door, bind }: { readonly door: Door; readonly bind: string | undefined },
): Network {
  return {
    connect: (to, { signal }) => door.connect(to, signal),
    async bindDatagrams({ host = NOWHERE.host, group, multicast, signal }) {
      if (group !== undefined || multicast !== undefined) {
        throw new NetworkError(
          `the proxy ${proxyName(proxy)} cannot carry multicast, and nothing goes around it`,
          { code: 'BIP_PROXY_MULTICAST' },
        );
      }
      if (proxy.scheme === 'http') {
        throw new NetworkError(
          `the proxy ${proxyName(proxy)} cannot carry UDP: HTTP has no way for it, SOCKS5 has one`,
          { code: 'BIP_PROXY_UDP' },
        );
      }
      return await RelayedDatagrams.open({ clock, network, bind, host, door }, signal);
    },
    async listen() {
      return new DeafListener();
    },
  };
}

/** Names are handed on; by which family the proxy goes nobody can tell it. */
function lookupBehind(proxy: Proxy): Lookup {
  return {
    async addresses(host, { family, signal }) {
      signal.throwIfAborted();
      const literal = ipFamily(host);
      if (literal === undefined && family !== 6) return [host];
      if (literal === undefined) throw noFamily(host, proxy);
      if (family === undefined || family === literal) return [host];
      throw networkFailure(`cannot use ${host} as an IPv${family} address`, 'ENODATA');
    },
    async texts(_, { signal }) {
      signal.throwIfAborted();
      return [];
    },
    localAddresses: () => [],
    interfaces: () => [],
  };
}

function refuseFamily({ hostname }: URL, family: 4 | 6 | undefined, proxy: Proxy): void {
  const isName = ipFamily(hostname.replace(/^\[(.*)\]$/, '$1')) === undefined;
  if (family === 6 && isName) throw noFamily(hostname, proxy);
}

function noFamily(host: string, proxy: Proxy): NetworkError {
  return new NetworkError(
    `the proxy ${proxyName(proxy)} looks up ${host} by itself, and cannot be told to use IPv6`,
    { code: 'BIP_PROXY_FAMILY' },
  );
}

function unheard(proxy: Proxy): NetworkError {
  return new NetworkError(`nobody can call through the proxy ${proxyName(proxy)}`, {
    code: 'BIP_PROXY_LISTEN',
  });
}

/** Nobody calls. */
class DeafListener implements Listener {
  readonly local: Endpoint = { host: '0.0.0.0', port: 0 };

  async [Symbol.asyncDispose](): Promise<void> {
    // It holds nothing.
  }
}

/** Connections to the proxy. */
class Door {
  readonly #runtime: Pick<Runtime, 'clock' | 'network' | 'lookup'>;
  readonly #proxy: Proxy;
  readonly #bind: string | undefined;

  constructor(
    runtime: Pick<Runtime, 'clock' | 'network' | 'lookup'>,
    proxy: Proxy,
    bind: string | undefined,
  ) {
    this.#runtime = runtime;
    this.#proxy = proxy;
    this.#bind = bind;
  }

  async connect(to: Endpoint, signal: AbortSignal): Promise<ByteStream> {
    const { tunnel } = await this.#open(to, signal, () =>
      this.#proxy.scheme === 'http'
        ? new HttpNegotiation(this.#proxy, to)
        : new Socks5Negotiation(this.#proxy, 'connect', to),
    );
    return tunnel;
  }

  async associate(signal: AbortSignal): Promise<Association> {
    const { clock } = this.#runtime;
    const error = (): Error =>
      new TimeoutError(`the proxy ${proxyName(this.#proxy)} did not answer in time`, PATIENCE, {
        code: 'BIP_PROXY_TIMEOUT',
      });
    return await bounded({ signal, clock, limit: { ms: PATIENCE, error } }, async (inTime) => {
      const { tunnel, bound, at } = await this.#open(
        NOWHERE,
        inTime,
        () => new Socks5Negotiation(this.#proxy, 'associate', NOWHERE),
      );
      return { tunnel, relay: relayOf(bound, at) };
    });
  }

  async #open(
    to: Endpoint,
    signal: AbortSignal,
    negotiation: () => Negotiation,
  ): Promise<Opened & { readonly at: string }> {
    signal.throwIfAborted();
    const wanted = negotiation();
    const stream = await this.#reach(signal);
    const opened = await openTunnel(stream, wanted, { proxy: this.#proxy, to, signal });
    return { ...opened, at: stream.remote.host };
  }

  /** A connection to the proxy, by the first of its addresses that takes it. */
  async #reach(signal: AbortSignal): Promise<ByteStream> {
    const { host, port } = this.#proxy;
    let failure: NetworkError | undefined;
    for (const address of await this.#addresses(host, signal)) {
      const made = await this.#knock({ host: address, port }, signal);
      if (!(made instanceof NetworkError)) return made;
      failure = made;
    }
    throw this.#unreachable(failure);
  }

  async #addresses(host: string, signal: AbortSignal): Promise<readonly string[]> {
    try {
      return await this.#runtime.lookup.addresses(host, { signal });
    } catch (error) {
      if (signal.aborted || !(error instanceof NetworkError)) throw error;
      throw this.#unreachable(error);
    }
  }

  async #knock(at: Endpoint, signal: AbortSignal): Promise<ByteStream | NetworkError> {
    const from = this.#bind === undefined ? {} : { host: this.#bind };
    try {
      return await this.#runtime.network.connect(at, { ...from, signal });
    } catch (error) {
      if (signal.aborted || !(error instanceof NetworkError)) throw error;
      return error;
    }
  }

  #unreachable(cause: NetworkError | undefined): NetworkError {
    const reason = cause === undefined ? 'its name has no address' : cause.message;
    return new NetworkError(`the proxy ${proxyName(this.#proxy)} cannot be reached: ${reason}`, {
      code: 'BIP_PROXY_UNREACHABLE',
      cause,
    });
  }
}

/** A proxy that names no address means its own. */
function relayOf(bound: Endpoint | undefined, at: string): Endpoint {
  const { host, port } = bound ?? NOWHERE;
  const scope = ipScope(host);
  // Loopback is the proxy's own, and zeros are no address.
  return { host: scope === undefined || scope === 'loopback' ? at : host, port };
}

const NOWHERE: Endpoint = { host: '0.0.0.0', port: 0 };
/** For the association: connecting, and the answers. */
const PATIENCE: Millis = 15_000;
