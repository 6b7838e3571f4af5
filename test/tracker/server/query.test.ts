import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { percentEncode } from '../../../src/tracker/http/codec.ts';
import {
  MALFORMED,
  MAX_PARAMETERS,
  TOO_LONG,
  TrackerQuery,
} from '../../../src/tracker/server/query.ts';

const query = new TrackerQuery();
const room = new Uint8Array(20);
const twenty = fc.uint8Array({ minLength: 20, maxLength: 20 });

describe('bytes', () => {
  test('survive their escapes, whatever they are and wherever they stand', () => {
    fc.assert(
      fc.property(twenty, twenty, fc.boolean(), (hash, id, swap) => {
        const pairs = [`info_hash=${percentEncode(hash)}`, `peer_id=${percentEncode(id)}`];
        query.read(`/announce?x=1&${(swap ? pairs.toReversed() : pairs).join('&')}&y`);
        expect(query.infoHash(0, room)).toBe(20);
        expect(room).toEqual(hash);
        expect(query.bytes('peer_id', room)).toBe(20);
        expect(room).toEqual(id);
      }),
    );
  });

  test('every byte may be escaped, in either case, and a plus is a plus', () => {
    query.read('/?info_hash=%2B+%c3%C3%e9%E9aZ');
    expect(query.infoHash(0, room)).toBe(8);
    expect(room.subarray(0, 8)).toEqual(
      Uint8Array.of(0x2b, 0x2b, 0xc3, 0xc3, 0xe9, 0xe9, 0x61, 0x5a),
    );
  });

  test.each(['%', '%4', '%4&x=41', '%g1', '%1g', '%%41', '%:0', '%@0', 'a%', '\u0100', '%-1'])(
    '%j is broken',
    (value) => {
      query.read(`/?info_hash=${value}`);
      expect(query.infoHash(0, room)).toBe(MALFORMED);
    },
  );

  test('one byte more than there is room for is too long', () => {
    query.read(`/?info_hash=${'a'.repeat(20)}&peer_id=${'%41'.repeat(21)}`);
    expect(query.infoHash(0, room)).toBe(20);
    expect(query.bytes('peer_id', room)).toBe(TOO_LONG);
  });
});

describe('parameters', () => {
  test('of a parameter that is repeated the first counts; each infohash counts', () => {
    query.read('/scrape?port=1&port=2&info_hash=a&info_hash=bc');
    expect(query.text('port')).toBe('1');
    expect(query.infoHashCount).toBe(2);
    expect([query.infoHash(0, room), query.infoHash(1, room)]).toEqual([1, 2]);
  });

  test('missing, empty, and without an equals sign', () => {
    query.read('/announce?event=&left');
    expect([query.has('event'), query.has('left'), query.has('port')]).toEqual([true, true, false]);
    expect([query.text('event'), query.text('left'), query.text('port')]).toEqual([
      '',
      '',
      undefined,
    ]);
  });

  test('nothing is left of the query before', () => {
    query.read('/announce?port=1&info_hash=a');
    query.read('/scrape');
    expect([query.has('port'), query.infoHashCount, query.path]).toEqual([false, 0, '/scrape']);
  });

  test('names must fit wholly, and long ones are skipped', () => {
    query.read(`/?xport=1&portx=2&${'port'.repeat(5000)}=3&PORT=4&port=5`);
    expect(query.text('port')).toBe('5');
  });

  test('text is unescaped, long text is none', () => {
    query.read(`/?ip=%5B::1%5d:80&passkey=${'k'.repeat(129)}&event=${'e'.repeat(128)}`);
    expect(query.text('ip')).toBe('[::1]:80');
    expect(query.text('passkey')).toBeUndefined();
    expect(query.text('event')).toHaveLength(128);
  });

  test('as many as the limit are read, one more is not', () => {
    const some = 'a=1&'.repeat(MAX_PARAMETERS - 1);
    expect(query.read(`/?${some}port=1`)).toBe(true);
    expect(query.read(`/?${some}port=1&b`)).toBe(false);
  });
});

test('whatever it is, it is read without a throw, and as the platform reads it', () => {
  const text = fc.string({
    unit: fc.constantFrom('%', '&', '=', '?', '/', 'a', '4', 'port', 'ip', 'é', '%41', '+'),
    maxLength: 40,
  });
  fc.assert(
    fc.property(text, (target) => {
      query.read(target);
      expect(query.path).toBe(target.split('?', 1)[0]);
      const mark = target.indexOf('?');
      const search = mark < 0 ? '' : target.slice(mark + 1);
      const pairs = search.split('&').map((pair) => pair.split('=', 1)[0]);
      expect(query.has('port')).toBe(pairs.includes('port'));
      const length = query.bytes('ip', room);
      expect(length).toBeGreaterThanOrEqual(TOO_LONG);
      expect(length).toBeLessThanOrEqual(20);
    }),
    { numRuns: 1000 },
  );
});
