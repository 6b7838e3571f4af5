import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../../src/base/errors.ts';
import { type DecodeOptions, decode, encode, MAX_INTEGER_DIGITS } from '../../src/bencode/index.ts';
import { anyValue, bytes, damaged, latin1, plain } from './values.ts';

/** Rule and offset of the refusal, or the value. */
function outcome(text: string, options?: DecodeOptions): unknown {
  try {
    return plain(decode(bytes(text), options));
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    expect(error.code).toBe('BIP_BENCODE');
    expect(error.message).toContain(`byte ${error.offset}`);
    return `${error.rule} @${error.offset}`;
  }
}

describe('vectors (BEP 3, libtorrent test_bdecode.cpp, bip-rs)', () => {
  test.each([
    ['i0e', 0],
    ['i-42e', -42],
    ['i9007199254740991e', 9_007_199_254_740_991],
    ['i9007199254740992e', 9_007_199_254_740_992n],
    ['i-9007199254740992e', -9_007_199_254_740_992n],
    ['i9223372036854775807e', 9_223_372_036_854_775_807n],
    ['i-9223372036854775808e', -9_223_372_036_854_775_808n],
    ['0:', ''],
    ['26:abcdefghijklmnopqrstuvwxyz', 'abcdefghijklmnopqrstuvwxyz'],
    ['2:\xff\0', '\xff\0'],
    ['le', []],
    ['de', { entries: [] }],
    ['li1e1:ali2eee', [1, 'a', [2]]],
    [
      'd0:i1e2:\xff\xfelee',
      {
        entries: [
          ['', 1],
          ['\xff\xfe', []],
        ],
      },
    ],
    [
      'd1:ad1:zi1ee1:bi2ee',
      {
        entries: [
          ['a', { entries: [['z', 1]] }],
          ['b', 2],
        ],
      },
    ],
  ])('%j is accepted, strict or not', (text, value) => {
    expect(outcome(text)).toEqual(value);
    expect(outcome(text, { strict: true })).toEqual(value);
  });

  test.each([
    ['i-0e', 'BEP 3 negative zero @0'],
    ['i-00e', 'BEP 3 negative zero @0'],
    ['i-e', 'BEP 3 integer digits @2'],
    ['ie', 'BEP 3 integer digits @1'],
    ['i-', 'BEP 3 end of input @2'],
    ['i12', 'BEP 3 end of input @3'],
    ['i+5e', 'BEP 3 integer digits @1'],
    ['i--5e', 'BEP 3 integer digits @2'],
    ['i5.7e', 'BEP 3 integer digits @2'],
    ['i 5e', 'BEP 3 integer digits @1'],
    ['i35412-5633e', 'BEP 3 integer digits @6'],
    ['i92337203t854775807e', 'BEP 3 integer digits @9'],
    ['-10:foobar', 'BEP 3 string length @0'],
    ['+1:a', 'BEP 3 first byte of a value @0'],
    ['18446744073709551615:foobar', 'BEP 3 end of input @20'],
    ['199999999:foobar', 'BEP 3 end of input @9'],
    ['100:..', 'BEP 3 end of input @3'],
    ['1a:x', 'BEP 3 string length @1'],
    ['1', 'BEP 3 end of input @1'],
    ['d1:ai1e1:be', 'BEP 3 every key has a value @10'],
    ['di5e1:ae', 'BEP 3 keys are strings @1'],
    ['dle1:ae', 'BEP 3 keys are strings @1'],
    ['d+1:ai1ee', 'BEP 3 keys are strings @1'],
    ['d1000', 'BEP 3 end of input @5'],
    ['d1000:..e', 'BEP 3 end of input @5'],
    ['e', 'BEP 3 first byte of a value @0'],
    ['l2:..', 'BEP 3 end of input @5'],
    ['', 'BEP 3 end of input @0'],
    ['x', 'BEP 3 first byte of a value @0'],
    ['d1:ai1e1:ai1ee', 'BEP 3 keys appear once @7'],
    ['d1:ai1e1:bi1e1:ai2ee', 'BEP 3 keys appear once @13'],
    ['d1:bd1:xi1ee1:ai1e1:bi2ee', 'BEP 3 keys appear once @18'],
    ['i5ex', 'BEP 3 one value @3'],
  ])('%j is refused in every mode', (text, refusal) => {
    expect(outcome(text)).toBe(refusal);
    expect(() => decode(bytes(text), { strict: true })).toThrow(ProtocolError);
  });

  test.each([
    ['i03e', 3, 'BEP 3 leading zeros @1'],
    ['i-05e', -5, 'BEP 3 leading zeros @2'],
    ['i000e', 0, 'BEP 3 leading zeros @1'],
    ['i00009007199254740993e', 9_007_199_254_740_993n, 'BEP 3 leading zeros @1'],
    ['06:foobar', 'foobar', 'BEP 3 leading zeros @0'],
    [
      'd1:bi1e1:ai2ee',
      {
        entries: [
          ['b', 1],
          ['a', 2],
        ],
      },
      'BEP 3 keys are sorted @7',
    ],
    ['i9223372036854775808e', 2n ** 63n, 'signed 64-bit integers @0'],
    ['i184467440737095516154e', 184_467_440_737_095_516_154n, 'signed 64-bit integers @0'],
  ])('%j is clear and not canonical', (text, value, refusal) => {
    expect(outcome(text)).toEqual(value);
    expect(outcome(text, { strict: true })).toBe(refusal);
  });
});

