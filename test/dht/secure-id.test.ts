import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatHex, parseHex } from '../../src/base/bytes.ts';
import { parseIp } from '../../src/base/ip.ts';
import { isExempt, isSecureId, makeSecureId } from '../../src/dht/secure-id.ts';
import { SeededRandom } from '../../src/runtime/sim/seeded-random.ts';

const addresses = fc
  .oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
  )
  .filter((address) => !isExempt(address));

function ip(text: string): Uint8Array {
  const bytes = parseIp(text);
  if (bytes === undefined) throw new Error(`no address: ${text}`);
  return bytes;
}

function id(text: string): Uint8Array {
  const bytes = parseHex(text);
  if (bytes?.length !== 20) throw new Error(`no id: ${text}`);
  return bytes;
}

/** Address, seed, id: the examples of BEP 42, then one of libtorrent's for IPv6. */
const VECTORS = [
  ['124.31.75.21', 1, '5fbfbff10c5d6a4ec8a88e4c6ab4c28b95eee401'],
  ['21.75.31.124', 86, '5a3ce9c14e7a08645677bbd1cfe7d8f956d53256'],
  ['65.23.51.170', 22, 'a5d43220bc8f112a3d426c84764f8c2a1150e616'],
  ['84.124.73.14', 65, '1b0321dd1bb1fe518101ceef99462b947a01ff41'],
  ['43.213.53.83', 90, 'e56f6cbf5b7c4be0237986d5243b87aa6d51305a'],
  ['2001:b829:2123:be84:e16c:d6ae:5290:49f1', 4, '0a8ad123be84e16cd6ae529049f1f1bbe9ebb304'],
] as const;

describe('secure ids', () => {
  test.each(VECTORS)('%s with %i', (address, seed, expected) => {
    const wanted = id(expected);
    expect(isSecureId(wanted, ip(address))).toBe(true);
    // The bytes between are the dice of who made the example.
    const made = makeSecureId(ip(address), { uint32: () => 0, bytes: () => wanted }, seed);
    expect(formatHex(made)).toBe(expected);
  });

  test.each(VECTORS)(
    '%s: the first 21 bits and the seed count, and no other',
    (address, _, hex) => {
      for (let bit = 0; bit < 160; bit++) {
        const changed = id(hex);
        changed[bit >>> 3] = (changed[bit >>> 3] ?? 0) ^ (0x80 >>> (bit & 7));
        expect(isSecureId(changed, ip(address)), `bit ${bit}`).toBe(bit >= 21 && bit < 157);
      }
    },
  );

  test.each(VECTORS)('what belongs to %s belongs to none of the others', (address, _, hex) => {
    const others = VECTORS.map(([other]) => other).filter((other) => other !== address);
    expect(others.filter((other) => isSecureId(id(hex), ip(other)))).toEqual([]);
  });

  test('what is made is right, with and without a seed of one choice', () => {
    fc.assert(
      fc.property(addresses, fc.nat(), fc.nat(255), (address, seed, last) => {
        const random = new SeededRandom(seed);
        expect(isSecureId(makeSecureId(address, random), address)).toBe(true);
        const chosen = makeSecureId(address, random, last);
        expect(isSecureId(chosen, address)).toBe(true);
        expect(chosen[19]).toBe(last);
      }),
    );
  });

  test('an address has eight prefixes, and ids that differ each time', () => {
    const address = ip('124.31.75.21');
    const random = new SeededRandom(1);
    const made = Array.from({ length: 400 }, () => formatHex(makeSecureId(address, random)));
    const prefixes = made.map((hex) => Number.parseInt(hex.slice(0, 6), 16) >> 3);
    expect(new Set(prefixes).size).toBe(8);
    expect(new Set(made).size).toBe(400);
  });

  test('a random id is right for an address once in 262,144', () => {
    const address = ip('124.31.75.21');
    const random = new SeededRandom(7);
    let right = 0;
    for (let turn = 0; turn < 20_000; turn++) {
      if (isSecureId(random.bytes(20), address)) right++;
    }
    expect(right).toBeLessThan(3);
  });

  test('of IPv6 the lower half does not count', () => {
    const made = makeSecureId(ip('2001:db8:1:2::1'), new SeededRandom(3));
    expect(isSecureId(made, ip('2001:db8:1:2:ffff:eeee:dddd:cccc'))).toBe(true);
    expect(isSecureId(made, ip('2001:db8:1:3::1'))).toBe(false);
  });
});

describe('exempt addresses', () => {
  const NOT_RIGHT = new Uint8Array(20).fill(0x11);

  test.each([
    ['10.0.0.0', true],
    ['10.255.255.255', true],
    ['9.255.255.255', false],
    ['11.0.0.0', false],
    ['172.16.0.0', true],
    ['172.31.255.255', true],
    ['172.15.255.255', false],
    ['172.32.0.0', false],
    ['192.168.0.0', true],
    ['192.168.255.255', true],
    ['192.167.255.255', false],
    ['192.169.0.0', false],
    ['169.254.0.0', true],
    ['169.254.255.255', true],
    ['169.253.255.255', false],
    ['169.255.0.0', false],
    ['127.0.0.1', true],
    ['127.255.255.255', true],
    ['126.255.255.255', false],
    ['128.0.0.0', false],
    ['::1', true],
    ['fe80::1', true],
    ['fd00::1', true],
    ['2001:db8::1', false],
  ] as const)('%s: %s', (address, exempt) => {
    expect(isExempt(ip(address))).toBe(exempt);
    expect(isSecureId(NOT_RIGHT, ip(address))).toBe(exempt);
  });
});
