/** A Redis in virtual time that keeps sets of peers, and fails when it is told to. @module */

import { formatHex, parseHex } from '../../../src/base/bytes.ts';
import { RemoteError, TimeoutError } from '../../../src/base/errors.ts';
import type { Clock, Millis, RedisLink, RedisScript } from '../../../src/runtime/ports.ts';
import { ANNOUNCE, PROBE, RESTORE, SCRAPE } from '../../../src/tracker/server/redis-script.ts';

type Arguments = readonly (string | Uint8Array)[];

/** What becomes of a call: done, done without the answer coming back, refused, or lost on its way. */
export type Fate = 'done' | 'unanswered' | 'refused' | 'lost';

interface Member {
  readonly kind: 's' | 'l';
  readonly seen: number;
}

const LATENCY: Millis = 5;
const TIMEOUT: Millis = 1_000;

export class FakeRedis implements RedisLink {
  up = true;
  disposals = 0;
  /** Calls by the name of their script, in the order in which they came. */
  readonly calls: string[] = [];
  /** By swarm, by member. */
  swarms: Map<string, Map<string, Member>> = new Map();
  completed: Map<string, Map<string, number>> = new Map();
  /** Digests of the scripts that it has seen. */
  scripts: Set<string | undefined> = new Set([undefined]);
  /** Decides the fate of each call. */
  fate: (script: string, call: number) => Fate = () => 'done';
  readonly #clock: Clock;
  readonly #listeners: ((up: boolean, reason?: string) => void)[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Threads have connections of their own, which fail together here. */
  onChange(listener: (up: boolean, reason?: string) => void): void {
    this.#listeners.push(listener);
  }

  /** Breaks the connection, or makes it again. */
  connect(up: boolean): void {
    this.up = up;
    for (const listener of this.#listeners) listener(up, up ? undefined : 'the cable was pulled');
  }

  loseAll(): void {
    this.swarms = new Map();
    this.completed = new Map();
    this.scripts = new Set([undefined]);
  }

  /** `seeds leechers downloads`. */
  counts(infoHash: Uint8Array): readonly number[] {
    const hash = formatHex(infoHash);
    const kinds = [...(this.swarms.get(hash)?.values() ?? [])].map(({ kind }) => kind);
    const seeds = kinds.filter((kind) => kind === 's').length;
    const sums = this.completed.get(hash)?.values() ?? [];
    return [seeds, kinds.length - seeds, [...sums].reduce((sum, count) => sum + count, 0)];
  }

  async evaluate(script: RedisScript, keys: readonly string[], args: Arguments): Promise<unknown> {
    const name = NAMES.get(script) ?? 'unknown';
    const fate = this.up ? this.fate(name, this.calls.length) : 'refused';
    this.calls.push(name);
    if (!this.scripts.has(script.digest)) {
      // Said to be unknown, and sent again.
      await this.#pass(LATENCY);
      this.scripts.add(script.digest);
    }
    const isDone = fate === 'done' || fate === 'unanswered';
    const reply = isDone ? this.#run(name, keys, args) : undefined;
    await this.#pass(fate === 'done' || fate === 'refused' ? LATENCY : TIMEOUT);
    if (fate === 'refused') throw new RemoteError('Redis refuses');
    if (fate !== 'done') throw new TimeoutError('Redis does not answer', TIMEOUT);
    return reply;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.disposals++;
    return Promise.resolve();
  }

  get #seconds(): number {
    return Math.floor(this.#clock.now() / 1000);
  }

  #pass(delay: Millis): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.schedule(this.#clock.now() + delay, resolve);
    });
  }

  #run(name: string, keys: readonly string[], args: Arguments): unknown {
    if (name === 'probe') return 0;
    const hash = /[{]([\da-f]{40})[}]/.exec(keys[0] ?? '')?.[1] ?? '';
    const swarm = this.swarms.get(hash) ?? new Map<string, Member>();
    const completed = this.completed.get(hash) ?? new Map<string, number>();
    this.swarms.set(hash, swarm);
    this.completed.set(hash, completed);
    if (name === 'announce') announce(swarm, completed, args, this.#seconds);
    if (name === 'restore') restore(swarm, completed, args, this.#seconds);
    const counts = this.counts(parseHex(hash) ?? new Uint8Array(0));
    const others = new Uint8Array(0);
    return name === 'announce' ? [...counts, others, others] : counts;
  }
}

const NAMES = new Map([
  [ANNOUNCE, 'announce'],
  [SCRAPE, 'scrape'],
  [RESTORE, 'restore'],
  [PROBE, 'probe'],
]);

/** For so long seeds are seeds. */
const KEPT_SECONDS = 10;

function announce(
  swarm: Map<string, Member>,
  completed: Map<string, number>,
  [, member = '', kind, isCompleted, id]: Arguments,
  now: number,
): void {
  const name = String(member);
  const wasSeed = swarm.get(name)?.kind === 's';
  if (kind === 'x') swarm.delete(name);
  if (kind === 's' || kind === 'l') swarm.set(name, { kind, seen: now });
  if (isCompleted === '1' && !wasSeed) {
    completed.set(String(id), (completed.get(String(id)) ?? 0) + 1);
  }
}

function restore(
  swarm: Map<string, Member>,
  completed: Map<string, number>,
  [, id, counted, ...pairs]: Arguments,
  now: number,
): void {
  for (let at = 0; at < pairs.length; at += 2) {
    const name = String(pairs[at]);
    const word = String(pairs[at + 1]);
    const kind = word[0];
    const seen = now - Number(word.slice(1));
    const known = swarm.get(name)?.seen ?? Number.NEGATIVE_INFINITY;
    if (kind === 'x' && seen >= known) swarm.delete(name);
    if (kind === 's' && seen + KEPT_SECONDS > known) {
      swarm.set(name, { kind, seen: Math.max(seen, known) });
    }
    if (kind === 'l' && seen > known) swarm.set(name, { kind, seen });
  }
  const old = completed.get(String(id)) ?? 0;
  if (Number(counted) > old) completed.set(String(id), Number(counted));
}
