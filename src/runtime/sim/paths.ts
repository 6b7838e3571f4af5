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

export class Paths {
  readonly #special = new Map<string, PathOptions>();
  readonly #known = new Map<string, Path>();
  readonly #partitions = new Set<readonly [ReadonlySet<PathEnd>, ReadonlySet<PathEnd>]>();

  /** Sets what differs from the hosts' own options on the way between them. */
  set(a: PathEnd, b: PathEnd, options: PathOptions): void {
    for (const key of [keyOf(a, b), keyOf(b, a)]) {
      this.#special.set(key, { ...this.#special.get(key), ...options });
      this.#known.delete(key);
    }
  }

  between(a: PathEnd, b: PathEnd): Path {
    if (a === b) return LOOPBACK;
    const key = keyOf(a, b);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const path = { ...joined(a.options, b.options), ...this.#special.get(key) };
    this.#known.set(key, path);
    return path;
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
    for (const [one, other] of this.#partitions) {
      if ((one.has(a) && other.has(b)) || (one.has(b) && other.has(a))) return false;
    }
    return true;
  }
}

function keyOf(a: PathEnd, b: PathEnd): string {
  return `${a.index}>${b.index}`;
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
