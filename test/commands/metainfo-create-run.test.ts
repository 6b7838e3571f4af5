/** `bip metainfo create`, the run: outputs, lints, presets, batches, everything that goes wrong. @module */

import { appendFileSync, rmSync, truncateSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Interrupted } from '../../commands/cli/context.ts';
import { ALBUM, type CreateRun, create, pattern } from './create-world.ts';
import { bip, runBipOnDisk } from './harness.ts';

/** No run that fails leaves anything beside the content. */
async function expectNothingWritten(run: CreateRun): Promise<void> {
  expect((await run.list()).filter((name) => /torrent|tmp/.test(name))).toEqual([]);
}

describe('wrong usage is one sentence, exit 2, and writes nothing', () => {
  test.each([
    [[], 'there is nothing to share: name a PATH'],
    [['album', '--v1', '--v2'], '--v1 and --v2 contradict each other'],
    [['album', '--v2', '--hybrid'], '--v2 and --hybrid contradict each other'],
    [['album', '-l', '1MiB', '--piece-count', '9'], '--piece-length and --piece-count contradict'],
    [['album', '--align', '--v2'], '--align and --v2 contradict each other'],
    [['album', '--align'], '--align is for --v1'],
    [['album', '--sort', 'size'], '--sort is for --v1'],
    [['album', '--v1', '--sort', 'colour'], '--sort: `colour` is no order of files'],
    [
      ['album', '-l', '20'],
      '--piece-length: pieces of 20 bytes are too short; for 2^20 write 1MiB',
    ],
    [['album', '-l', 'big'], '--piece-length: `big` is no size'],
    [['album', '-l', '0'], '--piece-length: `0` is out of range'],
    [['album', '-l', '1GiB'], '--piece-length: `1GiB` is out of range'],
    [['album', '-l', '20000'], 'have a power of two from 16 KiB'],
    [['album', '--v2', '-l', '8KiB'], 'have a power of two from 16 KiB'],
    [['album', '--piece-count', '0'], '--piece-count: `0` is no whole number'],
    [['album', '--max-torrent-size', 'x'], '--max-torrent-size: `x` is no size'],
    [['album', '--max-torrent-size', '9'], 'no piece length makes the .torrent fit into 9 bytes'],
    [['album', '--max-torrent-size', '99', '-l', '64KiB'], 'leave out --piece-length'],
    [['album', '--threads', '0'], '--threads: `0` is no whole number'],
    [['album', '--read-order', 'fast'], '--read-order: `fast` is to be one of auto, sequential'],
    [['album', '--symlinks', 'copy'], '--symlinks: `copy` is to be one of follow, keep, skip'],
    [['album', '--date', 'yesterday'], '--date: `yesterday` is no time'],
    [['album', '-t', 'gopher://x'], '--tracker: `gopher://x`'],
    [['album', '-t', 'udp://x.example'], 'has no port'],
    [['album', '-w', 'x'], '--web-seed: `x`'],
    [['album', '--http-seed', 'x'], '--http-seed: `x`'],
    [['album', '--node', 'x'], '--node: `x` is no HOST:PORT'],
    [['album', '--update-url', 'x y'], '--update-url: `x y` is no URL'],
    [['album', '--similar', 'zzz'], '`zzz` is no torrent'],
    [['album', '--set', 'x'], '--set: `x` has no `=`'],
    [['album', '--set', 'x=y'], '--set: the value of `x`'],
    [['album', '--set', 'info.pieces=""'], 'the key `info.pieces` is made of the content'],
    [['album', '--set', 'info.name="x"'], 'pass --name'],
    [['album', '--set', 'info={}'], 'the key `info` is made of the content'],
    [['album', '--set', 'piece layers={}'], 'is made of the content'],
    [['album', '--allow', 'smal-piece-length'], 'did you mean `small-piece-length`?'],
    [['album', '--allow', 'all'], '--allow: `all` is no lint; there are private-trackerless, '],
    [['album', '--exclude', '!x'], '--exclude: `!x`'],
    [['album', '--include-regex', '('], '--include-regex: `(` is no regular expression'],
    [['album', '--include', 'nothing'], ''],
    [['album/empty'], 'has nothing to share'],
    [['album/a.bin', 'album/b'], 'pass --name'],
    [['album', '-n', 'a/b'], '--name: `a/b` cannot be the name'],
    [['album', '--magnet', '-o', '-'], '--magnet and --output - contradict each other'],
    [['album', '-o', '{nam}.torrent'], '--output: `{nam}` is no placeholder; there are {name}'],
    [['album', '-o', '{infohash}'], '--output: `{infohash}` is no placeholder'],
    [['album', '--batch', 'x.yaml'], '--batch names the content of each job'],
    [['album', '--preset', 'x'], 'there is no preset `x`: there is no configuration'],
    [['album', '--piece-lenght', '1'], 'Did you mean --piece-length?'],
  ])('%o', async (argv, sentence) => {
    const run = await create(argv);
    expect([run.code, run.stdout]).toEqual([2, '']);
    expect(run.stderr).toContain(sentence);
    expect(run.stderr.split('\n').filter((line) => line.startsWith('error:'))).toHaveLength(1);
    await expectNothingWritten(run);
  });
});

