import { describe, expect, test } from 'vitest';
import { InvariantError, ProtocolError } from '../../src/base/errors.ts';
import { type BencodeInput, decode, encode } from '../../src/bencode/index.ts';
import { bytes, latin1 } from './values.ts';

function encoded(value: BencodeInput): string {
  return latin1(encode(value));
}

test.each<[BencodeInput, string]>([
  [0, 'i0e'],
  [-0, 'i0e'],
  [-42, 'i-42e'],
  [10, 'i10e'],
  [99, 'i99e'],
  [100, 'i100e'],
  [123_456_789, 'i123456789e'],
  [2 ** 31 - 1, 'i2147483647e'],
  [2 ** 31, 'i2147483648e'],
  [-(2 ** 31), 'i-2147483648e'],
  [10 ** 9, 'i1000000000e'],
  [Number.MAX_SAFE_INTEGER, 'i9007199254740991e'],
  [-(2n ** 70n), 'i-1180591620717411303424e'],
  ['', '0:'],
  ['café', '5:caf\xc3\xa9'],
  [bytes('\xff'), '1:\xff'],
  [[], 'le'],
  [{}, 'de'],
  [[1, ['a'], {}], 'li1el1:aedee'],
  [{ b: 1, a: [2] }, 'd1:ali2ee1:bi1ee'],
  [{ b: undefined, a: 1 }, 'd1:ai1ee'],
  [{ 10: 1, 9: 2 }, 'd2:10i1e1:9i2ee'],
  [
    new Map<string | Uint8Array, BencodeInput>([
      [bytes('\xff'), 1],
      ['a', 2],
    ]),
    'd1:ai2e1:\xffi1ee',
  ],
])('%o is %j', (value, text) => {
  expect(encoded(value)).toBe(text);
});

test('keys are sorted by their bytes, not by UTF-16', () => {
  // U+FF5E comes before U+1F600 in bytes and after it in UTF-16.
  expect(encoded({ '\u{1f600}': 1, '\uff5e': 2 })).toBe('d3:\xef\xbd\x9ei2e4:\xf0\x9f\x98\x80i1ee');
  expect(encoded({ é: 1, z: 2 })).toBe('d1:zi2e2:\xc3\xa9i1ee');
});

test('strings that end anywhere around the ends of buffers', () => {
  for (let length = 0; length < 1100; length++) {
    const text = 'x'.repeat(length);
    expect(encoded([text, 123_456, bytes(text), `é${text}`])).toBe(
      `l${length}:${text}i123456e${length}:${text}${length + 2}:\xc3\xa9${text}e`,
    );
  }
  expect(encoded('x'.repeat(70_000))).toBe(`70000:${'x'.repeat(70_000)}`);
});

test('many keys are sorted', () => {
  const keys = Array.from({ length: 40 }, (_, at) => `k${(at * 17) % 40}`);
  const text = encoded(Object.fromEntries(keys.map((key) => [key, 1])));
  expect(text).toBe(
    `d${keys
      .toSorted()
      .map((key) => `${key.length}:${key}i1e`)
      .join('')}e`,
  );
});

test('decoded nodes are copied byte for byte, whatever their form', () => {
  const node = decode(bytes('d1:bi01e1:ai2ee'));
  expect(encoded({ value: node, list: [node.get('b') ?? 0] })).toBe(
    'd4:listli01ee5:valued1:bi01e1:ai2eee',
  );
});

describe('refusals', () => {
  test('the same key twice in a map', () => {
    const map = new Map<string | Uint8Array, BencodeInput>([
      ['a', 1],
      [bytes('a'), 2],
    ]);
    expect(() => encode(map)).toThrow(ProtocolError);
    expect(() => encode(map)).toThrow('the key "a" is there twice');
  });
  test('numbers that are no safe integers', () => {
    for (const value of [1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
      expect(() => encode(value)).toThrow(InvariantError);
    }
  });
  test('values that contain themselves', () => {
    const list: BencodeInput[] = [];
    list.push({ deeper: [list] });
    expect(() => encode(list)).toThrow('contains itself');
  });
});

test('a million nested lists and dictionaries', () => {
  let value: BencodeInput = [];
  for (let level = 0; level < 1_000_000; level++) value = level % 2 === 0 ? [value] : { a: value };
  expect(encode(value).length).toBe(2 + 500_000 * 2 + 500_000 * 5);
});
