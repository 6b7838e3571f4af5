/** The tracker over HTTP: routes, announces and scrapes, and what they are answered with. @module */

import { equalBytes } from '../../base/bytes.ts';
import type { Clock, HttpIncoming, HttpReply } from '../../runtime/ports.ts';
import { AnnounceQueries, type OtherAddress, readInfoHash } from './announce-query.ts';
import { ClientAddresses } from './client-address.ts';
import { COUNTER, type Counters } from './counters.ts';
import { FullScrape } from './full-scrape.ts';
import { type AnnounceFacts, HttpAnswers, type RetryIn, type ScrapedSwarm } from './http-answer.ts';
import { EVENT, type IncomingAnnounce, type Refusal, type SwarmAnswer } from './model.ts';
import { TrackerQuery } from './query.ts';
import { REFUSAL_TEXT, type Tracker } from './tracker.ts';

export interface HttpTrackerDeps {
  readonly tracker: Tracker;
  readonly counters: Counters;
  readonly clock: Clock;
  /**
   * All swarms, for scrapes that name no infohash, which are refused otherwise; `undefined` when
   * there are too many. They are taken little by little.
   */
  readonly allSwarms?: () => Iterable<ScrapedSwarm> | undefined;
}

/**
 * Answers requests, one after the other; those that wait for shared swarms have nothing in the
 * memory that the others use.
 */
export class HttpTracker {
  readonly #deps: HttpTrackerDeps;
  readonly #query = new TrackerQuery();
  readonly #announces: AnnounceQueries;
  readonly #addresses: ClientAddresses;
  readonly #answers = new HttpAnswers();
  readonly #fullScrape: FullScrape | undefined;

  constructor(deps: HttpTrackerDeps) {
    const { tracker, allSwarms, clock } = deps;
    this.#deps = deps;
    this.#announces = new AnnounceQueries(tracker);
    this.#addresses = new ClientAddresses(tracker.options);
    this.#fullScrape =
      allSwarms === undefined
        ? undefined
        : new FullScrape({
            swarms: allSwarms,
            encode: (swarms) => this.#answers.scrape(swarms, tracker.options.minIntervalSeconds),
            clock,
          });
  }

  /**
   * Never throws; failures are answers of the tracker (BEP 3), with status 200. The body of a reply
   * that comes at once is good until the next request, that of a promise for ever.
   */
  handle(request: HttpIncoming): HttpReply | Promise<HttpReply> {
    const isWhole = this.#query.read(request.target);
    const route = routeOf(this.#query.path);
    if (route === undefined) return elsewhere(this.#query.path);
    this.#deps.counters.add(COUNTER.bytesIn, request.target.length);
    if (!isWhole) return this.#bad('there are too many parameters');
    const sender = this.#addresses.of(request);
    if (sender === undefined) return this.#bad('the proxy in front does not say who asks');
    const passkey = route.passkey ?? this.#query.text('passkey');
    return route.what === 'announce'
      ? this.#announce(sender, passkey)
      : this.#scrape(sender, passkey);
  }

  #announce(sender: Uint8Array, passkey: string | undefined): HttpReply | Promise<HttpReply> {
    const fault = this.#announces.read(this.#query, sender);
    if (fault !== undefined) return this.#bad(fault);
    return this.#deps.tracker.remote === undefined
      ? this.#announceHere(sender, passkey)
      : this.#announceThere(sender, passkey);
  }

  #announceHere(sender: Uint8Array, passkey: string | undefined): HttpReply {
    const { tracker } = this.#deps;
    const { call, other } = this.#announces;
    const refusal =
      (other && tracker.announce(secondOf(call, other), 'both-families', passkey)) ??
      tracker.announce(call, 'both-families', passkey);
    if (refusal !== undefined) return this.#refuse(refusal);
    this.#taken(sender);
    return this.#answer(tracker.answer, this.#facts(sender), other);
  }

