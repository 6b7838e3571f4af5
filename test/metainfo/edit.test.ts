/** Torrents changed in place: all that was not asked for stays, byte for byte. @module */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeName } from '../../src/base/bytes.ts';
import { ProtocolError, UsageError } from '../../src/base/errors.ts';
import { decode } from '../../src/bencode/index.ts';
import {
  type EditedTorrent,
  editTorrent,
  type KeyEdit,
  parseMetainfo,
  type TorrentEdits,
  textEdits,
} from '../../src/metainfo/index.ts';
import {
  bytes,
  leaf,
  multiV1,
  pieces,
  type Raw,
  type RawDictionary,
  raw,
  singleV1,
  singleV2,
  sorted,
  torrent,
  treeV2,
  Verbatim,
} from './raw.ts';

/** As latin1, so that every byte shows. */
function text(torrentBytes: Uint8Array): string {
  return Buffer.from(torrentBytes).toString('latin1');
}

function rawInfo(torrentBytes: Uint8Array): string {
  return text(decode(torrentBytes, { fullDecode: false }).get('info')?.raw ?? new Uint8Array());
}

function keys(...edits: readonly (readonly [string, KeyEdit['value']])[]): TorrentEdits {
  return { keys: edits.map(([path, value]) => ({ path: path.split('/'), value })) };
}

/** The root with these keys, in this order. */
function withInfo(before: RawDictionary, after: RawDictionary): Uint8Array {
  const info = { length: 425, name: 'temp', 'piece length': 16_384, pieces: pieces(1) };
  return raw({ ...before, info, ...after });
}

