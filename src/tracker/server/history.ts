/** The last quarter of an hour of a tracker, in memory that does not grow. @module */

/** What is kept of each moment. */
const SERIES = ['announcesPerSecond', 'seeders', 'leechers', 'swarms'] as const;
export type HistorySample = Readonly<Record<(typeof SERIES)[number], number>>;

/** Each series from the oldest moment to the latest. */
export type HistorySeries = Readonly<Record<(typeof SERIES)[number], readonly number[]>>;

/** How often a sample is to be added. */
export const SAMPLE_SECONDS = 5;
/** 15 minutes. */
const SAMPLES = 180;

/** A ring of samples. */
export class History {
  readonly #rings: Readonly<Record<keyof HistorySample, Float64Array>> = {
    announcesPerSecond: new Float64Array(SAMPLES),
    seeders: new Float64Array(SAMPLES),
    leechers: new Float64Array(SAMPLES),
    swarms: new Float64Array(SAMPLES),
  };
  #count = 0;

  add(sample: HistorySample): void {
    const at = this.#count++ % SAMPLES;
    for (const name of SERIES) this.#rings[name][at] = sample[name];
  }

  series(): HistorySeries {
    return {
      announcesPerSecond: this.#unrolled('announcesPerSecond'),
      seeders: this.#unrolled('seeders'),
      leechers: this.#unrolled('leechers'),
      swarms: this.#unrolled('swarms'),
    };
  }

  #unrolled(name: keyof HistorySample): number[] {
    const ring = this.#rings[name];
    if (this.#count < SAMPLES) return [...ring.subarray(0, this.#count)];
    const oldest = this.#count % SAMPLES;
    return [...ring.subarray(oldest), ...ring.subarray(0, oldest)];
  }
}
