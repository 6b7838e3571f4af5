/**
 * Who gets one of the places among a torrent's connections when all are taken: useful connections stay,
 * and among the others the canonical priority of BEP 40 decides, on which both ends agree.
 *
 * @module
 */

import type { Endpoint } from '../base/endpoint.ts';
import { ipFamily } from '../base/ip.ts';
import { peerPriority } from '../peer/index.ts';
import type { ByteStream, Millis } from '../runtime/ports.ts';
import type { Introduced } from './introduction.ts';
import type { SessionIdentity } from './options.ts';
import type { PeerLink } from './peer-link.ts';
import type { PeerPool } from './peer-pool.ts';
import { loserOfTwins } from './twins.ts';

/** Payload keeps a connection useful for so long. */
const USE_LASTS: Millis = 60_000;
/** Nobody wanted anything for so long: the connection is given up when places get scarce; libtorrent's. */
const IDLE_LIMIT: Millis = 600_000;
/** Places are scarce when so many of them are taken. */
const SCARCE_SHARE = 0.9;

/** Of a stream. */
type Ends = Pick<ByteStream, 'local' | 'remote'>;

/** As much of a link as matters here. */
export type Placed = Pick<
  PeerLink,
  'remote' | 'listening' | 'outgoing' | 'peerId' | 'lastPayload' | 'lastInterest'
> & {
  readonly stream: Pick<PeerLink['stream'], 'local'>;
  readonly connection: Pick<PeerLink['connection'], 'handshake'>;
};

export interface PlacesOptions<Link> {
  readonly links: ReadonlySet<Link>;
  /** How many there are. */
  readonly limit: number;
  /** Where we listen, and who we are. */
  readonly identity: Pick<SessionIdentity, 'port' | 'peerId'>;
  readonly pool: () => Pick<PeerPool, 'isBanned'>;
  /** The link has to go although it did nothing wrong. */
  readonly dismiss: (link: Link, why: string) => void;
}

export class Places<Link extends Placed> {
  readonly #options: PlacesOptions<Link>;

  constructor(options: PlacesOptions<Link>) {
    this.#options = options;
  }

  get free(): number {
    return Math.max(0, this.#options.limit - this.#options.links.size);
  }

  /** May a peer that calls us by this stream introduce itself? */
  admits({ remote, local }: Ends, now: Millis): boolean {
    if (this.#options.pool().isBanned(remote)) return false;
    return this.free > 0 || this.#weakerThan(remote, local, now) !== undefined;
  }

  /** May a peer that has introduced itself stay? Sends away who has to go for it. */
  takesIn(introduced: Introduced, now: Millis): boolean {
    const { links, identity, pool, dismiss } = this.#options;
    const { remote, local } = introduced.stream;
    if (pool().isBanned(remote)) return false;
    const loser = loserOfTwins(introduced, links, identity.peerId);
    if (loser === 'newcomer') return false;
    if (loser !== undefined) dismiss(loser, 'it is connected a second time');
    if (this.free > 0) return true;
    const weaker = this.#weakerThan(remote, local, now);
    if (weaker === undefined) return false;
    dismiss(weaker, 'it makes room for a peer of higher priority');
    return true;
  }

  /** Sends away with whom nobody has wanted anything for long, while places are few. */
  tick(now: Millis): void {
    const { links, limit, dismiss } = this.#options;
    for (const link of [...links]) {
      if (links.size < limit * SCARCE_SHARE) return;
      if (now - link.lastInterest < IDLE_LIMIT) continue;
      dismiss(link, 'nobody wanted anything for ten minutes, and places are few');
    }
  }

  /**
   * The link that has to go so that a newcomer can stay; `undefined` when the newcomer has to.
   *
   * @param local our address on the newcomer's connection
   */
  #weakerThan(newcomer: Endpoint, local: Endpoint, now: Millis): Link | undefined {
    const own = this.#priority(newcomer, local);
    let weakest: Link | undefined;
    let least = own;
    for (const link of this.#options.links) {
      if (isOfUse(link, now)) continue;
      const priority = this.#priority(link.listening ?? link.remote, link.stream.local);
      if (priority >= least) continue;
      least = priority;
      weakest = link;
    }
    return weakest;
  }

  /** Ours as the peer sees it, so that it comes to the same number. */
  #priority(peer: Endpoint, local: Endpoint): number {
    const host = this.#seenAs(ipFamily(peer.host)) ?? local.host;
    return peerPriority({ host, port: this.#options.identity.port }, peer) ?? 0;
  }

  /**
   * Our address in the eyes of the peers (`yourip` of BEP 10), when more than one say the same and nobody
   * else's word counts as much; one alone is not believed.
   */
  #seenAs(family: 4 | 6 | undefined): string | undefined {
    const votes = new Map<string, number>();
    for (const { connection } of this.#options.links) {
      const host = connection.handshake?.yourIp;
      if (host !== undefined && ipFamily(host) === family)
        votes.set(host, (votes.get(host) ?? 0) + 1);
    }
    const [first, second] = [...votes].toSorted(([, a], [, b]) => b - a);
    if (first === undefined || first[1] < 2 || first[1] === second?.[1]) return undefined;
    return first[0];
  }
}

/** Payload went by a moment ago. */
function isOfUse({ lastPayload }: Placed, now: Millis): boolean {
  return lastPayload !== undefined && now - lastPayload < USE_LASTS;
}
