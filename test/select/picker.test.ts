import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Bitfield } from '../../src/base/bitfield.ts';
import type { Random } from '../../src/runtime/ports.ts';
import { PiecePicker } from '../../src/select/index.ts';

function seeded(seed: number): Random {
  let state = seed >>> 0;
  return {
    uint32: () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state;
    },
    bytes: (length) => new Uint8Array(length),
  };
}
function picker(pieceCount: number, blocks = 4, seed = 1): PiecePicker<string> {
  return new PiecePicker<string>({ pieceCount, blocksIn: () => blocks, random: seeded(seed) });
}
function all(pieceCount: number): Bitfield {
  const field = new Bitfield(pieceCount);
  field.fill();
  return field;
}
function some(pieceCount: number, pieces: readonly number[]): Bitfield {
  const field = new Bitfield(pieceCount);
  for (const piece of pieces) field.add(piece);
  return field;
}
const plain = { maxPartial: 100, endGame: false } as const;

describe('order of pieces', () => {
  test('the rarest goes first', () => {
    const p = picker(5);
    for (const piece of [0, 1, 2, 4]) p.addPiece(piece);
    p.addPiece(3);
    p.addPiece(3);
    for (const piece of [0, 1, 4]) p.addPiece(piece);
    const [first] = p.pick({ peer: 'a', pieces: all(5), count: 1, ...plain });
    expect(first?.piece).toBe(2);
  });

  test('ties are broken at random: other seeds, other starts', () => {
    const starts = new Set(
      Array.from({ length: 40 }, (_, seed) => {
        const [first] = picker(50, 4, seed).pick({
          peer: 'a',
          pieces: all(50),
          count: 1,
          ...plain,
        });
        return first?.piece;
      }),
    );
    expect(starts.size).toBeGreaterThan(10);
  });

  test('a partial piece is finished before a new one is opened, by its owner and by others', () => {
    const p = picker(10);
    const [first] = p.pick({ peer: 'a', pieces: all(10), count: 1, ...plain });
    const more = p.pick({ peer: 'a', pieces: all(10), count: 4, ...plain });
    expect(more.slice(0, 3).map(({ piece }) => piece)).toEqual(Array(3).fill(first?.piece));
    expect(more[3]?.piece).not.toBe(first?.piece);
  });

  test('another peer opens a piece of its own, and helps where no piece may be opened', () => {
    const p = picker(10);
    const [mine] = p.pick({ peer: 'a', pieces: all(10), count: 1, ...plain });
    const [theirs] = p.pick({ peer: 'b', pieces: all(10), count: 1, ...plain });
    expect(theirs?.piece).not.toBe(mine?.piece);
    const [helping] = p.pick({
      peer: 'c',
      pieces: all(10),
      count: 1,
      maxPartial: 2,
      endGame: false,
    });
    expect([mine?.piece, theirs?.piece]).toContain(helping?.piece);
  });

  test('nothing is asked that the peer does not have, or that is not allowed while choked', () => {
    const p = picker(10);
    expect(p.pick({ peer: 'a', pieces: some(10, []), count: 9, ...plain })).toEqual([]);
    const picked = p.pick({
      peer: 'a',
      pieces: some(10, [3, 4]),
      only: new Set([4, 5]),
      count: 9,
      ...plain,
    });
    expect(new Set(picked.map(({ piece }) => piece))).toEqual(new Set([4]));
  });
});

describe('blocks', () => {
  test('a released block is asked again, a received one never', () => {
    const p = picker(1);
    p.pick({ peer: 'a', pieces: all(1), count: 4, ...plain });
    p.partial(0)?.receive(1, 'a');
    p.partial(0)?.release(0, 'a');
    p.partial(0)?.release(1, 'a');
    expect(p.pick({ peer: 'b', pieces: all(1), count: 9, ...plain })).toEqual([
      { piece: 0, block: 0 },
    ]);
  });

  test('end-game asks others for open blocks, and names whom to tell when one came', () => {
    const p = picker(1);
    p.pick({ peer: 'a', pieces: all(1), count: 4, ...plain });
    expect(p.allRequested).toBe(true);
    expect(p.pick({ peer: 'b', pieces: all(1), count: 2, ...plain })).toEqual([]);
    const again = p.pick({ peer: 'b', pieces: all(1), count: 2, maxPartial: 100, endGame: true });
    expect(again).toHaveLength(2);
    expect(p.partial(0)?.receive(again[0]?.block ?? -1, 'b')).toEqual(['a']);
  });

  test('a piece under suspicion is asked of one peer only', () => {
    const p = picker(1);
    p.pick({ peer: 'a', pieces: all(1), count: 1, ...plain });
    const partial = p.partial(0);
    if (partial !== undefined) partial.soleSource = 'a';
    expect(p.pick({ peer: 'b', pieces: all(1), count: 4, maxPartial: 9, endGame: true })).toEqual(
      [],
    );
    expect(p.pick({ peer: 'a', pieces: all(1), count: 4, ...plain })).toHaveLength(3);
  });

  test('a failed piece starts anew', () => {
    const p = picker(2);
    const blocks = p.pick({ peer: 'a', pieces: all(2), count: 8, ...plain });
    for (const { piece, block } of blocks) p.partial(piece)?.receive(block, 'a');
    expect(p.partial(0)?.isComplete).toBe(true);
    p.reset(0);
    expect(p.partial(0)).toBeUndefined();
    p.have(1);
    expect(p.missingCount).toBe(1);
    expect(p.pick({ peer: 'a', pieces: all(2), count: 8, ...plain })).toHaveLength(4);
    p.assertConsistent();
  });
});

test('any sequence of events keeps the order sorted and every wanted piece reachable', () => {
  const event = fc.oneof(
    fc.record({ do: fc.constant('add' as const), piece: fc.nat(19) }),
    fc.record({ do: fc.constant('remove' as const), piece: fc.nat(19) }),
    fc.record({ do: fc.constant('have' as const), piece: fc.nat(19) }),
    fc.record({ do: fc.constant('reset' as const), piece: fc.nat(19) }),
    fc.record({ do: fc.constant('pick' as const), piece: fc.nat(6) }),
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 80 }), fc.nat(), (events, seed) => {
      const p = picker(20, 3, seed);
      const counts = Array.from({ length: 20 }, () => 0);
      for (const { do: what, piece } of events) {
        if (what === 'add') {
          p.addPiece(piece);
          counts[piece] = (counts[piece] ?? 0) + 1;
        } else if (what === 'remove' && (counts[piece] ?? 0) > 0) {
          p.removePiece(piece);
          counts[piece] = (counts[piece] ?? 0) - 1;
        } else if (what === 'have') p.have(piece);
        else if (what === 'reset') p.reset(piece);
        else if (what === 'pick') p.pick({ peer: 'a', pieces: all(20), count: piece, ...plain });
        p.assertConsistent();
        expect(counts.map((_, index) => p.availability(index))).toEqual(counts);
      }
      const rest = p.pick({ peer: 'z', pieces: all(20), count: 1000, ...plain });
      expect(rest.every(({ piece }) => p.isMissing(piece))).toBe(true);
      expect(p.allRequested).toBe(true);
    }),
  );
});
