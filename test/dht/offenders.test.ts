import { expect, test } from 'vitest';
import { Offenders } from '../../src/dht/offenders.ts';

function offend(offenders: Offenders, host: string, times: number, now: number): void {
  for (let time = 0; time < times; time++) offenders.offended(host, now);
}

test('whoever offends more than 50 times in 10 s is ignored for 5 min', () => {
  const offenders = new Offenders();
  offend(offenders, '192.0.2.1', 50, 1000);
  expect(offenders.isIgnored('192.0.2.1', 1000)).toBe(false);
  offend(offenders, '192.0.2.1', 1, 2000);
  expect(offenders.isIgnored('192.0.2.1', 2000)).toBe(true);
  expect(offenders.isIgnored('192.0.2.2', 2000)).toBe(false);
  expect(offenders.isIgnored('192.0.2.1', 301_999)).toBe(true);
  expect(offenders.isIgnored('192.0.2.1', 302_000)).toBe(false);
});

test('late answers now and then are no offence', () => {
  const offenders = new Offenders();
  for (let second = 0; second < 3600; second++) offend(offenders, '192.0.2.1', 4, second * 1000);
  expect(offenders.isIgnored('192.0.2.1', 3_600_000)).toBe(false);
});

test('a flood from everywhere takes no more memory than 256 hosts, and the worst stay known', () => {
  const offenders = new Offenders();
  offend(offenders, '192.0.2.1', 51, 0);
  for (let at = 0; at < 100_000; at++) {
    offenders.offended(`10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`, 1);
    if (at % 100 === 0) offenders.offended('192.0.2.1', 1);
  }
  expect(offenders.isIgnored('192.0.2.1', 2)).toBe(true);
  expect(offenders.size).toBe(256);
});

test('a clock that is set back forgives', () => {
  const offenders = new Offenders();
  offend(offenders, '192.0.2.1', 40, 1_000_000);
  offend(offenders, '192.0.2.1', 40, 5000);
  expect(offenders.isIgnored('192.0.2.1', 5000)).toBe(false);
});
