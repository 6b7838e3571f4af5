/** Where a torrent meets its peers: those that were named, and those that trackers know (BEP 12). @module */

import type { Endpoint } from '../base/endpoint.ts';
import { BipError } from '../base/errors.ts';
import type { InfoHash } from '../base/ids.ts';
import type { DhtNode } from '../dht/index.ts';
import { magnetTiers } from '../magnet/index.ts';
import type { Metainfo } from '../metainfo/index.ts';
import type { Runtime } from '../runtime/ports.ts';
import { type AnnounceRequest, Announcer } from '../tracker/index.ts';
import type { Content } from './content.ts';
import { DhtAnnouncer } from './dht-announcer.ts';
import type { TorrentEvent } from './events.ts';
import type { SessionIdentity, TorrentOptions } from './options.ts';
import type { Swarm } from './swarm.ts';

/** Announced as left while nobody knows how much it is: anything but 0, which would mean a seed. */
const LEFT_UNKNOWN = 16_384;
/** Nodes of a torrent file that are pinged. */
const MAX_NODES = 30;

export interface RendezvousOptions {
  readonly runtime: Runtime;
  readonly identity: SessionIdentity;
  readonly infoHash: InfoHash;
  readonly torrent: Pick<TorrentOptions, 'source' | 'peers' | 'trackers' | 'dht'>;
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
  #begun = false;

  constructor(options: RendezvousOptions) {
    this.#options = options;
  }

  /** Calls peers and trackers; what was begun goes on by itself, a second call does nothing. */
  begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    const { source, peers = [], trackers = true } = this.#options.torrent;
    const named = source.type === 'magnet' ? [...peers, ...source.magnet.peers] : peers;
    this.#callNamed(named).catch((error: unknown) => this.#options.onBug(error));
    const tiers = source.type === 'magnet' ? magnetTiers(source.magnet) : source.metainfo.announce;
    if (trackers && tiers.length > 0) this.#announcer = this.#announce(tiers);
    this.#dht = this.#joinDht();
  }

  /** The metadata is known: what it forbids ends (BEP 27). */
  learned(metainfo: Metainfo): void {
    if (!metainfo.private) return;
    void this.#dht?.[Symbol.asyncDispose]();
    this.#dht = undefined;
  }

  /** The download is complete: the trackers hear of it. */
  completed(): void {
    this.#announcer?.completed();
  }

  /** Says goodbye to the trackers. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([
      this.#announcer?.[Symbol.asyncDispose](),
      this.#dht?.[Symbol.asyncDispose](),
    ]);
  }

  /** "… must announce itself only to the tracker" when it is private (BEP 27). */
  #joinDht(): DhtAnnouncer | undefined {
    const { runtime, identity, infoHash, torrent, swarm, content, onEvent, onBug } = this.#options;
    const { dht, port } = identity;
    const { source, dht: isWanted = true } = torrent;
    const isPrivate = source.type === 'metainfo' && source.metainfo.private;
    if (dht === undefined || !isWanted || isPrivate) return undefined;
    const nodes = source.type === 'metainfo' ? source.metainfo.nodes : [];
    this.#suggest(dht, nodes).catch(onBug);
    return new DhtAnnouncer({
      dht,
      port,
      clock: runtime.clock,
      infoHash: infoHash.wire,
      isSeed: () => content()?.isComplete === true,
      onPeer: (peer) => swarm.dialer.add([peer], 'dht'),
      onRound: (peers, stored) =>
        onEvent({
          type: 'note',
          message: `the DHT named ${peers} peers, and ${stored} nodes of it know us now`,
        }),
      onBug,
    });
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
      port: identity.port,
      uploaded: swarm.upload.total,
      downloaded: swarm.download.total,
      left: content === undefined ? LEFT_UNKNOWN : content.metainfo.length - content.done,
      key: identity.key,
    };
  }
}
