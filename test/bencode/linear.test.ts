/** Guards against time that grows faster than the input: reads of bytes are counted, not seconds. */

import { expect, test } from 'vitest';
import { ProtocolError } from '../../src/base/errors.ts';
import { check, decode } from '../../src/bencode/index.ts';
import { bytes } from './values.ts';

/** How often `run` looks at a byte of `data`. */
function reads(data: Uint8Array, run: (data: Uint8Array) => unknown): number {
  let count = 0;
  const counted = new Proxy(data, {
    get(target, name): unknown {
      count++;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  try {
    run(counted);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
  }
  return count;
}

/** The k of N^k between two sizes. */
function growth(input: (size: number) => string, run: (data: Uint8Array) => unknown): number {
  const [small, large] = [bytes(input(500)), bytes(input(4000))];
  return Math.log(reads(large, run) / reads(small, run)) / Math.log(large.length / small.length);
}

const numbers = (size: number): number[] => Array.from({ length: size }, (_, at) => at);
const key = (at: number): string => String(at).padStart(6, '0');
const INPUTS: readonly (readonly [string, (size: number) => string])[] = [
  ['items', (size) => `l${'i1e'.repeat(size)}e`],
  ['nested lists', (size) => `${'l'.repeat(size)}${'e'.repeat(size)}`],
  ['open lists', (size) => 'l'.repeat(size)],
  ['nested dictionaries', (size) => `${'d1:a'.repeat(size)}de${'e'.repeat(size)}`],
  [
    'keys in order',
    (size) =>
      `d${numbers(size)
        .map((at) => `6:${key(at)}i0e`)
        .join('')}e`,
  ],
  [
    'keys in reverse',
    (size) =>
      `d${numbers(size)
        .toReversed()
        .map((at) => `6:${key(at)}i0e`)
        .join('')}e`,
  ],
  ['one key over and over', (size) => `d${'1:ai0e'.repeat(size)}e`],
  [
    'unsorted dictionaries in each other',
    (size) => `${'d1:bi0e1:a'.repeat(size)}0:${'e'.repeat(size)}`,
  ],
  ['digits', (size) => `i${'7'.repeat(size)}e`],
  ['zeros', (size) => `i${'0'.repeat(size)}1e`],
  ['zeros of a length', (size) => `${'0'.repeat(size)}1:a`],
  ['faults', (size) => `l${'i01e'.repeat(size)}e`],
];

test.each(INPUTS)('%s', (_name, input) => {
  const options = { maxDepth: 100_000 };
  expect(growth(input, (data) => decode(data, options))).toBeLessThan(1.6);
  expect(growth(input, (data) => check(data, options))).toBeLessThan(1.6);
  expect(
    growth(input, (data) => {
      const stack = [decode(data, options)];
      for (let node = stack.pop(); node !== undefined; node = stack.pop())
        stack.push(...node.values());
    }),
  ).toBeLessThan(1.6);
});

test('the measure sees what is quadratic', () => {
  const quadratic = (data: Uint8Array): void => {
    for (let at = 0; at < data.length; at++) data.indexOf(data[at] ?? 0);
    for (let a = 0; a < data.length; a++) for (let b = 0; b < a; b++) void data[b];
  };
  expect(growth((size) => 'x'.repeat(size / 10), quadratic)).toBeGreaterThan(1.8);
});
