/** Clients of a tracker, each on a host of its own, with a line and a fate of its own. @module */

import type { Millis } from '../../src/runtime/ports.ts';
import type { HostOptions, SeededRandom, SimHost } from '../../src/runtime/sim/index.ts';
import type { Over, ServiceWorld } from '../tracker/server/service-world.ts';
import { type Ledger, type Tally, TrackerClient } from './tracker-client.ts';
import type { TrackerModel } from './tracker-model.ts';

export interface CrowdOptions {
  readonly scene: ServiceWorld;
  readonly model: TrackerModel;
  readonly clients: number;
  readonly swarms: number;
  /** When the last one has come. */
  readonly arrivalsMs: Millis;
  /** From then on whoever is there stays, and nothing happens to it. */
  readonly calmFrom: Millis;
}

export class TrackerCrowd implements Ledger {
  readonly model: TrackerModel;
  readonly tally: Tally = {
    announced: 0,
    failed: 0,
    retransmissions: 0,
    completed: 0,
    left: 0,
    vanished: 0,
    restarted: 0,
    slept: 0,
    peersGiven: 0,
  };
  /** The first ones. */
  readonly faults: string[] = [];
  readonly #scene: ServiceWorld;
  readonly #members: readonly Member[];

  constructor(options: CrowdOptions) {
    this.model = options.model;
    this.#scene = options.scene;
    this.#members = Array.from(
      { length: options.clients },
      (_, at) => new Member(this, options, at),
    );
  }

  fault(text: string): void {
    if (this.faults.length < 20) this.faults.push(text);
  }

  /** Lets all of them live until it is calm. */
  async live(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.live()));
  }

  /** From now on nothing is lost, doubled or overtaken. */
  mendLines(): void {
    const { world, host: tracker } = this.#scene;
    for (const { host } of this.#members) {
      world.path(host, tracker, { loss: 0, jitterMs: 0, duplicate: 0, reorder: 0 });
    }
  }

  /** Whoever is there says goodbye. */
  async leave(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.leave()));
  }
}

class Member {
  readonly host: SimHost;
  readonly #ledger: Ledger;
  readonly #options: CrowdOptions;
  readonly #random: SeededRandom;
  readonly #over: Over;
  readonly #swarm: number;
  readonly #lateMs: Millis;
  #client: TrackerClient | undefined;

  constructor(ledger: Ledger, options: CrowdOptions, index: number) {
    const { world, host: tracker } = options.scene;
    const random = world.random.fork(FORKS + index);
    this.#ledger = ledger;
    this.#options = options;
    this.#random = random;
    this.#over = WAYS[index % WAYS.length] ?? 'udp4';
    const line = lineOf(random);
    this.host = world.host(addressOf(index, this.#over), line);
    // What is overtaken comes two latencies later.
    this.#lateMs = 3 * (line.latencyMs + tracker.options.latencyMs) + line.jitterMs + 1;
    // A few large swarms and many small ones.
    this.#swarm = Math.floor(options.swarms * random.fraction() ** 2);
  }

  async live(): Promise<void> {
    const random = this.#random;
    await this.#until(random.fraction() * this.#options.arrivalsMs);
    while (!this.#isCalm) {
      this.#client = new TrackerClient(this.#ledger, {
        host: this.host,
        over: this.#over,
        swarm: this.#swarm,
        lateMs: this.#lateMs,
        random,
      });
      await this.#spend(this.#client);
      if (this.#isCalm) return;
      this.#client = undefined;
      if (!random.chance(RESTARTS)) return;
      this.#ledger.tally.restarted++;
      await this.#until(this.#now + random.fraction() * 2 * MINUTE);
    }
  }

  async leave(): Promise<void> {
    await this.#client?.leave();
  }

  /** What happens to a client from its start to its end, or until it is calm. */
  async #spend(client: TrackerClient): Promise<void> {
    const random = this.#random;
    const began = this.#now;
    const end = began + (10 + 170 * random.fraction()) * MINUTE;
    const events: (readonly [at: Millis, happen: () => Promise<void>])[] = [];
    if (random.chance(COMPLETES)) {
      events.push([began + (2 + 90 * random.fraction()) * MINUTE, async () => client.complete()]);
    }
    if (random.chance(SLEEPS)) {
      const at = began + random.fraction() * (end - began);
      events.push([at, () => this.#sleep(client)]);
    }
    const happening = events.filter(([at]) => at < end).toSorted(([one], [other]) => one - other);
    const last = random.chance(LEAVES) ? () => client.leave() : async () => client.vanish();
    for (const [at, happen] of [...happening, [end, last] as const]) {
      await this.#until(at);
      if (this.#isCalm) return;
      await happen();
    }
  }

  /** The lid is closed for up to an hour: no network, and no time. */
  async #sleep(client: TrackerClient): Promise<void> {
    const random = this.#random;
    this.#ledger.tally.slept++;
    this.host.offline = true;
    client.clock.halt();
    await this.#until(this.#now + (1 + 59 * random.fraction()) * MINUTE);
    this.host.offline = false;
    client.clock.resume(random.chance(0.5) ? 'where-it-was' : 'where-the-world-is');
  }

  get #now(): Millis {
    return this.#options.scene.world.now;
  }
  get #isCalm(): boolean {
    return this.#now >= this.#options.calmFrom;
  }

  /** Waits, but not longer than until it is calm. */
  async #until(at: Millis): Promise<void> {
    const wait = Math.min(at, this.#options.calmFrom) - this.#now;
    if (wait > 0) await this.#options.scene.pass(wait / 1000);
  }
}

/** One for each client, in turns. */
const WAYS: readonly Over[] = ['udp4', 'http4', 'udp6', 'http6', 'udp4', 'http4', 'udp4'];

function addressOf(index: number, over: Over): string {
  const [high, low] = [index >>> 8, index & 0xff];
  if (over.endsWith('4')) return `20.${high >>> 8}.${high & 0xff}.${low}`;
  return `2001:db8:${high.toString(16)}:${low.toString(16)}::1`;
}

/**
 * From good to hardly fit for use. Some are so slow that questions are repeated while the answers are
 * on their way.
 */
function lineOf(
  random: SeededRandom,
): Pick<HostOptions, 'latencyMs' | 'jitterMs' | 'loss' | 'duplicate' | 'reorder'> {
  const isSlow = random.chance(0.02);
  return {
    latencyMs: isSlow ? 1000 + 2000 * random.fraction() : 5 + 115 * random.fraction(),
    jitterMs: 20 * random.fraction(),
    loss: 0.1 * random.fraction() ** 2,
    duplicate: 0.05 * random.fraction(),
    reorder: 0.1 * random.fraction(),
  };
}

const MINUTE: Millis = 60_000;
/** Clear of the streams of hosts. */
const FORKS = 1_000_000;
/** Probabilities: to complete, to sleep at some time, to say goodbye at the end, to come again. */
const COMPLETES = 0.7;
const SLEEPS = 0.05;
const LEAVES = 0.5;
const RESTARTS = 0.2;