describe('keys', () => {
  test('new ones come to their sorted place, none moves', () => {
    const { bytes: edited, changed } = editTorrent(
      withInfo({ zz: 1, b: 2 }, { aa: 3, x: 4 }),
      keys(['c', 1], ['a', 1], ['zzz', 1], ['comment', 'hi']),
    );
    expect(text(edited)).toBe(
      text(withInfo({ a: 1, c: 1, comment: 'hi', zz: 1, b: 2 }, { aa: 3, x: 4, zzz: 1 })),
    );
    expect(changed).toEqual(['a', 'c', 'comment', 'zzz']);
  });

  test('what is replaced stays in its place; numbers beside it keep their form', () => {
    const odd = new Verbatim('i007e');
    const { bytes: edited } = editTorrent(
      withInfo({ z: odd, comment: 'old' }, { a: odd }),
      keys(['comment', 'new']),
    );
    expect(text(edited)).toBe(text(withInfo({ z: odd, comment: 'new' }, { a: odd })));
  });

  test('changes say what was and what is', () => {
    const { changes } = editTorrent(
      withInfo({ comment: 'old', gone: [1] }, {}),
      keys(['comment', 'new'], ['gone', undefined], ['fresh', { b: 1, a: 2 }]),
    );
    expect(
      changes.map(({ key, before, after }) => [key, before && text(before), after && text(after)]),
    ).toEqual([
      ['comment', '3:old', '3:new'],
      ['fresh', undefined, 'd1:ai2e1:bi1ee'],
      ['gone', 'li1ee', undefined],
    ]);
  });

  test('of two for one key the last counts', () => {
    const { bytes: edited } = editTorrent(
      singleV1(),
      keys(['x', 1], ['x', 2], ['y', 1], ['y', undefined]),
    );
    expect(text(edited)).toBe(text(singleV1({}, { x: 2 })));
  });

  test('in dictionaries and lists, made where they are missing', () => {
    const before = singleV1({}, { l: [1, { a: 1 }, 3], n: { x: 1 } });
    const { bytes: edited, changed } = editTorrent(
      before,
      keys(['l/0', 9], ['l/1/b', 2], ['l/2', undefined], ['l/3', 4], ['n/w', 0], ['o/p/q', 1]),
    );
    expect(text(edited)).toBe(
      text(singleV1({}, { l: [9, { a: 1, b: 2 }, 4], n: { w: 0, x: 1 }, o: { p: { q: 1 } } })),
    );
    expect(changed).toEqual(['l.0', 'l.1.b', 'l.2', 'l.3', 'n.w', 'o.p.q']);
  });

  test('taking away what is not there changes nothing', () => {
    const before = singleV1({}, { l: [1], s: 'x' });
    const edited = editTorrent(
      before,
      keys(['q', undefined], ['q2/r', undefined], ['s/t', undefined], ['l/5', undefined]),
    );
    expect(edited.bytes).toBe(before);
    expect(edited.changed).toEqual([]);
    expect(edited.after).toBe(edited.before);
  });

  test('setting what is there changes nothing', () => {
    const before = singleV1({ source: 'S' }, { x: { b: 1, a: [] } });
    const edits = keys(['info/source', 'S'], ['x/a', []]);
    expect(editTorrent(before, edits).bytes).toBe(before);
  });

  test('keys that are no text', () => {
    const before = raw({ info: decodedInfo(), '\xfe': 1 });
    const { bytes: edited, changed } = editTorrent(before, {
      keys: [
        { path: ['\udcff'], value: 1 },
        { path: ['\udcfe'], value: 2 },
      ],
    });
    expect(text(edited)).toBe(text(raw({ info: decodedInfo(), '\xfe': 2, '\xff': 1 })));
    expect(changed).toEqual(['$hex:fe', '$hex:ff']);
  });

  test.each([
    [keys(['s/t', 1]), '`s` is no dictionary'],
    [keys(['l/x', 1]), '`l` is a list'],
    [keys(['l/01', 1]), '`l` is a list'],
    [keys(['l/3', 1]), '`l.3` is beyond the 1 items'],
    [keys(['a', 1], ['a/b', 1]), '`a.b` is to change, and something in it or around it as well'],
    [keys(['a/b', 1], ['a', 1]), '`a` is to change'],
    [{ keys: [{ path: [], value: 1 }] }, 'no place 0 keys deep'],
    [{ keys: [{ path: Array.from({ length: 101 }, () => 'a'), value: 1 }] }, '101 keys deep'],
  ])('%#: %s', (edits, why) => {
    const before = singleV1({}, { l: [1], s: 'x' });
    expect(() => editTorrent(before, edits)).toThrow(UsageError);
    expect(() => editTorrent(before, edits)).toThrow(why);
  });

  test('text takes its twin in another encoding away', () => {
    const before = singleV1({}, { comment: 'a', 'comment.utf-8': 'b' });
    const { bytes: edited, changed } = editTorrent(before, { keys: textEdits(['comment'], 'c') });
    expect(text(edited)).toBe(text(singleV1({}, { comment: 'c' })));
    expect(changed).toEqual(['comment', 'comment\\.utf-8']);
    const { bytes: none } = editTorrent(before, { keys: textEdits(['comment'], undefined) });
    expect(text(none)).toBe(text(singleV1()));
  });
});

function decodedInfo(): Verbatim {
  return new Verbatim(decode(singleV1()).get('info')?.raw ?? bytes());
}

test('bytes behind the torrent stay', () => {
  const before = Buffer.concat([singleV1(), Buffer.from('\r\n')]);
  const { bytes: edited } = editTorrent(before, keys(['x', 1]));
  expect(text(edited)).toBe(`${text(singleV1({}, { x: 1 }))}\r\n`);
});

