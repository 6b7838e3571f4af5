import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../../src/base/errors.ts';
import {
  MAX_LOCAL_TORRENT_BYTES,
  MAX_METADATA_BYTES,
  parseInfo,
  parseMetainfo,
} from '../../src/metainfo/index.ts';
import {
  bytes,
  digest,
  leaf,
  MEBIBYTE_LAYER,
  multiV1,
  pieces,
  type Raw,
  type RawDictionary,
  raw,
  singleV1,
  singleV2,
  treeV2,
  Verbatim,
  ZERO_ROOTS,
} from './raw.ts';

function single(root: RawDictionary, info: RawDictionary = {}) {
  return parseMetainfo(singleV1(info, root));
}

function refusal(work: () => unknown): ProtocolError {
  try {
    work();
  } catch (error) {
    if (error instanceof ProtocolError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('the infohash', () => {
  const info = raw({ name: 'temp', pieces: pieces(1), length: 1, 'piece length': 16_384, Z: 'z' });
  const whole = raw({ announce: 'udp://t.example:1', info: new Verbatim(info) });

  test('is taken of the bytes as they stand, in any order, unknown keys and all', () => {
    const metainfo = parseMetainfo(whole);
    expect(metainfo.infoHash?.hex).toBe(digest('sha1', info));
    expect(metainfo.infoHashV2).toBeUndefined();
    expect(Buffer.compare(metainfo.infoBytes, info)).toBe(0);
  });
  test('comes with views, not copies', () => {
    const { infoBytes, pieces: hashes } = parseMetainfo(whole);
    expect(infoBytes.buffer).toBe(whole.buffer);
    expect(hashes?.buffer).toBe(whole.buffer);
  });
  test('of v2 is SHA-256, and only that', () => {
    const metainfo = parseMetainfo(singleV2());
    expect(metainfo.infoHash).toBeUndefined();
    expect(metainfo.infoHashV2?.hex).toBe(digest('sha256', metainfo.infoBytes));
    expect(metainfo.pieces).toBeUndefined();
  });
});

describe('trackers', () => {
  const tiersOf = (root: RawDictionary): readonly (readonly string[])[] => single(root).announce;

  test('announce alone, trimmed', () => {
    expect(tiersOf({ announce: '\t udp://test.com/announce' })).toEqual([
      ['udp://test.com/announce'],
    ]);
    expect(tiersOf({ announce: ' ' })).toEqual([]);
    expect(tiersOf({ announce: 5 })).toEqual([]);
  });
  test('announce-list wins and keeps its tiers (BEP 12)', () => {
    const list = [['http://a/x', 'udp://b:1', 'http://a/x'], [], 'http://c/', ['wss://d/']];
    expect(tiersOf({ announce: 'http://z/', 'announce-list': list })).toEqual([
      ['http://a/x', 'udp://b:1'],
      ['wss://d/'],
    ]);
  });
  test('announce stands in for a list without a tracker', () => {
    expect(tiersOf({ announce: 'http://z/', 'announce-list': [[''], [7]] })).toEqual([
      ['http://z/'],
    ]);
  });
  test.each(['ftp://a/', 'httpfoo://a/', 'random text', 'http://a b/', 'udp://'])(
    '%s is left out with a warning',
    (url) => {
      const { announce, warnings } = single({ announce: url });
      expect(announce).toEqual([]);
      expect(warnings.map(({ code }) => code)).toContain('unsupported-url');
    },
  );
  test('1000 are kept', () => {
    const tier = Array.from({ length: 1500 }, (_, at) => `http://t/${at}`);
    expect(tiersOf({ 'announce-list': [tier, tier] }).flat()).toHaveLength(1000);
  });
});

describe('what is left out of long lists is said', () => {
  const list = (item: (at: number) => Raw, count: number): Raw =>
    Array.from({ length: count }, (_, at) => item(at));
  test.each<readonly [string, string, (at: number) => Raw]>([
    ['trackers', 'announce-list', (at) => [`http://t/${at}`]],
    ['web seeds', 'url-list', (at) => `http://w/${at}`],
    ['DHT nodes', 'nodes', (at) => ['node.example', at + 1]],
    ['similar torrents', 'similar', (at) => `${at}`.padStart(20, '0')],
    ['collections', 'collections', (at) => `c${at}`],
  ])('%s', (what, key, item) => {
    const limits = (count: number): readonly string[] =>
      single({ [key]: list(item, count) })
        .warnings.filter(({ code }) => code === 'limit')
        .map(({ message }) => message);
    expect(limits(1000)).toEqual([]);
    expect(limits(1001)).toEqual([expect.stringContaining(what)]);
  });
});

describe('rawPath is what the torrent really calls a file', () => {
  const rawPaths = (torrent: Uint8Array): readonly (readonly string[] | undefined)[] =>
    parseMetainfo(torrent).files.map(({ rawPath }) => rawPath);

  test('when that is not its path', () => {
    const list = [
      { length: 1, path: ['plain', 'ä'] },
      { length: 1, path: ['..', 'a\\b'] },
      { length: 1, path: [bytes(0x66, 0xe4), 'x'] },
    ];
    expect(rawPaths(multiV1(list))).toEqual([
      undefined,
      ['temp', '..', 'a\\b'],
      ['temp', 'f\udce4', 'x'],
    ]);
  });
  test('of all files when the name had to change', () => {
    const list = [{ length: 1, path: ['a'] }];
    expect(rawPaths(multiV1(list, { name: 'x/y' }))).toEqual([['x/y', 'a']]);
    expect(rawPaths(multiV1(list, { name: '..' }))).toEqual([['..', 'a']]);
    expect(rawPaths(singleV1({ name: 'x/y' }))).toEqual([['x/y']]);
  });
  test('in file trees', () => {
    const tree = { 'a\\b': { '\u007f': leaf(1) }, c: leaf(1) };
    expect(rawPaths(treeV2(tree))).toEqual([['temp', 'a\\b', '\u007f'], undefined]);
    expect(rawPaths(treeV2({ 'a:\\': leaf(1) }))).toEqual([['a:\\']]);
  });
  test('of files that share a path', () => {
    const list = ['a/x', 'A/X', 'a/x'].map((path) => ({ length: 1, path: path.split('/') }));
    const { files } = parseMetainfo(multiV1(list));
    expect(files.map(({ path }) => path.join('/'))).toEqual([
      'temp/a/x',
      'temp/A/X.1',
      'temp/a/x.2',
    ]);
    expect(files.map(({ rawPath }) => rawPath?.join('/'))).toEqual([
      undefined,
      'temp/A/X',
      'temp/a/x',
    ]);
  });
});

describe('web seeds', () => {
  const seedsOf = (list: Raw): readonly string[] => single({ 'url-list': list }).webSeeds;

  test('a list or a string (BEP 19), each once', () => {
    expect(seedsOf('http://a/file')).toEqual(['http://a/file']);
    expect(seedsOf(['http://a/', 'http://a/', 'ftp://b/'])).toEqual(['http://a/', 'ftp://b/']);
    expect(seedsOf('')).toEqual([]);
    expect(seedsOf([['http://a/'], -20, ''])).toEqual([]);
  });
  test('of several files end with a slash; spaces are escaped, escapes are not', () => {
    const list = ['http://a/b c', 'http://a/ä%20/'];
    const torrent = multiV1([{ length: 425, path: ['x'] }], {}, { 'url-list': list });
    expect(parseMetainfo(torrent).webSeeds).toEqual(['http://a/b%20c/', 'http://a/%C3%A4%20/']);
  });
  test('httpseeds (BEP 17) stay as they are', () => {
    const torrent = multiV1([{ length: 425, path: ['x'] }], {}, { httpseeds: ['http://a/s.php'] });
    expect(parseMetainfo(torrent).httpSeeds).toEqual(['http://a/s.php']);
  });
});

test('DHT nodes (BEP 5)', () => {
  const nodes = [
    ['router.example', 6881],
    ['::1', 80],
    ['127.0.0.1', 0],
    ['127.0.0.1', 65_536],
    ['a', '80'],
    [80],
    'x',
    ['bad host', 80],
  ];
  expect(single({ nodes }).nodes).toEqual([
    { host: 'router.example', port: 6881 },
    { host: '::1', port: 80 },
  ]);
});

describe('private (BEP 27)', () => {
  test.each([
    [undefined, false, undefined],
    [0, false, false],
    [1, true, true],
    [-1, false, false],
    [2, false, false],
    ['1', false, undefined],
  ])('%j', (value, isPrivate, flag) => {
    const metainfo = single({}, { private: value });
    expect(metainfo.private).toBe(isPrivate);
    expect(metainfo.privateFlag).toBe(flag);
  });
});

test('texts and dates', () => {
  const metainfo = single(
    {
      comment: 'no',
      'comment.utf-8': 'ünï',
      'created by': bytes(0x61, 0xff),
      'creation date': 1_234_567_890,
    },
    { source: 'SRC', 'update-url': 'http://u/' },
  );
  expect(metainfo).toMatchObject({
    comment: 'ünï',
    createdBy: 'a\ufffd',
    creationDate: 1_234_567_890,
    source: 'SRC',
    updateUrl: 'http://u/',
  });
  const absent = single({ comment: 5, 'creation date': 'x' });
  expect(absent).not.toHaveProperty('comment');
  expect(absent).not.toHaveProperty('creationDate');
  expect(single({ 'creation date': -5 })).not.toHaveProperty('creationDate');
});

test('similar and collections (BEP 38), inside and outside merged', () => {
  const [a, b] = [new Uint8Array(20).fill(1), new Uint8Array(20).fill(2)];
  const metainfo = single(
    { similar: [a, b, 'short', 5], collections: ['x', 'y'] },
    { similar: [a], collections: ['z', 'x'] },
  );
  expect(metainfo.similar.map(({ hex }) => hex)).toEqual(['01'.repeat(20), '02'.repeat(20)]);
  expect(metainfo.collections).toEqual(['z', 'x', 'y']);
});

test('attributes (BEP 47); unknown ones are ignored', () => {
  const files = [
    { attr: 'xh?', length: 1, path: ['a'] },
    { attr: 5, length: 1, path: ['b'] },
  ];
  expect(parseMetainfo(multiV1(files)).files).toMatchObject([
    { executable: true, hidden: true, padding: false },
    { executable: false, hidden: false, padding: false },
  ]);
  const tree = { a: leaf(1, { attr: 'h' }), b: leaf(1, { attr: 'x' }) };
  expect(parseMetainfo(treeV2(tree)).files).toMatchObject([
    { executable: false, hidden: true },
    { executable: true, hidden: false },
  ]);
  expect(single({}, { attr: 'x' }).files).toMatchObject([{ executable: true }]);
});

test('padding does not count as content', () => {
  const files = [
    { length: 10, path: ['a'] },
    { attr: 'p', length: 90, path: ['.pad', '90'] },
  ];
  expect(parseMetainfo(multiV1(files)).length).toBe(10);
});

test('piece layers are views by root', () => {
  const { pieceLayers } = parseMetainfo(singleV2());
  expect([...pieceLayers.keys()]).toEqual([ZERO_ROOTS[1_048_576]]);
  expect(Buffer.compare([...pieceLayers.values()][0] ?? bytes(), MEBIBYTE_LAYER)).toBe(0);
});

test('the hash function of piece layers can be replaced', () => {
  let calls = 0;
  const wrong = (): Uint8Array => {
    calls++;
    return new Uint8Array(32);
  };
  expect(refusal(() => parseMetainfo(singleV2(), { sha256: wrong })).code).toBe(
    'BIP_METAINFO_PIECE_LAYERS',
  );
  expect(calls).toBeGreaterThan(0);
});

test('names for Windows on request', () => {
  const files = [{ length: 425, path: ['con', 'a:b.'] }];
  const [file] = parseMetainfo(multiV1(files, { name: 'x?' }), { windows: true }).files;
  expect(file?.path).toEqual(['x_', '_con', 'a_b']);
});

test('like warnings become one', () => {
  const files = ['/a', '/b', '/c'].map((name) => ({ length: 425, path: [name] }));
  const { warnings } = parseMetainfo(multiV1(files));
  expect(warnings).toEqual([
    { code: 'path-changed', message: expect.stringContaining('temp/a (and 2 more like this)') },
  ]);
});

describe('refusals', () => {
  test('name the rule, the place and a stable code', () => {
    const error = refusal(() => parseMetainfo(singleV1({ pieces: new Uint8Array(24) })));
    expect(error).toMatchObject({
      code: 'BIP_METAINFO_PIECES',
      rule: 'BEP 3 pieces',
      offset: 7,
    });
    expect(error.message).toContain('24 bytes');
  });
  test('of loose v2 give the offset in the torrent', () => {
    const torrent = treeV2({ a: leaf(1) }, { name: new Verbatim('04:temp') });
    const { offset, rule } = refusal(() => parseMetainfo(torrent));
    expect(rule).toBe('BEP 3 leading zeros');
    expect(offset).toBe(Buffer.from(torrent).indexOf('04:temp'));
  });
  test('do not let text from outside break the line', () => {
    const path = ['a\n\u001b[31m', 'b'.repeat(500)];
    const list = Array.from({ length: 118 }, () => ({ length: 1, path }));
    const { message } = refusal(() => parseMetainfo(multiV1(list)));
    expect(message).not.toMatch(/\p{Cc}/u);
    expect(message.length).toBeLessThan(250);
  });
});

describe('metadata from peers (BEP 9)', () => {
  const { infoBytes } = parseMetainfo(singleV2());

  test('gives the same torrent; what the link knew is laid around it', () => {
    const metainfo = parseInfo(infoBytes, { announce: [['udp://t:1']], webSeeds: ['http://w/'] });
    expect(metainfo).toMatchObject({
      name: 'temp',
      announce: [['udp://t:1']],
      webSeeds: ['http://w/'],
      httpSeeds: [],
      nodes: [],
      warnings: [{ code: 'piece-layers-missing' }],
    });
    expect(metainfo.infoHashV2?.hex).toBe(digest('sha256', infoBytes));
    expect(metainfo.pieceLayers.size).toBe(0);
  });
  test('must be the dictionary and nothing else', () => {
    expect(refusal(() => parseInfo(new Uint8Array([...infoBytes, 0]))).code).toBe(
      'BIP_METAINFO_INFO',
    );
    expect(refusal(() => parseInfo(raw('text'))).code).toBe('BIP_METAINFO_INFO');
  });
  test('has a limit', () => {
    const big = new Uint8Array(MAX_METADATA_BYTES + 1);
    expect(refusal(() => parseInfo(big)).code).toBe('BIP_METAINFO_LIMIT');
  });
});

test('a torrent has a limit', () => {
  const big = new Uint8Array(MAX_LOCAL_TORRENT_BYTES + 1);
  expect(refusal(() => parseMetainfo(big)).code).toBe('BIP_METAINFO_LIMIT');
});
