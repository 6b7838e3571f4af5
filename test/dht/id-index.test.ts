import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatHex } from '../../src/base/bytes.ts';
import { IdIndex } from '../../src/dht/id-index.ts';
import { SeededRandom } from '../../src/runtime/sim/index.ts';

/** Ids that differ in the last bytes only. */
function id(number: number): Uint8Array {
  const bytes = new Uint8Array(20).fill(0x77);
  new DataView(bytes.buffer).setUint32(16, number);
  return bytes;
}

function index(seed = 1): IdIndex {
  return new IdIndex(new SeededRandom(seed));
}

function idAt(ids: IdIndex, place: number): string {
  const bytes = new Uint8Array(24);
  ids.write(place, bytes, 2);
  return formatHex(bytes.subarray(2, 22));
}

describe('an index of ids', () => {
  test('finds what was added, at the place that it was given', () => {
    const ids = index();
    expect(ids.find(id(0))).toBe(-1);
    for (let turn = 0; turn < 1_000; turn++) expect(ids.add(id(turn))).toBe(turn);
    for (let turn = 0; turn < 1_000; turn++) {
      expect(ids.find(id(turn))).toBe(turn);
      expect(idAt(ids, turn)).toBe(formatHex(id(turn)));
    }
    expect(ids.find(id(1_000))).toBe(-1);
  });

  test('does what a list would that fills gaps with its last', () => {
    const step = fc.record({ add: fc.boolean(), id: fc.nat(60) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), fc.nat(), (steps, seed) => {
        const ids = index(seed);
        const model: string[] = [];
        for (const one of steps) {
          const key = formatHex(id(one.id));
          const place = model.indexOf(key);
          expect(ids.find(id(one.id))).toBe(place);
          if (place < 0 && one.add) {
            expect(ids.add(id(one.id))).toBe(model.length);
            model.push(key);
          } else if (place >= 0 && !one.add) {
            ids.remove(place);
            const last = model.pop();
            if (last !== undefined && place < model.length) model[place] = last;
          }
          expect(ids.size).toBe(model.length);
        }
        expect(model.map((_, place) => idAt(ids, place))).toEqual(model);
        const found = Array.from({ length: 61 }, (_, turn) => ids.find(id(turn)));
        expect(found).toEqual(found.map((_, turn) => model.indexOf(formatHex(id(turn)))));
      }),
    );
  });

  test('takes little memory, and gives it back', () => {
    const ids = index();
    expect(ids.bytes).toBeLessThan(100);
    for (let turn = 0; turn < 10_000; turn++) ids.add(id(turn));
    expect(ids.bytes / 10_000).toBeLessThan(2 * 28 + 1);
    for (let turn = 0; turn < 9_990; turn++) ids.remove(turn % ids.size);
    expect(ids.bytes).toBeLessThan(40 * 28);
    expect(ids.size).toBe(10);
    for (let place = 0; place < 10; place++) {
      expect(ids.find(Uint8Array.from(Buffer.from(idAt(ids, place), 'hex')))).toBe(place);
    }
  });
});
