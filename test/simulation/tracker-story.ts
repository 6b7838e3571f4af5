/** A tracker that lives through what happens to machines, and is compared with the model. @module */

import { decodeUtf8Lossy } from '../../src/base/bytes.ts';
import type { Millis, Runtime } from '../../src/runtime/ports.ts';
import type { ScrapedFile } from '../../src/tracker/index.ts';
import type { ServiceEvent, TrackerService } from '../../src/tracker/server/index.ts';
import {
  ANSWERS,
  type Client,
  infoHashOf,
  LIFETIME_SECONDS,
  type Over,
  ServiceWorld,
  STATS_PORT,
  TRACKER,
} from '../tracker/server/service-world.ts';
import { NEVER } from '../tracker/world.ts';
import { HaltingClock, SettableWallClock } from './tracker-clocks.ts';
import { TrackerCrowd } from './tracker-crowd.ts';
import { type ModelCopy, type Range, type SwarmRanges, TrackerModel } from './tracker-model.ts';

export interface StoryOptions {
  readonly seed?: number;
  readonly clients: number;
  readonly swarms: number;
  readonly arrivalsMs: Millis;
  readonly calmFrom: Millis;
  /** The tracker has a state file. */
  readonly keepsState: boolean;
}

/** What is known of a state file. */
interface Written {
  readonly copy: ModelCopy;
  readonly wallMs: number;
  readonly age: number;
}

export class TrackerStory {
  readonly scene: ServiceWorld;
  readonly model: TrackerModel;
  readonly crowd: TrackerCrowd;
  /** How many ranges were compared with the tracker's numbers, and how many left it no choice. */
  readonly compared = { all: 0, exact: 0 };
  /** What did not agree; the first ones. */
  readonly faults: string[] = [];
  readonly #options: StoryOptions;
  readonly #observer: Client;
  readonly #wallClock: SettableWallClock;
  #service: TrackerService | undefined;
  #clock: HaltingClock;
  /** The age of the tracker when its clock showed so much. */
  #aged: { readonly age: number; readonly at: Millis } = { age: 0, at: 0 };
  /** Until then those that became too old while it was halted may still be there. */
  #sweptFrom: Millis = 0;
  #sweptAge = 0;
  #written: Written | undefined;

