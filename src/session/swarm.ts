/** The connected peers of one torrent: who comes in, what is passed on to which part, who goes. @module */

import { compareBytes } from '../base/bytes.ts';
import { type Endpoint, equalEndpoints, formatEndpoint } from '../base/endpoint.ts';
import { ProtocolError } from '../base/errors.ts';
import type { InfoHash } from '../base/ids.ts';
import type { DhtNode } from '../dht/index.ts';
import { peerIdPrefix } from '../handshake/index.ts';
import { allowedFastSet, type Copy, type MetadataMessage, RateMeter } from '../peer/index.ts';
import type { Clock, Millis, Runtime } from '../runtime/ports.ts';
import type { Content } from './content.ts';
import { Dialer } from './dialer.ts';
import { encryptionNote } from './encryption.ts';
import type { TorrentStats } from './events.ts';
import type { Introduced } from './introduction.ts';
import { MetadataExchange } from './metadata-exchange.ts';
import type { SessionIdentity } from './options.ts';
import { type BlockRequest, type LinkHost, PeerLink, type ReceivedBlock } from './peer-link.ts';

/** Connections of one torrent; webtorrent and aria2 allow 55, libtorrent 200 for all torrents. */
const MAX_PEERS = 80;

export interface SwarmOptions {
  readonly runtime: Runtime;
  readonly identity: SessionIdentity;
  readonly infoHash: InfoHash;
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
  #metadata: MetadataExchange;
  #stopped = false;

