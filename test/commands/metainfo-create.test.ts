/** `bip metainfo create`, what is in the torrents: whole command lines, in process. @module */

import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { decode, toJson } from '../../src/bencode/index.ts';
import { raw } from '../metainfo/raw.ts';
import { ALBUM, type CreateRun, create, createWorld, pattern } from './create-world.ts';

function sha1Pieces(bytes: Uint8Array, pieceLength: number): Uint8Array {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += pieceLength) {
    pieces.push(
      createHash('sha1')
        .update(bytes.subarray(at, at + pieceLength))
        .digest(),
    );
  }
  return new Uint8Array(Buffer.concat(pieces));
}

/** The keys of a torrent as JSON, at the top or in the info dictionary. */
async function keys(run: CreateRun, path = 'album.torrent'): Promise<Record<string, unknown>> {
  const value: unknown = toJson(decode((await run.read(path)) ?? new Uint8Array()));
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
async function infoKeys(run: CreateRun): Promise<Record<string, unknown>> {
  const { info } = await keys(run);
  return typeof info === 'object' && info !== null ? { ...info } : {};
}

describe('versions', () => {
  test('v1 is BEP 3, byte for byte', async () => {
    const run = await create(['album', '--v1', '--json']);
    expect([run.code, run.json['version']]).toEqual([0, 'v1']);
    const [a, b] = [pattern(100_000), pattern(20_000, 2)];
    const info = raw({
      files: [
        { length: 100_000, path: ['a.bin'] },
        { length: 20_000, path: ['b', 'two.txt'] },
        { length: 0, path: ['empty'] },
      ],
      name: 'album',
      'piece length': 16_384,
      pieces: sha1Pieces(new Uint8Array(Buffer.concat([a, b])), 16_384),
    });
    expect(run.json['infoHash']).toBe(createHash('sha1').update(info).digest('hex'));
    expect(run.json).not.toHaveProperty('infoHashV2');
  });

  test('hybrid by default, v2 when asked', async () => {
    const both = await create(['album', '--json']);
    expect(both.json).toMatchObject({ version: 'hybrid', pieceLength: 16_384, pieceCount: 9 });
    const explicit = await create(['album', '--json', '--hybrid']);
    expect(explicit.json['infoHash']).toBe(both.json['infoHash']);
    const { json } = await create(['album', '--json', '--v2']);
    expect(json).toMatchObject({ version: 'v2' });
    expect(json).not.toHaveProperty('infoHash');
  });

  test('a single file has no folder', async () => {
    const run = await create(['album/a.bin', '--v1', '--json']);
    expect(run.json).toMatchObject({
      path: 'a.bin.torrent',
      name: 'a.bin',
      files: [{ path: 'a.bin', length: 100_000 }],
    });
  });

  test('two runs give the same bytes', async () => {
    const argv = ['album', '--date', '0', '--json'];
    const [one, other] = [await create(argv), await create(argv)];
    expect(await one.read('album.torrent')).toEqual(await other.read('album.torrent'));
  });

  test('--align pads v1', async () => {
    const run = await create(['album', '--v1', '--align']);
    const { files } = await run.torrent('album.torrent');
    expect(files.map(({ offset, padding }) => [offset, padding])).toContainEqual([114_688, false]);
    expect(files.some(({ padding }) => padding)).toBe(true);
  });
});

describe('beside the info dictionary', () => {
  test('trackers in tiers, seeds, nodes, comment', async () => {
    const run = await create([
      'album',
      ...['-t', 'http://a.example/,udp://b.example:1', '--tracker', 'wss://c.example/'],
      ...['-w', 'https://w.example/', '--web-seed', 'http://x.example/'],
      ...['--http-seed', 'http://h.example/', '--node', '[::1]:6881', '--node', 'r.example:1'],
      ...['-c', 'a comment', '--created-by', 'me', '--date', '2009-02-13T23:31:30Z'],
    ]);
    expect(run.code).toBe(0);
    expect(await run.torrent('album.torrent')).toMatchObject({
      announce: [['http://a.example/', 'udp://b.example:1'], ['wss://c.example/']],
      webSeeds: ['https://w.example/', 'http://x.example/'],
      httpSeeds: ['http://h.example/'],
      nodes: [{ host: '::1' }, { host: 'r.example' }],
      comment: 'a comment',
      createdBy: 'me',
      creationDate: 1_234_567_890,
    });
  });

  test('bip and its version, and now, unless told otherwise', async () => {
    const run = await create(['album']);
    const { createdBy, creationDate } = await run.torrent('album.torrent');
    expect([createdBy, creationDate]).toEqual(['bip/0.0.0-test', 1_767_225_600]);
    const without = await keys(await create(['album', '--no-created-by', '--no-date']));
    expect(Object.keys(without)).toEqual(['info', 'piece layers']);
  });

  test('SOURCE_DATE_EPOCH is the date when none is given', async () => {
    const env = { SOURCE_DATE_EPOCH: '86400' };
    expect((await keys(await create(['album'], { env })))['creation date']).toBe(86_400);
    const given = await create(['album', '--date', 'now'], { env });
    expect((await keys(given))['creation date']).toBe(1_767_225_600);
    const bad = await create(['album'], { env: { SOURCE_DATE_EPOCH: 'today' } });
    expect([bad.code, bad.stderr]).toEqual([2, expect.stringContaining('SOURCE_DATE_EPOCH')]);
    const ignored = await create(['album', '--no-date'], { env: { SOURCE_DATE_EPOCH: 'today' } });
    expect(ignored.code).toBe(0);
  });

  test('--set and --merge put in any key, --set wins', async () => {
    const run = await create(
      [
        ...['album', '--v1', '--merge', 'keys.json'],
        ...[
          '--set',
          'publisher="me"',
          '--set',
          'info.x.y=[1,{"$hex":"ff"}]',
          '--set',
          'info.x.z=2',
        ],
      ],
      {
        files: {
          'keys.json': '{"publisher":"you","comment":"m","created by":null,"info":{"x":{"w":0}}}',
        },
      },
    );
    expect(run.stderr).not.toContain('error');
    const top = await keys(run);
    expect(top).toMatchObject({ publisher: 'me', comment: 'm' });
    expect(top).not.toHaveProperty('created by');
    expect((await infoKeys(run))['x']).toEqual({ w: 0, y: [1, { $hex: 'ff' }], z: 2 });
  });
});

describe('inside of the info dictionary', () => {
  test('private, source, similar, collections, update-url, name', async () => {
    const other = '0123456789abcdef0123456789abcdef01234567';
    const on = createWorld();
    const first = await create(['album/a.bin', '--v1', '--json'], { on });
    const run = await create(
      [
        ...[
          'album',
          '--v1',
          '-p',
          '--source',
          'SRC',
          '-t',
          'http://a.example/',
          '--name',
          'called',
        ],
        ...['--similar', other, '--similar', 'a.bin.torrent', '--collection', 'one'],
        ...['--collection', 'two', '--update-url', 'https://u.example/new'],
      ],
      { on },
    );
    const torrent = await run.torrent('called.torrent');
    expect(torrent).toMatchObject({
      name: 'called',
      private: true,
      source: 'SRC',
      collections: ['one', 'two'],
      updateUrl: 'https://u.example/new',
    });
    expect(torrent.similar.map(({ hex }) => hex)).toEqual([other, first.json['infoHash']]);
  });

  test('--entropy makes another infohash, and says itself what', async () => {
    const hashes = new Set<unknown>();
    for (const argv of [[], ['--entropy', 'x'], ['--entropy', 'y']]) {
      hashes.add((await create(['album', '--json', ...argv])).json['infoHash']);
    }
    const on = createWorld();
    for (let time = 0; time < 2; time++) {
      hashes.add(
        (await create(['album', '--json', '--force', '--entropy'], { on })).json['infoHash'],
      );
    }
    expect(hashes.size).toBe(5);
    expect((await infoKeys(await create(['album', '--entropy', 'x'])))['entropy']).toBe('x');
  });
});

/** The paths of the files of a result. */
function pathsIn(files: unknown): readonly string[] {
  const all: readonly { readonly path: string }[] = Array.isArray(files) ? files : [];
  return all.map(({ path }) => path);
}

describe('which files', () => {
  const names = async (...argv: string[]): Promise<unknown> => {
    const { json } = await create(['album', '--dry-run', '--v1', '--json', ...argv]);
    return pathsIn(json['files']);
  };

  test.each([
    [[], ['a.bin', 'b/two.txt', 'empty']],
    [['--hidden'], ['.hidden', 'a.bin', 'b/two.txt', 'empty']],
    [['--junk'], ['Thumbs.db', 'a.bin', 'b/two.txt', 'empty']],
    [['--include', '*.txt'], ['b/two.txt']],
    [['--exclude', '*.txt', '--exclude', 'empty'], ['a.bin']],
    [['--include-regex', '^b/'], ['b/two.txt']],
    [
      ['--exclude-regex', '\\.bin$'],
      ['b/two.txt', 'empty'],
    ],
    [
      ['--sort', 'size'],
      ['empty', 'b/two.txt', 'a.bin'],
    ],
    [
      ['--sort', 'size:descending'],
      ['a.bin', 'b/two.txt', 'empty'],
    ],
  ])('%o', async (argv, expected) => {
    expect(await names(...argv)).toEqual(expected.map((path) => `album/${path}`));
  });

  test('--gitignore', async () => {
    const run = await create(['album', '--dry-run', '--v1', '--json', '--gitignore'], {
      files: { 'album/.gitignore': 'b/\n' },
    });
    expect(run.json['files']).toMatchObject([{ path: 'album/a.bin' }, { path: 'album/empty' }]);
    expect(run.json['skipped']).toContainEqual({ path: 'album/b', why: 'ignored' });
  });

  test('--symlinks', async () => {
    const on = createWorld();
    const { runtime } = on.host;
    await on.world.run(
      (async () => {
        await runtime.files.makeDirectory('album');
        await runtime.files.makeSymlink('album/link', 'a.bin');
      })(),
    );
    const files = async (how: string): Promise<unknown> =>
      (await create(['album', '--dry-run', '--v1', '--json', '--symlinks', how], { on })).json[
        'files'
      ];
    expect(await files('follow')).toContainEqual({ path: 'album/link', length: 100_000 });
    const link = { path: 'album/link', length: 0, symlink: 'album/a.bin' };
    expect(await files('keep')).toContainEqual(expect.objectContaining(link));
    expect(JSON.stringify(await files('skip'))).not.toContain('link');
  });

  test('several inputs become one folder', async () => {
    const run = await create(['album/a.bin', 'album/b', '-n', 'both', '--v1', '--json']);
    expect(run.json).toMatchObject({
      path: 'both.torrent',
      files: [{ path: 'both/a.bin' }, { path: 'both/b/two.txt' }],
    });
  });

  test('what is left out is said: the first few, and all with --verbose', async () => {
    const few = await create(['album']);
    expect(few.stderr).toBe('left out 2: album/.hidden (hidden), album/Thumbs.db (junk)\n');
    const files = { 'album/.x': '', 'album/.y': '', 'album/.z': '' };
    const many = await create(['album'], { files });
    expect(many.stderr).toMatch(/^left out 5: .*, … \(--verbose lists them all\)\n$/);
    const all = await create(['album', '--verbose'], { files });
    expect(all.stderr).toContain('\n  album/.z (hidden)\n');
    expect((await create(['album', '--quiet'], { files })).stderr).toBe('');
  });
});

describe('pieces', () => {
  const pieces = async (...argv: string[]): Promise<unknown> => {
    const run = await create(['album/a.bin', '--dry-run', '--v1', '--json', ...argv]);
    return run.code === 0 ? run.json['pieceLength'] : run.stderr;
  };

  test.each([
    [[], 16_384],
    [['-l', '64KiB'], 65_536],
    [['--piece-length', '32768'], 32_768],
    [['--piece-count', '2'], 65_536],
    [['--max-torrent-size', '200'], 32_768],
    [['--max-torrent-size', '1MiB'], 16_384],
    [['-l', '8KiB', '--allow', 'small-piece-length'], 8192],
    [['-l', '50000', '--allow', 'uneven-piece-length'], 50_000],
  ])('%o', async (argv, length) => {
    expect(await pieces('--no-date', '--no-created-by', ...argv)).toBe(length);
  });

  test('the size of the .torrent is known before', async () => {
    for (const version of ['--v1', '--v2', '--hybrid']) {
      const { json } = await create(['album', '--dry-run', '--json', version]);
      const made = await create(['album', '--json', version]);
      expect(json['torrentLength']).toBe((await made.read('album.torrent'))?.length);
      expect(made.json['torrentLength']).toBe(json['torrentLength']);
    }
  });

  test('--piece-length help prints the table', async () => {
    const plain = await create(['--piece-length', 'help']);
    expect(plain.stdout.split('\n')[0]).toBe(`${32 * 2 ** 20}\t16384`);
    const drawn = await create(['-l', 'help', '--color', 'never'], { tty: true });
    expect(drawn.stdout).toContain('up to 32 MiB  pieces of 16 KiB\n');
    const { stdout } = await create(['-l', 'help', '--json']);
    const rows: unknown = JSON.parse(stdout);
    expect(rows).toContainEqual({ maxLength: 32 * 2 ** 20, pieceLength: 16_384 });
  });
});

describe('tracker rules', () => {
  const RULES = `trackers:
  - hosts: [a.example]
    name: A
    maxPieceLength: 32KiB
    pieceLengths: [{ maxSize: 50KiB, pieceLength: 16KiB }, { pieceLength: 64KiB }]
    source: SRC
    private: true
    versions: [v1]
`;
  const ruled = (argv: readonly string[], rules = RULES): Promise<CreateRun> =>
    create(['album', '--rules', 'r.yaml', '-t', 'http://a.example/', '--json', ...argv], {
      files: { 'r.yaml': rules },
    });

  test('give piece length and source', async () => {
    const { json } = await ruled(['--v1', '--private']);
    expect(json).toMatchObject({ pieceLength: 32_768, source: 'SRC', private: true });
    expect((await ruled(['--v1', '--private', '--source', 'X'])).json['source']).toBe('X');
    expect((await ruled(['--v1', '--private', '--no-source'])).json).not.toHaveProperty('source');
  });

  test.each([
    [['--private'], 'A takes v1, not hybrid'],
    [['--v1'], 'A takes private torrents; pass --private'],
    [['--v1', '--private', '-l', '64KiB'], 'A wants pieces of at most 32 KiB, not 64 KiB'],
  ])('%o breaks them', async (argv, sentence) => {
    const refused = await ruled(argv);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining(sentence)]);
    expect(refused.stderr).toContain('--allow tracker-rules');
    expect((await ruled([...argv, '--allow', 'tracker-rules'])).code).toBe(0);
  });

  test('a .torrent that is too large whatever is done', async () => {
    const rules = 'trackers: [{ hosts: [a.example], maxTorrentSize: 100, minPieceLength: 32KiB }]';
    const { stderr } = await ruled(['--v1'], rules);
    expect(stderr).toContain('a.example wants a .torrent of at most 100 B, and this one has ');
  });

  test('say nothing about other trackers', async () => {
    const run = await create(['album', '--rules', 'r.yaml', '-t', 'http://b.example/', '--json'], {
      files: { 'r.yaml': RULES },
    });
    expect(run.json).toMatchObject({ version: 'hybrid', pieceLength: 16_384 });
  });
});

