import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatBase32 } from '../../../src/base/base32.ts';
import { formatHex } from '../../../src/base/bytes.ts';
import { ProtocolError } from '../../../src/base/errors.ts';
import { parseAllowList, parseDenyList, parsePasskeys } from '../../../src/tracker/server/lists.ts';

const HASH = Uint8Array.from({ length: 20 }, (_, at) => 3 * at + 1);
const HEX = formatHex(HASH);

describe('infohashes', () => {
  test('in every form, with comments, blank lines and ends of lines of any system', () => {
    const set = parseAllowList(
      [
        '\uFEFF# our torrents',
        '',
        HEX,
        `  ${'aB'.repeat(20)}\t# a name\r`,
        `${'cd'.repeat(32)}\r`,
        formatBase32(Uint8Array.from(HASH, (byte) => byte + 1)).toLowerCase(),
        '   ',
      ].join('\n'),
    );
    expect([...set].map(formatHex).toSorted()).toEqual(
      [
        HEX,
        'ab'.repeat(20),
        'cd'.repeat(20),
        formatHex(Uint8Array.from(HASH, (byte) => byte + 1)),
      ].toSorted(),
    );
  });

  test('a list of nothing allows nothing', () => {
    expect(parseAllowList('# none\n').size).toBe(0);
  });

  test.each([
    ['a name', 'ubuntu.iso'],
    ['39 digits', 'a'.repeat(39)],
    ['41 digits', 'a'.repeat(41)],
    ['no hex', 'g'.repeat(40)],
    ['two of them', `${HEX} ${HEX}`],
    ['an address', '192.0.2.1'],
  ])('%s is refused with its line', (_, line) => {
    const parse = (): unknown => parseAllowList(`${HEX}\n# fine\n${line}\n${HEX}`);
    expect(parse).toThrow(ProtocolError);
    expect(parse).toThrow(/^line 3, .* is not an infohash$/);
  });

  test('a long line is not repeated as a whole', () => {
    expect(() => parseAllowList('x'.repeat(1000))).toThrow(
      /^line 1, "x{80}…", is not an infohash$/,
    );
  });
});

describe('denials', () => {
  test('infohashes, addresses and networks in one list', () => {
    const { infoHashes, networks } = parseDenyList(
      `${HEX} # bad\n192.0.2.1\n10.0.0.0/8\n2001:db8::/32 # them\n`,
    );
    expect([...infoHashes].map(formatHex)).toEqual([HEX]);
    expect(networks.size).toBe(3);
    expect(networks.has(Uint8Array.of(10, 9, 8, 7))).toBe(true);
    expect(networks.has(Uint8Array.of(192, 0, 2, 2))).toBe(false);
  });

  test('anything else is refused with its line', () => {
    expect(() => parseDenyList('10.0.0.0/8\n10.0.0.0/64')).toThrow(
      'line 2, "10.0.0.0/64", is not an infohash, an address or a network',
    );
  });
});

describe('passkeys', () => {
  test('one a line, with a name behind it', () => {
    const keys = parsePasskeys(
      `${'k'.repeat(16)} alice\n#\n${'A-_9'.repeat(32)}\tbob the second\n`,
    );
    expect([...keys]).toEqual(['k'.repeat(16), 'A-_9'.repeat(32)]);
  });

  test.each([
    ['too short', 'k'.repeat(15)],
    ['too long', 'k'.repeat(129)],
    ['other characters', 'secret/secret/secret'],
    ['letters of other alphabets', 'é'.repeat(16)],
  ])('%s: refused, and the key not told', (_, key) => {
    expect(() => parsePasskeys(`\n${key} eve`)).toThrow(/^line 2 begins with no passkey/);
    expect(() => parsePasskeys(`\n${key} eve`)).not.toThrow(key);
  });
});

test('any text is read or refused, and never anything else', () => {
  const lines = fc.array(
    fc.oneof(fc.string(), fc.constantFrom(HEX, '10.0.0.0/8', '#', 'k'.repeat(20), '\r', '\uFEFF')),
  );
  fc.assert(
    fc.property(lines, (list) => {
      for (const parse of [parseAllowList, parseDenyList, parsePasskeys]) {
        try {
          parse(list.join('\n'));
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      }
    }),
  );
});
