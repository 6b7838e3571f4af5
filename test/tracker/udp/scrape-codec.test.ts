import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../../../src/base/errors.ts';
import { InfoHash } from '../../../src/base/ids.ts';
import { decodeResponse, encodeScrape, MAX_SCRAPED } from '../../../src/tracker/udp/codec.ts';
import { hex, INFO_HASH, prefixes } from '../samples.ts';

const IDS = { connection: 0x0102030405060708n, transaction: 0xdeadbeef };

describe('requests (BEP 15)', () => {
  test('connection, action 2, transaction, infohashes', () => {
    const long = new InfoHash(new Uint8Array(32).fill(0x78));
    expect(encodeScrape(IDS, [INFO_HASH, long])).toEqual(
      new Uint8Array([
        ...hex('0102030405060708 00000002 deadbeef'),
        ...INFO_HASH.bytes,
        ...new Uint8Array(20).fill(0x78),
      ]),
    );
  });

  test('the largest is not cut by IP, on an Ethernet with PPPoE and with the head of IPv6', () => {
    const most = Array.from({ length: MAX_SCRAPED }, () => INFO_HASH);
    const { length } = encodeScrape(IDS, most);
    expect(length).toBeLessThanOrEqual(1492 - 40 - 8);
  });
});

const ANSWER = hex('00000002 deadbeef 00000001 00000002 00000003 ffffffff 00000000 80000000');

describe('answers', () => {
  test('seeders, completed, leechers of each', () => {
    expect(decodeResponse(ANSWER, 6)).toEqual({
      action: 'scrape',
      transaction: 0xdeadbeef,
      swarms: [
        { seeders: 1, completed: 2, leechers: 3 },
        { seeders: 0xffffffff, completed: 0, leechers: 0x80000000 },
      ],
    });
  });

  test('every prefix is an answer of its own or a ProtocolError', () => {
    const lengths: number[] = [];
    for (const prefix of prefixes(ANSWER)) {
      try {
        decodeResponse(prefix, 4);
        lengths.push(prefix.length);
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError);
      }
    }
    expect(lengths).toEqual([8, 20]);
  });

  test('figures come back', () => {
    const number = fc.nat({ max: 0xffffffff });
    const figures = fc.array(fc.tuple(number, number, number), { maxLength: MAX_SCRAPED });
    fc.assert(
      fc.property(figures, (swarms) => {
        const packet = new DataView(new ArrayBuffer(8 + swarms.length * 12));
        packet.setUint32(0, 2);
        for (const [at, numbers] of swarms.entries()) {
          for (const [index, value] of numbers.entries()) {
            packet.setUint32(8 + at * 12 + index * 4, value);
          }
        }
        expect(decodeResponse(new Uint8Array(packet.buffer), 4)).toMatchObject({
          swarms: swarms.map(([seeders, completed, leechers]) => ({
            seeders,
            completed,
            leechers,
          })),
        });
      }),
    );
  });
});
