import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeUtf8 } from '../../../src/base/bytes.ts';
import { ProtocolError } from '../../../src/base/errors.ts';
import { type BencodeInput, encode } from '../../../src/bencode/index.ts';
import { decodeAnnounce, encodeAnnounce, percentEncode } from '../../../src/tracker/http/codec.ts';
import { hex, prefixes, REQUEST } from '../samples.ts';

const OWN =
  'info_hash=%00%20%25%26%2B-.%2F9%3AAZ_az~%7F%80%FE%FF&peer_id=-BP0100-abcdefghijkl' +
  '&port=6881&uploaded=3&downloaded=2&left=1&compact=1';

describe('the query (BEP 3, 23)', () => {
  test('raw bytes exactly: only unreserved characters stand for themselves', () => {
    const every = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    const text = percentEncode(every);
    expect(text.replace(/%[0-9A-F]{2}/g, '')).toBe(
      '-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~',
    );
    const back = [...text.matchAll(/%([0-9A-F]{2})|(.)/g)].map(([, digits, character]) =>
      digits === undefined ? (character ?? '').charCodeAt(0) : Number.parseInt(digits, 16),
    );
    expect(new Uint8Array(back)).toEqual(every);
  });

  test('the tracker’s own query is kept', () => {
    const { key: _, ...bare } = REQUEST;
    expect(encodeAnnounce('/announce', bare, undefined)).toBe(`/announce?${OWN}`);
    expect(encodeAnnounce('/a?passkey=x', bare, undefined)).toBe(`/a?passkey=x&${OWN}`);
    expect(encodeAnnounce('/a?', bare, undefined)).toBe(`/a?${OWN}`);
    expect(encodeAnnounce('/a?b&', bare, undefined)).toBe(`/a?b&${OWN}`);
    expect(encodeAnnounce('', bare, undefined)).toBe(`/?${OWN}`);
  });

  test('what is optional', () => {
    const full = { ...REQUEST, numWant: 0, event: 'stopped', ip: '2001:db8::1' } as const;
    expect(encodeAnnounce('/a', full, Uint8Array.of(0x41, 0, 0xff))).toBe(
      `/a?${OWN}&numwant=0&key=0A0B0C0D&event=stopped&ip=2001%3Adb8%3A%3A1&trackerid=A%00%FF`,
    );
  });
});

function answer(fields: Record<string, BencodeInput>): ReturnType<typeof decodeAnnounce> {
  return decodeAnnounce(encode(fields));
}

