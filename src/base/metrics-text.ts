/** Numbers for Prometheus, in its text format, version 0.0.4. @module */

/** The content type of such text. */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export interface MetricFamily {
  /** What comes behind the prefix that all share. */
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  /** One line. */
  readonly help: string;
  readonly samples: readonly MetricSample[];
}

export interface MetricSample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A number that goes up and down. */
export function gauge(
  name: string,
  help: string,
  samples: readonly MetricSample[] | number,
): MetricFamily {
  return { name, type: 'gauge', help, samples: samplesOf(samples) };
}

/** A number that only goes up. */
export function counter(
  name: string,
  help: string,
  samples: readonly MetricSample[] | number,
): MetricFamily {
  return { name, type: 'counter', help, samples: samplesOf(samples) };
}

/** Lines end with a line feed, the last one too. */
export function formatMetrics(prefix: string, families: readonly MetricFamily[]): string {
  return families.map((family) => formatFamily(prefix, family)).join('');
}

function samplesOf(samples: readonly MetricSample[] | number): readonly MetricSample[] {
  return typeof samples === 'number' ? [{ value: samples }] : samples;
}

function formatFamily(prefix: string, { name, type, help, samples }: MetricFamily): string {
  const full = `${prefix}${name}`;
  const lines = samples.map(({ labels, value }) => `${full}${formatLabels(labels)} ${value}\n`);
  return `# HELP ${full} ${help}\n# TYPE ${full} ${type}\n${lines.join('')}`;
}

function formatLabels(labels: MetricSample['labels']): string {
  if (labels === undefined) return '';
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return `{${pairs.join(',')}}`;
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
