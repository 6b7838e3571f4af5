import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type DraftFile,
  encodeInfo,
  encodeTorrent,
  type InfoDraft,
  type Metainfo,
  parseMetainfo,
  planInfo,
  type SurroundingsDraft,
  torrentSize,
} from '../../src/metainfo/index.ts';
import { hashPlan } from './contents.ts';

function make(draft: InfoDraft, surroundings: SurroundingsDraft = {}): Uint8Array {
  const plan = planInfo(draft);
  const { layers, ...hashes } = hashPlan(plan);
  return encodeTorrent(encodeInfo(plan, hashes), surroundings, layers);
}

const SMALL: InfoDraft = {
  name: 'a',
  version: 'v1',
  pieceLength: 16_384,
  files: [{ path: [], length: 5 }],
};

function text(draft: Partial<InfoDraft>, surroundings: SurroundingsDraft): string {
  return Buffer.from(make({ ...SMALL, ...draft }, surroundings)).toString('latin1');
}

describe('what stands beside the info dictionary', () => {
  const all: SurroundingsDraft = {
    announce: [['http://a/', 'udp://b:1'], [], ['wss://c/']],
    webSeeds: ['http://w/'],
    httpSeeds: ['http://h/'],
    nodes: [
      { host: 'router.example', port: 6881 },
      { host: '::1', port: 1 },
    ],
    comment: 'cömment',
    createdBy: 'bip',
    creationDate: 1_000_000_000,
  };

  test('comes back', () => {
    expect(parseMetainfo(make(SMALL, all))).toMatchObject({
      ...all,
      announce: [['http://a/', 'udp://b:1'], ['wss://c/']],
      warnings: [],
    });
  });
  test('one tracker needs no list, and nothing is written for nothing', () => {
    expect(text({}, { announce: [['http://a/']] })).toMatch(/^d8:announce9:http:\/\/a\/4:infod/);
    const nothing = { announce: [[]], webSeeds: [], httpSeeds: [], nodes: [] };
    expect(text({}, nothing)).toMatch(/^d4:infod/);
  });
  test('further keys win; undefined takes one away; the torrent itself is none of them', () => {
    const extra = new Map([
      ['comment', 'mine'],
      ['created by', undefined],
      ['encoding', 'UTF-8'],
      ['x', 'y'],
      ['info', 'no'],
      ['piece layers', 'no'],
    ]);
    const written = text({}, { ...all, extra });
    expect(written).toContain('7:comment4:mine');
    expect(written).toContain('8:encoding5:UTF-8');
    expect(written).toContain('1:x1:ye');
    expect(written).not.toMatch(/created by|2:no/);
  });
  test('piece layers are there with v2, even when there are none, as of libtorrent', () => {
    expect(text({}, {})).not.toContain('piece layers');
    expect(text({ version: 'v2' }, {})).toMatch(/12:piece layersdee$/);
    expect(text({ version: 'hybrid' }, {})).toMatch(/12:piece layersdee$/);
  });
  test('the info dictionary stays as it is', () => {
    const info = Buffer.from('d4:name1:a6:lengthi05e1:zlee');
    expect(Buffer.from(encodeTorrent(info, {})).includes(info)).toBe(true);
  });
});

const FOLDERS = ['sub', 'sub.x', 'SUB2', 'ä', '日本', '\u{1f600}', '\uffee', '.pad'];
const LENGTHS = [0, 1, 16_383, 16_384, 16_385, 32_767, 32_768, 32_769, 65_536, 70_001];

const fileArbitrary = fc.record(
  {
    folders: fc.array(fc.constantFrom(...FOLDERS), { maxLength: 3 }),
    length: fc.oneof(fc.constantFrom(...LENGTHS), fc.nat(100_000)),
    executable: fc.boolean(),
    hidden: fc.boolean(),
    /** Points to the file so many before. */
    link: fc.option(fc.nat(5), { nil: undefined }),
    name: fc.constantFrom('a', 'Z', 'é', '\u{1f680}', '', 'x y', '.b'),
  },
  { noNullPrototype: true },
);

type Sketch = typeof fileArbitrary extends fc.Arbitrary<infer Value> ? Value : never;

function drafted(sketches: readonly Sketch[]): DraftFile[] {
  const files: DraftFile[] = [];
  for (const { folders, length, executable, hidden, link, name } of sketches) {
    // Each name is there once, and numbers meet those of padding.
    const path = [
      ...folders,
      `${name}${length % 2 === 0 ? 16_384 - (length % 16_384) : ''}~${files.length}`,
    ];
    const target = link === undefined ? undefined : files.at(-1 - link)?.path;
    files.push(
      target === undefined
        ? { path, length, executable, hidden }
        : { path, length: 0, executable, hidden, symlink: target },
    );
  }
  return files;
}

