import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeUtf8, formatHex } from '../../src/base/bytes.ts';
import { InvariantError, ProtocolError } from '../../src/base/errors.ts';
import {
  decodeAnnounce,
  encodeAnnounce,
  LPD_GROUPS,
  type LpdAnnounce,
  MAX_ANNOUNCE_BYTES,
  MAX_COOKIE_BYTES,
  MAX_INFO_HASHES,
} from '../../src/lpd/codec.ts';

const HASH = '0123456789abcdef0123456789abcdef01234567';
const OTHER = 'ffffffffffffffffffffffffffffffffffffffff';

/** What {@link decodeAnnounce} makes of text. */
function read(text: string): unknown {
  const { infoHashes, ...rest } = decodeAnnounce(encodeUtf8(text));
  return { ...rest, infoHashes: infoHashes.map(formatHex) };
}

const announces = fc.record({
  port: fc.integer({ min: 1, max: 65_535 }),
  infoHashes: fc.uniqueArray(fc.uint8Array({ minLength: 20, maxLength: 20 }), {
    minLength: 1,
    maxLength: MAX_INFO_HASHES,
    selector: formatHex,
  }),
  cookie: fc.option(fc.stringMatching(/^[!-~]([ -~]{0,62}[!-~])?$/), { nil: undefined }),
});
const families = fc.constantFrom(4 as const, 6 as const);

test('an announce is written as BEP 14 has it', () => {
  const announce = { port: 6881, infoHashes: [hash(HASH), hash(OTHER)], cookie: 'b1p' };
  expect(new TextDecoder().decode(encodeAnnounce(announce, 4))).toBe(
    `BT-SEARCH * HTTP/1.1\r\nHost: 239.192.152.143:6771\r\nPort: 6881\r\nInfohash: ${HASH}\r\n` +
      `Infohash: ${OTHER}\r\ncookie: b1p\r\n\r\n\r\n`,
  );
  expect(new TextDecoder().decode(encodeAnnounce({ ...announce, cookie: undefined }, 6))).toBe(
    `BT-SEARCH * HTTP/1.1\r\nHost: [ff15::efc0:988f]:6771\r\nPort: 6881\r\nInfohash: ${HASH}\r\n` +
      `Infohash: ${OTHER}\r\n\r\n\r\n`,
  );
});

test('what is written is read as it was', () => {
  fc.assert(
    fc.property(announces, families, (announce, family) => {
      const { host, port } = LPD_GROUPS[family];
      const name = family === 6 ? `[${host}]:${port}` : `${host}:${port}`;
      const bytes = encodeAnnounce(announce, family);
      expect(decodeAnnounce(bytes)).toEqual({ ...announce, host: name });
      expect(bytes.length).toBeLessThanOrEqual(1_400);
    }),
  );
});

test('the longest announce fits into a datagram, and a longer one is not written', () => {
  const infoHashes = Array.from({ length: MAX_INFO_HASHES }, (_, at) =>
    new Uint8Array(20).fill(at),
  );
  const cookie = 'c'.repeat(MAX_COOKIE_BYTES);
  const bytes = encodeAnnounce({ port: 65_535, infoHashes, cookie }, 6);
  expect(bytes.length).toBeLessThanOrEqual(1_400);
  // There is no room for one more.
  expect(bytes.length + 52).toBeGreaterThan(1_400);
  const more = [...infoHashes, new Uint8Array(20).fill(99)];
  const refused: readonly Omit<LpdAnnounce, 'host'>[] = [
    { port: 1, infoHashes: more, cookie: undefined },
    { port: 1, infoHashes: [], cookie: undefined },
    { port: 1, infoHashes, cookie: `${cookie}c` },
    { port: 1, infoHashes, cookie: 'a\r\nPort: 2' },
    { port: 1, infoHashes, cookie: ' a' },
  ];
  for (const announce of refused) {
    expect(() => encodeAnnounce(announce, 4)).toThrow(InvariantError);
  }
});

