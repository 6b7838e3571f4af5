import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../../../src/base/errors.ts';
import {
  decodeMessage,
  encodeAnnounce,
  encodeScrape,
} from '../../../src/tracker/websocket/codec.ts';
import { INFO_HASH, REQUEST } from '../samples.ts';

const HASH = Buffer.from(INFO_HASH.bytes).toString('latin1');

function decoded(message: unknown): ReturnType<typeof decodeMessage> {
  return decodeMessage(JSON.stringify(message));
}

describe('what is sent', () => {
  test('an announce: bytes as Latin-1, no offers', () => {
    const text = encodeAnnounce({ ...REQUEST, event: 'started' }, Uint8Array.of(0x41, 0xff));
    expect(JSON.parse(text)).toEqual({
      action: 'announce',
      info_hash: HASH,
      peer_id: '-BP0100-abcdefghijkl',
      uploaded: 3,
      downloaded: 2,
      left: 1,
      event: 'started',
      numwant: 0,
      offers: [],
      trackerid: 'A\u00ff',
    });
  });

  test('a regular announce has no event', () => {
    expect(JSON.parse(encodeAnnounce(REQUEST, undefined))).not.toHaveProperty('event');
  });

  test('a scrape', () => {
    expect(JSON.parse(encodeScrape([INFO_HASH, INFO_HASH]))).toEqual({
      action: 'scrape',
      info_hash: [HASH, HASH],
    });
  });
});

describe('what comes', () => {
  test('the answer to an announce', () => {
    const message = {
      action: 'announce',
      info_hash: HASH,
      interval: 120,
      'min interval': 60,
      complete: 3,
      incomplete: 4,
      'warning message': 'be\nquick',
      'tracker id': '\u00ff',
    };
    expect(decoded(message)).toEqual({
      type: 'announce',
      infoHash: INFO_HASH.hex,
      intervalSeconds: 120,
      minIntervalSeconds: 60,
      seeders: 3,
      leechers: 4,
      warning: 'be quick',
      trackerId: Uint8Array.of(0xff),
    });
  });

  test('numbers that are none are absent, an interval has a default', () => {
    const message = {
      action: 'announce',
      info_hash: HASH,
      interval: '9',
      complete: -1,
      incomplete: 0.5,
    };
    expect(decoded(message)).toEqual({
      type: 'announce',
      infoHash: INFO_HASH.hex,
      intervalSeconds: 1800,
    });
  });

  test('the answer to a scrape', () => {
    const figures = { complete: 1, incomplete: 2, downloaded: 3, downloaders: 1 };
    const message = {
      action: 'scrape',
      files: { [HASH]: figures, short: figures },
      flags: { min_request_interval: 30 },
    };
    expect(decoded(message)).toEqual({
      type: 'scrape',
      swarms: new Map([[INFO_HASH.hex, { seeders: 1, leechers: 2, completed: 3, downloaders: 1 }]]),
      minRequestIntervalSeconds: 30,
    });
  });

  test('a failure, of a torrent or of all', () => {
    expect(decoded({ 'failure reason': 'no\u0007' })).toEqual({ type: 'failure', reason: 'no' });
    const refused = { action: 'announce', info_hash: HASH, 'failure reason': 'no' };
    expect(decoded(refused)).toEqual({ type: 'failure', infoHash: INFO_HASH.hex, reason: 'no' });
  });

  test.each([
    ['an offer', { action: 'announce', info_hash: HASH, offer: { sdp: '' }, peer_id: HASH }],
    ['an answer', { action: 'announce', info_hash: HASH, answer: {} }],
    ['something else', { action: 'dance' }],
    ['nothing', {}],
  ])('%s is not for us', (_, message) => {
    expect(decoded(message)).toEqual({ type: 'other' });
  });

  test.each([
    ['', 'it is no JSON'],
    ['{"action":', 'it is no JSON'],
    ['[]', 'it is no object'],
    ['null', 'it is no object'],
    ['"x"', 'it is no object'],
    ['{"action":"announce","interval":1}', 'without its `info_hash`'],
    ['{"action":"announce","info_hash":"\u00ff"}', 'without its `info_hash`'],
    ['{"action":"scrape"}', 'without `files`'],
    ['{"action":"scrape","files":[]}', 'without `files`'],
    ['{"action":"scrape","files":{"x":1}}', 'is no object'],
  ])('%j is refused', (text, why) => {
    expect(() => decodeMessage(text)).toThrow(ProtocolError);
    expect(() => decodeMessage(text)).toThrow(why);
  });

  test('characters beyond bytes are no infohash', () => {
    const message = { action: 'announce', info_hash: '\u0178'.repeat(20), interval: 1 };
    expect(() => decoded(message)).toThrow(ProtocolError);
  });

  test('arbitrary text and arbitrary values: a message or a ProtocolError', () => {
    const fields = fc.dictionary(
      fc.constantFrom('action', 'info_hash', 'files', 'flags', 'failure reason', 'interval', 'x'),
      fc.oneof(fc.constantFrom('announce', 'scrape', HASH), fc.jsonValue()),
    );
    const texts = fc.oneof(
      fc.string(),
      fc.json(),
      fields.map((value) => JSON.stringify(value)),
    );
    fc.assert(
      fc.property(texts, (text) => {
        try {
          expect(['failure', 'announce', 'scrape', 'other']).toContain(decodeMessage(text).type);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
