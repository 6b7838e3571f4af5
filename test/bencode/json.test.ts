import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../../src/base/errors.ts';
import {
  decode,
  encode,
  formatJson,
  fromJson,
  parseJson,
  toJson,
} from '../../src/bencode/index.ts';
import { anyValue, bytes, latin1 } from './values.ts';

const PAIRS: readonly (readonly [string, string])[] = [
  ['i42e', '42'],
  ['i9007199254740991e', '9007199254740991'],
  ['i-9007199254740992e', '{"$int":"-9007199254740992"}'],
  ['5:caf\xc3\xa9', '"café"'],
  ['0:', '""'],
  ['2:\0\xff', '{"$hex":"00ff"}'],
  ['4:a\n"\\', '"a\\n\\"\\\\"'],
  ['li1el1:bee', '[1,["b"]]'],
  ['d2:10i1e1:2i2ee', '{"10":1,"2":2}'],
  ['d1:$i1e4:$hexi2e5:plaini3ee', '{"$$":1,"$$hex":2,"plain":3}'],
  ['d2:\xff\xfei1ee', '{"$hex:fffe":1}'],
  ['d9:__proto__d1:ai1eee', '{"__proto__":{"a":1}}'],
  ['le', '[]'],
  ['de', '{}'],
];

test.each(PAIRS)('%j is %s, both ways', (bencode, json) => {
  expect(formatJson(decode(bytes(bencode)))).toBe(json);
  expect(latin1(encode(parseJson(json)))).toBe(bencode);
  expect(latin1(encode(fromJson(JSON.parse(json))))).toBe(bencode);
  expect(toJson(decode(bytes(bencode)))).toEqual(JSON.parse(json));
});

test('null may stand for something, found by its identity', () => {
  const nullAs = new Uint8Array();
  const value = parseJson('[null,{"$hex":""}]', { nullAs });
  expect(Array.isArray(value) && value.map((item: unknown) => item === nullAs)).toEqual([
    true,
    false,
  ]);
  expect(() => parseJson('nul', { nullAs })).toThrow('found "n" instead of a value');
  expect(() => parseJson('true', { nullAs })).toThrow('bencode has no `true`');
});

test('keys stay in the order of the input', () => {
  expect(formatJson(decode(bytes('d1:bi1e1:ai2ee')))).toBe('{"b":1,"a":2}');
});

test('characters that drive terminals are escaped', () => {
  const text = 'a\u007fb\u009bc\u202ed\u2028e';
  expect(formatJson(decode(encode(text)))).toBe('"a\\u007fb\\u009bc\\u202ed\\u2028e"');
});

test('indented', () => {
  const node = decode(bytes('d1:ali1elee1:bdee'));
  expect(formatJson(node, { indent: 2 })).toBe('{\n  "a": [\n    1,\n    []\n  ],\n  "b": {}\n}');
  expect(formatJson(node, { paint: (part, text) => `<${part} ${text}>` })).toBe(
    '{<key "a">:[<integer 1>,[]],<key "b">:{}}',
  );
});

