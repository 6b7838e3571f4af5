/** Blocklists in the formats that are around. */

import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeUtf8 } from '../../src/base/bytes.ts';
import { ProtocolError } from '../../src/base/errors.ts';
import { type IpRanges, IpRangesBuilder } from '../../src/base/ip-ranges.ts';
import { type ParsedList, parseBlocklist } from '../../src/blocklist/index.ts';

function read(text: string | Uint8Array): ParsedList & { readonly ranges: IpRanges } {
  const builder = new IpRangesBuilder();
  const bytes = typeof text === 'string' ? encodeUtf8(text) : text;
  const parsed = parseBlocklist(bytes, builder);
  return { ...parsed, ranges: builder.build() };
}

test.each([
  ['Some Company:192.0.2.0-192.0.2.255', '192.0.2.9', '192.0.3.0'],
  ['a: b:c - d: 192.0.2.0 - 192.0.2.255', '192.0.2.255', '192.0.1.255'],
  ['Zeros:010.001.002.000-010.001.002.009', '10.1.2.9', '10.1.2.10'],
  [':10.0.0.1-10.0.0.1', '10.0.0.1', '10.0.0.2'],
  ['192.000.002.000 - 192.000.002.255 , 000 , Some Company, Inc.', '192.0.2.0', '192.0.1.255'],
  ['192.0.2.0-192.0.2.255,127,x', '192.0.2.0', '192.0.1.255'],
  ['192.0.2.0 - 192.0.2.255', '192.0.2.128', '192.0.3.0'],
  ['192.0.2.0/24', '192.0.2.255', '192.0.3.0'],
  ['192.0.2.7', '192.0.2.7', '192.0.2.8'],
  ['192.0.2.0/24 ; SBL123', '192.0.2.1', '192.0.3.0'],
  ['192.0.2.7   # why', '192.0.2.7', '192.0.2.8'],
  ['2001:db8::/32', '2001:db8:ffff::1', '2001:db9::'],
  ['2001:db8::1', '2001:db8::1', '2001:db8::2'],
  ['2001:db8:: - 2001:db8::ff', '2001:db8::ff', '2001:db8::100'],
  ['0.0.0.0/0', '255.255.255.255', '::1'],
])('%j', (line, inside, outside) => {
  for (const text of [line, `${line}\n`, `\uFEFF${line}\r\n`, `# x\n\n${line}`]) {
    const { entries, faults, ranges } = read(text);
    expect({ entries, faults }).toEqual({ entries: 1, faults: 0 });
    expect([ranges.hasHost(inside), ranges.hasHost(outside)]).toEqual([true, false]);
  }
});

test.each(['', '\n\n', '# a list\n; of\n// nothing\n'])('an empty list: %j', (text) => {
  expect(read(text)).toMatchObject({ entries: 0, faults: 0 });
});

test("eMule's levels above 127 are allowed", () => {
  const { entries, faults, ranges } = read(
    '10.0.0.0 - 10.0.0.9 , 128 , friends\n10.0.0.20 - 10.0.0.29 , 100 , others\n',
  );
  expect({ entries, faults, size: ranges.size }).toEqual({ entries: 1, faults: 0, size: 1 });
});

test('all kinds in one file, packed', () => {
  const text =
    'x:10.0.0.0-10.0.0.9\n10.1.0.0/16\n2001:db8::/32\n010.002.000.000 - 010.002.000.255 , 0 , y\n';
  const { entries, ranges } = read(Uint8Array.from(gzipSync(text)));
  expect(entries).toBe(4);
  for (const host of ['10.0.0.5', '10.1.200.1', '2001:db8::7', '10.2.0.200']) {
    expect(ranges.hasHost(host)).toBe(true);
  }
});

describe('what is not understood', () => {
  test('is counted, and passed over as long as most is', () => {
    const text =
      'a:1.2.3.4-1.2.3.5\nwhat?\nb:1.2.3.9-1.2.3.8\nc:1.2.3.300-1.2.3.400\n1.1.1.1\n2.2.2.2';
    const { ranges, ...parsed } = read(text);
    expect(parsed).toEqual({ entries: 3, faults: 3, firstFault: 2 });
    expect(ranges.size).toBe(3);
  });

  test('is refused when it is most of it', () => {
    expect(() => read('<html>\n<body>\n1.2.3.4')).toThrow('most lines are no addresses, line 1');
    expect(() => read(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x50, 0x32, 0x42))).toThrow(
      ProtocolError,
    );
  });

  test.each([
    '1.2.3',
    '1.2.3.4-',
    '-1.2.3.4',
    '1.2.3.4-5.6.7.8-9.9.9.9',
    '1.2.3.4/33',
    '1.2.3.4-::1',
    'x:1.2.3.4',
    'example.org',
  ])('%j', (line) => {
    expect(read(`9.9.9.9\n${line}`)).toMatchObject({ entries: 1, faults: 1, firstFault: 2 });
  });
});

test('long files are read in parts, and no line is lost between them', () => {
  const count = 30_000;
  const lines = Array.from(
    { length: count },
    (_, at) => `${'n'.repeat(at % 50)}:10.${at >>> 8}.${at & 255}.0-10.${at >>> 8}.${at & 255}.9`,
  );
  const { entries, faults, ranges } = read(lines.join('\n'));
  expect({ entries, faults, size: ranges.size }).toEqual({
    entries: count,
    faults: 0,
    size: count,
  });
});

test('lines of 1024 characters are the longest', () => {
  const line = (length: number): string => {
    const end = ':10.0.0.1-10.0.0.2';
    return `9.9.9.9\n${'x'.repeat(length - end.length)}${end}`;
  };
  expect(read(line(1024))).toMatchObject({ entries: 2, faults: 0 });
  expect(read(line(1025))).toMatchObject({ entries: 1, faults: 1 });
});

test('whatever comes is a list or none', () => {
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array(), fc.string().map(encodeUtf8)), (bytes) => {
      try {
        expect(read(bytes).faults).toBeLessThanOrEqual(read(bytes).entries);
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError);
      }
    }),
  );
});
