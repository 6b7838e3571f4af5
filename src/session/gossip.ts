/**
 * What the peers of one torrent tell each other of others: who is there (BEP 11), and who may be introduced
 * to whom (BEP 55). Joins the parts to the links and the pool of addresses.
 *
 * @module
 */

import { type Endpoint, formatEndpoint } from '../base/endpoint.ts';
import type { ExtensionName, HolepunchMessage, PexMessage } from '../peer/index.ts';
import type { Clock, Millis } from '../runtime/ports.ts';
import type { Dialer } from './dialer.ts';
import { Holepunch } from './holepunch.ts';
import { PeerExchange } from './peer-exchange.ts';
import type { PeerLink } from './peer-link.ts';
import { PeerTips } from './peer-tips.ts';

export interface GossipOptions {
  readonly clock: Clock;
  readonly links: ReadonlySet<PeerLink>;
  readonly dialer: Pick<Dialer, 'pool' | 'dial'>;
  /** Where we listen. */
  readonly port: number;
  /** Tell peers of each other, and listen to what they tell. */
  readonly exchange: boolean;
  /** Calls go by uTP as well; where they do not, nobody is introduced to us. */
  readonly punches: boolean;
  readonly onNote: (message: string) => void;
}

export class Gossip {
  readonly #options: GossipOptions;
  readonly #exchange: PeerExchange<PeerLink>;
  readonly #tips: PeerTips<PeerLink>;
  readonly #holepunch: Holepunch<PeerLink> | undefined;
  #exchanges: boolean;

  constructor(options: GossipOptions) {
    const { clock, links, dialer, punches, onNote } = options;
    this.#options = options;
    this.#exchanges = options.exchange;
    this.#exchange = new PeerExchange(() => links);
    const isOurselves = (endpoint: Endpoint): boolean => this.#isOurselves(endpoint);
    this.#tips = new PeerTips({
      onPeer: (endpoint, about) => dialer.pool.add(endpoint, 'pex', about),
      onDistrust: (teller, named) => {
        for (const endpoint of named) dialer.pool.retract(endpoint, 'pex');
        onNote(`nobody whom ${teller} names is there: its word counts no more for a while`);
      },
      isOurselves,
    });
    if (!punches) return;
    this.#holepunch = new Holepunch({
      ...{ clock, isOurselves, onNote },
      links: () => links,
      introducers: (endpoint) => this.#tips.introducers(endpoint),
      punch: (endpoint) => this.#punch(endpoint),
    });
  }

  /** What our extended handshake is to offer. */
  get extensions(): readonly ExtensionName[] {
    return [
      ...(this.#exchanges ? (['ut_pex'] as const) : []),
      ...(this.#holepunch === undefined ? [] : (['ut_holepunch'] as const)),
    ];
  }

  /** The torrent turns out to be private (BEP 27): peers come from its tracker alone. */
  forbid(): void {
    if (!this.#exchanges) return;
    this.#exchanges = false;
    this.#exchange.clear();
    this.#tips.clear();
    this.#options.dialer.pool.forget('pex');
  }

  /** To be called about every second. */
  tick(now: Millis): void {
    if (this.#exchanges) this.#exchange.tick(now);
  }

  /** @throws {ProtocolError} messages come too often. */
  onPex(link: PeerLink, message: PexMessage): void {
    if (!this.#exchanges) return;
    const { pool } = this.#options.dialer;
    const before = pool.size;
    this.#tips.onMessage(link, message, this.#options.clock.now());
    const news = pool.size - before;
    if (news <= 0) return;
    const peers = news === 1 ? '1 peer' : `${news} peers`;
    this.#options.onNote(`${formatEndpoint(link.remote)} named ${peers} that we did not know`);
    this.#options.dialer.dial();
  }

  onHolepunch(link: PeerLink, message: HolepunchMessage): void {
    this.#holepunch?.onMessage(link, message);
  }

  /** A call came to something, or to nothing. */
  onCalled(endpoint: Endpoint, worked: boolean): void {
    this.#tips.onCalled(endpoint, worked);
    if (!worked) this.#holepunch?.unreachable(endpoint);
  }

  /** We hang up on a link that did nothing wrong. */
  dismissed(link: PeerLink): void {
    this.#exchange.dismissed(link, this.#options.clock.now());
  }

  removeLink(link: PeerLink): void {
    this.#exchange.removeLink(link);
    this.#tips.removeLink(link);
    this.#holepunch?.removeLink(link);
  }

  /** Calls at once, although it may have failed a moment ago: the other side calls us now, too. */
  #punch(endpoint: Endpoint): void {
    const { dialer } = this.#options;
    dialer.pool.add(endpoint, 'pex');
    dialer.pool.hurry(endpoint);
    dialer.dial();
  }

  /** By the addresses that our connections have on our side. */
  #isOurselves({ host, port }: Endpoint): boolean {
    if (port !== this.#options.port) return false;
    for (const { stream } of this.#options.links) if (stream.local.host === host) return true;
    return false;
  }
}