describe('inside of info', () => {
  test('only what was asked for changes, and the infohash', () => {
    const before = torrent({
      length: 425,
      zz: new Verbatim('i01e'),
      name: 'temp',
      'piece length': 16_384,
      pieces: pieces(1),
      a: 1,
    });
    const edited = editTorrent(before, keys(['info/source', 'S'], ['info/a', undefined]));
    expect(text(edited.bytes)).toBe(
      text(
        torrent({
          length: 425,
          source: 'S',
          zz: new Verbatim('i01e'),
          name: 'temp',
          'piece length': 16_384,
          pieces: pieces(1),
        }),
      ),
    );
    expect(edited.changed).toEqual(['info.source', 'info.a']);
    expect(edited.before.infoHash?.hex).toBe(parseMetainfo(before).infoHash?.hex);
    expect(edited.after.infoHash?.hex).toBe(parseMetainfo(edited.bytes).infoHash?.hex);
    expect(edited.after.infoHash?.hex).not.toBe(edited.before.infoHash?.hex);
    expect(edited.after.source).toBe('S');
  });

  test('of v2 stays canonical', () => {
    const { bytes: edited, after } = editTorrent(
      singleV2(),
      keys(['info/a', 1], ['info/n', { z: 1, a: 2 }], ['info/zz', 1], ['info/private', 1]),
    );
    const info = decode(edited).get('info')?.raw ?? bytes();
    expect(() => decode(info, { strict: true })).not.toThrow();
    expect(after.private).toBe(true);
  });

  test.each([
    ['info/pieces', undefined, 'break the torrent'],
    ['info/pieces', 'short', 'break the torrent'],
    ['info', undefined, 'break the torrent'],
    ['info', {}, 'break the torrent'],
    ['info/name', undefined, 'the torrent has no name'],
    ['info/piece length', 0, 'break the torrent'],
    ['info/length', 10 ** 9, 'break the torrent'],
    ['info/meta version', 2, 'break the torrent'],
    ['info/x', deep(101), 'break the torrent'],
  ])('%s = %j is refused', (path, value, why) => {
    expect(() => editTorrent(singleV1(), keys([path, value]))).toThrow(UsageError);
    expect(() => editTorrent(singleV1(), keys([path, value]))).toThrow(why);
  });

  test('a hybrid stays a hybrid', () => {
    const hybrid = treeV2({ temp: leaf(1) }, { length: 1, pieces: pieces(1) });
    expect(parseMetainfo(hybrid).version).toBe('hybrid');
    expect(() => editTorrent(hybrid, keys(['info/pieces', undefined]))).toThrow(
      'this would make a hybrid torrent v2',
    );
  });

  test('a broken torrent is the fault of nobody here', () => {
    const broken = singleV1({ pieces: 'short' });
    expect(() => editTorrent(broken, keys(['x', 1]))).toThrow(ProtocolError);
    expect(() => editTorrent(bytes(), {})).toThrow(ProtocolError);
  });
});

function deep(levels: number): KeyEdit['value'] {
  let value: NonNullable<KeyEdit['value']> = 1;
  for (let level = 0; level < levels; level++) value = [value];
  return value;
}

describe('the name', () => {
  test('of v1', () => {
    const before = multiV1([{ length: 1, path: ['a'] }], { 'name.utf-8': 'old' });
    const { after, changed } = editTorrent(before, { name: 'new' });
    expect(after.files.map(({ path }) => path)).toEqual([['new', 'a']]);
    expect(changed).toEqual(['info.name', 'info.name\\.utf-8']);
  });

  test('of a single file of v2 is that of the file, too', () => {
    const { after, before, changed } = editTorrent(singleV2(), { name: 'new' });
    expect(after.files.map(({ path }) => path)).toEqual([['new']]);
    expect(after.files[0]?.piecesRoot).toEqual(before.files[0]?.piecesRoot);
    expect(changed).toEqual(['info.file tree', 'info.name']);
  });

  test('of a folder of v2 is not', () => {
    const { after } = editTorrent(treeV2({ a: leaf(1), b: leaf(7) }), { name: 'new' });
    expect(after.files.map(({ path }) => path)).toEqual([
      ['new', 'a'],
      ['new', 'b'],
    ]);
  });

  test('of a hybrid that is one file', () => {
    const hybrid = treeV2({ temp: leaf(1) }, { length: 1, pieces: pieces(1) });
    const { after } = editTorrent(hybrid, { name: 'new' });
    expect([after.version, after.files.map(({ path }) => path)]).toEqual(['hybrid', [['new']]]);
  });

  test.each(['', '..', 'a/b', 'a\\b', 'a\u202eb'])('%j is refused', (name) => {
    expect(() => editTorrent(singleV1(), { name })).toThrow(
      'no name that every system could write',
    );
  });
});