describe('answers', () => {
  test('compact peers of both families (BEP 23, BEP 7) and everything else', () => {
    expect(
      answer({
        interval: 1800,
        'min interval': 900,
        complete: 5,
        incomplete: 7,
        peers: hex('0a000001 1ae1 0a000002 0000'),
        peers6: hex('20010db8000000000000000000000001 1ae1'),
        'external ip': hex('01020304'),
        'warning message': 'be quick',
        'tracker id': hex('00ff'),
      }),
    ).toEqual({
      type: 'announce',
      intervalSeconds: 1800,
      minIntervalSeconds: 900,
      seeders: 5,
      leechers: 7,
      peers: [
        { host: '10.0.0.1', port: 6881 },
        { host: '2001:db8::1', port: 6881 },
      ],
      externalIp: '1.2.3.4',
      warning: 'be quick',
      trackerId: hex('00ff'),
    });
  });

  test('dictionary peers; names stay, what is unusable is left out', () => {
    const good = { ip: '10.0.0.1', port: 6881, 'peer id': REQUEST.peerId.bytes };
    expect(
      answer({
        interval: 60,
        peers: [
          good,
          { ip: '2001:DB8:0::1', port: 1 },
          { ip: 'peer.example', port: 2 },
          { ip: '10.0.0.1' },
          { port: 6881 },
          { ip: '10.0.0.1', port: -1 },
          { ip: '10.0.0.1', port: 65_536 },
          { ip: '10.0.0.1', port: 0 },
          { ip: 'a b', port: 1 },
          { ip: '../x', port: 1 },
          'no dictionary',
        ],
      }),
    ).toMatchObject({
      peers: [
        { host: '10.0.0.1', port: 6881 },
        { host: '2001:db8::1', port: 1 },
        { host: 'peer.example', port: 2 },
      ],
    });
  });

  test('no usable entry at all is refused', () => {
    expect(() => answer({ peers: [{ ip: '10.0.0.1' }] })).toThrow(ProtocolError);
    expect(answer({ peers: [] })).toMatchObject({ peers: [] });
  });

  test.each([
    ['peers', 5],
    ['peers', 7],
    ['peers6', 17],
    ['peers6', 19],
  ] as const)('%s of %i bytes are refused', (key, length) => {
    expect(() => answer({ interval: 60, [key]: new Uint8Array(length) })).toThrow(ProtocolError);
  });

  test('peers of the wrong type are refused', () => {
    expect(() => answer({ peers: 1 })).toThrow('neither a string nor a list');
    expect(() => answer({ peers6: [] })).toThrow('`peers6` is no string');
  });

  test('what a tracker leaves out or gets wrong has a default or is absent', () => {
    expect(answer({})).toEqual({ type: 'announce', intervalSeconds: 1800, peers: [] });
    expect(
      answer({ interval: -1, 'min interval': 'x', complete: 2n ** 70n, 'external ip': 'abc' }),
    ).toEqual({ type: 'announce', intervalSeconds: 1800, peers: [] });
  });

  test.each([
    ['01020304', '1.2.3.4'],
    ['20010db8000000000000000000000001', '2001:db8::1'],
  ])('external ip of bytes %s (BEP 24)', (bytes, text) => {
    expect(answer({ 'external ip': hex(bytes) })).toMatchObject({ externalIp: text });
  });

  test('external ip as text', () => {
    expect(answer({ 'external ip': '10.20.30.40' })).toMatchObject({ externalIp: '10.20.30.40' });
  });

  test('a failure wins over all else', () => {
    expect(answer({ 'failure reason': 'no', interval: 1, peers: 5 })).toEqual({
      type: 'failure',
      reason: 'no',
    });
  });

  test.each([
    [5, 300],
    ['5', 300],
    ['never', 'never'],
    [0, 0],
  ] as const)('retry in %j (BEP 31)', (value, seconds) => {
    expect(answer({ 'failure reason': 'no', 'retry in': value })).toEqual({
      type: 'failure',
      reason: 'no',
      retryInSeconds: seconds,
    });
  });

  test.each([-1, 'soon', '1e9', []])('retry in %j is ignored', (value) => {
    expect(answer({ 'failure reason': 'no', 'retry in': value })).not.toHaveProperty(
      'retryInSeconds',
    );
  });

  test('words are one line without control characters', () => {
    expect(answer({ 'failure reason': ' a\r\n\u001b[2J\u202eb ' })).toMatchObject({
      reason: 'a [2J b',
    });
    expect(answer({ 'failure reason': 'x'.repeat(10_000) })).toMatchObject({
      reason: `${'x'.repeat(500)}…`,
    });
  });

  test.each(['', 'le', 'i1e', '3:abc', '<html>'])('%j is no answer', (text) => {
    expect(() => decodeAnnounce(encodeUtf8(text))).toThrow(ProtocolError);
  });

  test('every prefix of an answer is refused', () => {
    const whole = encode({ interval: 1800, peers: hex('0a0000011ae1'), complete: 1 });
    for (const prefix of prefixes(whole)) {
      expect(() => decodeAnnounce(prefix)).toThrow(ProtocolError);
    }
  });

  test('bytes behind the answer are the web server’s and do not matter', () => {
    const whole = new Uint8Array([...encode({ interval: 9 }), 10, 10]);
    expect(decodeAnnounce(whole)).toMatchObject({ intervalSeconds: 9 });
  });

  test('arbitrary bytes and arbitrary values: an answer or a ProtocolError', () => {
    const keys = fc.constantFrom(
      'failure reason',
      'retry in',
      'interval',
      'min interval',
      'peers',
      'peers6',
      'external ip',
      'tracker id',
      'complete',
    );
    const leaf = fc.oneof(
      fc.bigInt(),
      fc.uint8Array({ maxLength: 40 }),
      fc.string(),
      fc.array(fc.record({ ip: fc.string(), port: fc.integer() }), { maxLength: 3 }),
    );
    const bodies = fc.oneof(
      fc.uint8Array(),
      fc.dictionary(keys, leaf).map((fields) => encode(fields)),
    );
    fc.assert(
      fc.property(bodies, (body) => {
        try {
          expect(['announce', 'failure']).toContain(decodeAnnounce(body).type);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
