/**
 * How many nodes there are, from a part of them.
 *
 * @module
 */

/** What was found in one zone that was asked to the end. */
export interface ZoneCount {
  /** Nodes that answered, with ids of the zone. */
  readonly answered: number;
  /** Of them, those that exactly one other node named. */
  readonly once: number;
  /** Of them, those that exactly two others named. */
  readonly twice: number;
}

/** Nodes of the DHT of one family that answer to us. */
export interface SizeEstimate {
  readonly nodes: number;
  /** In 95 of 100 crawls the truth lies from `low` to `high`. */
  readonly low: number;
  readonly high: number;
  readonly method: 'zones' | 'density';
  /** Zones that it rests on, or points for `density`. */
  readonly sample: number;
  /** Zones with so many or few nodes that chance does not explain it. */
  readonly suspect: number;
}

/** What zones are a sample of, and how they were asked. */
export interface ZoneFrame {
  /** Zones that there are. */
  readonly total: number;
  /** How likely it is that a node that lives does not answer one query, 0 and below 1. */
  readonly loss: number;
}

/**
 * From whole zones of the id space, drawn at random: the mean of a zone, times the zones that there are.
 *
 * This is simple random sampling of clusters without replacement (Cochran, "Sampling Techniques", ch. 2;
 * for KAD and the Mainline DHT: Steiner et al., "A global view of KAD", 2007; Wang and Kangasharju,
 * "Measuring large-scale distributed systems: case of BitTorrent Mainline DHT", 2013). With m of M
 * zones, mean n and variance s² of a zone, the standard error is `M·√((1 − m/M)·s²/m)`. Ids are
 * random, so that a zone is a Poisson number: s² is taken for no less than n, since a few zones may be alike
 * by chance.
 *
 * Somebody who puts many nodes into some zones changes the mean; so a zone counts for no more than
 * {@link SUSPECT_SIGMAS} standard deviations of a Poisson number above the median zone, and for no less below
 * (a winsorized mean). Nodes that nobody named are added by Chao's estimate (1984) from those that were
 * named once (f₁) and twice (f₂): `f₁(f₁ − 1) / 2(f₂ + 1)`, with its variance (Chao 1987). And of those
 * that live p² seemed silent, when a query is answered with the probability 1 − p and each is asked twice.
 * For what a walk misses besides, {@link WALK_ERROR} is added to the error.
 */
export function estimateByZones(
  zones: readonly ZoneCount[],
  { total, loss }: ZoneFrame,
): SizeEstimate | undefined {
  const count = zones.length;
  if (count === 0) return undefined;
  const { values, suspect } = winsorized(zones.map(({ answered }) => answered));
  const mean = sumOf(values) / count;
  const squares = sumOf(values.map((value) => (value - mean) ** 2));
  const variance = Math.max(count > 1 ? squares / (count - 1) : 0, mean);
  const unseen = unseenOf(zones);
  const found = Math.max(1, sumOf(zones.map(({ answered }) => answered)));
  const nodes = (total * mean * (1 + unseen.nodes / found)) / (1 - loss ** 2);
  const ofZones = total ** 2 * (1 - count / total) * (variance / count);
  const ofMissed = unseen.variance + found * loss ** 2;
  const error = Z95 * Math.sqrt(ofZones + (total / count) ** 2 * ofMissed) + WALK_ERROR * nodes;
  return {
    ...rounded(nodes, error, Math.min(nodes, sumOf(values))),
    method: 'zones',
    sample: count,
    suspect,
  };
}

/**
 * From how near the k-th nearest node to each of some random points lies. Around a point the distances of
 * n nodes with random ids, as shares of the id space, are a Poisson process of the density n; so the k-th
 * is a Gamma(k, n) number, and from P points `(P·k − 1) / Σ d` has no bias and the relative
 * standard error `1 / √(P·k − 2)`. A few points that somebody crowds count for little, since the largest
 * distances make the sum.
 *
 * `distances` are 0 to 1, of the k-th nearest node each.
 */
export function estimateByDensity(
  distances: readonly number[],
  k: number,
): SizeEstimate | undefined {
  const sum = sumOf(distances);
  const count = distances.length * k;
  if (count < 3 || sum <= 0) return undefined;
  const nodes = (count - 1) / sum;
  const error = (Z95 * nodes) / Math.sqrt(count - 2);
  return {
    ...rounded(nodes, error, 0),
    method: 'density',
    sample: distances.length,
    suspect: 0,
  };
}

/** A distance of two ids as a share of the id space, 0 to 1. */
export function shareOfSpace(one: Uint8Array, other: Uint8Array): number {
  let share = 0;
  for (let at = 0; at < SHARE_BYTES; at++) {
    share += ((one[at] ?? 0) ^ (other[at] ?? 0)) * 256 ** -(at + 1);
  }
  return share;
}

/** A double has no room for more. */
const SHARE_BYTES = 7;
/** Of the normal distribution, 95 % lie within. */
const Z95 = 1.96;
/** Of the nodes of simulated networks, walks missed at most half as many. */
const WALK_ERROR = 0.002;
/** Chance goes so far in one zone of five hundred million. */
const SUSPECT_SIGMAS = 6;
/** A median of fewer means little. */
const MIN_FOR_MEDIAN = 4;

function rounded(
  nodes: number,
  error: number,
  least: number,
): Pick<SizeEstimate, 'nodes' | 'low' | 'high'> {
  return {
    nodes: Math.round(nodes),
    low: Math.round(Math.max(nodes - error, least)),
    high: Math.round(nodes + error),
  };
}

function winsorized(values: readonly number[]): { values: readonly number[]; suspect: number } {
  if (values.length < MIN_FOR_MEDIAN) return { values, suspect: 0 };
  const sorted = values.toSorted((one, other) => one - other);
  const median = sorted[(sorted.length - 1) >>> 1] ?? 0;
  const reach = SUSPECT_SIGMAS * Math.sqrt(Math.max(1, median));
  const kept = values.map((value) => Math.min(Math.max(value, median - reach), median + reach));
  return { values: kept, suspect: kept.filter((value, at) => value !== values[at]).length };
}

function unseenOf(zones: readonly ZoneCount[]): { nodes: number; variance: number } {
  const once = sumOf(zones.map((zone) => zone.once));
  const twice = sumOf(zones.map((zone) => zone.twice));
  const pairs = once * (once - 1);
  return {
    nodes: pairs / (2 * (twice + 1)),
    variance:
      pairs / (2 * (twice + 1)) +
      (once * (2 * once - 1) ** 2) / (4 * (twice + 1) ** 2) +
      (once ** 2 * twice * (once - 1) ** 2) / (4 * (twice + 1) ** 4),
  };
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
