/** One run of a client: bip's announcer, and what it does told to the model. @module */

import { formatEndpoint } from '../../src/base/endpoint.ts';
import { PeerId } from '../../src/base/ids.ts';
import type { Millis } from '../../src/runtime/ports.ts';
import type { SeededRandom, SimHost } from '../../src/runtime/sim/index.ts';
import { Announcer, type AnnouncerEvent } from '../../src/tracker/index.ts';
import { infoHashOf, type Over, urlOf } from '../tracker/server/service-world.ts';
import { HaltingClock } from './tracker-clocks.ts';
import type { Peer, Saying, TrackerModel } from './tracker-model.ts';

/** What happened to all clients together. */
export interface Tally {
  announced: number;
  failed: number;
  retransmissions: number;
  completed: number;
  left: number;
  vanished: number;
  restarted: number;
  slept: number;
  peersGiven: number;
}

/** What the clients of a world have in common. */
export interface Ledger {
  readonly model: TrackerModel;
  readonly tally: Tally;
  /** What must not be. */
  fault(text: string): void;
}

export interface ClientOptions {
  readonly host: SimHost;
  readonly over: Over;
  readonly swarm: number;
  /** A copy of a datagram is no longer under way than this. */
  readonly lateMs: Millis;
  readonly random: SeededRandom;
}

type Heard = Extract<AnnouncerEvent, { type: 'announced' }>;

/** From a start to its end, under one port and one peer id. */
export class TrackerClient {
  readonly clock: HaltingClock;
  readonly #ledger: Ledger;
  readonly #host: SimHost;
  readonly #isUdp: boolean;
  readonly #lateMs: Millis;
  readonly #peer: Peer;
  readonly #announcer: Announcer;
  readonly #power = new AbortController();
  #left: number;
  /** The tracker took `started`. */
  #started = false;
  /** The download is complete, and the tracker has not heard of it yet. */
  #tells = false;
  #leaving = false;
  /** What comes next is the goodbye. */
  #isLast = false;
  /** The announce under way. */
  #open: Saying | undefined;

  constructor(ledger: Ledger, { host, over, swarm, lateMs, random }: ClientOptions) {
    this.#ledger = ledger;
    this.#host = host;
    this.#isUdp = over.startsWith('udp');
    this.#lateMs = this.#isUdp ? lateMs : TCP_LATE;
    const port = 1024 + random.below(60_000);
    const name = formatEndpoint({ host: host.address, port });
    this.#peer = { swarm, name, family: over.endsWith('4') ? 4 : 6 };
    this.#left = random.chance(SEEDS) ? 0 : 1 + random.below(1_000_000);
    this.clock = new HaltingClock(host.runtime.clock);
    const request = {
      infoHash: infoHashOf(swarm),
      peerId: new PeerId(random.bytes(20)),
      port,
      uploaded: 0,
      downloaded: 0,
      key: random.uint32(),
      numWant: PEERS_WANTED,
    };
    this.#announcer = new Announcer(
      { ...host.runtime, clock: this.clock },
      {
        tiers: [[urlOf(over, '/announce')]],
        request: () => {
          this.#begins();
          return { ...request, left: this.#left };
        },
        onPeers: () => undefined,
        onEvent: (event) => this.#heard(event),
        signal: this.#power.signal,
      },
    );
  }

  /** The download is complete, unless it was from the beginning. */
  complete(): void {
    if (this.#left === 0) return;
    this.#ledger.tally.completed++;
    this.#left = 0;
    this.#tells = true;
    this.#announcer.completed();
  }

  /** Says goodbye, if the tracker knows it. */
  async leave(): Promise<void> {
    this.#ledger.tally.left++;
    this.#leaving = true;
    await this.#announcer[Symbol.asyncDispose]();
    this.#forget();
  }

  /** The power is off. */
  vanish(): void {
    this.#ledger.tally.vanished++;
    this.#host.crash();
    // What had just begun would go on, as promises outlive a crash of the host.
    this.#power.abort();
    this.#forget();
  }

  /** Who leaves says once more that it is complete, if that was not heard, and then goodbye. */
  #begins(): void {
    this.#forget();
    const completes = this.#started && this.#tells && !this.#isLast;
    this.#isLast = this.#leaving;
    this.#open = this.#ledger.model.begin(this.#peer, {
      stops: this.#leaving && !completes,
      seeding: this.#left === 0,
      completes,
      copies: this.#isUdp ? UDP_COPIES : 1,
    });
  }

  /** What was under way was given up. */
  #forget(): void {
    if (this.#open !== undefined) this.#ledger.model.abandon(this.#open, this.#lateMs);
    this.#open = undefined;
  }

  #heard(event: AnnouncerEvent): void {
    const { model, tally } = this.#ledger;
    const saying = this.#open;
    if (saying === undefined || event.type === 'failed') {
      tally.failed++;
      this.#forget();
      return;
    }
    this.#open = undefined;
    tally.announced++;
    tally.retransmissions += event.response.exchange.retransmissions ?? 0;
    this.#check(event, saying);
    if (event.event === 'started') this.#started = true;
    if (event.event === 'completed') this.#tells = false;
    // A request over TCP is not repeated once it is answered.
    model.answer(this.#peer, saying, this.#isUdp ? this.#lateMs : 0);
  }

  /** Nobody is given who is surely gone, nor the client itself. */
  #check({ event, response }: Heard, saying: Saying): void {
    const { swarm, name } = this.#peer;
    const { model, tally } = this.#ledger;
    if ((event === 'stopped') !== saying.stops || (event === 'completed') !== saying.completes) {
      this.#ledger.fault(`${name} said ${event ?? 'nothing'}, and the model something else`);
    }
    for (const peer of response.peers) {
      const other = formatEndpoint(peer);
      tally.peersGiven++;
      if (other === name) this.#ledger.fault(`${name} was given itself`);
      else if (!model.mayHaveKnown(swarm, other, saying)) {
        this.#ledger.fault(`${name} was given ${other}, which is gone`);
      }
    }
  }
}

/** The part of clients that have everything when they come. */
const SEEDS = 0.2;
const PEERS_WANTED = 10;
/** Within its time it is sent three times, and each packet may be doubled. */
const UDP_COPIES = 6;
/** TCP sends what it took until nothing is heard for two minutes; twice that is safe. */
const TCP_LATE: Millis = 240_000;