describe('JSON to encode', () => {
  test.each([
    ['{"$base64":"AP8="}', '2:\0\xff'],
    ['{"$base64":"AP8"}', '2:\0\xff'],
    ['{"$base64":"-_8"}', '2:\xfb\xff'],
    ['{"$base64":""}', '0:'],
    ['{"$hex":"00FF"}', '2:\0\xff'],
    ['{"$int":"7"}', 'i7e'],
    ['12345678901234567890', 'i12345678901234567890e'],
    ['-0', 'i0e'],
    ['{"$hex:61":1}', 'd1:ai1ee'],
    ['\ufeff [ 1 , 2 ]\r\n', 'li1ei2ee'],
    ['"\\ud83d\\ude00"', '4:\xf0\x9f\x98\x80'],
    ['"a\\\\"', '2:a\\'],
    ['[[],{},""]', 'llede0:e'],
  ])('%s', (json, bencode) => {
    expect(latin1(encode(parseJson(json)))).toBe(bencode);
  });

  test.each([
    ['', 'line 1, column 1: found the end instead of a value'],
    ['[1,2', 'line 1, column 5: found the end instead of `,` or `]`'],
    ['[1,]', 'line 1, column 4: found "]" instead of a value'],
    ['{"a":1,}', 'line 1, column 8: found "}" instead of a key in double quotes'],
    ['{"a" 1}', 'line 1, column 6: found "1" instead of `:`'],
    ['{a:1}', 'line 1, column 2: found "a" instead of a key in double quotes'],
    ['[\n 1.5]', 'line 2, column 2: bencode has whole numbers only'],
    ['[1,\n\n  1e3]', 'line 3, column 3: bencode has whole numbers only'],
    ['[012]', 'line 1, column 3: found "1" instead of `,` or `]`'],
    ['-', 'line 1, column 1: found "-" instead of a value'],
    ['null', 'line 1, column 1: bencode has no `null`'],
    ['[true]', 'line 1, column 2: bencode has no `true`'],
    ['nul', 'line 1, column 1: found "n" instead of a value'],
    ['1 2', 'line 1, column 3: more follows after the one document'],
    ['{}\n{}', 'line 2, column 1: more follows after the one document'],
    ['"abc', 'line 1, column 1: a string has no end'],
    ['"a\\qb"', 'line 1, column 1: a string has a bad escape'],
    ['"a\tb"', 'line 1, column 1: a string has a bad escape or a bare control character'],
    ['"\\ud800"', 'line 1, column 1: a string has a lone surrogate'],
    ['{"\\udfff":1}', 'line 1, column 1: a string has a lone surrogate'],
    ['{"a":1,"a":2}', 'line 1, column 1: the key "a" is there twice'],
    ['{"a":1,"$hex:61":2}', 'line 1, column 1: the key "$hex:61" is there twice'],
    ['{"$hex:ff":1,"$hex:FF":2}', 'line 1, column 1: the key "$hex:FF" is there twice'],
    ['[{"$x":1}]', 'line 1, column 2: the key "$x" begins with `$`'],
    ['{"$hex:0":1}', 'line 1, column 1: the key "$hex:0" begins with `$`'],
    ['{"$int":"05"}', '`05` is no whole number in its shortest decimal form'],
    ['{"$int":"-0"}', '`-0` is no whole number'],
    ['{"$int":5}', '`$int` needs a string'],
    ['{"$hex":"0"}', 'the string of `$hex` is no hex'],
    ['{"$base64":"A"}', 'the string of `$base64` is no base64'],
    ['{"$base64":"AA=A"}', 'the string of `$base64` is no base64'],
    ['{"$base64":"AB=="}', 'the string of `$base64` is no base64'],
    ['{"$hex":"00","a":1}', 'an object with `$hex` must have no other key'],
    ['{"a":1,"$hex":"00"}', 'the key "$hex" begins with `$`'],
  ])('%s is refused with its place', (json, sentence) => {
    expect(() => parseJson(json)).toThrow(ProtocolError);
    expect(() => parseJson(json)).toThrow(sentence);
    expect(() => parseJson(json)).toThrow(/^JSON at line \d+, column \d+: /);
  });

  test('text that is not UTF-8', () => {
    expect(() => parseJson(bytes('["a",\n"\xff"]'))).toThrow(
      'line 2, column 2: the text is not UTF-8',
    );
  });
  test('values without bencode', () => {
    for (const value of [
      undefined,
      null,
      true,
      1.5,
      2 ** 53,
      Symbol('x'),
      { a: [null] },
      '\ud800',
    ]) {
      expect(() => fromJson(value)).toThrow(ProtocolError);
    }
  });
});

describe('properties', () => {
  test('decode | encode gives the same bytes', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        const encoded = encode(value);
        const node = decode(encoded);
        const compact = formatJson(node);
        const json: unknown = JSON.parse(compact);
        expect(latin1(encode(parseJson(compact)))).toBe(latin1(encoded));
        expect(latin1(encode(parseJson(formatJson(node, { indent: 2 }))))).toBe(latin1(encoded));
        expect(toJson(node)).toEqual(json);
        expect(latin1(encode(fromJson(json)))).toBe(latin1(encoded));
      }),
      { numRuns: 500 },
    );
  });
  test('any JSON is encoded or refused', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 3 }), (json) => {
        try {
          expect(decode(encode(parseJson(json)), { strict: true }).end).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      }),
    );
  });
  test('what JSON.parse refuses is refused', () => {
    const soup = fc.array(fc.constantFrom(...Array.from('[]{}",:0-1\\a \n')), { maxLength: 12 });
    fc.assert(
      fc.property(soup, (characters) => {
        const text = characters.join('');
        try {
          parseJson(text);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
          return;
        }
        JSON.parse(text);
      }),
      { numRuns: 3000 },
    );
  });
});

test('a million nested lists, there and back', () => {
  const levels = 1_000_000;
  const node = decode(bytes('l'.repeat(levels) + 'e'.repeat(levels)), { maxDepth: levels });
  const text = formatJson(node);
  expect(text.length).toBe(2 * levels);
  expect(encode(parseJson(text)).length).toBe(2 * levels);
  expect(encode(fromJson(toJson(node))).length).toBe(2 * levels);
});
