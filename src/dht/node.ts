/** A node of the DHT: a realm for each family, and what others store with it. @module */

import type { Endpoint } from '../base/endpoint.ts';
import { NetworkError } from '../base/errors.ts';
import { ipFamily } from '../base/ip.ts';
import { bounded } from '../runtime/aborting.ts';
import { Repeating } from '../runtime/repeating.ts';
import { bindRealms } from './bind.ts';
import { Bootstrap } from './bootstrap.ts';
import type { Family } from './contact.ts';
import { ItemStore } from './items/index.ts';
import type { LookupEvent, LookupSummary } from './lookup/events.ts';
import { Maintenance } from './maintenance.ts';
import { type PingResult, pingNode, type SampleResult, sampleNode } from './operations/ask.ts';
import {
  type GetOptions,
  type GetResult,
  getItem,
  type PutOptions,
  type PutResult,
  putItem,
} from './operations/items.ts';
import { findPeers, type PeersOptions, type PeersResult } from './operations/peers.ts';
import { DEFAULT_ALPHA, type DhtOptions, type DhtRuntime } from './options.ts';
import { PeerStore } from './peer-store.ts';
import type { Realm } from './realm.ts';
import { type SearchContext, search } from './search.ts';
import type { DhtState } from './state.ts';
import type { Stores } from './stores.ts';
import { Tokens } from './tokens.ts';

/**
 * Searches run in all families at once; each gives one result a family. A node that is to stay and to
 * serve others joins.
 */
export class DhtNode implements AsyncDisposable {
  readonly #runtime: DhtRuntime;
  readonly #options: DhtOptions;
  readonly #stores: Stores;
  readonly #realms: readonly Realm[];
  readonly #bootstrap: Bootstrap;
  readonly #repeating: Repeating;
  readonly #maintenance: Maintenance;
  #disposed: Promise<void> | undefined;

  /**
   * Binds the sockets. Nothing is sent yet.
   *
   * @throws {NetworkError} `BIP_PORT_IN_USE` when somebody else has the port.
   */
  static async open(runtime: DhtRuntime, options: DhtOptions): Promise<DhtNode> {
    const { random } = runtime;
    const { maxTorrents, maxPeersPerTorrent, maxPeers, maxItems } = options.stores ?? {};
    const bound: Realm[] = [];
    const ownIds = (): readonly Uint8Array[] => bound.map(({ table }) => table.ownId);
    const stores: Stores = {
      peers: new PeerStore({ random, maxTorrents, maxPeersPerTorrent, maxPeers }),
      items: new ItemStore({ maxItems, ownIds }),
      tokens: new Tokens(random),
    };
    bound.push(...(await bindRealms(runtime, options, stores)));
    return new DhtNode(runtime, options, { stores, realms: bound });
  }