describe('options', () => {
  test('50 levels by default, and not one more', () => {
    const nested = (levels: number): string => 'l'.repeat(levels) + 'e'.repeat(levels);
    expect(decode(bytes(nested(50))).length).toBe(1);
    expect(outcome(nested(51))).toBe('limit of nesting @50');
    expect(outcome(nested(3), { maxDepth: 2 })).toBe('limit of nesting @2');
    expect(outcome('i1e', { maxDepth: 0 })).toBe(1);
  });
  test('key order on request', () => {
    expect(outcome('d1:bi1e1:ai2ee', { checkKeyOrder: true })).toBe('BEP 3 keys are sorted @7');
    expect(outcome('d2:aai1e1:bi2ee', { checkKeyOrder: true })).toEqual({
      entries: [
        ['aa', 1],
        ['b', 2],
      ],
    });
    expect(outcome('i03e', { checkKeyOrder: true })).toBe(3);
  });
  test('what follows the value is allowed on request, and its place known', () => {
    const node = decode(bytes('d1:ai1eepayload'), { fullDecode: false });
    expect([node.offset, node.end]).toEqual([0, 8]);
    expect(decode(bytes('i7e!'), { fullDecode: false, strict: true }).end).toBe(3);
  });
  test('values and keys are counted, ends are not', () => {
    const list = `l${'i1e'.repeat(9)}e`;
    expect(decode(bytes(list), { maxTokens: 10 }).length).toBe(9);
    expect(outcome(list, { maxTokens: 9 })).toBe('limit of values @25');
    expect(decode(bytes('llelelee'), { maxTokens: 4 }).length).toBe(3);
  });
  test('one string', () => {
    expect(outcome('4:abcd', { maxBytes: 4 })).toBe('abcd');
    expect(outcome('5:abcde', { maxBytes: 4 })).toBe('limit of string length @0');
  });
  test('digits', () => {
    expect(outcome(`i${'9'.repeat(MAX_INTEGER_DIGITS)}e`)).toBe(
      10n ** BigInt(MAX_INTEGER_DIGITS) - 1n,
    );
    expect(outcome(`i${'9'.repeat(MAX_INTEGER_DIGITS + 1)}e`)).toBe('limit of digits @0');
  });
});

