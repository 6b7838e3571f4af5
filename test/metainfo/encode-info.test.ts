import { describe, expect, test } from 'vitest';
import { InfoHash } from '../../src/base/ids.ts';
import {
  encodeInfo,
  type InfoDraft,
  type InfoHashes,
  parseInfo,
  planInfo,
} from '../../src/metainfo/index.ts';
import { hashPlan, leavesOf, rootOf } from './contents.ts';
import { LIBTORRENT, PIECE_LENGTH } from './libtorrent.ts';
import { digest, pieces, ZERO_ROOTS } from './raw.ts';

const DRAFT: InfoDraft = {
  name: 'd',
  version: 'v1',
  pieceLength: 16_384,
  files: [{ path: ['a'], length: 5 }],
};

function encoded(draft: Partial<InfoDraft>, hashes?: InfoHashes): Uint8Array {
  const plan = planInfo({ ...DRAFT, ...draft });
  return encodeInfo(plan, hashes ?? hashPlan(plan));
}

function text(draft: Partial<InfoDraft>, hashes: InfoHashes = { pieces: pieces(1) }): string {
  return Buffer.from(encoded(draft, hashes)).toString('latin1');
}

describe('the infohash is that of libtorrent 2.0.8', () => {
  test.each(LIBTORRENT.map((vector) => [vector.title, vector] as const))('%s', (_, vector) => {
    const { name, files } = vector;
    const draft = { name, files, pieceLength: PIECE_LENGTH };
    const v2 = encoded({ ...draft, version: 'v2' });
    const hybrid = encoded({ ...draft, version: 'hybrid' });
    expect(digest('sha256', v2)).toBe(vector.v2);
    expect([digest('sha1', hybrid), digest('sha256', hybrid)]).toEqual(vector.hybrid);
    // The order of v1 is that of the draft; libtorrent's is that of the hybrid.
    const order = planInfo({ ...draft, version: 'hybrid' }).files.flatMap(({ draft: at }) =>
      at === undefined ? [] : files.slice(at, at + 1),
    );
    const v1 = encoded({ ...draft, version: 'v1', align: true, files: order });
    expect(digest('sha1', v1)).toBe(vector.v1);
  });
});

describe('Merkle roots of BEP 52', () => {
  test.each(Object.entries(ZERO_ROOTS))('%s zeros', (length, root) => {
    const leaves = leavesOf(new Uint8Array(Number(length)));
    expect(Buffer.from(rootOf(leaves)).toString('hex')).toBe(root);
  });
});

describe('every key', () => {
  test('of a single file', () => {
    const files = [{ path: [], length: 5, executable: true, hidden: true }];
    expect(text({ files, name: 'x' })).toBe(
      `d4:attr2:hx6:lengthi5e4:name1:x12:piece lengthi16384e6:pieces20:${'a'.repeat(20)}e`,
    );
  });
  test('of the info dictionary', () => {
    const info = parseInfo(
      encoded({
        private: true,
        source: 'S',
        similar: [new InfoHash(new Uint8Array(20).fill(7)), new InfoHash(new Uint8Array(32))],
        collections: ['one', 'zwei'],
        updateUrl: 'http://u/',
      }),
    );
    expect(info).toMatchObject({
      private: true,
      source: 'S',
      collections: ['one', 'zwei'],
      updateUrl: 'http://u/',
      warnings: [],
    });
    expect(info.similar.map(({ hex }) => hex)).toEqual(['07'.repeat(20), '00'.repeat(32)]);
  });
  test('false is written for private, and nothing for nothing', () => {
    expect(text({ private: false })).toContain('7:privatei0e');
    expect(text({})).not.toContain('private');
    expect(text({ similar: [], collections: [] })).not.toMatch(/similar|collections/);
  });
  test('further ones win, and undefined takes one away', () => {
    const extra = new Map([
      ['entropy', 'e'],
      ['source', 'mine'],
      ['private', undefined],
    ]);
    const written = text({ source: 'S', private: true, extra });
    expect(written).toContain('7:entropy1:e');
    expect(written).toContain('6:source4:mine');
    expect(written).not.toContain('private');
  });
  test('of files, in both parts of a hybrid', () => {
    const files = [
      { path: ['a'], length: 5, checksums: { md5sum: 'f'.repeat(32) } },
      { path: ['b'], length: 1, hidden: true },
    ];
    expect(text({ files, version: 'v1' }).match(/6:md5sum32:f{32}/g)).toHaveLength(1);
    const hybrid = Buffer.from(encoded({ files, version: 'hybrid' })).toString('latin1');
    expect(hybrid.match(/6:md5sum32:f{32}/g)).toHaveLength(2);
    expect(hybrid.match(/4:attr1:h/g)).toHaveLength(2);
    // One file keeps its checksums beside its length, where BEP 3 has them.
    const checksums = { md5sum: 'abc' };
    expect(text({ files: [{ path: [], length: 5, checksums }] })).toContain(
      'd6:lengthi5e6:md5sum3:abc4:name',
    );
  });
  test('of symlinks: v1 has a length and v2 has none', () => {
    const files = [
      { path: ['a'], length: 16_384 },
      { path: ['b'], length: 0, symlink: ['a'] },
    ];
    expect(text({ files })).toContain('d4:attr1:l6:lengthi0e4:pathl1:be12:symlink pathl1:aee');
    expect(text({ files, version: 'v2' }, { roots: new Map([[0, new Uint8Array(32)]]) })).toContain(
      '1:bd0:d4:attr1:l12:symlink pathl1:aeee',
    );
  });
});

test('names that are not UTF-8 keep their bytes in v1', () => {
  const files = [{ path: ['\udcff', 'ä'], length: 5 }];
  const info = Buffer.from(encoded({ files, name: 'n\udce4' }));
  expect(info.includes(Buffer.from([0x31, 0x3a, 0xff]))).toBe(true);
  expect(info.includes(Buffer.from([0x32, 0x3a, 0x6e, 0xe4]))).toBe(true);
  expect(parseInfo(info).files[0]?.rawPath).toEqual(['n\udce4', '\udcff', 'ä']);
});

test('hashes that do not fit are bugs', () => {
  expect(() => encoded({}, { pieces: pieces(2) })).toThrow('hashes for 1 pieces');
  expect(() => encoded({}, {})).toThrow('hashes for 1 pieces');
  expect(() => encoded({ version: 'v2' }, {})).toThrow('no pieces root');
  const short = new Map([[0, new Uint8Array(31)]]);
  expect(() => encoded({ version: 'v2' }, { roots: short })).toThrow('no pieces root');
});