  private constructor(
    runtime: DhtRuntime,
    options: DhtOptions,
    parts: { readonly stores: Stores; readonly realms: readonly Realm[] },
  ) {
    this.#runtime = runtime;
    this.#options = options;
    this.#stores = parts.stores;
    this.#realms = parts.realms;
    this.#bootstrap = new Bootstrap(runtime, options.bootstrap);
    this.#repeating = new Repeating(runtime.clock);
    this.#maintenance = new Maintenance({
      ...parts,
      clock: runtime.clock,
      repeating: this.#repeating,
      signal: options.signal,
      context: (realm, signal) => this.#context(realm, signal),
      onEvent: options.onEvent ?? ((): void => undefined),
    });
  }

  get realms(): readonly Realm[] {
    return this.#realms;
  }

  get stores(): Stores {
    return this.#stores;
  }

  /** UDP port of all sockets. */
  get port(): number {
    return this.#realms[0]?.local.port ?? 0;
  }

  /** The id in the DHT of a family: 20 bytes; undefined when it takes no part in it. */
  idOf(family: Family): Uint8Array | undefined {
    return this.#realmOf(family)?.table.ownId;
  }

  /** Makes itself known to its neighbours, and keeps its tables good from now on. To be called once. */
  join(): Promise<void> {
    return this.#maintenance.start();
  }

  /** A node that may be good, of a torrent's `nodes` or a peer's PORT message: it is pinged. */
  suggest(endpoint: Endpoint): void {
    const realm = this.#realmAt(endpoint);
    if (realm === undefined) return;
    pingNode(realm, endpoint, this.#options.signal).catch(() => undefined);
  }

  /** The nodes closest to a target. */
  findNodes(
    target: Uint8Array,
    options: { readonly signal: AbortSignal; readonly onEvent?: (event: LookupEvent) => void },
  ): Promise<readonly LookupSummary[]> {
    const question = { method: 'find_node', args: { target } } as const;
    return this.#inAll(options.signal, async (context, signal) => {
      return (await search(context, target, { ...options, question, signal })).summary;
    });
  }

  /** @see findPeers */
  findPeers(infoHash: Uint8Array, options: PeersOptions): Promise<readonly PeersResult[]> {
    return this.#inAll(options.signal, (context, signal) =>
      findPeers(context, infoHash, { ...options, signal }),
    );
  }

  /** @see getItem */
  getItem(target: Uint8Array, options: GetOptions): Promise<readonly GetResult[]> {
    return this.#inAll(options.signal, (context, signal) =>
      getItem(context, target, { ...options, signal }),
    );
  }

  /** @see putItem */
  putItem(target: Uint8Array, options: PutOptions): Promise<readonly PutResult[]> {
    return this.#inAll(options.signal, (context, signal) =>
      putItem(context, target, { ...options, signal }),
    );
  }

  /**
   * @see pingNode
   * @throws {NetworkError} `BIP_NO_FAMILY` when this node has no socket for such addresses.
   */
  async ping(endpoint: Endpoint, signal: AbortSignal): Promise<PingResult> {
    return await pingNode(this.#realmFor(endpoint), endpoint, signal);
  }

  /**
   * @see sampleNode
   * @throws {NetworkError} `BIP_NO_FAMILY` when this node has no socket for such addresses.
   */
  async sample(
    endpoint: Endpoint,
    options: { readonly target: Uint8Array; readonly signal: AbortSignal },
  ): Promise<SampleResult> {
    return await sampleNode(this.#realmFor(endpoint), endpoint, options);
  }

  /** What to keep for the next run. */
  save(): DhtState {
    return Object.fromEntries(this.#realms.map((realm) => [realm.family, realm.save()]));
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposed ??= this.#dispose();
    return this.#disposed;
  }

  async #dispose(): Promise<void> {
    this.#repeating.stop();
    this.#bootstrap[Symbol.dispose]();
    await this.#maintenance.stop();
    await Promise.all(this.#realms.map((realm) => realm[Symbol.asyncDispose]()));
  }

  async #inAll<Result>(
    signal: AbortSignal,
    run: (context: SearchContext, signal: AbortSignal) => Promise<Result>,
  ): Promise<readonly Result[]> {
    const { clock } = this.#runtime;
    return await bounded({ signal, also: this.#options.signal, clock }, (either) =>
      Promise.all(
        this.#realms.map(async (realm) => run(await this.#context(realm, either), either)),
      ),
    );
  }

  async #context(realm: Realm, signal: AbortSignal): Promise<SearchContext> {
    const { onlySecure = false, limitAddresses = true, alpha = DEFAULT_ALPHA } = this.#options;
    return {
      realm,
      stores: this.#stores,
      clock: this.#runtime.clock,
      bootstrap: await this.#bootstrap.begin(realm, signal),
      policy: { onlySecure, limitAddresses, alpha },
    };
  }

  #realmOf(family: Family | undefined): Realm | undefined {
    return this.#realms.find((realm) => realm.family === family);
  }

  #realmAt({ host }: Endpoint): Realm | undefined {
    // Names come only from behind a proxy, where one socket is as good as another.
    return this.#realmOf(ipFamily(host) ?? this.#realms[0]?.family);
  }

  #realmFor(endpoint: Endpoint): Realm {
    const realm = this.#realmAt(endpoint);
    if (realm !== undefined) return realm;
    throw new NetworkError(`no socket of this node can reach ${endpoint.host}`, {
      code: 'BIP_NO_FAMILY',
    });
  }
}