  #announceThere(sender: Uint8Array, passkey: string | undefined): HttpReply | Promise<HttpReply> {
    const { tracker } = this.#deps;
    const { call, other } = this.#announces;
    const facts = this.#facts(sender.slice());
    const second = other && tracker.announceRemote(secondOf(call, other), 'both-families', passkey);
    if (typeof second === 'string') return this.#refuse(second);
    const answer = tracker.announceRemote(call, 'both-families', passkey);
    if (typeof answer === 'string') return this.#refuse(answer);
    this.#taken(sender);
    return answer.then((swarm) =>
      kept(this.#answer(swarm, swarm.local ? { ...facts, warning: STORE_AWAY } : facts, other)),
    );
  }

  #taken(sender: Uint8Array): void {
    const counter = sender.length === 4 ? COUNTER.announcesHttp4 : COUNTER.announcesHttp6;
    this.#deps.counters.add(counter);
  }

  #facts(externalIp: Uint8Array): AnnounceFacts {
    const { tracker } = this.#deps;
    const { compact, noPeerId } = this.#announces;
    return {
      intervalSeconds: tracker.nextIntervalSeconds(),
      minIntervalSeconds: tracker.options.minIntervalSeconds,
      externalIp,
      compact,
      noPeerId,
    };
  }

  #answer(
    swarm: SwarmAnswer,
    facts: AnnounceFacts,
    other: OtherAddress | undefined,
  ): BencodedReply {
    if (other !== undefined) dropPeer(swarm, other);
    return this.#reply(this.#answers.announce(swarm, facts));
  }

  #scrape(sender: Uint8Array, passkey: string | undefined): HttpReply | Promise<HttpReply> {
    const { tracker, counters } = this.#deps;
    const infoHashes = this.#scraped();
    if (typeof infoHashes === 'string') return this.#bad(infoHashes);
    const refusal = tracker.refusesScrape(sender, passkey);
    if (refusal !== undefined) return this.#refuse(refusal);
    counters.add(COUNTER.scrapes);
    if (infoHashes.length === 0) return this.#scrapeAll();
    if (tracker.remote === undefined) {
      return this.#reportScrape(infoHashes.map((infoHash) => this.#scrapeOne(infoHash)));
    }
    const found = tracker.scrapeRemote(infoHashes);
    if (typeof found === 'string') return this.#refuse(found);
    return found.then((counts) => {
      const swarms = infoHashes.map((infoHash, at) => ({ ...NOBODY, ...counts[at], infoHash }));
      return kept(this.#reportScrape(swarms));
    });
  }

  /** The infohashes of a scrape, or what is wrong with them. */
  #scraped(): Uint8Array[] | string {
    const count = this.#query.infoHashCount;
    if (count > MAX_SCRAPED) return `info_hash is there more than ${MAX_SCRAPED} times`;
    const infoHashes: Uint8Array[] = [];
    for (let index = 0; index < count; index++) {
      const infoHash = new Uint8Array(20);
      const fault = readInfoHash(this.#query, index, infoHash);
      if (fault !== undefined) return fault;
      infoHashes.push(infoHash);
    }
    return infoHashes;
  }

  #scrapeOne(infoHash: Uint8Array): ScrapedSwarm {
    const swarm = { ...NOBODY, infoHash };
    this.#deps.tracker.scrape(infoHash, swarm);
    return swarm;
  }

  #scrapeAll(): HttpReply | Promise<HttpReply> {
    if (this.#fullScrape === undefined) {
      return this.#bad('info_hash is missing: this tracker does not list all its torrents');
    }
    return this.#fullScrape.take(this.#deps.tracker.access).then((body) => {
      if (body === undefined) {
        return kept(this.#bad('there are too many torrents to list them all'));
      }
      return { ...this.#reply(body), lasting: true };
    });
  }

  #reportScrape(swarms: readonly ScrapedSwarm[]): BencodedReply {
    const { minIntervalSeconds } = this.#deps.tracker.options;
    return this.#reply(this.#answers.scrape(swarms, minIntervalSeconds));
  }

  #refuse(refusal: Refusal): HttpReply {
    return this.#fail(REFUSAL_TEXT[refusal], RETRY_IN[refusal]);
  }

  #bad(reason: string): BencodedReply {
    this.#deps.counters.add(COUNTER.badRequests);
    return this.#fail(reason);
  }

  #fail(reason: string, retryIn?: RetryIn): BencodedReply {
    this.#deps.counters.add(COUNTER.errorsSent);
    return this.#reply(this.#answers.failure(reason, retryIn));
  }

  #reply(body: Uint8Array): BencodedReply {
    this.#deps.counters.add(COUNTER.bytesOut, body.length);
    return { headers: BENCODED, body };
  }
}

