import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LayoutMap, pieceSize, type StorageLayout } from '../../src/disk/index.ts';
import { makeTorrent, torrentArbitrary } from './torrents.ts';

describe('the map of files', () => {
  test('finds the same bytes as a list of every single byte', () => {
    fc.assert(
      fc.property(torrentArbitrary(), fc.nat(), fc.nat(), ({ layout }, a, b) => {
        const bytes = everyByte(layout);
        const [from = 0, to = 0] = [a % (bytes.length + 1), b % (bytes.length + 1)].toSorted(
          (x, y) => x - y,
        );
        const found = Array.from({ length: to - from }, nothing);
        for (const span of new LayoutMap(layout).spans(from, to)) {
          expect(span.length).toBeGreaterThan(0);
          expect(span.padding).toBe(layout.files[span.file]?.padding);
          for (let at = 0; at < span.length; at++) {
            found[span.start + at] = `${span.file}:${span.position + at}`;
          }
        }
        expect(found).toEqual(bytes.slice(from, to));
      }),
    );
  });

  test('an empty range has no spans, also in the middle of a file', () => {
    const { layout } = makeTorrent([{ length: 10 }], 4);
    expect(new LayoutMap(layout).spans(5, 5)).toEqual([]);
  });

  test('pieces are as long as the bytes they hold, and add up to the total', () => {
    fc.assert(
      fc.property(torrentArbitrary(), ({ layout }) => {
        const bytes = everyByte(layout);
        let total = 0;
        for (let piece = 0; piece < layout.pieceCount; piece++) {
          const begin = piece * layout.pieceLength;
          const held = bytes
            .slice(begin, begin + layout.pieceLength)
            .filter((at) => at !== undefined);
          expect(pieceSize(layout, piece)).toBe(held.length);
          total += held.length;
        }
        expect(new LayoutMap(layout).totalBytes).toBe(total);
      }),
    );
  });

  test('tells the pieces of a file', () => {
    fc.assert(
      fc.property(torrentArbitrary(), ({ layout }) => {
        const map = new LayoutMap(layout);
        for (const [index, file] of layout.files.entries()) {
          const touched = new Set<number>();
          for (let at = 0; at < file.length; at++) {
            touched.add(Math.floor((file.offset + at) / layout.pieceLength));
          }
          const range = map.piecesOf(index);
          expect([range?.first, range?.last]).toEqual([[...touched].at(0), [...touched].at(-1)]);
        }
      }),
    );
  });

  test('holds sizes beyond 32 bits', () => {
    const length = 2 ** 44 + 5;
    const layout = {
      files: [
        { path: ['a'], length: 3, offset: 0, padding: false },
        { path: ['b'], length, offset: 3, padding: false },
      ],
      pieceLength: 2 ** 24,
      pieceCount: 2 ** 20 + 1,
    };
    expect(pieceSize(layout, 2 ** 20)).toBe(8);
    const begin = 2 ** 44;
    expect(new LayoutMap(layout).spans(begin, begin + 8)).toEqual([
      { file: 1, position: begin - 3, start: 0, length: 8, padding: false },
    ]);
  });

  test('steps over any number of empty files', () => {
    const specs = Array.from({ length: 100_000 }, () => ({ length: 0 }));
    const { layout } = makeTorrent([{ length: 5 }, ...specs, { length: 6 }], 4);
    expect(new LayoutMap(layout).spans(4, 8)).toMatchObject([
      { file: 0, length: 1 },
      { file: 100_001, length: 3 },
    ]);
    expect(pieceSize(layout, 2)).toBe(3);
  });

  test.each([
    ['overlapping files', [0, 3], [5, 5], 2],
    ['files out of order', [5, 0], [5, 5], 2],
    ['too many pieces', [0, 5], [5, 5], 4],
    ['too few pieces', [0, 5], [5, 5], 1],
  ])('refuses %s', (_, offsets, lengths, pieceCount) => {
    const files = offsets.map((offset, at) => ({
      path: [`${at}`],
      length: lengths[at] ?? 0,
      offset,
      padding: false,
    }));
    expect(() => new LayoutMap({ files, pieceLength: 5, pieceCount })).toThrow(
      expect.objectContaining({ name: 'InvariantError' }),
    );
  });

  test('refuses pieces outside of the torrent', () => {
    const { layout } = makeTorrent([{ length: 5 }], 4);
    expect(() => pieceSize(layout, 2)).toThrow('piece 2 of 2');
    expect(() => pieceSize(layout, -1)).toThrow('piece -1 of 2');
  });
});

/** `file:position` of every byte of the space of pieces. */
function everyByte(layout: StorageLayout): (string | undefined)[] {
  const end = Math.max(0, ...layout.files.map(({ offset, length }) => offset + length));
  const bytes = Array.from({ length: end }, nothing);
  for (const [index, { offset, length }] of layout.files.entries()) {
    for (let at = 0; at < length; at++) bytes[offset + at] = `${index}:${at}`;
  }
  return bytes;
}

function nothing(): string | undefined {
  return undefined;
}