describe('files that are not what they have to be', () => {
  test.each([
    [['nowhere'], 4, 'nowhere does not exist'],
    [['album', '-o', 'no/where.torrent'], 4, 'the folder of --output, no, does not exist'],
    [['album', '-o', 'album/a.bin/x'], 4, 'album/a.bin, is no folder'],
    [['album', '--rules', 'nowhere'], 4, 'nowhere'],
    [['album', '--rules', 'album/empty'], 3, 'album/empty: '],
    [['album', '--merge', 'nowhere'], 4, 'nowhere'],
    [['album', '--merge', 'album/.hidden'], 3, 'album/.hidden'],
    [['album', '--similar', 'album/a.bin'], 3, 'album/a.bin'],
    [['album', '--config', 'nowhere'], 4, 'nowhere'],
    [['album', '--config', 'album/.hidden'], 3, 'album/.hidden: '],
    [['--batch', 'nowhere'], 4, 'nowhere'],
  ])('%o', async (argv, code, sentence) => {
    const run = await create(argv);
    expect([run.code, run.stderr]).toEqual([code, expect.stringContaining(sentence)]);
    await expectNothingWritten(run);
  });
});

describe('lints', () => {
  const TRACKER = ['-t', 'http://a.example/'];

  test.each([
    ['private-trackerless', ['album', '--private'], {}],
    ['private-nodes', ['album', '--private', ...TRACKER, '--node', 'a.example:1'], {}],
    ['small-piece-length', ['album', '--v1', '-l', '8KiB'], {}],
    ['uneven-piece-length', ['album', '--v1', '-l', '20000'], {}],
    ['torrent-as-content', ['x.torrent', '-o', 'y.torrent'], { 'x.torrent': 'content' }],
    ['name-not-utf-8', ['album', '--v1'], { 'album/\udcff': 'x' }],
    ['name-changes', ['album'], { 'album/a\u202eb': 'x' }],
  ])('%s refuses until it is allowed', async (lint, argv, files) => {
    const refused = await create(argv, { files });
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining(`--allow ${lint}`)]);
    const allowed = await create([...argv, '--allow', lint], { files });
    expect([allowed.code, allowed.stderr]).toEqual([0, expect.not.stringContaining('warning')]);
  });

  test.each([
    ['path-clash', ['album'], { 'album/A.BIN': 'x' }],
    ['path-clash', ['album'], { 'album/\u00e9': 'x', 'album/e\u0301': 'y' }],
    ['name-not-portable', ['album'], { 'album/con': 'x', 'album/a?b': 'y' }],
    ['large-piece-length', ['album', '-l', '32MiB'], {}],
  ])('%s warns until it is allowed', async (lint, argv, files) => {
    const warned = await create([...argv, '--json'], { files });
    expect([warned.code, warned.stderr]).toEqual([0, expect.stringContaining('warning: ')]);
    expect(warned.json['warnings']).toContainEqual({ code: lint, message: expect.any(String) });
    const allowed = await create([...argv, '--allow', lint], { files });
    expect(allowed.stderr).not.toContain('warning');
  });

  test('all of them are in the help', async () => {
    const { stdout } = await bip('metainfo', 'create', '--help');
    for (const lint of ['private-trackerless', 'name-changes', 'tracker-rules', 'many-pieces']) {
      expect(stdout).toContain(lint);
    }
  });
});

