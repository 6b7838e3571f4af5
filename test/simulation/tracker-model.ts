/**
 * What a tracker must and may know, in a plain map that is filled by what clients did and what was
 * acknowledged to them. It sees no packets, so of some peers it knows only that they may be there:
 *
 * - An announce was applied between its beginning and its answer; one without an answer perhaps. As
 *   long as a copy of it may be under way, it may be applied once more.
 * - What was applied last holds: a peer is there until its lifetime is over, and gone a tick and a
 *   sweep later. `stopped` takes it away at once.
 * - What begins and is given up while the tracker is away is never applied, unless a packet of it is
 *   still under way when it comes back. After a restart it knows what was applied before its state
 *   file was written.
 *
 * @module
 */

import type { Millis } from '../../src/runtime/ports.ts';

/** What an announce says. */
export interface Announced {
  readonly stops: boolean;
  readonly seeding: boolean;
  /** The download is complete. */
  readonly completes: boolean;
  /** How often it may be applied: over TCP once. */
  readonly copies: number;
}

/** Times are the world's, ages the tracker's: its seconds, by which lifetimes are measured. */
export interface Saying extends Announced {
  /** It was applied after this, if at all. */
  from: Millis;
  fromAge: number;
  /** How far the tracker had forgotten who was too old by then. */
  readonly fromSwept: number;
  /** And not after this: infinite while the client waits for an answer. */
  to: Millis;
  toAge: number;
  /** When the answer came. */
  answered: Millis | undefined;
  /** The tracker has forgotten it. */
  lost: boolean;
}

export interface Peer {
  readonly swarm: number;
  /** The address and port, as others get it. */
  readonly name: string;
  readonly family: 4 | 6;
}

/** All of a peer that is still of interest. */
interface Known {
  readonly peer: Peer;
  /** Those of which one was applied last. */
  said: readonly Saying[];
  completions: readonly Completion[];
  /** When a `stopped` was answered last. */
  stoppedAt: Millis;
}

interface Completion {
  readonly saying: Saying;
  /** The tracker may have known a seed before: then it does not count. */
  readonly maybeNot: boolean;
  /** How often something of a leecher may be applied after it: then a copy of it counts again. */
  readonly again: number;
}

/** The least and the most that a number may be. */
export type Range = readonly [low: number, high: number];

export interface SwarmRanges {
  readonly seeders: Range;
  readonly leechers: Range;
  readonly completed: Range;
  readonly peers4: Range;
  readonly peers6: Range;
}

export interface ModelOptions {
  readonly swarms: number;
  readonly lifetimeSeconds: number;
  readonly now: () => Millis;
  readonly age: () => number;
  /** The same, but behind it for as long as the tracker has not had time to forget who is too old. */
  readonly swept: () => number;
}

/** What a state file has. */
export interface ModelCopy {
  readonly at: Millis;
  readonly known: ReadonlyMap<string, Known>;
}

export class TrackerModel {
  readonly #options: ModelOptions;
  #known = new Map<string, Known>();
  #restartedAt: Millis = 0;
  /** Since then the tracker is away; infinite while it is there. */
  #awayFrom: Millis = Number.POSITIVE_INFINITY;
  #restored = 0;

  constructor(options: ModelOptions) {
    this.#options = options;
  }

  /** A client begins to announce itself. */
  begin(peer: Peer, what: Announced): Saying {
    const { now, age, swept } = this.#options;
    const forEver = Number.POSITIVE_INFINITY;
    const saying = {
      ...what,
      from: now(),
      fromAge: age(),
      fromSwept: swept(),
      to: forEver,
      toAge: forEver,
      answered: undefined,
      lost: false,
    };
    const known = this.#of(peer);
    if (what.completes) {
      const before = known.said.filter(({ stops }) => !stops);
      const maybeNot = before.some(({ seeding, completes }) => seeding && !completes);
      const later = before.filter(({ seeding, to }) => !seeding && to >= saying.from);
      const again = later.reduce((sum, { copies }) => sum + copies, 0);
      known.completions = [...known.completions, { saying, maybeNot, again }];
    }
    known.said = [...known.said, saying];
    return saying;
  }