describe('nodes', () => {
  const input = bytes(
    'xx d4:infod6:lengthi-7e4:name5:caf\xc3\xa9e3:raw2:\xff\xfe4:listli1eleee',
  ).subarray(3);
  const root = decode(input);

  test('offsets and raw bytes of every node', () => {
    const info = root.get('info');
    expect([info?.offset, info?.end]).toEqual([7, 34]);
    expect(latin1(info?.raw ?? bytes(''))).toBe('d6:lengthi-7e4:name5:caf\xc3\xa9e');
    expect(info?.raw.buffer).toBe(input.buffer);
    expect([...(root.get('list')?.items() ?? [])].map(({ offset, end }) => [offset, end])).toEqual([
      [50, 53],
      [53, 55],
    ]);
  });
  test('typed views say undefined for other kinds', () => {
    const name = root.get('info')?.get('name');
    expect(name?.asText()).toBe('café');
    expect(name?.asInteger()).toBeUndefined();
    expect(root.get('raw')?.asText()).toBeUndefined();
    expect(root.get('raw')?.asBytes()).toEqual(bytes('\xff\xfe'));
    expect(root.get('info')?.get('length')?.asNumber()).toBe(-7);
    expect(root.asBytes()).toBeUndefined();
    expect(root.asText()).toBeUndefined();
    expect([...(root.get('list')?.entries() ?? [])]).toEqual([]);
    expect([...root.items()]).toEqual([]);
    expect(decode(bytes('i9007199254740992e')).asNumber()).toBeUndefined();
  });
  test('lengths', () => {
    expect([root.length, root.get('list')?.length, root.get('raw')?.length]).toEqual([3, 2, 2]);
    expect(decode(bytes('i5e')).length).toBe(0);
  });
  test('lookup by text and by bytes', () => {
    const dictionary = decode(bytes('d0:i0e1:ai1e2:\xc3\xa9i2e2:\xff\xfei3ee'));
    expect(dictionary.get('')?.asInteger()).toBe(0);
    expect(dictionary.get('é')?.asInteger()).toBe(2);
    expect(dictionary.get(bytes('\xff\xfe'))?.asInteger()).toBe(3);
    expect(dictionary.get('b')).toBeUndefined();
    expect(decode(bytes('l1:ae')).get('a')).toBeUndefined();
    expect([...dictionary.values()].map((node) => node.asInteger())).toEqual([0, 1, 2, 3]);
  });
  test('long text, and text with a byte order mark', () => {
    const text = `\ufeff${'ü'.repeat(100)}`;
    expect(decode(encode(text)).asText()).toBe(text);
  });
});

describe('properties', () => {
  test('decode(encode(v)) is v, and encode(decode(b)) is b', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        const encoded = encode(value);
        const node = decode(encoded, { strict: true });
        expect(latin1(encode(node))).toBe(latin1(encoded));
        expect(node.raw.length).toBe(encoded.length);
      }),
    );
  });
  test('every prefix is refused', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        const encoded = encode(value);
        for (let end = 0; end < encoded.length; end++) {
          expect(() => decode(encoded.subarray(0, end))).toThrow(ProtocolError);
        }
      }),
      { numRuns: 50 },
    );
  });
  test('arbitrary bytes give a value or a ProtocolError with an offset inside', () => {
    const soup = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc
        .array(fc.constantFrom(...bytes('dlie0123:-a')), { maxLength: 40 })
        .map((list) => Uint8Array.from(list)),
      anyValue.chain((value) => damaged(encode(value))),
    );
    fc.assert(
      fc.property(soup, (data) => {
        try {
          plain(decode(data));
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
          const offset = error instanceof ProtocolError ? error.offset : undefined;
          expect(offset).toBeGreaterThanOrEqual(0);
          expect(offset).toBeLessThanOrEqual(data.length);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

test('a million nested lists', () => {
  const levels = 1_000_000;
  const deep = bytes('l'.repeat(levels) + 'e'.repeat(levels));
  const node = decode(deep, { maxDepth: levels, strict: true });
  expect([node.end, node.length]).toEqual([2 * levels, 1]);
  expect(() => decode(deep)).toThrow('deeper than 50 levels');
});