describe('--output', () => {
  test.each([
    [[], 'album.torrent'],
    [['-o', 'x.torrent'], 'x.torrent'],
    [['-o', 'out'], 'out/album.torrent'],
    [['-o', 'out/'], 'out/album.torrent'],
    [['-o', 'out/{name}-x.torrent'], 'out/album-x.torrent'],
  ])('%o', async (argv, path) => {
    const run = await create(['album', '--json', ...argv], { files: { 'out/x': '' } });
    expect(run.json['path']).toBe(path);
    expect((await run.torrent(path)).infoHash?.hex).toBe(run.json['infoHash']);
  });

  test('{infoHash} is that of v1, or of v2 where there is no other', async () => {
    const both = await create(['album', '-o', '{infoHash}.{infoHashV2}.torrent', '--json']);
    const { infoHash, infoHashV2 } = both.json;
    expect(both.json['path']).toBe(`${String(infoHash)}.${String(infoHashV2)}.torrent`);
    const v2 = await create(['album', '--v2', '-o', '{infoHash}', '--json']);
    expect(v2.json['path']).toBe(v2.json['infoHashV2']);
  });

  test('- is the torrent itself, even on a terminal', async () => {
    const piped = await create(['album', '-o', '-', '--no-date']);
    const file = await create(['album', '--no-date']);
    expect(piped.stdoutBytes).toEqual(await file.read('album.torrent'));
    const terminal = await create(['album', '-o', '-', '--no-date'], { tty: { stdout: true } });
    expect(terminal.stdoutBytes).toEqual(piped.stdoutBytes);
    await expectNothingWritten(piped);
    const json = await create(['album', '-o', '-', '--json']);
    expect([json.code, json.stderr, json.stdout]).toEqual([
      2,
      expect.stringContaining('use --json with --output FILE only'),
      '',
    ]);
  });

  test('nothing is overwritten without --force', async () => {
    const files = { 'album.torrent': 'precious' };
    const run = await create(['album'], { files });
    expect([run.code, run.stderr]).toEqual([4, expect.stringContaining('--force')]);
    expect(await run.read('album.torrent')).toEqual(new TextEncoder().encode('precious'));
    const dry = await create(['album', '--dry-run'], { files });
    expect(dry.code).toBe(4);
    expect((await create(['album', '--force'], { files })).code).toBe(0);
    const folder = await create(['album', '-o', 'x'], { files: { 'x/album.torrent/y': '' } });
    expect([folder.code, folder.stderr]).toEqual([4, expect.stringContaining('is a directory')]);
  });

  test('inside of the content is refused, unless it is left out anyway', async () => {
    const inside = await create(['album', '-o', 'album/x.torrent']);
    expect([inside.code, inside.stderr]).toEqual([
      2,
      expect.stringMatching(/album\/x\.torrent lies inside of the content album .*--exclude/),
    ]);
    const itself = await create(['album/a.bin', '-o', 'album/a.bin', '--force']);
    expect([itself.code, itself.stderr]).toEqual([
      2,
      expect.stringContaining('is the content itself'),
    ]);
    expect(await itself.read('album/a.bin')).toEqual(ALBUM['album/a.bin']);
    const files = { 'album/.gitignore': '*.torrent' };
    for (const argv of [
      ['album', '-o', 'album/.x'],
      ['album', '-o', 'album/x.torrent', '--exclude', '*.torrent'],
      ['album', '-o', 'album/x.torrent', '--gitignore'],
      ['album', '-o', 'album/b/thumbs.db'],
      ['album/a.bin', 'album/b', '-n', 'n', '-o', 'album/b/y', '--exclude', 'b/y'],
    ]) {
      expect(await create(argv, { files })).toMatchObject({ code: 0 });
    }
    const elsewhere = await create(['album', '-o', 'album/x.torrent', '--exclude', 'y'], { files });
    expect(elsewhere.code).toBe(2);
  });

  test('a folder that cannot be written to is found before anything is hashed', async () => {
    const run = await runBipOnDisk({
      argv: (directory) => ['metainfo', 'create', `${directory}/album`, '-o', '/proc/x.torrent'],
      files: { 'album/a': 'content' },
    });
    expect([run.code, run.stdout]).toEqual([4, '']);
  });
});