  constructor(options: SwarmOptions) {
    const { runtime, identity, infoHash } = options;
    this.#options = options;
    this.clock = runtime.clock;
    this.copy = (target, at, source) => runtime.hashers.copy(target, at, source);
    this.#metadata = this.#exchange(undefined);
    this.dialer = new Dialer({
      runtime,
      bind: identity.bind,
      peerId: identity.peerId,
      reserved: identity.reserved,
      infoHash: infoHash.wire,
      encryption: identity.encryption,
      room: () => (this.#stopped ? 0 : MAX_PEERS - this.links.size),
      onIntroduced: (introduced) => this.join(introduced),
      onFailed: (endpoint, error) =>
        options.onNote(`no connection with ${formatEndpoint(endpoint)}: ${error.message}`),
      onReopened: (endpoint, error, opening) =>
        options.onNote(
          `${formatEndpoint(endpoint)}: ${error.message}; called again ${opening === 'plain' ? 'without encryption' : 'with encryption'}`,
        ),
      onBug: options.onBug,
    });
  }

  /** The part of the torrent's numbers that concerns peers. */
  stats(): Pick<
    TorrentStats,
    | 'downloadBytesPerSecond'
    | 'uploadBytesPerSecond'
    | 'peers'
    | 'seeds'
    | 'downloaded'
    | 'uploaded'
  > {
    const now = this.clock.now();
    let seeds = 0;
    for (const link of this.links) if (link.connection.isSeed) seeds++;
    return {
      downloadBytesPerSecond: this.download.rate(now),
      uploadBytesPerSecond: this.upload.rate(now),
      peers: this.links.size,
      seeds,
      downloaded: this.download.total,
      uploaded: this.upload.total,
    };
  }

  /** How much of the metadata has come; `undefined` while nobody has offered it. */
  get metadataProgress(): { readonly done: number; readonly total: number } | undefined {
    return this.#metadata.progress;
  }

  /** Is there room for a peer that calls us from this address? */
  admits(remote: Endpoint): boolean {
    return !this.#stopped && this.links.size < MAX_PEERS && !this.dialer.pool.isBanned(remote);
  }

  /** A peer has introduced itself; `undefined` when it is turned away. */
  join(introduced: Introduced): PeerLink | undefined {
    const { stream, handshake, outgoing } = introduced;
    if (
      this.#stopped ||
      this.dialer.pool.isBanned(stream.remote) ||
      !this.#settleTwins(introduced)
    ) {
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
    link.connection.sendPieces(content?.have);
    this.#sendExtendedHandshake(link);
    if (handshake.reserved.has('dht')) this.#sendDhtPort(link);
    if (content !== undefined) this.#grantFast(link, content);
    link.flush();
    return link;
  }

  /** The metadata is known and the disk was looked at: links that stood before learn of it. */
  onContent(content: Content, info: Uint8Array): void {
    this.#metadata = this.#exchange(info);
    for (const link of [...this.links]) {
      link.guard(() => {
        link.connection.learnGeometry(content.geometry);
        for (const piece of content.have) link.connection.sendHave(piece);
        // Now we have the metadata to give, and say so (BEP 10: the handshake may be repeated).
        this.#sendExtendedHandshake(link);
        link.flush();
        content.downloader.fill(link);
      });
    }
  }

  /** Everything is there: complete peers have nothing to give or take any more. */
  onComplete(): void {
    for (const link of [...this.links]) if (link.connection.isSeed) link.close(undefined);
  }

  announcePiece(piece: number): void {
    for (const link of this.links) {
      if (link.connection.pieces?.has(piece) === true) continue;
      link.connection.sendHave(piece);
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
      if (!link.connection.tick(now))
        link.close(new Error('the peer has been silent for too long'));
    }
    this.#metadata.tick(this.links);
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
    this.#content?.downloader.removeLink(link);
    this.#content?.uploader.onGone();
    const address = link.listening ?? link.remote;
    const worked = link.connection.download.total > 0 || link.connection.upload.total > 0;
    if (reason !== undefined)
      this.#options.onNote(`${formatEndpoint(link.remote)}: ${reason.message}`);
    if (!this.#stopped) this.dialer.released(address, worked);
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

  #sendExtendedHandshake(link: PeerLink): void {
    const { port, version } = this.#options.identity;
    link.connection.sendExtendedHandshake({
      version,
      yourIp: link.remote.host,
      ...(this.#metadata.size === undefined ? {} : { metadataSize: this.#metadata.size }),
      port,
    });
  }

  /** Some pieces may be had even while we choke (BEP 6). */
  #grantFast({ remote, connection }: PeerLink, { have }: Content): void {
    if (have.isEmpty) return;
    const granted = allowedFastSet(remote.host, this.#options.infoHash.wire, have.length);
    connection.sendAllowedFast(granted.filter((piece) => have.has(piece)));
  }

  #sendDhtPort(link: PeerLink): void {
    const { dhtPort } = this.#options.identity;
    if (this.#dht !== undefined && dhtPort !== undefined) link.connection.sendPort(dhtPort);
  }

  /** Peers of a private torrent know each other by its tracker alone, and keep to that (BEP 27). */
  get #dht(): DhtNode | undefined {
    if (this.#content?.metainfo.private === true) return undefined;
    return this.#options.identity.dht;
  }

  /** Two seeds have nothing to say to each other. */
  #dropIfUseless(link: PeerLink): void {
    if (this.#content?.isComplete === true && link.connection.isSeed) link.close(undefined);
  }

  /**
   * One connection with each peer. Of two made in both directions at once, both sides keep the one
   * that the larger peer id began.
   */
  #settleTwins({ handshake, outgoing, stream }: Introduced): boolean {
    const ours = this.#options.identity.peerId.bytes;
    for (const link of this.links) {
      if (!link.peerId.equals(handshake.peerId)) continue;
      if (link.outgoing === outgoing || equalEndpoints(link.remote, stream.remote)) return false;
      const weAreLarger = compareBytes(ours, handshake.peerId.bytes) > 0;
      if (outgoing !== weAreLarger) return false;
      link.close(undefined);
      return true;
    }
    return true;
  }
}

function transportOf({ stream }: PeerLink): string {
  return stream.transport === 'utp' ? ' over uTP' : '';
}
