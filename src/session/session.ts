/** Torrents that share a peer id and a listening port. @module */

import { formatHex } from '../base/bytes.ts';
import { formatEndpoint } from '../base/endpoint.ts';
import { NetworkError, UsageError } from '../base/errors.ts';
import { type HandshakeFilter, makePeerId, OUR_VERSION, Reserved } from '../handshake/index.ts';
import type { ByteStream, Runtime } from '../runtime/ports.ts';
import { type Discovery, openDiscovery, type SessionDht, type SessionLpd } from './discovery.ts';
import { Encryption, type EncryptionMode, isTorrentOf } from './encryption.ts';
import { Introduction } from './introduction.ts';
import { MetadataSearch, type MetadataSearchOptions } from './metadata-search.ts';
import type { SessionIdentity, TorrentOptions } from './options.ts';
import { Torrent } from './torrent.ts';
import { openTransports, type TransportMode, type Transports } from './transports.ts';

/** Strangers that are introducing themselves at once. */
const MAX_INTRODUCTIONS = 100;

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
  readonly dht?: SessionDht;
  /** Turns peers away by their handshakes; its rules may change meanwhile. */
  readonly filter?: HandshakeFilter;
  /** How connections with peers are encrypted; default `prefer`. */
  readonly encryption?: EncryptionMode;
  /** Hears of calls that belong to no torrent, since they failed before they named one of ours. */
  readonly onNote?: (message: string) => void;
  /** Looks for peers on the local network (BEP 14), where the machine is on one. */
  readonly lpd?: SessionLpd;
  readonly signal: AbortSignal;
}

interface SessionParts {
  readonly transports: Transports;
  readonly discovery: Discovery;
  readonly onNote: (message: string) => void;
}

export class Session implements AsyncDisposable {
  readonly #runtime: Runtime;
  readonly #identity: SessionIdentity;
  readonly #transports: Transports;
  readonly #discovery: Discovery;
  readonly #torrents = new Map<string, Torrent | MetadataSearch>();
  readonly #introductions = new Set<Introduction>();
  readonly #onNote: (message: string) => void;
  #disposed: Promise<void> | undefined;

  private constructor(
    runtime: Runtime,
    identity: SessionIdentity,
    { transports, discovery, onNote }: SessionParts,
  ) {
    this.#runtime = runtime;
    this.#onNote = onNote;
    this.#identity = identity;
    this.#transports = transports;
    this.#discovery = discovery;
  }

  /** @throws {NetworkError} when the port that was asked for is taken. */
  static async open(runtime: Runtime, options: SessionOptions): Promise<Session> {
    const opened: { session?: Session } = {};
    const transports = await openTransports(runtime, options, (stream) => {
      if (opened.session === undefined) void stream[Symbol.asyncDispose]();
      else opened.session.#accept(stream);
    });
    const { port, dhtNetwork } = transports;
    const onBug = (error: unknown): void => {
      if (opened.session !== undefined) opened.session.#bug(error);
    };
    const discovery = await openDiscovery(runtime, options, { port, dhtNetwork, onBug }).catch(
      async (error: unknown) => {
        await transports[Symbol.asyncDispose]();
        throw error;
      },
    );
    const { dht, lpd } = discovery;
    const identity: SessionIdentity = {
      encryption: new Encryption(runtime, options.encryption ?? 'prefer', onBug),
      filter: options.filter,
      dht,
      lpd,
      dhtPort: options.dht?.readOnly === true ? undefined : dht?.port,
      reserved: Reserved.of('fast', 'extended', ...(dht === undefined ? [] : (['dht'] as const))),
      peerId: makePeerId(runtime.random),
      port,
      bind: options.bind,
      punches: options.transport !== 'tcp',
      key: runtime.random.uint32(),
      version: OUR_VERSION,
    };
    const session = new Session({ ...runtime, network: transports.network }, identity, {
      transports,
      discovery,
      onNote: options.onNote ?? ((): void => undefined),
    });
    opened.session = session;
    return session;
  }

  /** Where peers can call us; 0 when they cannot. */
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
    this.#identity.encryption.addTorrent(torrent.infoHash.wire);
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
    await this.#discovery[Symbol.asyncDispose]();
    await this.#transports[Symbol.asyncDispose]();
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  #accept(connected: ByteStream): void {
    if (this.#disposed !== undefined || this.#introductions.size >= MAX_INTRODUCTIONS) {
      void connected[Symbol.asyncDispose]();
      return;
    }
    const stream = this.#identity.encryption.answer(connected);
    const introduction: Introduction = new Introduction(stream, {
      clock: this.#runtime.clock,
      peerId: this.#identity.peerId,
      reserved: this.#identity.reserved,
      filter: this.#identity.filter,
      knows: (infoHash) => this.#welcomes(infoHash, stream),
      onIntroduced: (introduced) => {
        this.#introductions.delete(introduction);
        return this.#torrents.get(formatHex(introduced.handshake.infoHash))?.swarm.join(introduced);
      },
      onFailed: (error) => {
        this.#introductions.delete(introduction);
        if (this.#disposed === undefined)
          this.#onNote(`a call from ${formatEndpoint(stream.remote)} failed: ${error.message}`);
      },
      onBug: (error) => this.#bug(error),
    });
    this.#introductions.add(introduction);
  }

  #welcomes(infoHash: Uint8Array, stream: ByteStream): boolean {
    const torrent = this.#torrents.get(formatHex(infoHash));
    return (
      torrent?.accepts === true && isTorrentOf(stream, infoHash) && torrent.swarm.admits(stream)
    );
  }

  /** A bug in an introduction belongs to no torrent: all of them hear of it. */
  #bug(error: unknown): void {
    for (const torrent of this.#torrents.values()) torrent.swarm.onBug(error);
  }
}