test('--dry-run writes nothing and hashes nothing', async () => {
  const run = await create(['album', '--dry-run', '--json', '--source', 'S']);
  expect(run.json).toMatchObject({
    dryRun: true,
    path: 'album.torrent',
    length: 120_000,
    source: 'S',
  });
  expect(run.json).not.toHaveProperty('infoHash');
  await expectNothingWritten(run);
  const drawn = await create(['album', '--dry-run', '--color', 'never'], { tty: true });
  expect(drawn.stdout).toContain('Would write  album.torrent\n');
  const plain = await create(['album', '--dry-run']);
  expect(plain.stdout).toMatch(
    /^path\talbum\.torrent\nname\talbum\nversion\thybrid\nlength\t120000\n/,
  );
});

describe('the result', () => {
  test('in a pipe', async () => {
    const { stdout } = await create(['album', '--v1']);
    expect(stdout).toMatch(
      /^path\talbum\.torrent\nname\talbum\nversion\tv1\ninfoHash\t[0-9a-f]{40}\nlength\t120000\npieceLength\t16384\npieceCount\t8\ntorrentLength\t\d+\nmagnet\tmagnet:\?.*\nelapsedMs\t\d+\nskipped\thidden\talbum\/\.hidden\nskipped\tjunk\talbum\/Thumbs\.db\n$/,
    );
  });

  test('on a terminal', async () => {
    const { stdout } = await create(['album', '--color', 'never'], { tty: true });
    expect(stdout).toContain('    Written  album.torrent\n');
    expect(stdout).toContain('       Size  117.19 KiB in 3 files\n');
    expect(stdout).toContain('     Pieces  9 × 16 KiB\n');
    expect(stdout).not.toContain('\u001b');
  });

  test('--magnet is the link alone; secrets stay secret without --reveal', async () => {
    const url = 'http://t.example/0123456789abcdef0123456789abcdef/announce';
    const masked = await create(['album', '--magnet', '-t', url]);
    expect(masked.stdout).toMatch(/^magnet:\?xt=urn:btih:[^\n]*\n$/);
    expect(masked.stdout).not.toContain('0123456789abcdef');
    const shown = await create(['album', '--magnet', '-t', url, '--reveal']);
    expect(shown.stdout).toContain(encodeURIComponent(url));
    expect((await masked.torrent('album.torrent')).announce).toEqual([[url]]);
  });

  test('progress on a terminal is taken away at the end', async () => {
    const { stderr } = await create(['album'], { tty: { stderr: true } });
    expect(stderr).toContain('hashing album');
    expect(stderr.endsWith('\u001b[J')).toBe(true);
    expect((await create(['album', '--quiet'], { tty: { stderr: true } })).stderr).toBe('');
  });
});

test('Ctrl-C in the middle of hashing leaves nothing', async () => {
  const stop = new AbortController();
  const run = await create(['album'], {
    tty: { stderr: true },
    signal: stop.signal,
    onWrite: (_, text) => {
      if (text.includes('hashing')) stop.abort(new Interrupted('SIGINT'));
    },
  });
  expect([run.code, run.stdout]).toEqual([130, '']);
  await expectNothingWritten(run);
});

test.each([
  ['shrinks', (path: string) => truncateSync(path, 9)],
  ['grows', (path: string) => appendFileSync(path, 'more')],
  ['is gone', (path: string) => rmSync(path)],
])('a file that %s after the scan is named', async (_, change) => {
  let folder = '';
  const run = await runBipOnDisk({
    argv: (directory) => {
      folder = directory;
      return ['metainfo', 'create', `${directory}/album`, '-o', `${directory}/x.torrent`];
    },
    files: { 'album/a': pattern(50_000), 'album/.hidden': 'h' },
    onWrite: (_stream, text) => {
      if (text.startsWith('left out')) change(`${folder}/album/a`);
    },
    inspect: async (directory, files) => {
      expect(await files.list(directory)).toEqual(['album']);
    },
  });
  expect([run.code, run.stdout]).toEqual([4, '']);
  expect(run.stderr).toContain(`${folder}/album/a`);
});

