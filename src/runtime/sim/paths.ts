/** What lies between two hosts, and whether anything gets through. @module */

import { type HostOptions, type PathOptions } from './host-options.ts';

/** All that is known of one way between two hosts. */
export type Path = Required<PathOptions>;

/** One end of a path. */
export interface PathEnd {
  readonly index: number;
  readonly address: string;
  readonly options: HostOptions;
  /** The cable is pulled. */
  readonly offline: boolean;
}

/** A host talks to itself as fast as this, one way, in milliseconds. */
const LOOPBACK: Path = {
  latencyMs: 0.02,
  jitterMs: 0,
  loss: 0,
  duplicate: 0,
  reorder: 0,
  mtu: 65_536,
};

/** Room for the index of a host in the key of a path. */
const MOST_HOSTS = 2 ** 26;

export class Paths {
  readonly #special = new Map<number, PathOptions>();
  readonly #partitions = new Set<readonly [ReadonlySet<PathEnd>, ReadonlySet<PathEnd>]>();

  /** Sets what differs from the hosts' own options on the way between them. */
  set(a: PathEnd, b: PathEnd, options: PathOptions): void {
    for (const key of [keyOf(a, b), keyOf(b, a)]) {
      this.#special.set(key, { ...this.#special.get(key), ...options });
    }
  }

  between(a: PathEnd, b: PathEnd): Path {
    if (a === b) return LOOPBACK;
    // Not kept: of ten thousand hosts each may write to each.
    const path = joined(a.options, b.options);
    const special = this.#special.size === 0 ? undefined : this.#special.get(keyOf(a, b));
    return special === undefined ? path : { ...path, ...special };
  }

  /** Nothing passes between the two groups until the returned function is called. */
  partition(one: readonly PathEnd[], other: readonly PathEnd[]): () => void {
    const pair = [new Set(one), new Set(other)] as const;
    this.#partitions.add(pair);
    return () => void this.#partitions.delete(pair);
  }

  isOpen(a: PathEnd, b: PathEnd): boolean {
    if (a === b) return true;
    if (a.offline || b.offline) return false;
    if (this.#partitions.size === 0) return true;
    for (const [one, other] of this.#partitions) {
      if ((one.has(a) && other.has(b)) || (one.has(b) && other.has(a))) return false;
    }
    return true;
  }
}

function keyOf(a: PathEnd, b: PathEnd): number {
  return a.index * MOST_HOSTS + b.index;
}

function joined(a: HostOptions, b: HostOptions): Path {
  return {
    latencyMs: a.latencyMs + b.latencyMs,
    jitterMs: a.jitterMs + b.jitterMs,
    loss: either(a.loss, b.loss),
    duplicate: either(a.duplicate, b.duplicate),
    reorder: either(a.reorder, b.reorder),
    mtu: Math.min(a.mtu, b.mtu),
  };
}

/** The probability that at least one of two independent things happens. */
function either(x: number, y: number): number {
  return 1 - (1 - x) * (1 - y);
}
