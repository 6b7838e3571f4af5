/**
 * What a torrent tells its peers of each other (BEP 11): each learns once a minute who came and who went,
 * as far as it does not know. Who is connected is told of, by the address at which it listens; where those
 * are few, also who was sent away a moment ago through no fault of its own.
 *
 * @module
 */

import { type Endpoint, formatEndpoint } from '../base/endpoint.ts';
import { ipFamily } from '../base/ip.ts';
import { type IpScope, ipScope } from '../base/ip-scope.ts';
import { MAX_PEX_SENT, PEX_FLAG, type PexPeer } from '../peer/index.ts';
import type { Millis } from '../runtime/ports.ts';
import type { PeerLink } from './peer-link.ts';

/** BEP 11: "no more than 1 PEX message per minute". */
const INTERVAL: Millis = 60_000;
/** The first message waits so long, so that it names more than one. */
const FIRST_DELAY: Millis = 2_000;
/** BEP 11 "Filling underpopulated lists": with fewer connected of a family, so many recent ones fill up. */
const FEW = 25;
/** Who is gone for longer is told of no more. */
const RECENT: Millis = 600_000;

/** How far an address reaches: nobody is told of what it cannot reach. */
const REACH: Readonly<Record<IpScope, number>> = { loopback: 0, local: 1, global: 2 };

/** As much of a link as matters here. */
export type Acquaintance = Pick<
  PeerLink,
  'remote' | 'listening' | 'outgoing' | 'since' | 'flush'
> & {
  readonly stream: Pick<PeerLink['stream'], 'transport'>;
  readonly connection: Pick<
    PeerLink['connection'],
    'takes' | 'sendPex' | 'uploadOnly' | 'handshake'
  >;
};

/** What one link was told, and when. */
interface Told {
  /** The peers of which it was told that they are there. */
  readonly of: Map<string, Endpoint>;
  at: Millis | undefined;
}

interface Gone {
  readonly peer: PexPeer;
  readonly at: Millis;
}

export class PeerExchange<Link extends Acquaintance> {
  readonly #links: () => Iterable<Link>;
  readonly #told = new Map<Link, Told>();
  /** Sent away although they did nothing wrong, oldest first. */
  readonly #recent: Readonly<Record<4 | 6, Gone[]>> = { 4: [], 6: [] };

  /** @param links all that are open */
  constructor(links: () => Iterable<Link>) {
    this.#links = links;
  }

  /** To be called about every second. */
  tick(now: Millis): void {
    const links = [...this.#links()];
    for (const link of links) if (this.#isDue(link, now)) this.#tell(link, links, now);
  }

  /** We hang up on the link for want of mutual interest or of room (BEP 11): others may like it. */
  dismissed(link: Link, now: Millis): void {
    const { listening } = link;
    if (listening === undefined) return;
    const family = ipFamily(listening.host);
    if (family === undefined) return;
    const list = this.#recent[family];
    list.push({ peer: { endpoint: listening, flags: flagsOf(link) }, at: now });
    if (list.length > FEW) list.shift();
  }

  /** The link is gone. */
  removeLink(link: Link): void {
    this.#told.delete(link);
  }

  /** Forgets all: the torrent is private (BEP 27). */
  clear(): void {
    this.#told.clear();
    this.#recent[4].length = 0;
    this.#recent[6].length = 0;
  }

  #isDue(link: Link, now: Millis): boolean {
    if (!link.connection.takes('ut_pex')) return false;
    const at = this.#told.get(link)?.at;
    return at === undefined ? now - link.since >= FIRST_DELAY : now - at >= INTERVAL;
  }

  #tell(link: Link, links: readonly Link[], now: Millis): void {
    const told = this.#told.get(link) ?? { of: new Map<string, Endpoint>(), at: undefined };
    const current = this.#current(link, links, { since: told.at ?? now - RECENT });
    const dropped = [...told.of]
      .filter(([key]) => !current.has(key))
      .slice(0, MAX_PEX_SENT)
      .map(([, endpoint]) => endpoint);
    const added = [...current]
      .filter(([key]) => !told.of.has(key))
      .slice(0, MAX_PEX_SENT)
      .map(([, peer]) => peer);
    if (added.length + dropped.length === 0) return;
    for (const endpoint of dropped) told.of.delete(formatEndpoint(endpoint));
    for (const { endpoint } of added) told.of.set(formatEndpoint(endpoint), endpoint);
    told.at = now;
    this.#told.set(link, told);
    link.connection.sendPex({ added, dropped });
    link.flush();
  }

  /** By address: who is there, seen from the link; and who was, later than `since`, where those are few. */
  #current(
    link: Link,
    links: readonly Link[],
    { since }: { readonly since: Millis },
  ): Map<string, PexPeer> {
    const current = new Map<string, PexPeer>();
    const add = (peer: PexPeer): void => {
      if (reaches(peer.endpoint, link)) current.set(formatEndpoint(peer.endpoint), peer);
    };
    for (const other of links) {
      const { listening } = other;
      if (other !== link && listening !== undefined) {
        add({ endpoint: listening, flags: flagsOf(other) });
      }
    }
    const live = [...current.values()];
    for (const family of [4, 6] as const) {
      const isOfIt = ({ endpoint }: PexPeer): boolean => ipFamily(endpoint.host) === family;
      if (live.filter(isOfIt).length >= FEW) continue;
      for (const { peer, at } of this.#recent[family]) {
        if (at > since && !current.has(formatEndpoint(peer.endpoint))) add(peer);
      }
    }
    return current;
  }
}

/**
 * May the peer be told of this address, or tell of it? Not of itself, and what is near to us is of use to
 * those alone who are as near: an address of this machine or of a home network means another one elsewhere.
 */
export function reaches(endpoint: Endpoint, peer: Pick<PeerLink, 'remote' | 'listening'>): boolean {
  const { remote, listening } = peer;
  if (endpoint.host === remote.host && endpoint.port === (listening ?? remote).port) return false;
  const [ofAddress, ofPeer] = [ipScope(endpoint.host), ipScope(remote.host)];
  if (ofAddress === undefined || ofPeer === undefined) return false;
  return REACH[ofAddress] >= REACH[ofPeer];
}

function flagsOf({ connection, outgoing, stream }: Acquaintance): number {
  return (
    (stream.transport === 'utp' ? PEX_FLAG.utp : 0) |
    (connection.handshake?.prefersEncryption === true ? PEX_FLAG.encryption : 0) |
    (connection.uploadOnly ? PEX_FLAG.uploadOnly : 0) |
    (connection.takes('ut_holepunch') ? PEX_FLAG.holepunch : 0) |
    (outgoing ? PEX_FLAG.reachable : 0)
  );
}
