/** What many measurements come to. @module */

export interface Statistics {
  readonly mean: number;
  readonly median: number;
  /** 95 of 100 are not above it. */
  readonly p95: number;
  readonly max: number;
}

/** Of at least one value. */
export function statisticsOf(values: readonly number[]): Statistics {
  const sorted = values.toSorted((one, other) => one - other);
  const at = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
  return {
    mean: sorted.reduce((sum, value) => sum + value, 0) / sorted.length,
    median: at(0.5),
    p95: at(0.95),
    max: at(1),
  };
}
