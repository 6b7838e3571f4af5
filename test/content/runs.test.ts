import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cutRuns, type PlannedRun, type RunLayout } from '../../src/content/runs.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

/** Files one after the other (v1), or each from a piece on with padding or a gap between them (v2). */
function layoutOf(
  lengths: readonly number[],
  pieceLength: number,
  between: 'nothing' | 'padding' | 'gap',
): RunLayout & { readonly files: { length: number; offset: number; padding: boolean }[] } {
  const files: { length: number; offset: number; padding: boolean }[] = [];
  let offset = 0;
  for (const length of lengths) {
    files.push({ length, offset, padding: false });
    offset += length;
    const rest = (pieceLength - (offset % pieceLength)) % pieceLength;
    if (between === 'nothing' || rest === 0) continue;
    if (between === 'padding') files.push({ length: rest, offset, padding: true });
    offset += rest;
  }
  return { files, pieceLength };
}

const layouts = fc
  .tuple(
    fc.array(fc.oneof(fc.nat(100), fc.nat(300_000), fc.nat(9 * MIB)), { maxLength: 12 }),
    fc.constantFrom(16 * KIB, 64 * KIB, MIB, 8 * MIB),
    fc.constantFrom('nothing' as const, 'padding' as const, 'gap' as const),
  )
  .map(([lengths, pieceLength, between]) => ({
    layout: layoutOf(lengths, pieceLength, between),
    isGapped: between === 'gap',
  }));

/** Every stretch of files that the runs hold, joined where one goes on where the other ended. */
function covered(runs: readonly PlannedRun[]): { file: number; from: number; to: number }[] {
  const stretches: { file: number; from: number; to: number }[] = [];
  for (const { file, position, length } of runs.flatMap(({ parts }) => parts)) {
    if (file === undefined) continue;
    const last = stretches.at(-1);
    if (last?.file === file && last.to === position) last.to += length;
    else stretches.push({ file, from: position, to: position + length });
  }
  return stretches;
}

describe('cutRuns', () => {
  test('covers every byte of every file once, in order', () => {
    fc.assert(
      fc.property(layouts, fc.boolean(), ({ layout, isGapped }, sha1) => {
        const runs = [...cutRuns(layout, { sha1: sha1 && !isGapped })];
        const wanted = layout.files.flatMap(({ length, padding }, file) =>
          length > 0 && !padding ? [{ file, from: 0, to: length }] : [],
        );
        expect(covered(runs)).toEqual(wanted);
      }),
    );
  });

  test('runs begin and end with pieces, and are neither large nor many', () => {
    fc.assert(
      fc.property(layouts, ({ layout, isGapped }) => {
        fc.pre(!isGapped);
        const runs = [...cutRuns(layout, { sha1: true })];
        let piece = 0;
        for (const [at, { firstPiece, endPiece, parts }] of runs.entries()) {
          expect(firstPiece).toBe(piece);
          piece = endPiece;
          const length = parts.reduce((sum, part) => sum + part.length, 0);
          const isLast = at === runs.length - 1;
          const whole = (endPiece - firstPiece) * layout.pieceLength;
          expect(
            isLast ? Math.ceil(length / layout.pieceLength) * layout.pieceLength : length,
          ).toBe(whole);
          if (!isLast) expect(length + layout.pieceLength).toBeGreaterThan(4 * MIB);
          expect(length).toBeLessThanOrEqual(Math.max(4 * MIB, layout.pieceLength));
        }
        const last = layout.files.findLast(({ length }) => length > 0);
        const end = last === undefined ? 0 : last.offset + last.length;
        expect(piece).toBe(Math.ceil(end / layout.pieceLength));
      }),
    );
  });

  test('without SHA-1 small files share a run, and padding is left out', () => {
    const layout = layoutOf(
      Array.from({ length: 100 }, () => 64 * KIB),
      MIB,
      'padding',
    );
    const runs = [...cutRuns(layout, { sha1: false })];
    expect(runs.map(({ parts }) => parts.length)).toEqual([64, 36]);
    expect(runs.map(({ contentBytes }) => contentBytes)).toEqual([4 * MIB, 36 * 64 * KIB]);
    expect(runs.every(({ parts }) => parts.every(({ file }) => file !== undefined))).toBe(true);
  });

  test('only wanted pieces, and each of them whole', () => {
    fc.assert(
      fc.property(layouts, fc.nat(7), ({ layout, isGapped }, modulo) => {
        fc.pre(!isGapped);
        const wanted = (piece: number): boolean => piece % 8 === modulo;
        const runs = [...cutRuns(layout, { sha1: true, wanted })];
        const all = [...cutRuns(layout, { sha1: true, wanted: () => true })];
        const bytesOf = (list: readonly PlannedRun[], piece: number): number =>
          list
            .filter(({ firstPiece, endPiece }) => firstPiece <= piece && piece < endPiece)
            .flatMap(({ parts }) => parts)
            .reduce((sum, { length }) => sum + length, 0);
        const pieces = all.at(-1)?.endPiece ?? 0;
        const seen = runs.flatMap(({ firstPiece, endPiece }) =>
          Array.from({ length: endPiece - firstPiece }, (_, at) => firstPiece + at),
        );
        const expected = Array.from({ length: pieces }, (_, piece) => piece).filter(wanted);
        expect(seen).toEqual(expected);
        for (const piece of seen) {
          const isLast = piece === pieces - 1;
          if (!isLast) expect(bytesOf(runs, piece)).toBe(layout.pieceLength);
        }
      }),
    );
  });
});
