import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UsageError } from '../../src/base/errors.ts';
import {
  choosePieceLength,
  MAX_PIECE_LENGTH,
  MAX_PIECES,
  pieceLengthForCount,
  pieceLengthForTorrentSize,
  pieceLengthTable,
  suitablePieceLength,
  torrentSize,
  type Version,
} from '../../src/metainfo/index.ts';

const [KIB, MIB, GIB, TIB] = [2 ** 10, 2 ** 20, 2 ** 30, 2 ** 40];
const LONGEST = 256 * MIB;

describe('choosePieceLength', () => {
  test.each([
    [1, 16 * KIB],
    [32 * MIB, 16 * KIB],
    [32 * MIB + 1, 32 * KIB],
    [GIB, 512 * KIB],
    [10 * GIB, 8 * MIB],
    [32 * GIB, 16 * MIB],
    [TIB, 16 * MIB],
    [32 * TIB, 16 * MIB],
    [33 * TIB, 32 * MIB],
  ])('%i bytes', (total, wanted) => expect(choosePieceLength(total)).toBe(wanted));

  test('is always possible', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 48 - 1 }), (total) => {
        const length = choosePieceLength(total);
        expect(Number.isInteger(Math.log2(length))).toBe(true);
        expect(length).toBeLessThanOrEqual(MAX_PIECE_LENGTH);
        expect(Math.ceil(total / length)).toBeLessThanOrEqual(MAX_PIECES);
      }),
    );
  });
});

describe('the table', () => {
  test('says what is chosen, on both sides of each row', () => {
    for (const { upTo, pieceLength } of pieceLengthTable()) {
      expect(choosePieceLength(upTo)).toBe(pieceLength);
      if (upTo < 2 ** 48 - 1) expect(choosePieceLength(upTo + 1)).toBe(2 * pieceLength);
    }
  });
  test('ascends from 16 KiB to all that a torrent can hold', () => {
    const rows = pieceLengthTable();
    expect(rows[0]).toEqual({ upTo: 32 * MIB, pieceLength: 16 * KIB });
    expect(rows.at(-1)?.upTo).toBe(2 ** 48 - 1);
    const sorted = rows.toSorted((a, b) => a.upTo - b.upTo);
    expect(rows).toEqual(sorted);
    expect(new Set(rows.map(({ upTo }) => upTo)).size).toBe(rows.length);
  });
});

describe('what suits a draft', () => {
  const files = (count: number, length: number) =>
    Array.from({ length: count }, (_, at) => ({ path: [`${at}`], length }));
  const suits = (version: Version, count: number, length: number, align = false): number =>
    suitablePieceLength({ version, align, files: files(count, length) });

  test('v1 goes by the sum', () => {
    expect(suits('v1', 20_000, 64 * KIB)).toBe(choosePieceLength(20_000 * 64 * KIB));
  });
  test('files that begin with pieces are not drowned in padding', () => {
    expect(suits('hybrid', 20_000, 64 * KIB)).toBe(64 * KIB);
    expect(suits('v2', 20_000, 64 * KIB)).toBe(64 * KIB);
    expect(suits('v1', 20_000, 64 * KIB, true)).toBe(64 * KIB);
    expect(suits('hybrid', 1, 4 * GIB)).toBe(choosePieceLength(4 * GIB));
  });
});

describe('by a number of pieces', () => {
  test.each([
    [GIB, 1024, MIB],
    [GIB, 1500, MIB],
    [GIB, 1537, 512 * KIB],
    [GIB, 1, LONGEST],
    [GIB, 10 ** 9, 16 * KIB],
    [1, 1000, 16 * KIB],
    [40 * TIB, 10 ** 9, 32 * MIB],
    [2 ** 48 - 1, 1, LONGEST],
  ])('%d bytes in %d', (total, target, wanted) => {
    expect(pieceLengthForCount(total, target)).toBe(wanted);
  });

  test('no other power of two is nearer', () => {
    const total = fc.integer({ min: 1, max: 2 ** 48 - 1 });
    fc.assert(
      fc.property(total, fc.integer({ min: 1, max: 10 ** 6 }), (bytes, target) => {
        const chosen = pieceLengthForCount(bytes, target);
        const distance = (length: number): number => Math.abs(Math.ceil(bytes / length) - target);
        expect(Math.ceil(bytes / chosen)).toBeLessThanOrEqual(MAX_PIECES);
        for (let length = 16 * KIB; length <= LONGEST; length *= 2) {
          if (Math.ceil(bytes / length) > MAX_PIECES) continue;
          expect(distance(length)).toBeGreaterThanOrEqual(distance(chosen));
        }
      }),
    );
  });
});

describe('by the size of the .torrent', () => {
  const sizeOf = (pieceLength: number): number => {
    const files = [{ path: [], length: GIB }];
    return torrentSize({ name: 'x', version: 'v1', pieceLength, files }, {});
  };

  test('the first that fits, not below where the search begins', () => {
    for (const max of [sizeOf(MIB), sizeOf(MIB) + 1, sizeOf(512 * KIB) - 1]) {
      expect(pieceLengthForTorrentSize(sizeOf, { max, from: 64 * KIB })).toBe(MIB);
    }
    expect(pieceLengthForTorrentSize(sizeOf, { max: 10 * MIB, from: 64 * KIB })).toBe(64 * KIB);
  });
  test('none fits', () => {
    const max = sizeOf(LONGEST) - 1;
    const search = () => pieceLengthForTorrentSize(sizeOf, { max, from: 64 * KIB });
    expect(search).toThrow(UsageError);
    expect(search).toThrow(`${max} bytes`);
  });
  test('lengths that are out of range are never tried', () => {
    const tried: number[] = [];
    const endless = (length: number): number => {
      tried.push(length);
      return 100;
    };
    expect(() => pieceLengthForTorrentSize(endless, { max: 1, from: 128 * MIB })).toThrow(
      UsageError,
    );
    expect(tried).toEqual([128 * MIB, LONGEST]);
    expect(LONGEST).toBeLessThanOrEqual(MAX_PIECE_LENGTH);
  });
});