describe('configuration', () => {
  const CONFIG = {
    '/h/.config/bip/config.json': JSON.stringify({
      defaults: { 'metainfo create': { createdBy: false, date: false } },
      presets: {
        base: { v1: true, source: 'BASE', comment: 'from base' },
        mine: { extends: 'base', comment: 'mine', pieceLength: '64KiB' },
        broken: { pieceLength: 'big' },
      },
    }),
  };
  const configured = (...argv: string[]): Promise<CreateRun> =>
    create(['album', '--json', ...argv], { files: CONFIG, env: { HOME: '/h' } });

  test('defaults, presets that extend others, and flags that win', async () => {
    expect((await configured()).json).not.toHaveProperty('createdBy');
    expect((await configured('--preset', 'mine')).json).toMatchObject({
      version: 'v1',
      source: 'BASE',
      comment: 'mine',
      pieceLength: 65_536,
    });
    const { json } = await configured(
      '-P',
      'mine',
      '--v2',
      '--no-source',
      '--piece-count',
      '99999',
    );
    expect(json).toMatchObject({ version: 'v2', comment: 'mine', pieceLength: 16_384 });
    expect(json).not.toHaveProperty('source');
    expect((await configured('--no-config')).json['createdBy']).toBe('bip/0.0.0-test');
  });

  test('a value that is wrong names the file', async () => {
    const run = await configured('-P', 'broken');
    expect([run.code, JSON.parse(run.stderr.split('\n')[0] ?? '')]).toEqual([
      2,
      {
        error: {
          code: 'BIP_USAGE',
          message: expect.stringMatching(
            /^\/h\/\.config\/bip\/config\.json: preset broken: --piece-length: `big` is no size/,
          ),
        },
      },
    ]);
  });

  test('the environment stands between the file and the flags', async () => {
    const env = {
      HOME: '/h',
      BIP_PRESET: 'mine',
      BIP_COMMENT: 'env',
      BIP_SOURCE: '',
      BIP_HIDDEN: '1',
    };
    const run = (...argv: string[]): Promise<CreateRun> =>
      create(['album', '--json', ...argv], { files: CONFIG, env });
    const { json } = await run();
    expect(json).toMatchObject({ comment: 'env', source: 'BASE', version: 'v1', length: 120_001 });
    expect((await run('--comment', 'flag', '--no-hidden')).json).toMatchObject({
      comment: 'flag',
      length: 120_000,
    });
    const bad = await create(['album'], { env: { BIP_HIDDEN: 'maybe' } });
    expect([bad.code, bad.stderr]).toEqual([2, expect.stringContaining('BIP_HIDDEN: `maybe`')]);
  });
});

describe('--batch', () => {
  const batch = (text: string, ...argv: string[]): Promise<CreateRun> =>
    create(['--batch', 'jobs.yaml', ...argv], { files: { 'jobs.yaml': text } });

  test('a torrent for each job, one line each; flags win', async () => {
    const text = '- {path: album, comment: c}\n- {path: album/a.bin, v1: true, comment: d}\n';
    const run = await batch(text, '--comment', 'all');
    expect([run.code, run.stderr]).toEqual([0, expect.not.stringContaining('error')]);
    const lines = run.stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t'));
    expect(lines.map(([path, v1, v2]) => [path, v1?.length, v2?.length])).toEqual([
      ['album.torrent', 40, 64],
      ['a.bin.torrent', 40, 0],
    ]);
    expect(await run.torrent('album.torrent')).toMatchObject({ comment: 'all' });
    const drawn = await create(['--batch', '-', '--force', '--color', 'never'], {
      stdin: text,
      tty: { stdout: true },
    });
    expect(drawn.stdout).toMatch(/^album\.torrent {2}117\.19 KiB {2}[0-9a-f]{40}\n/);
  });

  test('one that fails does not stop the others, and its code stays', async () => {
    const run = await batch('- path: nowhere\n- path: album/empty\n- path: album\n', '--json');
    expect(run.code).toBe(4);
    expect(run.json['path']).toBe('album.torrent');
    expect(run.stderr.match(/"error"/g)).toHaveLength(2);
  });

  test('all are read before the first is begun', async () => {
    const run = await batch('- path: album\n- {path: album/b, date: never}\n');
    expect([run.code, run.stderr]).toEqual([
      2,
      expect.stringContaining('jobs.yaml: job 2: --date: `never` is no time'),
    ]);
    await expectNothingWritten(run);
  });

  test('two that write one file are a mistake, even with --force', async () => {
    const text = '- {path: album, output: x}\n- {path: album/b, output: x}\n';
    const run = await batch(text, '--force');
    expect([run.code, run.stderr]).toEqual([2, expect.stringContaining('written by this run')]);
  });

  test('none of them is stdout', async () => {
    const run = await batch('- {path: album, output: "-"}\n');
    expect([run.code, run.stdout]).toEqual([2, '']);
  });
});
