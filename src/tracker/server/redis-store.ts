/**
 * Swarms that several trackers share through Redis.
 *
 * Every announce goes to the tracker's own store and to Redis, and is answered from Redis. What was
 * acknowledged is never lost by Redis alone: when a call fails, the tracker answers from its own store
 * until Redis takes writes again, and then writes all peers of that store again, with their ages, while
 * new announces go to Redis beside it. Whoever left meanwhile is removed, too.
 *
 * Some things are not exact after Redis was away. A peer may come back until it is too old when it left
 * at another tracker, or when Redis only stood still and did late what was asked of it before. A seed that
 * has lost pieces within some seconds is a seed until its next announce. A download may count twice: one
 * that several trackers heard of, or that a thread hears of while another one writes all again.
 *
 * @module
 */

import { UsageError } from '../../base/errors.ts';
import type { Clock, Millis, Random, RedisLink } from '../../runtime/ports.ts';
import {
  createAnswer,
  EVENT,
  type IncomingAnnounce,
  type RemoteAnswer,
  type RemoteSwarms,
  type SwarmAnswer,
  type SwarmCounts,
  type Wanted,
} from './model.ts';
import { kindOf, memberOf, peerOf, readAnnounceReply, readScrapeReply } from './redis-peers.ts';
import { argumentsOf, type Batch, batchesOf, batchOf, sendAll } from './redis-push.ts';
import { ANNOUNCE, PROBE, RESTORE, SCRAPE, swarmKeys } from './redis-script.ts';
import { type Stop, Stops } from './redis-stops.ts';
import type { StoreId, SwarmStore } from './store/index.ts';

/** How long to wait before Redis is tried again: doubled with every failure. */
const FIRST_DELAY: Millis = 1_000;
const LONGEST_DELAY: Millis = 30_000;
const DEFAULT_PREFIX = 'bip:';

export interface RedisSwarmsOptions {
  /** Disposed with this. */
  readonly link: RedisLink;
  /** What this tracker was told itself. */
  readonly store: SwarmStore;
  readonly clock: Clock;
  readonly random: Random;
  /** Begins all keys; trackers that share swarms have the same one. No braces. Default `bip:`. */
  readonly prefix?: string;
  /** As in the store; the same for all trackers that share swarms. */
  readonly peerLifetimeSeconds: number;
  /** Called when {@link RedisSwarms.up} has changed, with the reason when it is false now. */
  readonly onChange?: (up: boolean, reason?: string) => void;
}

export class RedisSwarms implements RemoteSwarms {
  readonly #options: RedisSwarmsOptions;
  readonly #prefix: string;
  /** Whose numbers of downloads these are: the same for all threads, and again after a restart with a file. */
  readonly #id: string;
  readonly #lifetime: string;
  readonly #stops: Stops;
  readonly #scratch: SwarmAnswer = createAnswer();
  readonly #underWay = new Set<Promise<unknown>>();
  #up: boolean;
  /** How often Redis went away: what began before the last time has no say. */
  #era = 0;
  #pending = 0;
  #delay: Millis = FIRST_DELAY;
  #trying = false;
  #cancelTimer: (() => void) | undefined;
  #disposed: Promise<void> | undefined;

