/** The text format of Prometheus. */

import { expect, test } from 'vitest';
import { counter, formatMetrics, gauge } from '../../src/base/metrics-text.ts';

test('families with help, type and samples', () => {
  const text = formatMetrics('x_', [
    gauge('size', 'How large', 1.5),
    counter('seen_total', 'How often', [
      { labels: { kind: 'a', family: 'ipv4' }, value: 1 },
      { labels: { kind: 'b', family: 'ipv4' }, value: 2 },
    ]),
  ]);
  expect(text).toBe(
    [
      '# HELP x_size How large',
      '# TYPE x_size gauge',
      'x_size 1.5',
      '# HELP x_seen_total How often',
      '# TYPE x_seen_total counter',
      'x_seen_total{kind="a",family="ipv4"} 1',
      'x_seen_total{kind="b",family="ipv4"} 2',
      '',
    ].join('\n'),
  );
});

test('labels may be any text', () => {
  const samples = [{ labels: { name: 'a "b"\\c\nd' }, value: 1 }];
  const text = formatMetrics('', [gauge('info', 'What', samples)]);
  expect(text.split('\n').at(-2)).toBe(String.raw`info{name="a \"b\"\\c\nd"} 1`);
});
