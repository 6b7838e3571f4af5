/** A world in which everything that is sent leaves from one address of this machine. @module */

import type { Endpoint } from '../base/endpoint.ts';
import { ipFamily } from '../base/ip.ts';
import { networkFailure } from './failures.ts';
import type { ByteStream, Lookup, Network, Runtime } from './ports.ts';

/**
 * Ports around those of `runtime`: TCP, UDP, HTTP and WebSockets go out from `address`, and what cannot
 * (the other family of addresses) is refused. Listeners are where they were; names are looked up by the
 * system, which asks from where it likes.
 *
 * @param address a literal address
 */
export function boundTo(
  runtime: Pick<Runtime, 'network' | 'lookup' | 'http' | 'webSockets'>,
  address: string,
): Pick<Runtime, 'network' | 'lookup' | 'http' | 'webSockets'> {
  const { http, webSockets } = runtime;
  const network = boundNetwork(runtime.network, address);
  const lookup = boundLookup(runtime.lookup, address);
  const connect = async (
    { host, port }: Endpoint,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<ByteStream> =>
    await firstOf(network, await lookup.addresses(host, { signal }), { port, signal });
  return {
    network,
    lookup,
    http: {
      get: (request, options) => http.get(request, { ...options, connect }),
      serve: (handler, options) => http.serve(handler, options),
    },
    webSockets: {
      connect: (url, options) => webSockets.connect(url, { ...options, connect }),
    },
  };
}

function boundNetwork(network: Network, address: string): Network {
  return {
    async bindDatagrams({ host = address, ...options }) {
      // It has no host, and sends nothing.
      if (options.group !== undefined) return await network.bindDatagrams(options);
      const isAny = host === '0.0.0.0' || host === '::';
      if (isAny && ipFamily(host) !== ipFamily(address)) {
        throw networkFailure(`cannot bind UDP ${host} at ${address}`, 'EADDRNOTAVAIL');
      }
      return await network.bindDatagrams({ ...options, host: isAny ? address : host });
    },
    async connect(to, options) {
      const { host = address } = options;
      if (ipFamily(to.host) !== ipFamily(host)) {
        throw networkFailure(`cannot connect to ${to.host} from ${host}`, 'ENETUNREACH');
      }
      return await network.connect(to, { ...options, host });
    },
    listen: (accept, options) => network.listen(accept, options),
  };
}

/** Only addresses that can be reached from the bound one. */
function boundLookup(lookup: Lookup, address: string): Lookup {
  const own = ipFamily(address) ?? 4;
  return {
    async addresses(host, { family = own, signal }) {
      if (family !== own) {
        throw networkFailure(`cannot reach ${host} by IPv${family} from ${address}`, 'ENETUNREACH');
      }
      return await lookup.addresses(host, { family, signal });
    },
    texts: (host, options) => lookup.texts(host, options),
    localAddresses: () => lookup.localAddresses(),
    interfaces: () => lookup.interfaces(),
  };
}

/** A connection to the first address that takes it. @throws what the last one failed with. */
async function firstOf(
  network: Network,
  hosts: readonly string[],
  { port, signal }: { readonly port: number; readonly signal: AbortSignal },
): Promise<ByteStream> {
  const [host, ...others] = hosts;
  try {
    return await network.connect({ host: host ?? '', port }, { signal });
  } catch (error) {
    if (others.length === 0 || signal.aborted) throw error;
    return await firstOf(network, others, { port, signal });
  }
}