  /** The answer came. Copies of the question may be under way for so long. */
  answer(peer: Peer, saying: Saying, lateMs: Millis): void {
    const now = this.#options.now();
    this.abandon(saying, lateMs);
    saying.answered = now;
    const known = this.#of(peer);
    if (saying.stops) known.stoppedAt = now;
    known.said = known.said.filter(({ to }) => to >= saying.from);
  }

  /** Nobody waits for an answer any more. */
  abandon(saying: Saying, lateMs: Millis): void {
    // Whoever cannot be connected to gets nothing later.
    const isUnheard = saying.copies === 1 && saying.from >= this.#awayFrom;
    const late = isUnheard ? 0 : lateMs;
    saying.to = this.#options.now() + late;
    saying.toAge = this.#options.age() + late / 1000;
  }

  /** From now on nothing reaches the tracker. */
  away(): void {
    this.#awayFrom = this.#options.now();
  }

  /** It is there again, and knows what it knew. */
  back(): void {
    const [now, awayFrom] = [this.#options.now(), this.#awayFrom];
    this.#awayFrom = Number.POSITIVE_INFINITY;
    for (const { said } of this.#known.values()) {
      for (const saying of said) saying.lost ||= saying.from >= awayFrom && saying.to <= now;
    }
    this.#known = withoutLost(this.#known);
  }

  /** What may be said of each swarm now. */
  ranges(): SwarmRanges[] {
    const sums = Array.from({ length: this.#options.swarms }, newSums);
    for (const known of this.#known.values()) {
      const sum = sums[known.peer.swarm];
      if (sum !== undefined) this.#add(known, sum);
    }
    return sums;
  }

  /** Whether the tracker may have known the peer at some time since `saying` began. */
  mayHaveKnown(swarm: number, name: string, { from, fromSwept }: Saying): boolean {
    if (from < this.#restartedAt) return true;
    const known = this.#known.get(keyOf({ swarm, name }));
    if (known === undefined) return false;
    return known.stoppedAt >= from || lastOf(known.said).some((one) => this.#lives(one, fromSwept));
  }

  /** What a state file has that is written now. */
  copy(): ModelCopy {
    return { at: this.#options.now(), known: copyOf(this.#known) };
  }

  /** The tracker runs again, with a state file or without. */
  restart(file: ModelCopy | undefined): void {
    const now = this.#options.now();
    const written = file?.at ?? Number.NEGATIVE_INFINITY;
    this.#restartedAt = now;
    this.#awayFrom = Number.POSITIVE_INFINITY;
    if (file !== undefined) this.#restored++;
    const merged = copyOf(file?.known ?? new Map<string, Known>());
    for (const [key, present] of this.#known) {
      const then = merged.get(key);
      merged.set(key, then === undefined ? present : join(then, present));
    }
    const sayings = [...merged.values()].flatMap(({ said, completions }) => [
      ...said,
      ...completions.map(({ saying }) => saying),
    ]);
    for (const saying of new Set(sayings)) this.#survive(saying, written);
    this.#known = withoutLost(merged);
  }

  #survive(saying: Saying, written: Millis): void {
    const now = this.#options.now();
    // Connections did not outlive the tracker.
    const isBroken = saying.copies === 1 && Number.isFinite(saying.to);
    const comes = saying.to > now && !isBroken;
    if (saying.from > written) {
      saying.lost = !comes;
      saying.from = now;
      saying.fromAge = this.#options.age();
    }
    if (saying.answered !== undefined && saying.answered > written) saying.answered = undefined;
    if (comes) saying.toAge = this.#options.age() + (saying.to - now) / 1000;
  }

  #of(peer: Peer): Known {
    const key = keyOf(peer);
    let known = this.#known.get(key);
    if (known === undefined) {
      known = { peer, said: [], completions: [], stoppedAt: Number.NEGATIVE_INFINITY };
      this.#known.set(key, known);
    }
    return known;
  }

  #add({ peer, said, completions }: Known, sum: Sums): void {
    const last = lastOf(said);
    const swept = this.#options.swept();
    const living = last.filter((one) => this.#lives(one, swept));
    const sure = living.length === last.length && this.#livesSurely(last);
    if (living.length > 0) {
      const seeds = living.filter(({ seeding }) => seeding).length;
      if (seeds > 0) add(sum.seeders, sure && seeds === living.length, 1);
      if (seeds < living.length) add(sum.leechers, sure && seeds === 0, 1);
      add(peer.family === 4 ? sum.peers4 : sum.peers6, sure, 1);
    }
    if (completions.length === 0) return;
    const counts = completions.some(
      ({ saying, maybeNot }) => saying.answered !== undefined && !maybeNot,
    );
    add(sum.completed, counts, mostOf(completions, this.#options.lifetimeSeconds));
  }

  /** It may not be over yet, if this was the last one. */
  #lives({ stops, toAge }: Saying, swept: number): boolean {
    const { lifetimeSeconds } = this.#options;
    return !stops && swept - toAge < lifetimeSeconds + LATE_SECONDS + 2 * this.#restored;
  }

  /** One of these was answered, and is not over yet. */
  #livesSurely(last: readonly Saying[]): boolean {
    const { lifetimeSeconds, age } = this.#options;
    return last.some(
      ({ answered, fromAge }) =>
        answered !== undefined && age() - fromAge < lifetimeSeconds - EARLY_SECONDS,
    );
  }
}

/** Those of which each may be the one that was applied last. */
function lastOf(said: readonly Saying[]): readonly Saying[] {
  let surely = Number.NEGATIVE_INFINITY;
  for (const { answered, from } of said)
    if (answered !== undefined) surely = Math.max(surely, from);
  return said.filter(({ to }) => to >= surely);
}

/** How often they may count: again after the peer was a leecher, or forgotten, in between. */
function mostOf(completions: readonly Completion[], lifetimeSeconds: number): number {
  const ages = completions.map(({ saying }) => saying.fromAge);
  const forgotten = Math.floor((Math.max(...ages) - Math.min(...ages)) / (lifetimeSeconds / 2));
  return completions.reduce((sum, { again }) => sum + again, 1 + forgotten);
}

type Sums = Record<keyof SwarmRanges, [number, number]>;

function newSums(): Sums {
  return { seeders: [0, 0], leechers: [0, 0], completed: [0, 0], peers4: [0, 0], peers6: [0, 0] };
}

function add(range: [number, number], sure: boolean, most: number): void {
  if (sure) range[0] += 1;
  range[1] += most;
}

function keyOf({ swarm, name }: Pick<Peer, 'swarm' | 'name'>): string {
  return `${swarm} ${name}`;
}

function copyOf(known: ReadonlyMap<string, Known>): Map<string, Known> {
  return new Map([...known].map(([key, one]) => [key, { ...one }]));
}

/** @returns `known`, without what the tracker has forgotten. */
function withoutLost(known: Map<string, Known>): Map<string, Known> {
  for (const [key, one] of known) {
    one.said = one.said.filter(({ lost }) => !lost);
    one.completions = one.completions.filter(({ saying }) => !saying.lost);
    if (one.said.length + one.completions.length === 0) known.delete(key);
  }
  return known;
}

function join(one: Known, other: Known): Known {
  return {
    ...other,
    said: [...new Set([...one.said, ...other.said])],
    completions: [...new Set([...one.completions, ...other.completions])],
  };
}

/** The store's time stands still for a second, and an announce may come at the end of it. */
const EARLY_SECONDS = 1;
/** The same at the other end, and two rounds of the sweep over some ten thousand peers. */
const LATE_SECONDS = 1 + 5;
