/** Torrents that share a peer id and a listening port. @module */

import { formatHex } from '../base/bytes.ts';
import { formatEndpoint } from '../base/endpoint.ts';
import { NetworkError, UsageError } from '../base/errors.ts';
import { DhtNode, type DhtOptions } from '../dht/index.ts';
import { makePeerId, Reserved } from '../handshake/index.ts';
import type { ByteStream, Runtime } from '../runtime/ports.ts';
import { Introduction } from './introduction.ts';
import { MetadataSearch, type MetadataSearchOptions } from './metadata-search.ts';
import type { SessionIdentity, TorrentOptions } from './options.ts';
import { Torrent } from './torrent.ts';
import { openTransports, type TransportMode, type Transports } from './transports.ts';

/** Strangers that are introducing themselves at once. */
const MAX_INTRODUCTIONS = 100;
const CLIENT_VERSION = 'bip 0.1.0';

export interface SessionOptions {
  /** Where to listen; 0 for any free port. Default: the first free one of 6881–6889, else any. */
  readonly port?: number;
  /** The local address to listen on; default all. */
  readonly host?: string;
  /** The local address to call from; default whichever the system takes. */
  readonly bind?: string;
  /** How peers are called and listened to; default `both`. */
  readonly transport?: TransportMode;
  /** Takes part in the DHT, on the UDP port of the same number when it is free. */
  readonly dht?: Omit<DhtOptions, 'signal' | 'port'>;
  readonly signal: AbortSignal;
}

export class Session implements AsyncDisposable {
  readonly #runtime: Runtime;
  readonly #identity: SessionIdentity;
  readonly #transports: Transports;
  readonly #torrents = new Map<string, Torrent | MetadataSearch>();
  readonly #introductions = new Set<Introduction>();
  #disposed: Promise<void> | undefined;

  private constructor(runtime: Runtime, identity: SessionIdentity, transports: Transports) {
    this.#runtime = runtime;
    this.#identity = identity;
    this.#transports = transports;
  }

  /** @throws {NetworkError} when the port that was asked for is taken. */
  static async open(runtime: Runtime, options: SessionOptions): Promise<Session> {
    const opened: { session?: Session } = {};
    const transports = await openTransports(runtime, options, (stream) => {
      if (opened.session === undefined) void stream[Symbol.asyncDispose]();
      else opened.session.#accept(stream);
    });
    const { port } = transports;
    const dht = await openDht({ ...runtime, network: transports.dhtNetwork }, options, port).catch(
      async (error: unknown) => {
        await transports[Symbol.asyncDispose]();
        throw error;
      },
    );
    const identity: SessionIdentity = {
      dht,
      dhtPort: options.dht?.readOnly === true ? undefined : dht?.port,
      reserved: Reserved.of('fast', 'extended', ...(dht === undefined ? [] : (['dht'] as const))),
      peerId: makePeerId(runtime.random),
      port,
      bind: options.bind,
      punches: options.transport !== 'tcp',
      key: runtime.random.uint32(),
      version: CLIENT_VERSION,
    };
    const session = new Session({ ...runtime, network: transports.network }, identity, transports);
    opened.session = session;
    dht?.join().catch((error: unknown) => session.#bug(error));
    return session;
  }

  /** Where peers can call us. */
  get port(): number {
    return this.#transports.port;
  }

  /** @throws {UsageError} when the torrent is here already, or the link names none. */
  add(options: TorrentOptions): Torrent {
    const torrent = new Torrent(this.#runtime, this.#identity, options);
    this.#keep(torrent);
    return torrent;
  }

  /**
   * Looks for the metadata of a link, and for nothing else.
   *
   * @throws {UsageError} when the torrent is here already, or the link names none.
   */
  searchMetadata(options: MetadataSearchOptions): MetadataSearch {
    const search = new MetadataSearch(this.#runtime, this.#identity, options);
    this.#keep(search);
    return search;
  }

  #keep(torrent: Torrent | MetadataSearch): void {
    const key = formatHex(torrent.infoHash.wire);
    if (this.#torrents.has(key)) {
      throw new UsageError(`${torrent.infoHash.hex} was given twice`, {
        code: 'BIP_DUPLICATE_TORRENT',
      });
    }
    this.#torrents.set(key, torrent);
    torrent.start();
  }

  /** Stops all torrents and the listener. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#disposed ??= this.#dispose();
    return this.#disposed;
  }

  async #dispose(): Promise<void> {
    await this.#transports.refuse();
    for (const introduction of this.#introductions) {
      introduction.fail(new NetworkError('the session was stopped'));
    }
    const results = await Promise.allSettled(
      [...this.#torrents.values()].map((torrent) => torrent[Symbol.asyncDispose]()),
    );
    await this.#identity.dht?.[Symbol.asyncDispose]();
    await this.#transports[Symbol.asyncDispose]();
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  #accept(stream: ByteStream): void {
    if (this.#disposed !== undefined || this.#introductions.size >= MAX_INTRODUCTIONS) {
      void stream[Symbol.asyncDispose]();
      return;
    }
    const introduction: Introduction = new Introduction(stream, {
      clock: this.#runtime.clock,
      peerId: this.#identity.peerId,
      reserved: this.#identity.reserved,
      knows: (infoHash) => this.#welcomes(infoHash, stream),
      onIntroduced: (introduced) => {
        this.#introductions.delete(introduction);
        return this.#torrents.get(formatHex(introduced.handshake.infoHash))?.swarm.join(introduced);
      },
      onFailed: (error) => {
        this.#introductions.delete(introduction);
        this.#turnedAway(stream, error);
      },
      onBug: (error) => this.#bug(error),
    });
    this.#introductions.add(introduction);
  }

  #welcomes(infoHash: Uint8Array, stream: ByteStream): boolean {
    const torrent = this.#torrents.get(formatHex(infoHash));
    return torrent?.accepts === true && torrent.swarm.admits(stream);
  }

  /** Whoever called and came to nothing belongs to no torrent: the first one notes it. */
  #turnedAway({ remote }: ByteStream, error: Error): void {
    if (this.#disposed !== undefined) return;
    const [first] = this.#torrents.values();
    first?.swarm.note(`called by ${formatEndpoint(remote)} in vain: ${error.message}`);
  }

  /** A bug in an introduction belongs to no torrent: all of them hear of it. */
  #bug(error: unknown): void {
    for (const torrent of this.#torrents.values()) torrent.swarm.onBug(error);
  }
}

/** The port is the listener's, else any: UDP and TCP have each their own. */
async function openDht(
  runtime: Runtime,
  { dht, signal }: SessionOptions,
  port: number,
): Promise<DhtNode | undefined> {
  if (dht === undefined) return undefined;
  try {
    return await DhtNode.open(runtime, { ...dht, port, signal });
  } catch (error) {
    if (!(error instanceof NetworkError) || error.code !== 'BIP_PORT_IN_USE') throw error;
    return await DhtNode.open(runtime, { ...dht, port: 0, signal });
  }
}
