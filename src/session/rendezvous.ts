/** Where a torrent meets its peers: those that were named, and those of trackers (BEP 12), DHT and local network. @module */

import type { Endpoint } from '../base/endpoint.ts';
import { BipError } from '../base/errors.ts';
import type { InfoHash } from '../base/ids.ts';
import type { DhtNode } from '../dht/index.ts';
import type { Metainfo } from '../metainfo/index.ts';
import type { Runtime } from '../runtime/ports.ts';
import { type AnnounceRequest, Announcer } from '../tracker/index.ts';
import type { Content } from './content.ts';
import { DhtAnnouncer, type DhtRound } from './dht-announcer.ts';
import type { TorrentEvent } from './events.ts';
import { LpdAnnouncer } from './lpd-announcer.ts';
import type { SessionIdentity, TorrentOptions } from './options.ts';
import { surroundingsOf } from './source.ts';
import type { Swarm } from './swarm.ts';

/** Announced as left while nobody knows how much it is: anything but 0, which would mean a seed. */
const LEFT_UNKNOWN = 16_384;
/** Told to trackers by who cannot be called, as libtorrent does: some refuse 0. */
const NO_PORT = 1;
/** Nodes of a torrent file that are pinged. */
const MAX_NODES = 30;

export interface RendezvousOptions {
  readonly runtime: Runtime;
  readonly identity: SessionIdentity;
  readonly infoHash: InfoHash;
  readonly torrent: Pick<TorrentOptions, 'source' | 'peers' | 'trackers' | 'dht' | 'lpd'>;
  /** It stays for longer than it takes to find the metadata, so that the DHT is told of it. */
  readonly isLasting: boolean;
  readonly swarm: Swarm;
  readonly content: () => Content | undefined;
  readonly signal: AbortSignal;
  readonly onEvent: (event: TorrentEvent) => void;
  readonly onBug: (error: unknown) => void;
}

export class Rendezvous implements AsyncDisposable {
  readonly #options: RendezvousOptions;
  #announcer: Announcer | undefined;
  #dht: DhtAnnouncer | undefined;
  #lpd: LpdAnnouncer | undefined;
  #begun = false;
  /** It was said that the DHT is of no use. */
  #warned = false;

  constructor(options: RendezvousOptions) {
    this.#options = options;
  }