describe('standard input', () => {
  test('is hashed as it comes', async () => {
    const content = pattern(100_000);
    const argv = ['--name', 'a.bin', '-l', '16KiB', '--json'];
    const piped = await create(['-', ...argv], { stdin: content });
    const file = await create(['album/a.bin', ...argv]);
    expect(piped.json['infoHash']).toBe(file.json['infoHash']);
    expect(piped.json['infoHashV2']).toBe(file.json['infoHashV2']);
    expect(piped.json['path']).toBe('a.bin.torrent');
    expect((await create(['-', '-n', 'x', '--json'], { stdin: content })).json).toMatchObject({
      pieceLength: 2 ** 20,
    });
  });

  test.each([
    [['-'], 'pass --name'],
    [['-', 'album', '-n', 'x'], 'cannot be shared with others'],
    [['-', '-n', 'x', '--dry-run'], '--dry-run is not for standard input'],
    [['-', '-n', 'x', '--piece-count', '9'], '--piece-count is not for standard input'],
    [['-', '-n', 'x', '--reuse', '.'], '--reuse is not for standard input'],
  ])('%o', async (argv, sentence) => {
    const run = await create(argv, { stdin: 'x' });
    expect([run.code, run.stderr]).toEqual([2, expect.stringContaining(sentence)]);
    expect(await run.list()).toEqual(['album']);
  });

  test('with nothing in it makes no torrent', async () => {
    const run = await create(['-', '-n', 'x'], { stdin: '' });
    expect(run.code).toBe(2);
    expect(await run.list()).toEqual(['album']);
  });
});