const A = 'http://a.example/';
const B = 'udp://b.example:1';
const C = 'udp://c.example:2';

describe('trackers', () => {
  function tiersOf(root: RawDictionary): readonly (readonly string[])[] {
    let seen: readonly (readonly string[])[] = [];
    editTorrent(singleV1({}, root), {
      announce: (tiers) => {
        seen = tiers;
        return tiers;
      },
    });
    return seen;
  }

  function withTiers(root: RawDictionary, tiers: readonly (readonly string[])[]): EditedTorrent {
    return editTorrent(singleV1({}, root), { announce: () => tiers });
  }

  test.each<[RawDictionary, readonly (readonly string[])[]]>([
    [{}, []],
    [{ announce: A }, [[A]]],
    [{ announce: '' }, []],
    [{ announce: A, 'announce-list': [] }, [[A]]],
    [{ announce: A, 'announce-list': [[]] }, [[A]]],
    [{ announce: B, 'announce-list': [[A, B], [C]] }, [[A, B], [C]]],
    [{ announce: C, 'announce-list': [[A], [B]] }, [[C], [A], [B]]],
    [{ 'announce-list': [[A, 'dht://odd', 7], [], B] }, [[A, 'dht://odd'], [B]]],
  ])('%j', (root, tiers) => {
    expect(tiersOf(root)).toEqual(tiers);
  });

  test('one is `announce`, more are a list as well, none is nothing', () => {
    expect(text(withTiers({}, [[A]]).bytes)).toBe(text(torrentWith({ announce: A }, {})));
    const two = withTiers({}, [[A, B], [], [C]]);
    expect(text(two.bytes)).toBe(
      text(torrentWith({ announce: A, 'announce-list': [[A, B], [C]] }, {})),
    );
    expect(two.changed).toEqual(['announce', 'announce-list']);
    expect(text(withTiers({ announce: A, 'announce-list': [[A]] }, []).bytes)).toBe(
      text(singleV1()),
    );
    expect(text(withTiers({ announce: A, 'announce-list': [[A], [B]] }, [[B]]).bytes)).toBe(
      text(singleV1({}, { announce: B, 'announce-list': [[B]] })),
    );
  });

  test('the same ones change nothing, whatever form they have', () => {
    const odd = { announce: C, 'announce-list': [[A, 7], [], B] };
    const { bytes: edited } = editTorrent(singleV1({}, odd), { announce: (tiers) => [...tiers] });
    expect(text(edited)).toBe(text(singleV1({}, odd)));
  });

  test('URLs that are no text keep their bytes', () => {
    const url = bytes(0x68, 0xff);
    const { bytes: edited } = editTorrent(torrentWith({ announce: url }, {}), {
      announce: (tiers) => [...tiers, [A]],
    });
    expect(text(edited)).toBe(
      text(torrentWith({ announce: url, 'announce-list': [[url], [A]] }, {})),
    );
  });

  function torrentWith(before: RawDictionary, after: RawDictionary): Uint8Array {
    return raw({ ...before, info: decodedInfo(), ...after });
  }
});

