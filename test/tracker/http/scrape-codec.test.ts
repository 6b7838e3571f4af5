import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../../../src/base/errors.ts';
import { InfoHash } from '../../../src/base/ids.ts';
import { type BencodeInput, encode } from '../../../src/bencode/index.ts';
import { decodeScrape, encodeScrape } from '../../../src/tracker/http/codec.ts';
import { hex, INFO_HASH, prefixes } from '../samples.ts';

const ESCAPED = '%00%20%25%26%2B-.%2F9%3AAZ_az~%7F%80%FE%FF';
const OTHER = new InfoHash(new Uint8Array(20).fill(0x78));

describe('the query (BEP 48)', () => {
  test('the key is repeated, the own query kept', () => {
    expect(encodeScrape('/scrape', [INFO_HASH])).toBe(`/scrape?info_hash=${ESCAPED}`);
    expect(encodeScrape('/scrape?passkey=x', [INFO_HASH, OTHER])).toBe(
      `/scrape?passkey=x&info_hash=${ESCAPED}&info_hash=${'x'.repeat(20)}`,
    );
  });

  test('a v2 infohash is cut to 20 bytes (BEP 52)', () => {
    const long = new InfoHash(new Uint8Array(32).fill(0x78));
    expect(encodeScrape('/scrape', [long])).toBe(`/scrape?info_hash=${'x'.repeat(20)}`);
  });
});

const FIGURES = { complete: 11, downloaded: 13_772, incomplete: 19 };

function files(...entries: readonly (readonly [Uint8Array, BencodeInput])[]): BencodeInput {
  return { files: new Map(entries) };
}

describe('answers', () => {
  test('the example of the BEP', () => {
    const body =
      'd5:filesd20:xxxxxxxxxxxxxxxxxxxxd8:completei11e10:downloadedi13772e10:incompletei19ee' +
      '20:yyyyyyyyyyyyyyyyyyyyd8:completei21e10:downloadedi206e10:incompletei20eeee';
    expect(decodeScrape(new TextEncoder().encode(body))).toEqual({
      type: 'scrape',
      swarms: new Map([
        ['78'.repeat(20), { seeders: 11, completed: 13_772, leechers: 19 }],
        ['79'.repeat(20), { seeders: 21, completed: 206, leechers: 20 }],
      ]),
    });
  });

  test('downloaders (BEP 21), flags, and bytes of every value in a key', () => {
    const entry = { ...FIGURES, downloaders: 4, name: 'x' };
    const body = encode({
      files: new Map([[INFO_HASH.bytes, entry]]),
      flags: { min_request_interval: 300 },
    });
    expect(decodeScrape(body)).toEqual({
      type: 'scrape',
      swarms: new Map([
        [INFO_HASH.hex, { seeders: 11, completed: 13_772, leechers: 19, downloaders: 4 }],
      ]),
      minRequestIntervalSeconds: 300,
    });
  });

  test('what is missing, negative or no number is absent; keys of another length are left out', () => {
    const body = encode(
      files([INFO_HASH.bytes, { complete: -1, downloaded: 'many' }], [hex('0102'), FIGURES]),
    );
    expect(decodeScrape(body)).toEqual({
      type: 'scrape',
      swarms: new Map([[INFO_HASH.hex, {}]]),
    });
  });

  test('a key that is the UTF-8 of 20 bytes, as npm’s bittorrent-tracker writes it', () => {
    const key = new Uint8Array(Buffer.from(Buffer.from(INFO_HASH.bytes).toString('latin1')));
    expect(key.length).toBeGreaterThan(20);
    expect(decodeScrape(encode(files([key, FIGURES])))).toEqual({
      type: 'scrape',
      swarms: new Map([[INFO_HASH.hex, { seeders: 11, leechers: 19, completed: 13_772 }]]),
    });
    const wider = new Uint8Array(Buffer.from('\u0178'.repeat(20)));
    const none = { type: 'scrape', swarms: new Map() };
    expect(decodeScrape(encode(files([wider, FIGURES])))).toEqual(none);
  });

  test('no torrents', () => {
    expect(decodeScrape(encode(files()))).toEqual({ type: 'scrape', swarms: new Map() });
  });

  test('a failure, and when to ask again (BEP 31)', () => {
    const body = encode({ 'failure reason': 'full\nscrape', 'retry in': 5, files: {} });
    expect(decodeScrape(body)).toEqual({
      type: 'failure',
      reason: 'full scrape',
      retryInSeconds: 300,
    });
  });

  test.each([
    ['a list', encode([])],
    ['no files', encode({ interval: 1800, peers: '' })],
    ['files that are a string', encode({ files: 'x' })],
    ['a torrent that is a number', encode(files([INFO_HASH.bytes, 1]))],
  ])('%s is refused', (_, body) => {
    expect(() => decodeScrape(body)).toThrow(ProtocolError);
  });

  test('every prefix is refused', () => {
    const body = encode(files([INFO_HASH.bytes, FIGURES], [OTHER.bytes, FIGURES]));
    for (const prefix of prefixes(body)) expect(() => decodeScrape(prefix)).toThrow(ProtocolError);
  });

  test('arbitrary bytes and arbitrary values: an answer or a ProtocolError', () => {
    const values = fc
      .dictionary(
        fc.constantFrom('files', 'flags', 'failure reason', 'retry in', 'x'),
        fc.oneof(fc.integer(), fc.string(), fc.constant(FIGURES), fc.constant({ x: FIGURES })),
      )
      .map((value) => encode(value));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), values), (bytes) => {
        try {
          expect(['failure', 'scrape']).toContain(decodeScrape(bytes).type);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('figures come back', () => {
    const number = fc.nat();
    const entry = fc.record({ complete: number, incomplete: number, downloaded: number });
    const hash = fc.uint8Array({ minLength: 20, maxLength: 20 });
    const swarms = fc.uniqueArray(fc.tuple(hash, entry), {
      selector: ([bytes]) => Buffer.from(bytes).toString('hex'),
    });
    fc.assert(
      fc.property(swarms, (entries) => {
        const expected = entries.map(
          ([bytes, { complete, incomplete, downloaded }]) =>
            [
              Buffer.from(bytes).toString('hex'),
              { seeders: complete, leechers: incomplete, completed: downloaded },
            ] as const,
        );
        expect(decodeScrape(encode(files(...entries)))).toEqual({
          type: 'scrape',
          swarms: new Map(expected),
        });
      }),
    );
  });
});
