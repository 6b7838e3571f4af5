import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { contentBytes, hashRunOf, type PieceRun, pieceRuns } from '../../src/content/runs.ts';
import { LayoutMap } from '../../src/disk/index.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

type Between = 'nothing' | 'padding' | 'gap';

/** Files one after the other (v1), or each from a piece on with padding or a gap between them (v2). */
function mapOf(lengths: readonly number[], pieceLength: number, between: Between): LayoutMap {
  const files: { path: string[]; length: number; offset: number; padding: boolean }[] = [];
  let offset = 0;
  let end = 0;
  for (const [at, length] of lengths.entries()) {
    files.push({ path: ['t', `${at}`], length, offset, padding: false });
    offset += length;
    if (length > 0) end = offset;
    const rest = (pieceLength - (offset % pieceLength)) % pieceLength;
    if (between === 'nothing' || rest === 0) continue;
    if (between === 'padding') {
      files.push({ path: ['t', '.pad', `${rest}`], length: rest, offset, padding: true });
      end = offset + rest;
    }
    offset += rest;
  }
  return new LayoutMap({ files, pieceLength, pieceCount: Math.ceil(end / pieceLength) });
}

const maps = fc
  .tuple(
    fc.array(fc.oneof(fc.nat(100), fc.nat(300_000), fc.nat(9 * MIB)), { maxLength: 12 }),
    fc.constantFrom(16 * KIB, 64 * KIB, MIB, 8 * MIB),
    fc.constantFrom<Between>('nothing', 'padding', 'gap'),
  )
  .map((layout) => mapOf(...layout));

/** Every stretch of files that the runs hold, joined where one goes on where the other ended. */
function covered(runs: readonly PieceRun[]): { file: number; from: number; to: number }[] {
  const stretches: { file: number; from: number; to: number }[] = [];
  for (const { file, position, length } of runs.flatMap(({ spans }) => spans)) {
    const last = stretches.at(-1);
    if (last?.file === file && last.to === position) last.to += length;
    else stretches.push({ file, from: position, to: position + length });
  }
  return stretches;
}

function sizeOf(map: LayoutMap, { first, end }: PieceRun): number {
  let size = 0;
  for (let piece = first; piece < end; piece++) size += map.pieceSize(piece);
  return size;
}

describe('pieceRuns', () => {
  test('covers every byte of every file once, in order', () => {
    fc.assert(
      fc.property(maps, fc.boolean(), (map, ignorePadding) => {
        const runs = [...pieceRuns(map, { ignorePadding })];
        const wanted = map.layout.files.flatMap(({ length }, file) =>
          length > 0 ? [{ file, from: 0, to: length }] : [],
        );
        expect(covered(runs)).toEqual(wanted);
      }),
    );
  });

  test('runs follow each other, and are neither large nor many', () => {
    fc.assert(
      fc.property(maps, (map) => {
        const runs = [...pieceRuns(map)];
        let piece = 0;
        for (const [at, run] of runs.entries()) {
          expect(run.first).toBe(piece);
          piece = run.end;
          const size = sizeOf(map, run);
          expect(size).toBeLessThanOrEqual(Math.max(4 * MIB, map.layout.pieceLength));
          const next = runs[at + 1];
          if (next === undefined) continue;
          const first = { ...next, end: next.first + 1 };
          expect(size + sizeOf(map, first)).toBeGreaterThan(4 * MIB);
        }
        expect(piece).toBe(map.layout.pieceCount);
      }),
    );
  });

  test('small files share a run where nobody hashes the padding between them', () => {
    const lengths = Array.from({ length: 100 }, () => 64 * KIB);
    for (const between of ['padding', 'gap'] as const) {
      const runs = [...pieceRuns(mapOf(lengths, MIB, between), { ignorePadding: true })];
      expect(runs.map(({ spans }) => contentBytes(spans))).toEqual([4 * MIB, 36 * 64 * KIB]);
    }
    expect([...pieceRuns(mapOf(lengths, MIB, 'padding'))]).toHaveLength(25);
  });

  test('only wanted pieces of a range', () => {
    fc.assert(
      fc.property(maps, fc.nat(3), fc.nat(40), fc.nat(40), (map, modulo, one, other) => {
        const wanted = (piece: number): boolean => piece % 4 !== modulo;
        const { pieceCount } = map.layout;
        const range = {
          first: Math.min(one, other, pieceCount),
          end: Math.min(Math.max(one, other), pieceCount),
        };
        const seen = [...pieceRuns(map, { wanted, range })].flatMap(({ first, end }) =>
          Array.from({ length: end - first }, (_, at) => first + at),
        );
        const expected = Array.from({ length: pieceCount }, (_, piece) => piece).filter(
          (piece) => wanted(piece) && piece >= range.first && piece < range.end,
        );
        expect(seen).toEqual(expected);
      }),
    );
  });
});

test('a run says where its files are, and which is the only piece of its file', () => {
  const map = mapOf([2 * MIB, 5, MIB], MIB, 'padding');
  const [run] = [...pieceRuns(map)];
  const source = (file: number): { path: string } => ({ path: `/${file}` });
  const { parts } = hashRunOf(map, run?.spans ?? [], { sha1: true, sha256: true, source });
  expect(parts).toEqual([
    { path: '/0', position: 0, length: 2 * MIB, alone: false },
    { path: '/1', position: 0, length: 5, alone: true },
    { position: 0, length: MIB - 5 },
    { path: '/3', position: 0, length: MIB, alone: true },
  ]);
});