test('every prefix of an announce is read as far as it goes, or refused', () => {
  fc.assert(
    fc.property(announces, families, (announce, family) => {
      const bytes = encodeAnnounce(announce, family);
      const all = new Set(announce.infoHashes.map(formatHex));
      for (let length = 0; length < bytes.length; length++) {
        const got = attempt(bytes.subarray(0, length));
        if (got === undefined) continue;
        if (got.port !== announce.port) expect.fail(`port ${got.port} at ${length}`);
        expect(got.infoHashes.every((infoHash) => all.has(formatHex(infoHash)))).toBe(true);
      }
      expect(attempt(bytes.subarray(0, 20))).toBeUndefined();
    }),
    { numRuns: 20 },
  );
});

test('arbitrary bytes are an announce or a ProtocolError', () => {
  const header = fc.constantFrom('BT-SEARCH * HTTP/1.1\r\n', 'bt-search * http/1.0\n', '');
  const piece = fc.oneof(
    fc.constantFrom('Port: ', 'Infohash: ', 'cookie:', HASH, '\r\n', '\n', ':', '65535', '0'),
    fc.string({ unit: 'binary', maxLength: 20 }),
  );
  fc.assert(
    fc.property(header, fc.array(piece, { maxLength: 40 }), (first, pieces) => {
      check(attempt(encodeUtf8(first + pieces.join(''))));
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      check(attempt(bytes));
    }),
  );
});

describe('read all the same', () => {
  const expected = { host: undefined, port: 6881, cookie: undefined, infoHashes: [HASH] };
  test.each<[string, string, object?]>([
    ['names in any case', `bt-search * http/1.1\r\nPORT: 6881\r\nINFOHASH: ${HASH}\r\n\r\n`],
    ['headers in any order', `BT-SEARCH * HTTP/1.1\r\nInfohash: ${HASH}\r\nPort: 6881\r\n\r\n`],
    ['lines that end in LF', `BT-SEARCH * HTTP/1.1\nPort: 6881\nInfohash: ${HASH}\n\n`],
    ['no empty line at the end', `BT-SEARCH * HTTP/1.1\r\nPort: 6881\r\nInfohash: ${HASH}`],
    ['HTTP/1.0', `BT-SEARCH * HTTP/1.0\r\nPort: 6881\r\nInfohash: ${HASH}\r\n\r\n`],
    ['spaces', `BT-SEARCH   *  HTTP/1.1 \r\nPort  :6881  \r\nInfohash:${HASH}\r\n`],
    ['empty lines in front', `\r\n\r\nBT-SEARCH * HTTP/1.1\r\nPort: 6881\r\nInfohash: ${HASH}\r\n`],
    [
      'upper-case digits',
      `BT-SEARCH * HTTP/1.1\r\nPort: 6881\r\nInfohash: ${HASH.toUpperCase()}\r\n`,
    ],
    [
      'headers and lines that nobody knows',
      `BT-SEARCH * HTTP/1.1\r\nX-New: 1\r\nrubbish\r\n: x\r\nPort: 6881\r\nInfohash: ${HASH}\r\n`,
    ],
    [
      'an infohash that is none beside one',
      `BT-SEARCH * HTTP/1.1\r\nPort: 6881\r\nInfohash: 12\r\nInfohash: ${HASH}\r\n`,
    ],
    [
      'an infohash twice',
      `BT-SEARCH * HTTP/1.1\r\nPort: 6881\r\nInfohash: ${HASH}\r\nInfohash: ${HASH}\r\n`,
    ],
    ['a port twice', `BT-SEARCH * HTTP/1.1\nPort: 6881\nPort: 6881\nInfohash: ${HASH}\n`],
    [
      'infohashes in one header',
      `BT-SEARCH * HTTP/1.1\r\nPort: 6881\r\nInfohash: ${HASH}, ${OTHER}\r\n`,
      { infoHashes: [HASH, OTHER] },
    ],
    [
      'what follows the empty line does not count',
      `BT-SEARCH * HTTP/1.1\r\nPort: 6881\r\nInfohash: ${HASH}\r\n\r\nPort: 1\r\nInfohash: ${OTHER}`,
    ],
    [
      'a cookie that is too long does not count',
      `BT-SEARCH * HTTP/1.1\r\nPort: 6881\r\nInfohash: ${HASH}\r\ncookie: ${'c'.repeat(65)}\r\n`,
    ],
    [
      'host and cookie',
      `BT-SEARCH * HTTP/1.1\nHost: 239.192.152.143:6771\nPort: 6881\nInfohash: ${HASH}\nCookie: 1 a\n`,
      { host: '239.192.152.143:6771', cookie: '1 a' },
    ],
  ])('%s', (_, text, more) => {
    expect(read(text)).toEqual({ ...expected, ...more });
  });
});

