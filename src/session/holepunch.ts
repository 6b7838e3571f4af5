/**
 * Peers behind NATs call each other through a third one that both know (BEP 55). Three roles: whoever
 * cannot reach a peer asks who told of it for a rendezvous; whoever is asked tells both; whoever is told
 * calls by uTP, which opens its own NAT for the other.
 *
 * @module
 */

import { type Endpoint, equalEndpoints, formatEndpoint } from '../base/endpoint.ts';
import { HOLEPUNCH_ERROR, type HolepunchMessage } from '../peer/index.ts';
import type { Clock, Millis } from '../runtime/ports.ts';
import { reaches } from './peer-exchange.ts';
import type { PeerLink } from './peer-link.ts';

/** As much of a link as matters here. */
export type Punching = Pick<PeerLink, 'remote' | 'listening' | 'flush'> & {
  readonly stream: Pick<PeerLink['stream'], 'transport'>;
  readonly connection: Pick<PeerLink['connection'], 'takes' | 'sendHolepunch'>;
};

export interface HolepunchOptions<Link> {
  readonly clock: Clock;
  readonly links: () => Iterable<Link>;
  /** Links that told of the peer and know that it lets itself be introduced. */
  readonly introducers: (endpoint: Endpoint) => Iterable<Link>;
  /** Where we listen, as far as we know. */
  readonly isOurselves: (endpoint: Endpoint) => boolean;
  /** Calls by uTP. */
  readonly punch: (endpoint: Endpoint) => void;
  readonly onNote: (message: string) => void;
}

/** Rendezvous that we ask for and do not hear of are forgotten after this time. */
const PATIENCE: Millis = 30_000;
/** Rendezvous under way that we asked for. */
const MAX_ASKED = 30;
/** Messages of one link that are acted upon in a minute: none of them shall make others call without end. */
const MAX_PER_MINUTE = 30;
const MINUTE: Millis = 60_000;

export class Holepunch<Link extends Punching> {
  readonly #options: HolepunchOptions<Link>;
  /** Whom we asked to be introduced to, and when. */
  readonly #asked = new Map<string, Millis>();
  readonly #heard = new Map<Link, { since: Millis; count: number }>();

  constructor(options: HolepunchOptions<Link>) {
    this.#options = options;
  }

  /** A call failed. True when somebody was asked to introduce us. */
  unreachable(endpoint: Endpoint): boolean {
    const now = this.#options.clock.now();
    for (const [key, at] of this.#asked) if (now - at >= PATIENCE) this.#asked.delete(key);
    const key = formatEndpoint(endpoint);
    if (this.#asked.has(key) || this.#asked.size >= MAX_ASKED) return false;
    for (const link of this.#options.introducers(endpoint)) {
      if (!link.connection.takes('ut_holepunch')) continue;
      this.#asked.set(key, now);
      send(link, { type: 'rendezvous', endpoint });
      this.#options.onNote(`${nameOf(link)} is asked to introduce us to ${key}`);
      return true;
    }
    return false;
  }

  onMessage(link: Link, message: HolepunchMessage): void {
    // Whoever does not take such messages could not be answered: BEP 55 "MUST ignore".
    if (!link.connection.takes('ut_holepunch') || !this.#hasPatience(link)) return;
    switch (message.type) {
      case 'rendezvous':
        return this.#introduce(link, message.endpoint);
      case 'connect':
        return this.#connect(link, message.endpoint);
      case 'error':
        return this.#failed(link, message);
    }
  }

  removeLink(link: Link): void {
    this.#heard.delete(link);
  }

  #introduce(link: Link, target: Endpoint): void {
    const other = this.#find(target);
    const code = this.#refusal(link, target, other);
    if (code !== undefined || other === undefined) {
      return send(link, {
        type: 'error',
        endpoint: target,
        code: code ?? HOLEPUNCH_ERROR.notConnected,
      });
    }
    const from = addressOf(link);
    this.#options.onNote(`introduces ${formatEndpoint(from)} and ${formatEndpoint(target)}`);
    send(link, { type: 'connect', endpoint: target });
    send(other, { type: 'connect', endpoint: from });
  }

  /** The code of the error, if there is one. */
  #refusal(link: Link, target: Endpoint, other: Link | undefined): number | undefined {
    if (target.port === 0) return HOLEPUNCH_ERROR.noSuchPeer;
    if (this.#options.isOurselves(target)) return HOLEPUNCH_ERROR.noSelf;
    if (other === undefined) return HOLEPUNCH_ERROR.notConnected;
    // To itself, or between this network and the internet: there is no such peer for the one who asks.
    if (other === link || !reaches(target, link) || !reaches(addressOf(link), other)) {
      return HOLEPUNCH_ERROR.noSuchPeer;
    }
    return other.connection.takes('ut_holepunch') ? undefined : HOLEPUNCH_ERROR.noSupport;
  }

  /** BEP 55: who is connected already, or does not wish to be, says nothing. */
  #connect(link: Link, endpoint: Endpoint): void {
    this.#asked.delete(formatEndpoint(endpoint));
    if (endpoint.port === 0 || this.#options.isOurselves(endpoint)) return;
    if (this.#find(endpoint) !== undefined || !reaches(endpoint, link)) return;
    this.#options.onNote(`${nameOf(link)} introduces us to ${formatEndpoint(endpoint)}`);
    this.#options.punch(endpoint);
  }

  #failed(link: Link, { endpoint, code }: HolepunchMessage & { readonly type: 'error' }): void {
    if (!this.#asked.delete(formatEndpoint(endpoint))) return;
    const reason = REASONS.get(code) ?? `error ${code}`;
    this.#options.onNote(
      `${nameOf(link)} cannot introduce us to ${formatEndpoint(endpoint)}: ${reason}`,
    );
  }

  #find(endpoint: Endpoint): Link | undefined {
    for (const link of this.#options.links()) {
      if (equalEndpoints(link.remote, endpoint)) return link;
      if (link.listening !== undefined && equalEndpoints(link.listening, endpoint)) return link;
    }
    return undefined;
  }

  #hasPatience(link: Link): boolean {
    const now = this.#options.clock.now();
    const heard = this.#heard.get(link);
    if (heard === undefined || now - heard.since >= MINUTE) {
      this.#heard.set(link, { since: now, count: 1 });
      return true;
    }
    return ++heard.count <= MAX_PER_MINUTE;
  }
}

const REASONS: ReadonlyMap<number, string> = new Map([
  [HOLEPUNCH_ERROR.noSuchPeer, 'it does not know such a peer'],
  [HOLEPUNCH_ERROR.notConnected, 'it is not connected to that peer'],
  [HOLEPUNCH_ERROR.noSupport, 'that peer does not know the extension'],
  [HOLEPUNCH_ERROR.noSelf, 'it is that peer'],
]);

/** Where a peer can be called by uTP; over TCP we know but the port that it names, for UDP as well. */
function addressOf({ remote, listening, stream }: Punching): Endpoint {
  return stream.transport === 'utp' ? remote : (listening ?? remote);
}

function nameOf({ remote }: Punching): string {
  return formatEndpoint(remote);
}

function send(link: Punching, message: HolepunchMessage): void {
  link.connection.sendHolepunch(message);
  link.flush();
}
