import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseHex } from '../../src/base/bytes.ts';
import { Reserved } from '../../src/handshake/index.ts';

function names(hex: string): readonly string[] {
  return new Reserved(parseHex(hex) ?? new Uint8Array(0)).names;
}

test.each([
  ['0000000000000000', []],
  ['0000000000100005', ['extended', 'dht', 'fast']],
  ['0000000000100015', ['extended', 'dht', 'fast', 'v2']],
  ['8000080000130000', ['azureus-messaging', 'location-aware', 'extended', 'negotiation']],
  ['000000000001000a', ['negotiation', 'xbt-peer-exchange', 'nat-traversal']],
  // BitComet writes two letters, no bits.
  ['6578000000000001', ['bitcomet', 'dht']],
  ['6500000000000000', ['bit-1', 'bit-2', 'bit-5', 'bit-7']],
  ['0000000000000080', ['bit-56']],
  ['0100000000000020', ['bit-7', 'bit-58']],
])('%s', (hex, expected) => {
  expect(names(hex)).toEqual(expected);
});

test('nothing that is set is passed over', () => {
  const bits = fc.uint8Array({ minLength: 8, maxLength: 8 });
  fc.assert(
    fc.property(bits, (bytes) => {
      expect(new Reserved(bytes).features.length === 0).toBe(bytes.every((byte) => byte === 0));
    }),
  );
  expect(names('ffffffffffffffff')).toHaveLength(9 + 64 - 10);
});

test('what is set by name is there, and nothing else', () => {
  expect(Reserved.of('fast', 'v2', 'nat-traversal').names).toEqual(['fast', 'nat-traversal', 'v2']);
  expect(Reserved.of('extended').has('negotiation')).toBe(false);
});
