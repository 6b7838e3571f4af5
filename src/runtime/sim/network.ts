/** The Network port of one simulated host. @module */

import { type Endpoint, formatEndpoint } from '../../base/endpoint.ts';
import { networkFailure } from '../failures.ts';
import type { BindOptions, ByteStream, Datagrams, Listener, Network } from '../ports.ts';
import { connect } from './connecting.ts';
import type { HostCore, ListenTarget } from './core.ts';
import { SimDatagrams } from './datagrams.ts';

export function networkOf(host: HostCore): Network {
  return {
    async bindDatagrams({ signal, ...options }): Promise<Datagrams> {
      signal.throwIfAborted();
      return new SimDatagrams(host, bound(host, host.datagramSockets, { ...options, kind: 'UDP' }));
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
  taken: ReadonlyMap<number, unknown>,
  { host: wanted, port = 0, kind }: BindOptions & { readonly kind: 'UDP' | 'TCP' },
): Endpoint {
  const address = wanted === undefined || isAny(wanted) ? host.address : wanted;
  const local = { host: address, port: port === 0 ? host.freePort(taken) : port };
  const doing = `cannot ${kind === 'UDP' ? 'bind' : 'listen on'} ${kind} ${formatEndpoint(local)}`;
  if (host.world.hostAt(address, host) !== host) throw networkFailure(doing, 'EADDRNOTAVAIL');
  if (taken.has(local.port)) throw networkFailure(doing, 'EADDRINUSE');
  return local;
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
