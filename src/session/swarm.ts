/** The connected peers of one torrent: who comes in, what is passed on to which part, who goes. @module */

import { type Endpoint, formatEndpoint } from '../base/endpoint.ts';
import { ProtocolError } from '../base/errors.ts';
import type { InfoHash } from '../base/ids.ts';
import type { DhtNode } from '../dht/index.ts';
import { peerIdPrefix } from '../handshake/index.ts';
import { type Copy, type MetadataMessage, RateMeter } from '../peer/index.ts';
import type { ByteStream, Clock, Millis, Runtime } from '../runtime/ports.ts';
import type { Content } from './content.ts';
import { Dialer } from './dialer.ts';
import { encryptionNote } from './encryption.ts';
import type { SwarmStats } from './events.ts';
import { Gossip } from './gossip.ts';
import { Greeting } from './greeting.ts';
import type { Introduced } from './introduction.ts';
import { MetadataExchange } from './metadata-exchange.ts';
import type { SessionIdentity, TorrentOptions } from './options.ts';
import { type BlockRequest, type LinkHost, PeerLink, type ReceivedBlock } from './peer-link.ts';
import { Places } from './places.ts';

/** Connections of one torrent; webtorrent and aria2 allow 55, libtorrent 200 for all torrents. */
const MAX_PEERS = 80;

export interface SwarmOptions {
  readonly runtime: Runtime;
  readonly identity: SessionIdentity;
  readonly infoHash: InfoHash;
  readonly torrent: Pick<TorrentOptions, 'pex' | 'maxPeers'>;
  /** The data, once the metadata is known and the disk was looked at. */
  readonly content: () => Content | undefined;
  readonly onMetadata: (info: Uint8Array) => void;
  readonly onNote: (message: string) => void;
  readonly onWarning: (code: string, message: string) => void;
  readonly onBug: (error: unknown) => void;
}

export class Swarm implements LinkHost, AsyncDisposable {
  readonly links: Set<PeerLink> = new Set();
  readonly dialer: Dialer;
  /** Payload of all peers. */
  readonly download: RateMeter = new RateMeter();
  readonly upload: RateMeter = new RateMeter();
  readonly clock: Clock;
  readonly copy: Copy;
  readonly #options: SwarmOptions;
  readonly #places: Places<PeerLink>;
  /** What peers tell of each other. */
  readonly gossip: Gossip;
  readonly #greeting: Greeting;
  #metadata: MetadataExchange;
  #stopped = false;

