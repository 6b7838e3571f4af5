/** The Network port of one simulated host. @module */

import { type Endpoint, formatEndpoint } from '../../base/endpoint.ts';
import { networkFailure } from '../failures.ts';
import type { BindOptions, ByteStream, Datagrams, Listener, Network } from '../ports.ts';
import { connect } from './connecting.ts';
import type { HostCore, ListenTarget } from './core.ts';
import { SimDatagrams } from './datagrams.ts';
import { SimGroupDatagrams } from './group-datagrams.ts';

export function networkOf(host: HostCore): Network {
  return {
    async bindDatagrams({ signal, group, multicast, ...options }): Promise<Datagrams> {
      signal.throwIfAborted();
      if (group !== undefined) return new SimGroupDatagrams(host, group, options.port ?? 0);
      const by = multicast?.interface;
      const families = familiesOf(options.host);
      const taken = {
        has: (port: number) => families.some((family) => host.datagramSockets[family].has(port)),
      };
      const local = bound(host, taken, { ...options, kind: 'UDP' });
      return new SimDatagrams(host, local, { families, by });
    },
    connect: (to, options) => connect(host, to, options),
    async listen(accept, { signal, ...options }): Promise<Listener> {
      signal.throwIfAborted();
      return new SimListener(
        host,
        accept,
        bound(host, host.listeners, { ...options, kind: 'TCP' }),
      );
    },
  };
}

/** The endpoint to bind, if it is free. */
function bound(
  host: HostCore,
  taken: { has(port: number): boolean },
  { host: wanted, port = 0, kind }: BindOptions & { readonly kind: 'UDP' | 'TCP' },
): Endpoint {
  const address = addressOf(host, wanted);
  const local = { host: address ?? host.address, port: port === 0 ? host.freePort(taken) : port };
  const doing = `cannot ${kind === 'UDP' ? 'bind' : 'listen on'} ${kind} ${formatEndpoint(local)}`;
  if (address === undefined) throw networkFailure(doing, 'EADDRNOTAVAIL');
  if (taken.has(local.port)) throw networkFailure(doing, 'EADDRINUSE');
  return local;
}

/** The host's own address that is meant; undefined when it has none such. */
function addressOf(host: HostCore, wanted: string | undefined): string | undefined {
  if (wanted === undefined) return host.address;
  const address = isAny(wanted) ? host.addressFor(wanted) : wanted;
  const isOwn = host.world.hostAt(address, host) === host;
  return isOwn && wanted.includes(':') === address.includes(':') ? address : undefined;
}

/** Without a host, one socket serves both; `0.0.0.0` and `::` all addresses of their own. */
function familiesOf(host: string | undefined): readonly (4 | 6)[] {
  if (host === undefined) return [4, 6];
  return host.includes(':') ? [6] : [4];
}

function isAny(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

export class SimListener implements Listener, ListenTarget {
  readonly local: Endpoint;
  readonly #host: HostCore;
  readonly #accept: (stream: ByteStream) => void;
  #open = true;

  constructor(host: HostCore, accept: (stream: ByteStream) => void, local: Endpoint) {
    this.local = local;
    this.#host = host;
    this.#accept = accept;
    host.listeners.set(local.port, this);
    host.opened(this);
  }

  toString(): string {
    return `TCP listener ${formatEndpoint(this.local)}`;
  }

  accept(stream: ByteStream): void {
    this.#accept(stream);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#host.listeners.delete(this.local.port);
    this.#host.closed(this);
  }
}