describe('refused', () => {
  test.each<[string, string, string]>([
    ['nothing', '', 'request'],
    ['a search of UPnP', 'M-SEARCH * HTTP/1.1\r\nHost: 239.255.255.250:1900\r\n\r\n', 'request'],
    ['another version', `BT-SEARCH * HTTP/2\r\nPort: 1\r\nInfohash: ${HASH}\r\n`, 'request'],
    ['no port', `BT-SEARCH * HTTP/1.1\r\nInfohash: ${HASH}\r\n`, 'Port'],
    ['port 0', `BT-SEARCH * HTTP/1.1\r\nPort: 0\r\nInfohash: ${HASH}\r\n`, 'Port'],
    ['port 65536', `BT-SEARCH * HTTP/1.1\r\nPort: 65536\r\nInfohash: ${HASH}\r\n`, 'Port'],
    ['a port in words', `BT-SEARCH * HTTP/1.1\r\nPort: 0x10\r\nInfohash: ${HASH}\r\n`, 'Port'],
    ['two ports', `BT-SEARCH * HTTP/1.1\nPort: 1\nPort: 2\nInfohash: ${HASH}\n`, 'Port'],
    ['no infohash', 'BT-SEARCH * HTTP/1.1\r\nPort: 1\r\n\r\n', 'Infohash'],
    ['half an infohash', `BT-SEARCH * HTTP/1.1\nPort: 1\nInfohash: ${HASH.slice(1)}\n`, 'Infohash'],
    ['no hex', `BT-SEARCH * HTTP/1.1\nPort: 1\nInfohash: ${HASH.slice(1)}g\n`, 'Infohash'],
    [
      'v2 in full',
      `BT-SEARCH * HTTP/1.1\nPort: 1\nInfohash: ${HASH}${HASH.slice(16)}\n`,
      'Infohash',
    ],
  ])('%s', (_, text, part) => {
    expect(() => read(text)).toThrow(ProtocolError);
    expect(() => read(text)).toThrow(expect.objectContaining({ rule: `BEP 14 ${part}` }));
  });

  test('what is longer than the limit, and not what is as long', () => {
    const start = `BT-SEARCH * HTTP/1.1\r\nPort: 1\r\nInfohash: ${HASH}\r\nX: `;
    const full = start + 'x'.repeat(MAX_ANNOUNCE_BYTES - start.length);
    expect(read(full)).toMatchObject({ port: 1 });
    expect(() => read(`${full}x`)).toThrow(expect.objectContaining({ rule: 'BEP 14 length' }));
  });
});

function attempt(bytes: Uint8Array): LpdAnnounce | undefined {
  try {
    return decodeAnnounce(bytes);
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

function check(announce: LpdAnnounce | undefined): void {
  if (announce === undefined) return;
  expect(announce.port).toBeGreaterThan(0);
  expect(announce.port).toBeLessThan(65_536);
  expect(announce.infoHashes.length).toBeGreaterThan(0);
  for (const infoHash of announce.infoHashes) expect(infoHash.length).toBe(20);
}

function hash(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'));
}