  constructor(options: StoryOptions) {
    const { clients, swarms, arrivalsMs, calmFrom } = options;
    this.#options = options;
    this.scene = new ServiceWorld(options.seed === undefined ? {} : { seed: options.seed });
    const { host, world } = this.scene;
    this.#clock = new HaltingClock(host.runtime.clock);
    this.#wallClock = new SettableWallClock(host.runtime.wallClock);
    this.model = new TrackerModel({
      swarms,
      lifetimeSeconds: LIFETIME_SECONDS,
      now: () => world.now,
      age: () => this.#age,
      swept: () => (world.now < this.#sweptFrom ? this.#sweptAge : this.#age),
    });
    this.#observer = this.scene.client('192.0.2.1', { addresses: ['2001:db8:ffff::2'] });
    world.path(this.#observer.host, host, { latencyMs: 0 });
    const { scene, model } = this;
    this.crowd = new TrackerCrowd({ scene, model, clients, swarms, arrivalsMs, calmFrom });
  }

  /** The tracker begins, with its state file if it has one. */
  async open(): Promise<void> {
    const { host } = this.scene;
    this.#clock = new HaltingClock(host.runtime.clock);
    const clock = this.#clock;
    const runtime: Runtime = { ...host.runtime, clock, wallClock: this.#wallClock };
    const { keepsState } = this.#options;
    this.#service = await this.scene.serve(
      {
        answers: { ...ANSWERS, jitter: 0.2 },
        stats: { host: TRACKER.four, port: STATS_PORT },
        onEvent: (event) => this.#told(event),
        ...(keepsState ? { state: { path: '/tracker.state', everyMs: SAVE_EVERY } } : {}),
      },
      runtime,
    );
    const { age, wallMs } = this.#written ?? { age: this.#age, wallMs: this.#wallClock.now() };
    const elapsed = Math.max(0, this.#wallClock.now() - wallMs) / 1000;
    this.#aged = { age: age + elapsed, at: clock.now() };
    this.model.restart(this.#written?.copy);
  }

  /** It ends as it should, and begins again after a while. */
  async restart(seconds: number, meanwhile: () => void = () => undefined): Promise<void> {
    await this.close();
    await this.scene.pass(seconds);
    meanwhile();
    await this.open();
  }

  /** The same after a power cut. */
  async crash(seconds: number): Promise<void> {
    this.scene.host.crash();
    this.#clock.halt();
    this.model.away();
    await this.scene.pass(seconds);
    await this.open();
  }

  async close(): Promise<void> {
    await this.#service?.[Symbol.asyncDispose]();
    this.#clock.halt();
    this.model.away();
  }

  /** The calendar of the tracker's machine is set forward, or back. */
  setCalendar(byMs: Millis): void {
    this.#wallClock.offsetMs += byMs;
  }

  /** Nothing runs on the tracker's machine for a while. */
  async halt(seconds: number, from: 'where-it-was' | 'where-the-world-is'): Promise<void> {
    this.scene.host.offline = true;
    this.#clock.halt();
    this.model.away();
    this.#sweptAge = this.#age;
    await this.scene.pass(seconds);
    this.#sweptFrom = this.scene.world.now + SWEEP;
    this.scene.host.offline = false;
    this.#clock.resume(from);
    this.model.back();
  }

  /**
   * Compares what the tracker says, over UDP, over HTTP and in `/stats`, with the model. Returns what
   * the model said.
   */
  async compare(): Promise<readonly SwarmRanges[]> {
    const before = this.model.ranges();
    const infoHashes = before.map((_, at) => infoHashOf(at));
    const scrapes = await Promise.all(
      OBSERVED.map((over) => this.#observer.scrape(over, ...infoHashes)),
    );
    const { http } = this.#observer.host.runtime;
    const url = `http://${TRACKER.four}:${STATS_PORT}/stats`;
    const { body } = await http.get({ url, maxBytes: 1_000_000 }, { signal: NEVER });
    const after = this.model.ranges();
    for (const [way, files] of scrapes.entries()) {
      if (files.length !== before.length) this.#fault(`there are ${files.length} swarms`);
      for (const [at, file] of files.entries()) {
        this.#compareSwarm(`swarm ${at} over ${OBSERVED[way]}`, file, [before[at], after[at]]);
      }
    }
    const stats: Readonly<Record<string, unknown>> = JSON.parse(decodeUtf8Lossy(body));
    for (const [name, rangeOf] of STATS) {
      const ranges = [before, after].map((swarms) => sumOf(swarms.map(rangeOf)));
      this.#compareNumber(`/stats ${name}`, stats[name], ranges);
    }
    return after;
  }

  get #age(): number {
    return this.#aged.age + (this.#clock.now() - this.#aged.at) / 1000;
  }

  #told(event: ServiceEvent): void {
    if (event.type === 'saved') {
      this.#written = { copy: this.model.copy(), wallMs: this.#wallClock.now(), age: this.#age };
    } else this.#fault(`the tracker told: ${event.type}`);
  }

  #compareSwarm(
    what: string,
    { seeders, leechers, completed }: ScrapedFile,
    ranges: readonly (SwarmRanges | undefined)[],
  ): void {
    this.#compareNumber(
      `${what}: seeders`,
      seeders,
      ranges.map((range) => range?.seeders),
    );
    this.#compareNumber(
      `${what}: leechers`,
      leechers,
      ranges.map((range) => range?.leechers),
    );
    this.#compareNumber(
      `${what}: completed`,
      completed,
      ranges.map((range) => range?.completed),
    );
  }

  /** It has to be right at one of the times between which it was asked for, or between both. */
  #compareNumber(what: string, found: unknown, ranges: readonly (Range | undefined)[]): void {
    const low = Math.min(...ranges.map((range) => range?.[0] ?? 0));
    const high = Math.max(...ranges.map((range) => range?.[1] ?? 0));
    this.compared.all++;
    if (low === high) this.compared.exact++;
    if (typeof found === 'number' && found >= low && found <= high) return;
    const seconds = Math.round(this.scene.world.now / 1000);
    this.#fault(`${seconds} s, ${what}: ${String(found)}, not from ${low} to ${high}`);
  }

  #fault(text: string): void {
    if (this.faults.length < 20) this.faults.push(text);
  }
}

function sumOf(ranges: readonly Range[]): Range {
  return ranges.reduce<Range>(([low, high], range) => [low + range[0], high + range[1]], [0, 0]);
}

function both(one: Range, other: Range): Range {
  return [one[0] + other[0], one[1] + other[1]];
}

/** A swarm is kept as long as it has peers or was completed. */
function existence({ seeders, leechers, completed }: SwarmRanges): Range {
  const [low, high] = both(both(seeders, leechers), completed);
  return [Math.min(low, 1), Math.min(high, 1)];
}

const STATS: readonly (readonly [string, (swarm: SwarmRanges) => Range])[] = [
  ['swarms', existence],
  ['seeders', ({ seeders }) => seeders],
  ['leechers', ({ leechers }) => leechers],
  ['completed', ({ completed }) => completed],
  ['peersIpv4', ({ peers4 }) => peers4],
  ['peersIpv6', ({ peers6 }) => peers6],
];
const OBSERVED: readonly Over[] = ['udp4', 'http6'];
const SAVE_EVERY: Millis = 300_000;
/** Time enough to forget who is too old among some ten thousand peers. */
const SWEEP: Millis = 6000;
