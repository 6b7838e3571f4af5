import { expect, test } from 'vitest';
import { RequestWindow } from '../../src/select/index.ts';

const BLOCK = 16_384;

test('slow start: each block that comes makes room for one more', () => {
  const window = new RequestWindow();
  expect(window.target(0, 2000, 0)).toBe(4);
  for (let n = 0; n < 60; n++) window.onBlock();
  expect(window.target(0, 2000, 10)).toBe(64);
});

test('when the rate grows no more, the window is what comes in three seconds', () => {
  const window = new RequestWindow();
  const rate = 10 * BLOCK;
  for (let n = 0; n < 500; n++) window.onBlock();
  expect(window.target(rate, 2000, 0)).toBe(504);
  window.target(rate, 2000, 1_000);
  expect(window.target(rate, 2000, 2_000)).toBe(30);
});

test('never more than the peer takes, nor fewer than two', () => {
  const window = new RequestWindow();
  for (let n = 0; n < 500; n++) window.onBlock();
  expect(window.target(1e9, 250, 0)).toBe(250);
  expect(window.target(0, 1, 0)).toBe(2);
});

test('the cap does not bind at 600 MB/s and 100 ms', () => {
  const window = new RequestWindow();
  expect(window.target(600e6, 10_000, 0) * BLOCK).toBeGreaterThanOrEqual(600e6 * 0.1);
});

test('a snubbed peer is asked for one block until it delivers', () => {
  const window = new RequestWindow();
  window.onSnub();
  expect(window.target(1e6, 2000, 0)).toBe(1);
  window.onBlock();
  expect(window.target(1e6, 2000, 1)).toBeGreaterThan(1);
});
