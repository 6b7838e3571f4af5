/** Nodes to begin with when the table has none. @module */

import type { Endpoint } from '../base/endpoint.ts';
import { BipError } from '../base/errors.ts';
import { formatIp, ipFamily, parseIp } from '../base/ip.ts';
import type { Family } from './contact.ts';
import type { DhtRuntime } from './options.ts';
import type { Realm } from './realm.ts';
import type { Router } from './routers.ts';
import { type Beginning, K } from './search.ts';

export class Bootstrap implements Disposable {
  readonly #runtime: DhtRuntime;
  readonly #routers: readonly Router[];
  readonly #stopping = new AbortController();
  /** By family and name: what was found, or is being looked up. */
  readonly #found = new Map<string, readonly Endpoint[] | Promise<readonly Endpoint[]>>();

  constructor(runtime: DhtRuntime, routers: readonly Router[]) {
    this.#runtime = runtime;
    this.#routers = routers;
  }

  /**
   * The routers in the family of a realm; none when its table can do without them. Waits until there is
   * one to begin with, and for no name server that is slower. A name that cannot be found is left out, and
   * looked for again the next time.
   *
   * @throws `signal.reason` when aborted.
   */
  async begin(realm: Realm, signal: AbortSignal): Promise<Beginning> {
    signal.throwIfAborted();
    if (realm.table.size >= K) return NOBODY;
    const endpoints: Endpoint[] = [];
    const coming: Promise<readonly Endpoint[]>[] = [];
    for (const router of this.#routers) {
      const found = this.#find(router, realm.family);
      if ('then' in found) coming.push(found);
      else endpoints.push(...found);
    }
    if (endpoints.length === 0 && !realm.hasSaved) await firstOf(coming, signal);
    return { endpoints, coming };
  }

  /** Nothing is looked up any more. */
  [Symbol.dispose](): void {
    this.#stopping.abort(new Error('the node was disposed'));
  }

  #find(
    { host, port }: Router,
    family: Family,
  ): readonly Endpoint[] | Promise<readonly Endpoint[]> {
    const literal = ipFamily(host);
    if (literal !== undefined) return literal === family ? [{ host: canonical(host), port }] : [];
    const key = `${family} ${port} ${host}`;
    const known = this.#found.get(key);
    if (known !== undefined) return known;
    const looking = this.#lookUp({ host, port }, family).then((endpoints) => {
      if (endpoints.length === 0) this.#found.delete(key);
      else this.#found.set(key, endpoints);
      return endpoints;
    });
    this.#found.set(key, looking);
    return looking;
  }

  async #lookUp({ host, port }: Router, family: Family): Promise<readonly Endpoint[]> {
    const { signal } = this.#stopping;
    try {
      const hosts = await this.#runtime.lookup.addresses(host, { family, signal });
      return hosts.slice(0, MAX_OF_NAME).map((address) => ({ host: canonical(address), port }));
    } catch (error) {
      if (error instanceof BipError || signal.aborted) return [];
      throw error;
    }
  }
}

/** Waits until one of them has an address, or none has. @throws `signal.reason` when aborted. */
async function firstOf(
  coming: readonly Promise<readonly Endpoint[]>[],
  signal: AbortSignal,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  const found = coming.map((one) => one.then(({ length }) => (length > 0 ? resolve() : undefined)));
  Promise.all(found).then(() => resolve(), reject);
  try {
    await promise;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** As answers will name it: IPv6 can be written in many ways. */
function canonical(address: string): string {
  const ip = parseIp(address);
  return ip === undefined ? address : formatIp(ip);
}

const NOBODY: Beginning = { endpoints: [], coming: [] };

/** Addresses taken of one name. */
const MAX_OF_NAME = 2;
