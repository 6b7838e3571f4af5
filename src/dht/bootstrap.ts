/** Nodes to begin with when the table has none. @module */

import type { Endpoint } from '../base/endpoint.ts';
import { BipError } from '../base/errors.ts';
import { formatIp, parseIp } from '../base/ip.ts';
import type { Family } from './contact.ts';
import type { DhtRuntime } from './options.ts';
import type { Realm } from './realm.ts';
import type { Router } from './routers.ts';
import { K } from './search.ts';

export class Bootstrap {
  readonly #runtime: DhtRuntime;
  readonly #routers: readonly Router[];
  /** What was found, or is being looked up. */
  readonly #found = new Map<Family, Promise<readonly Endpoint[]>>();

  constructor(runtime: DhtRuntime, routers: readonly Router[]) {
    this.#runtime = runtime;
    this.#routers = routers;
  }

  /**
   * Addresses of the routers in the family of a realm; none when its table can do without them. A name
   * that cannot be found is left out, and looked for again the next time.
   *
   * @throws `signal.reason` when aborted.
   */
  async endpoints(realm: Realm, signal: AbortSignal): Promise<readonly Endpoint[]> {
    if (realm.table.size >= K) return [];
    const { family } = realm;
    const found = this.#found.get(family) ?? this.#lookUp(family, signal);
    this.#found.set(family, found);
    const endpoints = await found.catch((error: unknown) => {
      this.#found.delete(family);
      throw error;
    });
    if (endpoints.length < this.#routers.length) this.#found.delete(family);
    signal.throwIfAborted();
    return endpoints;
  }

  async #lookUp(family: Family, signal: AbortSignal): Promise<readonly Endpoint[]> {
    const each = this.#routers.map(async ({ host, port }): Promise<Endpoint[]> => {
      try {
        const hosts = await this.#runtime.lookup.addresses(host, { family, signal });
        return hosts.slice(0, MAX_OF_NAME).map((address) => ({ host: canonical(address), port }));
      } catch (error) {
        if (error instanceof BipError) return [];
        throw error;
      }
    });
    return (await Promise.all(each)).flat();
  }
}

/** As answers will name it: IPv6 can be written in many ways. */
function canonical(address: string): string {
  const ip = parseIp(address);
  return ip === undefined ? address : formatIp(ip);
}

/** Addresses taken of one name. */
const MAX_OF_NAME = 2;
