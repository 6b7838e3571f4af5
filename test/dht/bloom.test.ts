import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatHex } from '../../src/base/bytes.ts';
import { InvariantError } from '../../src/base/errors.ts';
import { parseIp } from '../../src/base/ip.ts';
import { BLOOM_BYTES, PeerBloom, placesOf } from '../../src/dht/bloom.ts';
import { SeededRandom } from '../../src/runtime/sim/seeded-random.ts';
import { BLOOM } from './krpc/vectors.ts';

const addresses = fc.oneof(
  fc.uint8Array({ minLength: 4, maxLength: 4 }),
  fc.uint8Array({ minLength: 16, maxLength: 16 }),
);

function ip(text: string): Uint8Array {
  const bytes = parseIp(text);
  if (bytes === undefined) throw new Error(`no address: ${text}`);
  return bytes;
}

function bloomOf(ips: Iterable<Uint8Array>): PeerBloom {
  const bloom = new PeerBloom();
  for (const address of ips) bloom.insert(address);
  return bloom;
}

/** The addresses of the example in BEP 33. */
function* example(): Generator<Uint8Array> {
  for (let last = 0; last < 256; last++) yield ip(`192.0.2.${last}`);
  for (let last = 0; last <= 0x3e7; last++) yield ip(`2001:db8::${last.toString(16)}`);
}

describe('the example of BEP 33', () => {
  test('is this filter, and counts as this many', () => {
    const bloom = bloomOf(example());
    expect(bloom.bytes).toEqual(BLOOM);
    expect(createHash('sha1').update(bloom.bytes).digest('hex')).toBe(
      'e4dabf3c822dcd0030ee21df8369bfef2594b52b',
    );
    // The BEP cuts off what comes behind: 1224.93089.
    expect(Math.floor(bloom.estimate() * 10_000)).toBe(12_249_308);
  });

  test('read from a message, it has all of them and not the others', () => {
    const bloom = new PeerBloom(BLOOM.slice());
    expect([...example()].every((address) => bloom.has(address))).toBe(true);
    const others = Array.from({ length: 10_000 }, (_, at) => Uint8Array.of(10, 0, at >> 8, at));
    // 1,429 of 2,048 bits are set: both are in about half of all cases.
    const mistaken = others.filter((address) => bloom.has(address)).length;
    expect(mistaken / others.length).toBeGreaterThan(0.45);
    expect(mistaken / others.length).toBeLessThan(0.53);
  });

  test('is the sum of its parts', () => {
    const all = [...example()];
    const bloom = bloomOf(all.slice(0, 700));
    bloom.merge(bloomOf(all.slice(500)));
    expect(bloom.bytes).toEqual(BLOOM);
  });
});

describe('a bloom', () => {
  test('has all that was inserted, in any order and however often', () => {
    fc.assert(
      fc.property(fc.array(addresses, { maxLength: 60 }), (ips) => {
        const bloom = bloomOf(ips);
        expect(ips.every((address) => bloom.has(address))).toBe(true);
        const again = bloomOf([...ips, ...ips].toReversed());
        expect(formatHex(again.bytes)).toBe(formatHex(bloom.bytes));
      }),
    );
  });

  test('can be filled from what is kept of each address', () => {
    fc.assert(
      fc.property(fc.array(addresses, { maxLength: 30 }), (ips) => {
        const bloom = new PeerBloom();
        for (const address of ips) {
          const places = placesOf(address);
          expect(places).toBe(places & 0x3f_ffff);
          bloom.insertPlaces(places);
        }
        expect(formatHex(bloom.bytes)).toBe(formatHex(bloomOf(ips).bytes));
      }),
    );
  });

  test.each([0, 1, 10, 100, 1_000, 3_000])('counts %i addresses to within a tenth', (count) => {
    const random = new SeededRandom(count);
    const bloom = bloomOf(Array.from({ length: count }, () => random.bytes(16)));
    expect(Math.abs(bloom.estimate() - count)).toBeLessThanOrEqual(count / 10);
  });

  test('that is full counts as a number, not as endless', () => {
    const full = new PeerBloom(new Uint8Array(BLOOM_BYTES).fill(0xff));
    expect(Math.round(full.estimate())).toBe(7_806);
    const almost = full.bytes.slice();
    almost[77] = 0xef;
    expect(new PeerBloom(almost).estimate()).toBe(full.estimate());
  });

  test('does not share the bytes that it was read from', () => {
    const bytes = new Uint8Array(BLOOM_BYTES);
    new PeerBloom(bytes).insert(ip('192.0.2.1'));
    expect(bytes.every((byte) => byte === 0)).toBe(true);
  });

  test.each([0, 255, 257])('of %i bytes is a bug', (length) => {
    expect(() => new PeerBloom(new Uint8Array(length))).toThrow(InvariantError);
  });
});