/** More `info_hash` in one scrape are refused. */
const MAX_SCRAPED = 200;
/** What trackers always said, and clients do not look at. */
const BENCODED = { 'content-type': 'text/plain; charset=iso-8859-1' } as const;
const PLAIN = { 'content-type': 'text/plain; charset=utf-8' } as const;
const NOBODY = { seeders: 0, leechers: 0, completed: 0 } as const;
const STORE_AWAY = 'the shared store is away: these are the peers that this server alone knows';

/** BEP 31, in minutes. What does not change by waiting never does. */
const RETRY_IN: Readonly<Record<Refusal, RetryIn>> = {
  'not-listed': 'never',
  'address-denied': 'never',
  passkey: 'never',
  full: 5,
  rate: 1,
  busy: 1,
};

interface BencodedReply extends HttpReply {
  readonly body: Uint8Array;
}

/** Other answers may be written before this one is sent: it gets memory of its own. */
function kept({ headers, body }: BencodedReply): HttpReply {
  return { ...(headers === undefined ? {} : { headers }), body: body.slice() };
}

interface Route {
  readonly what: 'announce' | 'scrape';
  readonly passkey?: string;
}

const ANNOUNCE: Route = { what: 'announce' };
const SCRAPE: Route = { what: 'scrape' };

/** `/announce` and `/scrape`, in private mode behind the passkey (`/PASSKEY/announce`). */
function routeOf(path: string): Route | undefined {
  if (path === '/announce') return ANNOUNCE;
  if (path === '/scrape') return SCRAPE;
  const slash = path.lastIndexOf('/');
  const passkey = path.slice(1, slash);
  if (slash < 2 || passkey.includes('/')) return undefined;
  const what = path.slice(slash + 1);
  return what === 'announce' || what === 'scrape' ? { what, passkey } : undefined;
}

function elsewhere(path: string): HttpReply {
  if (path === '/') {
    return {
      headers: PLAIN,
      body: 'This is a BitTorrent tracker. Clients announce to /announce.\n',
    };
  }
  return { status: 404, headers: PLAIN, body: 'There are /announce and /scrape.\n' };
}

/** The same peer by its other family of addresses; a download is completed once. */
function secondOf(call: IncomingAnnounce, other: OtherAddress): IncomingAnnounce {
  const completes = call.event === EVENT.completed;
  const event = completes ? EVENT.none : call.event;
  return { ...call, ...other, event, seeding: call.seeding || completes, numWant: 0 };
}

/** Takes a peer out of an answer, if it is there. */
function dropPeer(swarm: SwarmAnswer, { address, port }: OtherAddress): void {
  const isFour = address.length === 4;
  const peers = isFour ? swarm.peers4 : swarm.peers6;
  const ids = isFour ? swarm.ids4 : swarm.ids6;
  const count = isFour ? swarm.count4 : swarm.count6;
  const entry = Uint8Array.of(...address, port >>> 8, port & 0xff);
  for (let at = 0; at < count; at++) {
    const from = at * entry.length;
    if (!equalBytes(peers.subarray(from, from + entry.length), entry)) continue;
    const last = count - 1;
    peers.copyWithin(from, last * entry.length, count * entry.length);
    ids.copyWithin(at * 20, last * 20, count * 20);
    if (isFour) swarm.count4 = last;
    else swarm.count6 = last;
    return;
  }
}