const draftArbitrary = fc
  .record({
    name: fc.constantFrom('d', 'ünï', '\u{1f600}', 'with space'),
    version: fc.constantFrom('v1' as const, 'v2' as const, 'hybrid' as const),
    bits: fc.integer({ min: 14, max: 16 }),
    odd: fc.nat(3000),
    align: fc.boolean(),
    isSingle: fc.boolean(),
    sketches: fc.array(fileArbitrary, { minLength: 1, maxLength: 8 }),
  })
  .map(({ version, bits, odd, isSingle, sketches, ...rest }): InfoDraft => {
    const [first] = sketches;
    const files =
      isSingle && first !== undefined
        ? [{ path: [], length: first.length, executable: first.executable, hidden: first.hidden }]
        : drafted(sketches);
    return { ...rest, version, pieceLength: 2 ** bits + (version === 'v1' ? odd : 0), files };
  })
  .filter(({ files }) => files.some(({ length }) => length > 0));

/** v2 cannot say that its only file lies in a folder: readers put it beside. */
function losesFolder({ version, files }: InfoDraft): boolean {
  return version === 'v2' && files.length === 1 && files[0]?.path.length === 1;
}

/** The draft that a torrent came of; padding is none of it. */
function undrafted({ name, version, pieceLength, files }: Metainfo) {
  return {
    name,
    version,
    pieceLength,
    files: files
      .filter(({ padding }) => !padding)
      .map(({ path, length, executable, hidden, symlink }) => ({
        path: path.join('/'),
        ...{ length, executable, hidden },
        symlink: symlink?.join('/'),
      })),
  };
}

function expected(draft: InfoDraft) {
  const { name, version, pieceLength, files } = draft;
  const order = planInfo(draft).files.flatMap(({ draft: at }) =>
    at === undefined ? [] : files.slice(at, at + 1),
  );
  const top = losesFolder(draft) ? [] : [name];
  return {
    name,
    version,
    pieceLength,
    files: order.map(({ path, length, executable = false, hidden = false, symlink }) => ({
      path: [...top, ...path].join('/'),
      ...{ length, executable, hidden },
      symlink: symlink === undefined ? undefined : [name, ...symlink].join('/'),
    })),
  };
}

describe('any draft', () => {
  test('comes back as it was, without a warning, where it was planned', () => {
    fc.assert(
      fc.property(draftArbitrary, (draft) => {
        const metainfo = parseMetainfo(make(draft));
        expect(metainfo.warnings).toEqual([]);
        expect(undrafted(metainfo)).toEqual(expected(draft));
        const plan = planInfo(draft);
        const places = (files: typeof plan.files) =>
          files.map(({ offset, length, padding }) => ({ offset, length, padding }));
        expect(places(metainfo.files)).toEqual(places(plan.files));
        expect(metainfo.pieceCount).toBe(plan.pieceCount);
        expect(metainfo.length).toBe(plan.length);
        expect(metainfo.files.some(({ rawPath }) => rawPath !== undefined)).toBe(false);
      }),
    );
  });

  test('has the size that was foretold', () => {
    const surroundings = fc.record(
      {
        comment: fc.string(),
        announce: fc.array(fc.array(fc.webUrl(), { maxLength: 3 }), { maxLength: 3 }),
        creationDate: fc.nat(),
        extra: fc.constant(new Map([['x', [1, 'y']]])),
      },
      { requiredKeys: [], noNullPrototype: true },
    );
    fc.assert(
      fc.property(draftArbitrary, surroundings, (draft, around) => {
        const long = draft.files.filter(({ length }) => length > draft.pieceLength);
        const isShared = new Set(long.map(({ length }) => length)).size < long.length;
        const size = make(draft, around).length;
        const foretold = torrentSize(draft, around);
        // Files of the same content share their piece layers.
        if (isShared && draft.version !== 'v1') expect(foretold).toBeGreaterThan(size);
        else expect(foretold).toBe(size);
      }),
    );
  });
});

test('the size is foretold without making the hashes', () => {
  const files = [{ path: ['a'], length: 2 ** 40 }];
  const draft: InfoDraft = { name: 'd', version: 'hybrid', pieceLength: 2 ** 20, files };
  const hashes = 2 ** 20 * (20 + 32);
  const size = torrentSize(draft, {});
  expect(size).toBeGreaterThan(hashes);
  expect(size).toBeLessThan(hashes + 500);
});

test('keys that replace the hashes are measured as they are', () => {
  const draft = { ...SMALL, extra: new Map([['pieces', 'none']]) };
  expect(torrentSize(draft, {})).toBe(make(draft).length);
});

test('the deepest path that may be planned can be read', () => {
  for (const version of ['v1', 'v2', 'hybrid'] as const) {
    for (const symlink of [undefined, ['x']]) {
      const depth = version === 'v1' ? 100 : 95;
      const path = Array.from({ length: depth }, (_, at) => `${at}`);
      const deep = symlink === undefined ? { path, length: 1 } : { path, length: 0, symlink };
      const files = [{ path: ['x'], length: 1 }, deep];
      const draft: InfoDraft = { name: 'd', version, pieceLength: 16_384, files };
      expect(parseMetainfo(make(draft)).warnings).toEqual([]);
      const deeper = { ...deep, path: [...path, 'y'] };
      expect(() => planInfo({ ...draft, files: [{ path: ['x'], length: 1 }, deeper] })).toThrow(
        `more than ${depth} parts`,
      );
    }
  }
});
