import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeUtf8, formatHex } from '../../../src/base/bytes.ts';
import { ProtocolError } from '../../../src/base/errors.ts';
import { InfoHash } from '../../../src/base/ids.ts';
import {
  decodeResponse,
  encodeAnnounce,
  encodeConnect,
  encodeUrlData,
  transactionOf,
} from '../../../src/tracker/udp/codec.ts';
import { hex, INFO_HASH, PEER_ID, prefixes, REQUEST } from '../samples.ts';

const IDS = { connection: 0x0102030405060708n, transaction: 0xdeadbeef };

describe('requests (BEP 15)', () => {
  test('connect: magic, action 0, transaction', () => {
    expect(formatHex(encodeConnect(0xdeadbeef))).toBe('0000041727101980' + '00000000' + 'deadbeef');
  });

  test('announce: every field at its place', () => {
    const packet = encodeAnnounce(
      IDS,
      { ...REQUEST, event: 'started', numWant: 50, ip: '1.2.3.4' },
      '',
    );
    expect(formatHex(packet)).toBe(
      [
        '0102030405060708',
        '00000001',
        'deadbeef',
        INFO_HASH.hex,
        PEER_ID.hex,
        '0000000000000002', // downloaded
        '0000000000000001', // left
        '0000000000000003', // uploaded
        '00000002', // started
        '01020304',
        '0a0b0c0d',
        '00000032',
        '1ae1',
      ].join(''),
    );
  });

  test.each([
    ['completed', 1],
    ['started', 2],
    ['stopped', 3],
  ] as const)('event %s is %i', (event, number) => {
    const packet = encodeAnnounce(IDS, { ...REQUEST, event }, '');
    expect(new DataView(packet.buffer).getUint32(80)).toBe(number);
  });

  test('what is left out: no event, any address, as many peers as the tracker likes', () => {
    const { key: _, ...bare } = REQUEST;
    const packet = encodeAnnounce(IDS, bare, '');
    expect(packet.length).toBe(98);
    expect(formatHex(packet.subarray(80, 96))).toBe(
      '00000000' + '00000000' + '00000000' + 'ffffffff',
    );
  });

  test('amounts beyond 32 bits', () => {
    const left = Number.MAX_SAFE_INTEGER;
    const packet = encodeAnnounce(IDS, { ...REQUEST, left }, '');
    expect(new DataView(packet.buffer).getBigUint64(64)).toBe(BigInt(left));
  });

  test('an IPv6 address does not fit and is not sent', () => {
    const packet = encodeAnnounce(IDS, { ...REQUEST, ip: '::1' }, '');
    expect(formatHex(packet.subarray(84, 88))).toBe('00000000');
  });

  test('a v2 infohash is cut to 20 bytes (BEP 52)', () => {
    const infoHash = new InfoHash(Uint8Array.from({ length: 32 }, (_, at) => at));
    const packet = encodeAnnounce(IDS, { ...REQUEST, infoHash }, '');
    expect(packet.subarray(16, 36)).toEqual(infoHash.bytes.subarray(0, 20));
    expect(packet.length).toBe(98);
  });
});

describe('URL data (BEP 41)', () => {
  test('the example of the BEP', () => {
    expect(encodeUrlData('/dir?a=b&c=d')).toEqual(
      new Uint8Array([2, 0x0c, ...encodeUtf8('/dir?a=b&c=d')]),
    );
  });

  test('follows the announce', () => {
    const packet = encodeAnnounce(IDS, REQUEST, '/dir?a=b&c=d');
    expect(packet.length).toBe(98 + 14);
    expect(packet.subarray(98)).toEqual(encodeUrlData('/dir?a=b&c=d'));
  });

  test('options joined again give the target, none is longer than 255 bytes or empty', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 1200 }), (target) => {
        const bytes = encodeUrlData(target);
        const joined: number[] = [];
        for (let at = 0; at < bytes.length; ) {
          expect(bytes[at]).toBe(2);
          const length = bytes[at + 1] ?? 0;
          expect(length).toBeGreaterThan(0);
          joined.push(...bytes.subarray(at + 2, at + 2 + length));
          at += 2 + length;
        }
        expect(new Uint8Array(joined)).toEqual(encodeUtf8(target));
      }),
    );
  });
});