  /** Calls peers and trackers; what was begun goes on by itself, a second call does nothing. */
  begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    this.#callNamed(this.#named).catch((error: unknown) => this.#options.onBug(error));
    const tiers = this.#tiers;
    if (tiers.length > 0) this.#announcer = this.#announce(tiers);
    this.#dht = this.#joinDht();
    this.#lpd = this.#joinLpd();
  }

  /** The metadata is known: what it forbids ends (BEP 27). */
  learned(metainfo: Metainfo): void {
    if (!metainfo.private || (this.#dht ?? this.#lpd) === undefined) return;
    const { swarm, onEvent, onBug } = this.#options;
    this.#dht?.[Symbol.asyncDispose]().catch(onBug);
    this.#dht = undefined;
    this.#lpd?.[Symbol.dispose]();
    this.#lpd = undefined;
    for (const source of ['dht', 'lpd'] as const) swarm.dialer.pool.forget(source);
    onEvent({
      type: 'note',
      message:
        'the torrent turns out to be private: it leaves the DHT and the local network, and whom they named (BEP 27)',
    });
  }

  /** The download is complete: the trackers hear of it. */
  completed(): void {
    this.#announcer?.completed();
  }

  /** Says goodbye to the trackers. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#lpd?.[Symbol.dispose]();
    await Promise.all([
      this.#announcer?.[Symbol.asyncDispose](),
      this.#dht?.[Symbol.asyncDispose](),
    ]);
  }

  /** Peers that the user or the link names. */
  get #named(): readonly Endpoint[] {
    const { source, peers = [] } = this.#options.torrent;
    return source.type === 'magnet' ? [...peers, ...source.magnet.peers] : peers;
  }

  /** Trackers that are to be asked. */
  get #tiers(): readonly (readonly string[])[] {
    const { trackers = true } = this.#options.torrent;
    return trackers ? this.#surroundings.announce : [];
  }

  get #surroundings(): Pick<Metainfo, 'announce' | 'nodes'> {
    const { source } = this.#options.torrent;
    return source.type === 'magnet' ? surroundingsOf(source.magnet) : source.metainfo;
  }

  /** A client "MUST ONLY announce itself to the private tracker" (BEP 27). */
  #joinDht(): DhtAnnouncer | undefined {
    const { runtime, identity, infoHash, torrent, isLasting } = this.#options;
    const { swarm, content, onEvent, onBug } = this.#options;
    const { dht, port } = identity;
    const { source, dht: isWanted = true } = torrent;
    if (dht === undefined || !isWanted) return undefined;
    if (source.type === 'metainfo' && source.metainfo.private) {
      onEvent({
        type: 'note',
        message: 'the torrent is private: it stays out of the DHT (BEP 27)',
      });
      return undefined;
    }
    this.#suggest(dht, this.#surroundings.nodes).catch(onBug);
    return new DhtAnnouncer({
      dht,
      port,
      clock: runtime.clock,
      infoHash: infoHash.wire,
      isSeed: () => content()?.isComplete === true,
      isLonely: () => content()?.isComplete !== true && swarm.links.size === 0,
      // Whom nobody can call is of no use to others.
      announces: isLasting && port !== 0,
      onPeer: (peer) => swarm.dialer.add([peer], 'dht'),
      onRound: (round) => this.#searched(round),
      onBug,
    });
  }

  /** Private torrents have no other peers than those of the tracker (BEP 27). */
  #joinLpd(): LpdAnnouncer | undefined {
    const { identity, infoHash, torrent, swarm, onEvent } = this.#options;
    const { source, lpd: isWanted = true } = torrent;
    if (identity.lpd === undefined || !isWanted) return undefined;
    if (source.type === 'metainfo' && source.metainfo.private) return undefined;
    return new LpdAnnouncer({
      lpd: identity.lpd,
      infoHash: infoHash.wire,
      onPeer: (peer) => swarm.dialer.add([peer], 'lpd'),
      onNote: (message) => onEvent({ type: 'note', message }),
    });
  }

  #searched({ peers, answered, stored }: DhtRound): void {
    const { onEvent, isLasting, content, identity } = this.#options;
    if (answered > 0) {
      const named = peers === 1 ? '1 peer' : `${peers} peers`;
      const told =
        isLasting && identity.port !== 0 ? `, and ${stored} of its nodes know us now` : '';
      onEvent({ type: 'note', message: `the DHT named ${named}${told}` });
      return;
    }
    const message =
      'no node of the DHT answers; it is asked again, and --bootstrap HOST:PORT names others';
    const isHopeless =
      content()?.isComplete !== true && this.#named.length === 0 && this.#tiers.length === 0;
    if (isHopeless && !this.#warned) onEvent({ type: 'warning', code: 'BIP_DHT_ALONE', message });
    else onEvent({ type: 'note', message });
    this.#warned = true;
  }

  /** Nodes that the torrent names (BEP 5 "Torrent File Extensions") may be names of hosts. */
  async #suggest(dht: DhtNode, nodes: readonly Endpoint[]): Promise<void> {
    const { runtime, signal } = this.#options;
    for (const { host, port } of nodes.slice(0, MAX_NODES)) {
      try {
        for (const address of await runtime.lookup.addresses(host, { signal })) {
          dht.suggest({ host: address, port });
        }
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof BipError)) throw error;
      }
    }
  }

  /** Peers that the user or the magnet names may be names of hosts. */
  async #callNamed(named: readonly Endpoint[]): Promise<void> {
    const { runtime, signal, swarm, onEvent } = this.#options;
    for (const { host, port } of named) {
      try {
        const [address] = await runtime.lookup.addresses(host, { signal });
        if (address !== undefined) swarm.dialer.add([{ host: address, port }], 'user');
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof BipError)) throw error;
        onEvent({ type: 'warning', code: error.code, message: error.message });
      }
    }
  }

  #announce(tiers: readonly (readonly string[])[]): Announcer {
    const { runtime, signal, swarm, onEvent } = this.#options;
    return new Announcer(runtime, {
      tiers,
      request: () => this.#request(),
      onPeers: (found) => swarm.dialer.add(found, 'tracker'),
      onEvent: (event) => {
        if (event.type === 'failed') {
          onEvent({ type: 'warning', code: event.error.code, message: event.error.message });
          return;
        }
        const { peers } = event.response;
        onEvent({ type: 'note', message: `${event.tracker} named ${peers.length} peers` });
      },
      signal,
    });
  }

  #request(): AnnounceRequest {
    const { infoHash, identity, swarm } = this.#options;
    const content = this.#options.content();
    return {
      infoHash,
      peerId: identity.peerId,
      port: identity.port === 0 ? NO_PORT : identity.port,
      uploaded: swarm.upload.total,
      downloaded: swarm.download.total,
      left: content === undefined ? LEFT_UNKNOWN : content.metainfo.length - content.done,
      key: identity.key,
    };
  }
}