  /** @throws {UsageError} for a prefix with braces. */
  constructor(options: RedisSwarmsOptions) {
    const { link, clock, store, prefix = DEFAULT_PREFIX } = options;
    if (/[{}]/.test(prefix)) {
      throw new UsageError(
        `the prefix ${prefix} has braces in it: they say which keys of a Redis Cluster lie together; leave them out`,
      );
    }
    this.#options = options;
    this.#prefix = prefix;
    this.#id = formatId(store.id);
    this.#lifetime = String(options.peerLifetimeSeconds);
    this.#stops = new Stops(clock);
    this.#up = link.up;
    link.onChange((up, reason) => this.#linkChanged(up, reason));
    // There may be peers from a file, and Redis may be empty.
    if (this.#up) this.#begin(this.#push());
  }

  get up(): boolean {
    return this.#up;
  }

  get pending(): number {
    return this.#pending;
  }

  async announce(announce: IncomingAnnounce, wanted: Wanted): Promise<RemoteAnswer> {
    const known = this.#knownHere(announce, wanted);
    const member = memberOf(announce);
    const stop = this.#noteStop(announce, member);
    if (!this.#up) return known;
    const family = announce.address.length === 4 ? 4 : 6;
    const keys = swarmKeys(this.#prefix, announce.infoHash);
    const { link, random } = this.#options;
    const era = this.#era;
    try {
      const reply = await this.#counted(
        link.evaluate(ANNOUNCE, keys, [
          this.#lifetime,
          member,
          kindOf(announce),
          announce.event === EVENT.completed ? '1' : '0',
          this.#id,
          String(announce.numWant),
          wanted === 'both-families' ? '1' : '0',
          String(random.uint32() >>> 1),
        ]),
      );
      const answer = readAnnounceReply(reply, family);
      if (stop !== undefined) this.#stops.heard(stop);
      return answer;
    } catch (error) {
      this.#failed(error, era);
      return known;
    }
  }

  async scrape(infoHashes: readonly Uint8Array[]): Promise<readonly SwarmCounts[]> {
    // Taken before the wait, like the answers to announces: the bytes may be another's afterwards.
    const known = infoHashes.map((infoHash) => this.#countedHere(infoHash));
    if (!this.#up) return known;
    const era = this.#era;
    try {
      const { link } = this.#options;
      const replies = infoHashes.map((infoHash) =>
        link.evaluate(SCRAPE, swarmKeys(this.#prefix, infoHash), [this.#lifetime]),
      );
      return (await this.#counted(Promise.all(replies))).map(readScrapeReply);
    } catch (error) {
      this.#failed(error, era);
      return known;
    }
  }

  /** Waits for what is under way, and takes the link along. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#disposed ??= this.#dispose();
    return this.#disposed;
  }

  async #dispose(): Promise<void> {
    this.#era++;
    this.#cancelTimer?.();
    await Promise.allSettled(this.#underWay);
    await this.#options.link[Symbol.asyncDispose]();
  }

  async #counted<T>(call: Promise<T>): Promise<T> {
    this.#pending++;
    this.#underWay.add(call);
    try {
      return await call;
    } finally {
      this.#pending--;
      this.#underWay.delete(call);
    }
  }

  /** Tells the own store, which takes the same announce twice, and copies what it says. */
  #knownHere(announce: IncomingAnnounce, wanted: Wanted): RemoteAnswer {
    const answer = this.#scratch;
    if (!this.#options.store.announce(announce, wanted, answer))
      return { ...createAnswer(), local: true };
    const { seeders, leechers, completed, count4, count6 } = answer;
    const ids = announce.withIds === false ? 0 : 20;
    return {
      seeders,
      leechers,
      completed,
      peers4: answer.peers4.slice(0, count4 * 6),
      ids4: answer.ids4.slice(0, count4 * ids),
      count4,
      peers6: answer.peers6.slice(0, count6 * 18),
      ids6: answer.ids6.slice(0, count6 * ids),
      count6,
      local: true,
    };
  }

  #countedHere(infoHash: Uint8Array): SwarmCounts {
    const counts = { seeders: 0, leechers: 0, completed: 0 };
    this.#options.store.scrape(infoHash, counts);
    return counts;
  }

  #noteStop({ event, infoHash }: IncomingAnnounce, member: Uint8Array): Stop | undefined {
    if (event === EVENT.stopped) return this.#stops.add(infoHash, member);
    this.#stops.forget(infoHash, member);
    return undefined;
  }

  #linkChanged(up: boolean, reason?: string): void {
    if (this.#disposed !== undefined) return;
    if (up) this.#begin(this.#try());
    else this.#goAway(reason ?? 'the connection is away');
  }

  /** What began before Redis went away the last time says nothing of how it is now. */
  #failed(error: unknown, era: number): void {
    if (era !== this.#era) return;
    this.#goAway(error instanceof Error ? error.message : String(error));
  }

  #goAway(reason: string): void {
    if (!this.#up || this.#disposed !== undefined) return;
    this.#up = false;
    this.#era++;
    this.#options.onChange?.(false, reason);
    this.#tryLater();
  }

  /** Without a connection nothing is tried: the link says when there is one. */
  #tryLater(): void {
    const { clock, random, link } = this.#options;
    this.#cancelTimer?.();
    if (!link.up || this.#disposed !== undefined) return;
    // Trackers that lost Redis together do not come back together.
    const delay = this.#delay * (0.5 + random.uint32() / 2 ** 33);
    this.#delay = Math.min(this.#delay * 2, LONGEST_DELAY);
    this.#cancelTimer = clock.schedule(clock.now() + delay, () => this.#begin(this.#try()));
  }

  async #try(): Promise<void> {
    if (this.#up || this.#trying) return;
    this.#cancelTimer?.();
    this.#trying = true;
    try {
      await this.#options.link.evaluate(PROBE, [`${this.#prefix}probe`], []);
    } catch {
      this.#tryLater();
      return;
    } finally {
      this.#trying = false;
    }
    if (this.#disposed !== undefined) return;
    this.#up = true;
    this.#options.onChange?.(true);
    await this.#push();
  }

  /** Writes all that this tracker knows, then who has left. Ends when Redis goes away once more. */
  async #push(): Promise<void> {
    const era = this.#era;
    const { store, clock } = this.#options;
    const { tickSeconds } = store.handle;
    try {
      const batches = batchesOf(store.swarms(), { clock, tickSeconds });
      await sendAll(batches, (batch) => this.#write(batch, era));
      await sendAll(this.#stops.list(), (stop) => this.#writeStop(stop, era));
      this.#delay = FIRST_DELAY;
    } catch (error) {
      this.#failed(error, era);
    }
  }

  async #write(batch: Batch, era: number): Promise<void> {
    await this.#restore(batch, era);
    await this.#takeBack(batch, era);
    await this.#countAgain(batch, era);
  }

  /**
   * Downloads that another thread announced while a number was on its way are not in it, and Redis may
   * have added them to a smaller one, which it replaced.
   */
  async #countAgain({ infoHash, completed }: Batch, era: number): Promise<void> {
    for (let written = completed; written > 0; ) {
      const counted = this.#countedHere(infoHash).completed;
      if (counted <= written) return;
      await this.#restore({ infoHash, completed: counted, peers: [] }, era);
      written = counted;
    }
  }

  /** Takes back what has left this tracker while it was on its way. */
  async #takeBack(batch: Batch, era: number): Promise<void> {
    const { infoHash } = batch;
    const gone = batch.peers.filter(({ member }) => !this.#isHere(infoHash, member));
    if (gone.length === 0) return;
    const peers = gone.map((peer) => ({ ...peer, kind: 'x' as const }));
    await this.#restore({ infoHash, completed: 0, peers }, era);
  }

  async #writeStop(stop: Stop, era: number): Promise<void> {
    const { infoHash, member } = stop;
    // It came back, and another thread of this tracker heard of it.
    if (this.#isHere(infoHash, member)) return this.#stops.forget(infoHash, member);
    await this.#restore(batchOf(stop, this.#options.clock), era);
    this.#stops.heard(stop);
  }

  #isHere(infoHash: Uint8Array, member: Uint8Array): boolean {
    return this.#options.store.has(infoHash, peerOf(member));
  }

  async #restore(batch: Batch, era: number): Promise<void> {
    if (era !== this.#era) throw new Superseded();
    const keys = swarmKeys(this.#prefix, batch.infoHash);
    const args = [this.#lifetime, this.#id, ...argumentsOf(batch)];
    await this.#options.link.evaluate(RESTORE, keys, args);
  }

  /** Lets the disposal wait for `work`, which takes care of its errors. */
  #begin(work: Promise<void>): void {
    const watched = work.finally(() => this.#underWay.delete(watched));
    this.#underWay.add(watched);
  }
}

function formatId({ high, low }: StoreId): string {
  return [high, low].map((word) => word.toString(16).padStart(8, '0')).join('');
}

/** Redis went away and is served anew: this attempt is no longer needed. */
class Superseded extends Error {}