test('--reuse takes the hashes of a torrent with the same content', async () => {
  const on = createWorld();
  const first = await create(['album', '-o', 'old.torrent', '-l', '32KiB', '--json'], { on });
  const files = {
    'old/deep/er.torrent': (await first.read('old.torrent')) ?? '',
    'old/bad.torrent': 'x',
  };
  const again = await create(['album', '--reuse', 'old', '--json', '--comment', 'new'], {
    on,
    files,
  });
  expect(again.json).toMatchObject({
    reused: 'old/deep/er.torrent',
    pieceLength: 32_768,
    infoHash: first.json['infoHash'],
    comment: 'new',
  });
  const explained = await create(['album', '--reuse', 'old', '--verbose', '--force'], { on });
  expect(explained.stderr).toContain('old/bad.torrent is passed over: ');

  const other = { 'album/a.bin': pattern(100_000, 9) };
  const changed = await create(['album', '--reuse', 'old', '--json', '--force'], {
    on,
    files: other,
  });
  expect(changed.json).not.toHaveProperty('reused');
  const missing = await create(['album', '--reuse', 'nowhere', '--force'], { on });
  expect([missing.code, missing.stderr]).toEqual([2, expect.stringContaining('nowhere')]);
  const v1 = await create(['album', '--reuse', 'old', '--v1', '-l', '16KiB', '--json', '--force'], {
    on,
    files: ALBUM,
  });
  expect(v1.json).toMatchObject({ version: 'v1', pieceLength: 16_384 });
});

test('the examples of --help run as written', async () => {
  const { stdout } = await create(['--help']);
  const lines = [...stdout.matchAll(/^ {2}\$ (?:.*\| )?bip metainfo create (.*)$/gm)];
  expect(lines.length).toBeGreaterThan(5);
  for (const [, line = ''] of lines) {
    const argv = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(
      ([, quoted, bare]) => quoted ?? bare ?? '',
    );
    const run = await create(argv, {
      files: { 'album/song.flac': pattern(1000), 'jobs.yaml': '- path: album\n' },
      stdin: 'an archive',
    });
    expect([line, run.code, run.stderr]).toEqual([line, 0, expect.not.stringContaining('error')]);
  }
});
