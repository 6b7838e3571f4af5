import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InvariantError, UsageError } from '../../src/base/errors.ts';
import { choosePieceLength, encodeMetainfo, parseMetainfo } from '../../src/metainfo/index.ts';
import { pieces } from './raw.ts';

const SINGLE = {
  name: 'a.txt',
  files: [{ path: ['a.txt'], length: 5 }],
  pieceLength: 16_384,
  pieces: pieces(1),
} as const;

describe('encodeMetainfo', () => {
  test('a single file, byte for byte', () => {
    const text = Buffer.from(encodeMetainfo(SINGLE)).toString('latin1');
    expect(text).toBe(
      `d4:infod6:lengthi5e4:name5:a.txt12:piece lengthi16384e6:pieces20:${'a'.repeat(20)}ee`,
    );
  });

  test('a folder with all that can be said', () => {
    const bytes = encodeMetainfo({
      name: 'dir',
      files: [
        { path: ['dir', 'ä'], length: 16_384 },
        { path: ['dir', 'sub', 'b'], length: 0 },
        { path: ['dir', 'sub', 'c'], length: 1 },
      ],
      pieceLength: 16_384,
      pieces: pieces(2),
      announce: [['http://a/', 'udp://b:1'], ['udp://c:1']],
      webSeeds: ['http://w/'],
      private: true,
      source: 'S',
      comment: 'c',
      createdBy: 'bip',
      creationDate: 1_000_000_000,
    });
    expect(parseMetainfo(bytes)).toMatchObject({
      version: 'v1',
      name: 'dir',
      files: [
        { path: ['dir', 'ä'], length: 16_384, offset: 0 },
        { path: ['dir', 'sub', 'b'], length: 0, offset: 16_384 },
        { path: ['dir', 'sub', 'c'], length: 1, offset: 16_384 },
      ],
      announce: [['http://a/', 'udp://b:1'], ['udp://c:1']],
      webSeeds: ['http://w/'],
      private: true,
      privateFlag: true,
      source: 'S',
      comment: 'c',
      createdBy: 'bip',
      creationDate: 1_000_000_000,
      warnings: [],
    });
  });

  test('one file in a folder stays in its folder', () => {
    const bytes = encodeMetainfo({
      ...SINGLE,
      name: 'd',
      files: [{ path: ['d', 'x'], length: 5 }],
    });
    expect(parseMetainfo(bytes).files.map(({ path }) => path)).toEqual([['d', 'x']]);
  });

  test('what is not said is not written', () => {
    const { privateFlag, ...metainfo } = parseMetainfo(encodeMetainfo(SINGLE));
    expect(privateFlag).toBeUndefined();
    expect(metainfo.announce).toEqual([]);
    expect(parseMetainfo(encodeMetainfo({ ...SINGLE, private: false })).privateFlag).toBe(false);
  });

  test('names that readers would change are refused', () => {
    const files = [{ path: ['d', 'back\\slash'], length: 5 }];
    expect(() => encodeMetainfo({ ...SINGLE, name: 'd', files })).toThrow(UsageError);
  });

  test('hashes that do not fit and files elsewhere are bugs', () => {
    expect(() => encodeMetainfo({ ...SINGLE, pieces: pieces(2) })).toThrow(InvariantError);
    expect(() => encodeMetainfo({ ...SINGLE, name: 'b' })).toThrow(InvariantError);
    expect(() => encodeMetainfo({ ...SINGLE, files: [] })).toThrow(InvariantError);
  });

  test('any files come back', () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9 .]{0,8}[a-z0-9]$/);
    const file = fc.record({
      folders: fc.array(name, { maxLength: 3 }),
      length: fc.integer({ min: 0, max: 2 ** 40 }),
    });
    fc.assert(
      fc.property(name, fc.array(file, { minLength: 1, maxLength: 9 }), (top, list) => {
        const files = list.map(({ folders, length }, at) => ({
          path: [top, ...folders, `${at}`],
          length,
        }));
        const total = files.reduce((sum, { length }) => sum + length, 0);
        fc.pre(total > 0);
        const pieceLength = choosePieceLength(total);
        const hashes = new Uint8Array(Math.ceil(total / pieceLength) * 20).fill(5);
        const metainfo = parseMetainfo(
          encodeMetainfo({ name: top, files, pieceLength, pieces: hashes }),
        );
        expect(metainfo.files.map(({ path, length }) => ({ path, length }))).toEqual(files);
        expect(metainfo.length).toBe(total);
        expect(Buffer.compare(metainfo.pieces ?? new Uint8Array(), hashes)).toBe(0);
        expect(metainfo.warnings).toEqual([]);
      }),
    );
  });
});