const ANNOUNCED = hex('00000001 deadbeef 00000708 00000003 00000002 0a000001 1ae1 0a000002 1ae2');

describe('answers', () => {
  test('connect', () => {
    expect(decodeResponse(hex('00000000 deadbeef 0102030405060708'), 4)).toEqual({
      action: 'connect',
      ...IDS,
    });
  });

  test('announce over IPv4: 6 bytes a peer', () => {
    expect(decodeResponse(ANNOUNCED, 4)).toEqual({
      action: 'announce',
      transaction: 0xdeadbeef,
      intervalSeconds: 1800,
      leechers: 3,
      seeders: 2,
      peers: [
        { host: '10.0.0.1', port: 6881 },
        { host: '10.0.0.2', port: 6882 },
      ],
    });
  });

  test('announce over IPv6: 18 bytes a peer', () => {
    const bytes = hex(`00000001 deadbeef 00000708 00000003 00000002
      20010db8000000000000000000000001 1ae1`);
    expect(decodeResponse(bytes, 6)).toMatchObject({
      peers: [{ host: '2001:db8::1', port: 6881 }],
    });
  });

  test('an announce of its head alone is a refusal (opentracker)', () => {
    expect(decodeResponse(hex('00000001 deadbeef'), 4)).toEqual({
      action: 'announce-cut',
      transaction: 0xdeadbeef,
    });
  });

  test('error: text, without the zero byte that C adds and without control characters', () => {
    const reason = [...encodeUtf8('no \u001b[31mway'), 0, 0x41];
    const bytes = new Uint8Array([...hex('00000003 deadbeef'), ...reason]);
    expect(decodeResponse(bytes, 4)).toMatchObject({ action: 'error', reason: 'no [31mway' });
  });

  test('a part of a peer is refused', () => {
    expect(() => decodeResponse(ANNOUNCED.subarray(0, -1), 4)).toThrow(ProtocolError);
    expect(() => decodeResponse(ANNOUNCED, 6)).toThrow('its peers take 12 bytes');
  });

  test('an unknown action is refused', () => {
    expect(() => decodeResponse(hex('00000004 deadbeef 00'), 4)).toThrow('unknown action 4');
  });

  test('every prefix is an answer of its own or a ProtocolError', () => {
    const lengths: number[] = [];
    for (const prefix of prefixes(ANNOUNCED)) {
      try {
        decodeResponse(prefix, 4);
        lengths.push(prefix.length);
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError);
      }
    }
    expect(lengths).toEqual([8, 20, 26]);
  });

  test('a view into a larger buffer is read from its own start', () => {
    const buffer = new Uint8Array([9, 9, 9, ...ANNOUNCED, 9]);
    const view = buffer.subarray(3, 3 + ANNOUNCED.length);
    expect(decodeResponse(view, 4)).toEqual(decodeResponse(ANNOUNCED, 4));
    expect(transactionOf(view)).toBe(0xdeadbeef);
  });

  test('arbitrary bytes: an answer or a ProtocolError', () => {
    const head = fc.tuple(fc.constantFrom(0, 1, 2, 3, 4), fc.uint8Array({ maxLength: 80 }));
    const packets = head.map(([action, rest]) => new Uint8Array([0, 0, 0, action, ...rest]));
    fc.assert(
      fc.property(
        fc.oneof(packets, fc.uint8Array({ maxLength: 80 })),
        fc.constantFrom(4 as const, 6 as const),
        (bytes, family) => {
          try {
            expect(decodeResponse(bytes, family).transaction).toBe(transactionOf(bytes));
          } catch (error) {
            expect(error).toBeInstanceOf(ProtocolError);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});