  constructor(options: SwarmOptions) {
    const { runtime, identity, infoHash, torrent } = options;
    const { port } = identity;
    this.#options = options;
    this.clock = runtime.clock;
    this.#places = new Places({
      ...{ identity, links: this.links, limit: torrent.maxPeers ?? MAX_PEERS },
      pool: () => this.dialer.pool,
      dismiss: (link, why) => this.#dismiss(link, why),
    });
    this.copy = (target, at, source) => runtime.hashers.copy(target, at, source);
    this.#metadata = this.#exchange(undefined);
    this.dialer = new Dialer({
      runtime,
      bind: identity.bind,
      peerId: identity.peerId,
      reserved: identity.reserved,
      filter: identity.filter,
      infoHash: infoHash.wire,
      encryption: identity.encryption,
      room: () => (this.#stopped ? 0 : this.#places.free),
      onIntroduced: (introduced) => this.join(introduced),
      onFailed: (endpoint, error) => this.#unreachable(endpoint, error),
      onReopened: (endpoint, error, opening) =>
        options.onNote(
          `${formatEndpoint(endpoint)}: ${error.message}; called again ${opening === 'plain' ? 'without encryption' : 'with encryption'}`,
        ),
      onBug: options.onBug,
    });
    this.gossip = new Gossip({
      ...{ clock: this.clock, links: this.links, dialer: this.dialer, port },
      exchange: torrent.pex ?? true,
      punches: identity.punches,
      onNote: options.onNote,
    });
    this.#greeting = new Greeting({
      ...{ identity, infoHash, content: options.content },
      metadataSize: () => this.#metadata.size,
      extensions: () => this.gossip.extensions,
    });
  }

  /** The part of the torrent's numbers that concerns peers. */
  stats(): SwarmStats {
    const now = this.clock.now();
    return {
      downloadBytesPerSecond: this.download.rate(now),
      uploadBytesPerSecond: this.upload.rate(now),
      peers: this.links.size,
      seeds: [...this.links].filter((link) => link.connection.isSeed).length,
      downloaded: this.download.total,
      uploaded: this.upload.total,
    };
  }

  /** How much of the metadata has come; `undefined` while nobody has offered it. */
  get metadataProgress(): { readonly done: number; readonly total: number } | undefined {
    return this.#metadata.progress;
  }

  /** Is there room for a peer that calls us by this stream? */
  admits(stream: Pick<ByteStream, 'local' | 'remote'>): boolean {
    return !this.#stopped && this.#places.admits(stream, this.clock.now());
  }

  /** A peer has introduced itself; `undefined` when it is turned away. */
  join(introduced: Introduced): PeerLink | undefined {
    const { stream, handshake, outgoing } = introduced;
    if (outgoing) this.gossip.onCalled(stream.remote, true);
    if (this.#stopped || !this.#places.takesIn(introduced, this.clock.now())) {
      void stream[Symbol.asyncDispose]();
      if (outgoing) this.dialer.released(stream.remote, false);
      return undefined;
    }
    const content = this.#options.content();
    const link = new PeerLink(this, introduced, {
      geometry: content?.geometry,
      fast: handshake.reserved.has('fast'),
      extended: handshake.reserved.has('extended'),
    });
    this.links.add(link);
    this.#options.onNote(
      `${outgoing ? 'connected to' : 'called by'} ${formatEndpoint(link.remote)} ${peerIdPrefix(link.peerId)}${transportOf(link)}${encryptionNote(stream)}`,
    );
    this.#greeting.greet(link, handshake.reserved.has('dht') ? this.#dhtPort : undefined);
    link.flush();
    return link;
  }

  /** The metadata is known and the disk was looked at: links that stood before learn of it. */
  onContent(content: Content, info: Uint8Array): void {
    this.#metadata = this.#exchange(info);
    if (content.metainfo.private) this.gossip.forbid();
    this.dialer.pool.isSeeding = content.isComplete;
    for (const link of [...this.links]) {
      link.guard(() => {
        link.connection.learnGeometry(content.geometry);
        for (const piece of content.have) link.connection.sendHave(piece);
        // Now we have the metadata to give, and say so (BEP 10: the handshake may be repeated).
        this.#greeting.sendHandshake(link);
        link.flush();
        content.downloader.fill(link);
      });
    }
  }

  /** Everything is there: peers that want nothing either have nothing to give or take any more. */
  onComplete(): void {
    this.dialer.pool.isSeeding = true;
    for (const link of [...this.links]) {
      this.#dropIfUseless(link);
      if (!link.isOpen) continue;
      if (link.connection.takes('upload_only')) link.connection.sendUploadOnly(true);
      else this.#greeting.sendHandshake(link);
      link.flush();
    }
  }

  /** Tells who has not got it that we have a piece, or that we have not any more (BEP 54). */
  announcePiece(piece: number, served = true): void {
    for (const link of this.links) {
      if (!served) link.connection.sendDontHave(piece);
      else if (link.connection.pieces?.has(piece) === true) continue;
      else link.connection.sendHave(piece);
      link.flush();
    }
  }

  ban(link: PeerLink): void {
    this.dialer.pool.ban(link.remote);
    if (link.listening !== undefined) this.dialer.pool.ban(link.listening);
    link.close(new ProtocolError('the peer sent bad data', { rule: 'BEP 3 piece hash' }));
  }

  /** To be called about every second. */
  tick(now: Millis): void {
    for (const link of [...this.links]) {
      const reason = link.tick(now);
      if (reason !== undefined) link.close(reason);
    }
    this.#places.tick(now);
    this.#metadata.tick(this.links);
    this.gossip.tick(now);
    this.dialer.dial();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    for (const link of [...this.links]) link.close(undefined);
    await this.dialer[Symbol.asyncDispose]();
  }

  // What links tell.

  onExtendedHandshake(link: PeerLink): void {
    this.#metadata.onHandshake(link);
    if (link.listening !== undefined && !link.outgoing) this.dialer.pool.connected(link.listening);
  }
  onMetadata(link: PeerLink, message: MetadataMessage): void {
    this.#metadata.onMessage(link, message);
  }
  onUploadOnly(link: PeerLink): void {
    this.#noteUploadOnly(link);
    this.#dropIfUseless(link);
  }
  onDhtPort(link: PeerLink, port: number): void {
    this.#dht?.suggest({ host: link.remote.host, port });
  }
  onPieces(link: PeerLink): void {
    this.#content?.downloader.addLink(link);
    this.#dropIfUseless(link);
  }
  onHave(link: PeerLink, piece: number): void {
    this.#content?.downloader.onHave(link, piece);
    this.#dropIfUseless(link);
  }
  onDontHave(link: PeerLink, piece: number): void {
    this.#content?.downloader.onDontHave(link, piece);
  }
  onChoke(link: PeerLink): void {
    this.#content?.downloader.onChoke(link);
  }
  onUnchoke(): void {
    // The turn that follows asks for blocks.
  }
  onInterest(link: PeerLink): void {
    this.#content?.uploader.onInterest(link);
  }
  onBlockStart(link: PeerLink, piece: number, begin: number): Uint8Array | undefined {
    return this.#content?.downloader.blockStart(link, piece, begin);
  }
  onBlock(link: PeerLink, block: ReceivedBlock): void {
    this.download.add(block.length, this.clock.now());
    this.#content?.downloader.onBlock(link, block);
  }
  onReject(link: PeerLink, piece: number, begin: number): void {
    this.#content?.downloader.onReject(link, piece, begin);
  }
  onRequest(link: PeerLink, request: BlockRequest): void {
    this.#content?.uploader.onRequest(link, request);
  }
  onCancel(link: PeerLink, request: BlockRequest): void {
    this.#content?.uploader.onCancel(link, request);
  }
  onTurn(link: PeerLink): void {
    this.#content?.downloader.fill(link);
    this.#content?.uploader.pump(link);
    link.flush();
  }
  onDrain(link: PeerLink): void {
    this.#content?.uploader.pump(link);
  }
  onClosed(link: PeerLink, reason: Error | undefined): void {
    this.links.delete(link);
    this.#metadata.removeLink(link);
    this.gossip.removeLink(link);
    this.#content?.downloader.removeLink(link);
    this.#content?.uploader.onGone();
    const address = link.listening ?? link.remote;
    const worked = link.connection.download.total > 0 || link.connection.upload.total > 0;
    if (this.#stopped) return;
    this.#options.onNote(`${formatEndpoint(link.remote)}: ${reason?.message ?? 'it hung up'}`);
    this.dialer.released(address, worked);
  }
  onBug(error: unknown): void {
    this.#options.onBug(error);
  }

  get #content(): Content | undefined {
    return this.#options.content();
  }

  #exchange(info: Uint8Array | undefined): MetadataExchange {
    return new MetadataExchange({
      clock: this.clock,
      infoHash: this.#options.infoHash,
      info,
      onComplete: (found) => this.#options.onMetadata(found),
      onLiar: (link) => {
        this.#options.onWarning(
          'BIP_BAD_METADATA',
          `${formatEndpoint(link.remote)} sent metadata that does not match the infohash and is banned`,
        );
        this.ban(link);
      },
    });
  }

  /** UDP port of our DHT node, for peers of this torrent. */
  get #dhtPort(): number | undefined {
    return this.#dht === undefined ? undefined : this.#options.identity.dhtPort;
  }

  /** Peers of a private torrent know each other by its tracker alone, and keep to that (BEP 27). */
  get #dht(): DhtNode | undefined {
    if (this.#content?.metainfo.private === true) return undefined;
    return this.#options.identity.dht;
  }

  /** Two that want nothing have nothing to say to each other (BEP 21). */
  #dropIfUseless(link: PeerLink): void {
    if (!link.connection.uploadOnly) return;
    this.#noteUploadOnly(link);
    if (this.#content?.isComplete !== true) return;
    this.#dismiss(link, 'neither side has anything left to download');
  }

  #noteUploadOnly({ listening, connection }: PeerLink): void {
    if (listening !== undefined) {
      this.dialer.pool.noteUploadOnly(listening, connection.uploadOnly);
    }
  }

  /** Ends a link that did nothing wrong; others hear that the peer was here. */
  #dismiss(link: PeerLink, why: string): void {
    this.gossip.dismissed(link);
    link.close(new Error(why));
  }

  #unreachable(endpoint: Endpoint, error: Error): void {
    if (this.#stopped) return;
    this.#options.onNote(`no connection with ${formatEndpoint(endpoint)}: ${error.message}`);
    this.gossip.onCalled(endpoint, false);
  }
}

function transportOf({ stream }: PeerLink): string {
  return stream.transport === 'utp' ? ' over uTP' : '';
}