test('seeds', () => {
  const before = singleV1({}, { 'url-list': 'http://w.example', httpseeds: ['http://h.example'] });
  const more = editTorrent(before, {
    webSeeds: (urls) => [...urls, 'http://x.example'],
    httpSeeds: () => [],
  });
  expect(text(more.bytes)).toBe(
    text(singleV1({}, { 'url-list': ['http://w.example', 'http://x.example'] })),
  );
  expect(editTorrent(before, { webSeeds: (urls) => urls, httpSeeds: (urls) => urls }).bytes).toBe(
    before,
  );
  expect(text(editTorrent(before, { webSeeds: () => [] }).bytes)).toBe(
    text(singleV1({}, { httpseeds: ['http://h.example'] })),
  );
});

test('nodes', () => {
  const before = singleV1({}, { nodes: [['::1', 1], ['bad'], ['a.example', 2]] });
  const { after, changed } = editTorrent(before, {
    nodes: (nodes) => [...nodes.slice(1), { host: '::2', port: 3 }],
  });
  expect(changed).toEqual(['nodes']);
  expect(after.nodes).toEqual([
    { host: 'a.example', port: 2 },
    { host: '::2', port: 3 },
  ]);
  expect(editTorrent(before, { nodes: (nodes) => nodes }).bytes).toBe(before);
  expect(text(editTorrent(before, { nodes: () => [] }).bytes)).toBe(text(singleV1()));
});

test('clean takes away what no BEP knows, but not what is set', () => {
  const before = singleV1(
    { odd: 1 },
    { libtorrent_resume: { x: 1 }, comment: 'c', 'comment.utf-8': 'd', '\xff': 1, rtorrent: 2 },
  );
  const { bytes: edited, changed } = editTorrent(before, {
    clean: true,
    ...keys(['rtorrent', 3], ['libtorrent_resume/y', 1]),
  });
  expect(text(edited)).toBe(
    text(
      singleV1(
        { odd: 1 },
        { libtorrent_resume: { x: 1, y: 1 }, comment: 'c', 'comment.utf-8': 'd', rtorrent: 3 },
      ),
    ),
  );
  expect(changed).toEqual(['libtorrent_resume.y', 'rtorrent', '$hex:ff']);
});

/** Values with forms that bencode forbids, and dictionaries in any order. */
const odd: fc.Arbitrary<Raw> = fc.letrec<{ value: Raw; dictionary: RawDictionary }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.integer(),
    fc.string({ maxLength: 5 }),
    fc.uint8Array({ maxLength: 5 }),
    fc.constantFrom(new Verbatim('i00e'), new Verbatim('i-05e'), new Verbatim('02:ab')),
    fc.array(tie('value'), { maxLength: 3 }),
    tie('dictionary'),
  ),
  dictionary: fc.dictionary(fc.string({ maxLength: 4, unit: 'binary-ascii' }), tie('value'), {
    maxKeys: 4,
  }),
})).value;

const KNOWN = ['info', 'announce', 'announce-list', 'similar', 'collections', 'nodes', 'url-list'];

/** A torrent with unknown keys in any order before and behind info, and in it. */
const torrents: fc.Arbitrary<Uint8Array> = fc
  .record({
    before: fc.dictionary(fc.string({ minLength: 1, maxLength: 4 }), odd, { maxKeys: 4 }),
    after: fc.dictionary(fc.string({ minLength: 1, maxLength: 4 }), odd, { maxKeys: 4 }),
    inside: fc.dictionary(fc.stringMatching(/^u[a-z]{1,3}$/), odd, { maxKeys: 4 }),
    version: fc.constantFrom('v1', 'v2'),
    trailing: fc.uint8Array({ maxLength: 3 }),
  })
  .map(({ before, after, inside, version, trailing }) => {
    const info: RawDictionary =
      version === 'v1'
        ? { ...inside, length: 425, name: 'temp', 'piece length': 16_384, pieces: pieces(1) }
        : sorted({
            'file tree': { temp: leaf(1) },
            'meta version': 2,
            name: 'temp',
            'piece length': 16_384,
          });
    const latin1 = (part: RawDictionary): RawDictionary =>
      Object.fromEntries(
        Object.entries(part).map(([key, value]) => [Buffer.from(key).toString('latin1'), value]),
      );
    // Keys that look like numbers would change their place in an object.
    const root = { ...latin1(before), info, ...latin1(without(after, before)) };
    return new Uint8Array(Buffer.concat([raw(root), trailing]));
  })
  .filter((candidate) => {
    try {
      parseMetainfo(candidate);
      return true;
    } catch {
      return false;
    }
  });

