/** A tracker between honest clients, who have to be served all the while, and others. @module */

import type { BipOptions } from './bip.ts';
import { HonestClients, type HonestOptions } from './honest-clients.ts';
import { PatientAnnouncer } from './patient-announcer.ts';
import { BipTracker } from './peers/bip-tracker.ts';
import { descriptorsOf, peakMemoryOf } from './process-facts.ts';
import { type DialOptions, RawClient } from './raw-client.ts';
import { until } from './until.ts';

/** In networks of their own (/24), as in life. */
const HONEST = '127.0.0.2';
export const ABUSER = '127.1.0.3';
/** How long a request may take to arrive, and its answer to leave. */
const REQUEST_TIMEOUT = '1s';
const WAIT_MS = 20_000;
/** Honest announces before an abuse, and after its end. */
const SOME = 5;
/** Packets on their way that the buffer of a socket holds. */
const AT_ONCE = 100;

export interface AbuseOptions
  extends Pick<BipOptions, 'under'>,
    Pick<HonestOptions, 'isForbearing'> {}

/** What is left of a tracker. */
export interface AbusedEnd {
  /** What it needed at most, beyond what it had needed at most before the abuse, bytes. */
  readonly moreMemory: number;
  readonly exit: number | NodeJS.Signals | undefined;
  readonly stderr: string;
  /** How often it told its last event. */
  readonly ends: number;
}

export class AbusedTracker implements AsyncDisposable {
  readonly tracker: BipTracker;
  readonly honest: HonestClients;
  readonly #memoryBefore: number;
  readonly #descriptorsBefore: number;
  readonly #stack: AsyncDisposableStack;

  private constructor(tracker: BipTracker, honest: HonestClients, stack: AsyncDisposableStack) {
    this.tracker = tracker;
    this.honest = honest;
    this.#stack = stack;
    this.#memoryBefore = peakMemoryOf(this.pid);
    this.#descriptorsBefore = descriptorsOf(this.pid);
  }

  /** Honest clients are served already. */
  static async start(
    flags: readonly string[] = [],
    { isForbearing = false, ...how }: AbuseOptions = {},
  ): Promise<AbusedTracker> {
    await using stack = new AsyncDisposableStack();
    const allFlags = ['--request-timeout', REQUEST_TIMEOUT, ...flags];
    const tracker = stack.use(await BipTracker.start(allFlags, { isQuiet: true, ...how }));
    const options = { from: HONEST, isForbearing };
    const honest = stack.use(await HonestClients.start(tracker.port, options));
    await honest.serve(SOME, WAIT_MS);
    return new AbusedTracker(tracker, honest, stack.move());
  }

  get pid(): number {
    return this.tracker.child.pid;
  }

  /** One more connection of an abuser, ended with the tracker at the latest. */
  async dial(options: DialOptions = {}): Promise<RawClient> {
    return this.#stack.use(await RawClient.dial(this.tracker.port, { from: ABUSER, ...options }));
  }

  /** So many of them. */
  async dialMany(count: number, options: DialOptions = {}): Promise<readonly RawClient[]> {
    const clients: RawClient[] = [];
    while (clients.length < count) clients.push(await this.dial(options));
    return clients;
  }

  /** Announces to so many swarms, so that answers about all of them are long. */
  async fill(swarms: number): Promise<void> {
    using filler = await PatientAnnouncer.open(this.tracker.port, ABUSER, WAIT_MS);
    for (let swarm = 0; swarm < swarms; swarm++) {
      filler.announce(swarm);
      if (swarm % AT_ONCE === 0) await filler.answered(WAIT_MS);
    }
    await filler.answered(WAIT_MS);
  }

  /** Waits until the tracker has nothing open any more for others than the honest, and `clients` know. */
  async cutsOff(clients: readonly RawClient[] = []): Promise<void> {
    // One more may be there for the honest client that comes and goes.
    const most = this.#descriptorsBefore + 1;
    await until(() => descriptorsOf(this.pid) <= most, {
      deadlineMs: WAIT_MS,
      what: `the tracker to have ${most} descriptors open again`,
      log: () => `${descriptorsOf(this.pid)} are`,
    });
    await Promise.all(clients.map((client) => client.closed(WAIT_MS)));
  }

  /** Ends all. @throws {Error} unless every honest announce was answered, some after all else among them. */
  async end(): Promise<AbusedEnd> {
    const { child } = this.tracker;
    await this.honest.serve(SOME, WAIT_MS);
    await this.honest.settle();
    const moreMemory = peakMemoryOf(this.pid) - this.#memoryBefore;
    child.kill('SIGTERM');
    const { code, signal } = await child.ended(WAIT_MS);
    return {
      moreMemory,
      exit: code ?? signal,
      stderr: child.stderr,
      ends: this.tracker.told('end').length,
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }
}
