/** UDP sockets of the simulated world that hear a multicast group. @module */

import { type Endpoint, formatEndpoint } from '../../base/endpoint.ts';
import { networkFailure } from '../failures.ts';
import type { Datagrams, MulticastGroup } from '../ports.ts';
import type { GroupTarget, HostCore } from './core.ts';
import { addressOn } from './interfaces.ts';

type Receiver = (bytes: Uint8Array, from: Endpoint) => void;

export class SimGroupDatagrams implements Datagrams, GroupTarget {
  readonly local: Endpoint;
  readonly #host: HostCore;
  readonly #interfaces: ReadonlySet<string>;
  #receiver: Receiver | undefined;

  /** @throws {NetworkError} when no interface has an address of the group's family. */
  constructor(host: HostCore, { address, interfaces }: MulticastGroup, port: number) {
    const family = address.includes(':') ? 6 : 4;
    const joined = interfaces.filter((name) => addressOn(host.interfaces, name, family));
    this.local = { host: address, port: port === 0 ? host.freePort(new Set()) : port };
    if (joined.length === 0) {
      throw networkFailure(`cannot bind UDP ${formatEndpoint(this.local)}`, 'ENODEV');
    }
    this.#host = host;
    this.#interfaces = new Set(joined);
    host.groupSockets.add(this);
    host.opened(this);
  }

  toString(): string {
    return `UDP socket ${formatEndpoint(this.local)}`;
  }

  hears(to: Endpoint, name: string): boolean {
    return to.port === this.local.port && to.host === this.local.host && this.#interfaces.has(name);
  }

  /** Its address is that of nobody, so that it cannot be written from. */
  send(): void {
    // Lost.
  }

  receive(listener: Receiver): void {
    this.#receiver = listener;
  }

  /** `bytes` is spoiled afterwards: whoever kept the view is found out. */
  deliver(bytes: Uint8Array, from: Endpoint): void {
    if (this.#host.groupSockets.has(this)) this.#receiver?.(bytes, from);
    bytes.fill(0xdd);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  close(): void {
    if (this.#host.groupSockets.delete(this)) this.#host.closed(this);
  }
}
