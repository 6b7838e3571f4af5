import { isIPv4, isIPv6 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatIp, ipFamily, parseIp } from '../../src/base/ip.ts';

const octet = fc.nat(255);
const v4 = fc.tuple(octet, octet, octet, octet).map((parts) => Uint8Array.from(parts));
/** IPv6 with many zero groups, as they are. */
const v6 = fc
  .array(fc.oneof(fc.constant(0), fc.nat(0xffff)), { minLength: 8, maxLength: 8 })
  .map((groups) => Uint8Array.from(groups.flatMap((group) => [group >>> 8, group & 0xff])));

test('round trip of all addresses', () => {
  fc.assert(
    fc.property(fc.oneof(v4, v6), (bytes) => {
      const text = formatIp(bytes);
      expect(parseIp(text)).toEqual(bytes);
      expect(ipFamily(text)).toBe(bytes.length === 4 ? 4 : 6);
    }),
  );
});

test('the text is the one that URLs have', () => {
  fc.assert(
    fc.property(v6, (bytes) => {
      const text = formatIp(bytes);
      fc.pre(!text.startsWith('::ffff:'));
      expect(new URL(`http://[${text}]/`).hostname).toBe(`[${text}]`);
    }),
  );
});

test('takes what the system takes, and nothing else', () => {
  const nearly = fc.oneof(
    fc.ipV6(),
    fc.ipV4(),
    fc.ipV4Extended(),
    fc.stringMatching(/^[0-9a-f:.]{0,30}$/),
    fc.stringMatching(/^(?:[0-9a-f]{0,5}:){0,9}[0-9a-f.]{0,9}$/),
  );
  fc.assert(
    fc.property(nearly, (text) => {
      expect(ipFamily(text)).toBe(isIPv4(text) ? 4 : isIPv6(text) ? 6 : undefined);
    }),
    { numRuns: 2000 },
  );
});

describe('RFC 5952', () => {
  test.each([
    ['2001:0db8:0000:0000:0000:0000:0002:0001', '2001:db8::2:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['::FFFF:192.0.2.1', '::ffff:192.0.2.1'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['2001:DB8::ABCD', '2001:db8::abcd'],
  ])('%s is written %s', (text, canonical) => {
    const bytes = parseIp(text);
    expect(bytes === undefined ? undefined : formatIp(bytes)).toBe(canonical);
  });
});

test.each([
  '',
  'localhost',
  '1.2.3',
  '1.2.3.4.5',
  '01.2.3.4',
  '256.1.1.1',
  '1.2.3.4 ',
  '0x1.2.3.4',
  ':',
  ':::',
  '1:2:3:4:5:6:7',
  '1:2:3:4:5:6:7:8:9',
  '1::2::3',
  '12345::',
  '::1.2.3',
  '::1.2.3.4:1',
  '1.2.3.4::',
  '[::1]',
  'fe80::1%eth0',
  '1:2:3:4:5:6:7::8:9',
])('%j is no address', (text) => {
  expect(parseIp(text)).toBeUndefined();
  expect(ipFamily(text)).toBeUndefined();
});