function without(one: RawDictionary, other: RawDictionary): RawDictionary {
  return Object.fromEntries(Object.entries(one).filter(([key]) => !Object.hasOwn(other, key)));
}

const value = fc.oneof(fc.integer(), fc.string(), fc.array(fc.integer()), fc.uint8Array());

/** Edits beside info. */
const surroundings: fc.Arbitrary<TorrentEdits> = fc.record(
  {
    keys: fc.array(
      fc.record({
        path: fc.tuple(fc.string({ maxLength: 4 }).filter((key) => !KNOWN.includes(key))),
        value: fc.option(value, { nil: undefined }),
      }),
      { maxLength: 5 },
    ),
    announce: fc.constantFrom(
      () => [],
      () => [[A, B], [C]],
      () => [[A]],
    ),
    webSeeds: fc.constantFrom(
      () => [],
      () => ['http://w.example/'],
    ),
    nodes: fc.constantFrom(
      () => [],
      () => [{ host: '::1', port: 1 }],
    ),
    clean: fc.boolean(),
  },
  { requiredKeys: [] },
);

describe('for all torrents', () => {
  test('edits beside info keep its bytes and the infohash, and do nothing when done again', () => {
    fc.assert(
      fc.property(torrents, surroundings, (before, edits) => {
        const edited = editTorrent(before, edits);
        expect(rawInfo(edited.bytes)).toBe(rawInfo(before));
        expect(edited.after.infoHash?.hex).toBe(edited.before.infoHash?.hex);
        expect(edited.after.infoHashV2?.hex).toBe(edited.before.infoHashV2?.hex);
        const again = editTorrent(edited.bytes, edits);
        expect(again.changed).toEqual([]);
        expect(again.bytes).toBe(edited.bytes);
      }),
    );
  });

  test('keys that are not named keep their bytes and their order', () => {
    fc.assert(
      fc.property(
        torrents,
        fc.string({ maxLength: 4 }),
        fc.option(value, { nil: undefined }),
        (before, name, wanted) => {
          fc.pre(name !== 'info');
          const { bytes: edited } = editTorrent(before, {
            keys: [{ path: [name], value: wanted }],
          });
          expect(othersOf(edited, name)).toEqual(othersOf(before, name));
        },
      ),
    );
  });

  test('a new key set and taken away gives the bytes from before, anywhere', () => {
    fc.assert(
      fc.property(torrents, fc.string({ maxLength: 4 }), fc.boolean(), (before, name, inside) => {
        const path = inside ? ['info', name] : [name];
        const root = decode(before, { fullDecode: false });
        const place = inside ? root.get('info') : root;
        fc.pre(place?.get(encodeName(name)) === undefined);
        const set = editTorrent(before, { keys: [{ path, value: 1 }] });
        expect(set.changed).toHaveLength(1);
        const back = editTorrent(set.bytes, { keys: [{ path, value: undefined }] });
        expect(text(back.bytes)).toBe(text(before));
        expect(back.changed).toEqual(set.changed);
      }),
    );
  });
});

/** Raw keys and values of the root but one, in order, and what follows the torrent. */
function othersOf(torrentBytes: Uint8Array, name: string): readonly string[] {
  const root = decode(torrentBytes, { fullDecode: false });
  const others = [...root.entries()].filter(([key]) => text(key) !== text(encodeName(name)));
  const entries = others.map(([key, item]) => `${text(key)}=${text(item.raw)}`);
  return [...entries, text(torrentBytes.subarray(root.end))];
}
