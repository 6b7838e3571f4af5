import { expect, test } from 'vitest';
import { RateMeter } from '../../src/peer/index.ts';

function run(meter: RateMeter, from: number, to: number, bytesPerSecond: number): void {
  for (let now = from; now < to; now += 50) meter.add(bytesPerSecond / 20, now);
}

test('a steady flow is measured at once and stays', () => {
  const meter = new RateMeter();
  run(meter, 1_000, 2_000, 1_000_000);
  expect(meter.rate(2_000) / 1_000_000).toBeCloseTo(1, 1);
  run(meter, 2_000, 20_000, 1_000_000);
  expect(meter.rate(20_000) / 1_000_000).toBeCloseTo(1, 1);
});

test('a change is seen within seconds, and silence becomes zero', () => {
  const meter = new RateMeter();
  run(meter, 0, 20_000, 1_000_000);
  run(meter, 20_000, 30_000, 100_000);
  expect(meter.rate(30_000)).toBeLessThan(150_000);
  for (let now = 30_000; now < 60_000; now += 1_000) meter.rate(now);
  expect(meter.rate(60_000)).toBeLessThan(100);
  expect(meter.total).toBeCloseTo(21_000_000, -2);
});
