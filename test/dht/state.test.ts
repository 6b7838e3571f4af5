import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../../src/base/errors.ts';
import { encode } from '../../src/bencode/index.ts';
import {
  countNodes,
  type DhtState,
  decodeState,
  encodeState,
  FEW,
  MAX_NODES,
  MAX_STATE_BYTES,
  withFamilies,
  withNodes,
} from '../../src/dht/state.ts';

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
    port: fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: undefined }),
  })
  .filter((both) => both[4] !== undefined || both[6] !== undefined)
  .map(({ 4: four, 6: six, port }) => ({
    ...(four && { 4: four }),
    ...(six && { 6: six }),
    ...(port && { port }),
  }));

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
    ['port 0', encode({ ...good, port: 0 })],
    ['a port beyond all', encode({ ...good, port: 65_536 })],
    ['a port in words', encode({ ...good, port: '6881' })],
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

describe('two states in one file', () => {
  /** So many nodes at addresses of this network. */
  const some = (count: number, network: number): Uint8Array => {
    const bytes = new Uint8Array(count * 26);
    for (let at = 0; at < count; at++) {
      bytes.set([network, 0, at >>> 8, at & 255, 0, 1], at * 26 + 20);
    }
    return bytes;
  };
  const realm = (count: number, network: number) => ({
    id: new Uint8Array(20).fill(network),
    nodes: some(count, network),
  });

  test('families that one did not take part in stay', () => {
    const six = { id: new Uint8Array(20).fill(6), nodes: new Uint8Array(38) };
    const before = { 4: realm(3, 1), 6: six, port: 6881 };
    const own = { 4: realm(2, 2) };
    expect(withFamilies(own, before)).toEqual({ ...own, 6: six });
    expect(withFamilies({ ...own, port: 5 }, undefined)).toEqual({ ...own, port: 5 });
  });

  test('nodes of the other stand behind few own ones, each once', () => {
    const shared = withNodes({ 4: realm(2, 2) }, { 4: realm(3, 1) });
    expect(shared[4]).toEqual({
      id: realm(2, 2).id,
      nodes: Uint8Array.from([...some(2, 2), ...some(3, 1)]),
    });
    expect(withNodes(shared, { 4: realm(3, 1) })).toEqual(shared);
  });

  test('an address is named once, whatever its id', () => {
    const moved = { id: new Uint8Array(20), nodes: some(2, 1).fill(9, 0, 20) };
    expect(withNodes({ 4: moved }, { 4: realm(2, 1) })[4]?.nodes).toEqual(moved.nodes);
  });

  test.each([
    [FEW - 1, FEW + 9],
    [FEW, FEW],
  ])('who has %i nodes of its own has %i then', (own, all) => {
    expect(countNodes(withNodes({ 4: realm(own, 2) }, { 4: realm(10, 1) }))).toBe(all);
  });

  test('there is a limit to them', () => {
    expect(countNodes(withNodes({ 4: realm(1, 2) }, { 4: realm(5000, 1) }))).toBe(MAX_NODES);
  });
});
