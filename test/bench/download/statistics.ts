/** Medians and the table of a bench. @module */

export interface Sample {
  readonly megabytesPerSecond: number;
  readonly cpuSecondsPerGib: number;
  readonly maxRssBytes: number;
}

export interface Row {
  readonly name: string;
  readonly samples: readonly Sample[];
}

/** @throws {RangeError} for no values. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const high = sorted[Math.floor(sorted.length / 2)];
  const low = sorted[Math.ceil(sorted.length / 2) - 1];
  if (high === undefined || low === undefined) throw new RangeError('the median of nothing');
  return (low + high) / 2;
}

/** Markdown; speeds also as multiples of those of `base`, measured in the same run. */
export function table(rows: readonly Row[], base: string): string {
  const medians = rows.map(({ name, samples }) => ({
    name,
    speeds: samples.map((sample) => sample.megabytesPerSecond),
    cpu: median(samples.map((sample) => sample.cpuSecondsPerGib)),
    rss: median(samples.map((sample) => sample.maxRssBytes)),
  }));
  const reference = medians.find(({ name }) => name === base);
  const lines = medians.map(({ name, speeds, cpu, rss }) => {
    const speed = median(speeds);
    const span = `${Math.min(...speeds).toFixed(0)}–${Math.max(...speeds).toFixed(0)}`;
    const ratio = reference === undefined ? '' : (speed / median(reference.speeds)).toFixed(2);
    const mebibytes = (rss / 2 ** 20).toFixed(0);
    return `| ${name} | ${speed.toFixed(0)} | ${span} | ${ratio} | ${cpu.toFixed(2)} | ${mebibytes} |`;
  });
  const head = [
    `| program | MB/s | min–max | × ${base} | CPU s/GiB | RSS MiB |`,
    '|---|---:|---:|---:|---:|---:|',
  ];
  return [...head, ...lines].join('\n');
}
