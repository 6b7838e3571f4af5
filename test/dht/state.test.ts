import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../../src/base/errors.ts';
import { encode } from '../../src/bencode/index.ts';
import { type DhtState, decodeState, encodeState, MAX_STATE_BYTES } from '../../src/dht/state.ts';

const id = fc.uint8Array({ minLength: 20, maxLength: 20 });
const nodes = (length: number): fc.Arbitrary<Uint8Array> =>
  fc
    .array(fc.uint8Array({ minLength: length, maxLength: length }), { maxLength: 5 })
    .map((list) => {
      const bytes = new Uint8Array(list.length * length);
      for (const [at, one] of list.entries()) bytes.set(one, at * length);
      return bytes;
    });
const state: fc.Arbitrary<DhtState> = fc
  .record({
    4: fc.option(fc.record({ id, nodes: nodes(26) }), { nil: undefined }),
    6: fc.option(fc.record({ id, nodes: nodes(38) }), { nil: undefined }),
  })
  .filter((both) => both[4] !== undefined || both[6] !== undefined)
  .map(({ 4: four, 6: six }) => ({ ...(four && { 4: four }), ...(six && { 6: six }) }));

test('what is written is read', () => {
  fc.assert(
    fc.property(state, (given) => {
      expect(decodeState(encodeState(given))).toEqual(given);
    }),
  );
});

describe('what is no state is refused', () => {
  const good = { id: new Uint8Array(20), nodes: new Uint8Array(52) };
  test.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array(0)],
    ['no dictionary', encode([1])],
    ['no nodes', encode({ id: good.id })],
    ['no id', encode({ nodes: good.nodes })],
    ['a short id', encode({ ...good, id: new Uint8Array(19) })],
    ['half a node', encode({ ...good, nodes: new Uint8Array(51) })],
    ['half a node of IPv6', encode({ id6: good.id, nodes6: new Uint8Array(37) })],
    ['too much', encode({ ...good, nodes: new Uint8Array(26 * 11_000) })],
  ])('%s', (_, bytes) => {
    expect(() => decodeState(bytes)).toThrow(ProtocolError);
  });

  test('every prefix of what is one', () => {
    const bytes = encodeState({ 4: good, 6: { id: good.id, nodes: new Uint8Array(38) } });
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeState(bytes.subarray(0, length))).toThrow(ProtocolError);
    }
  });

  test('arbitrary bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(() => decodeState(bytes)).toThrow(ProtocolError);
      }),
    );
  });

  test('one more byte than fits', () => {
    expect(() => decodeState(new Uint8Array(MAX_STATE_BYTES + 1))).toThrow('has more than');
  });
});
