import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatBytes, encodeUtf8 } from '../../../src/base/bytes.ts';
import { readUrlData } from '../../../src/tracker/server/url-data.ts';
import { encodeUrlData } from '../../../src/tracker/udp/codec.ts';
import { hex, prefixes } from '../samples.ts';

describe('options (BEP 41)', () => {
  test('the example of the BEP', () => {
    const options = concatBytes(hex('02 0c'), encodeUtf8('/dir?a=b&c=d'));
    expect(readUrlData(options, 0)).toBe('/dir?a=b&c=d');
  });

  test('what our own client sends, of any length', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 700 }), fc.nat(5), (target, from) => {
        const text = target.replace(/[\ud800-\udfff]/g, '');
        const options = concatBytes(new Uint8Array(from), encodeUrlData(text));
        expect(readUrlData(options, from)).toBe(text);
      }),
    );
  });

  test.each([
    ['nothing', '', ''],
    ['no data', '02 00', ''],
    ['NOPs before and between', '01 01 02 01 61 01 02 01 62 01', 'ab'],
    ['unknown options are skipped', '07 03 02 01 63 02 01 61', 'a'],
    ['the end ends', '02 01 61 00 02 01 62', 'a'],
    ['a length that is missing', '02 01 61 02', 'a'],
    ['a length beyond the packet', '02 01 61 02 05 62', 'a'],
    ['an unknown option that is cut', '09 ff 02 01 61', ''],
  ])('%s', (_, options, target) => {
    expect(readUrlData(hex(options), 0)).toBe(target);
  });

  test('any bytes, and every prefix of them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const whole = readUrlData(bytes, 0);
        for (const prefix of prefixes(bytes)) {
          expect(readUrlData(prefix, 0).length).toBeLessThanOrEqual(bytes.length);
        }
        expect(readUrlData(bytes, bytes.length)).toBe('');
        expect(whole.length).toBeLessThanOrEqual(bytes.length);
      }),
    );
  });
});
