/** `bip metainfo verify`, whole, in process. */

import { describe, expect, test } from 'vitest';
import { Interrupted } from '../../commands/cli/context.ts';
import type { FileHasherOptions, FileHashers, Files } from '../../src/runtime/ports.ts';
import { contentTorrent, noise } from '../content/torrents.ts';
import { makeWorld } from '../sim/world.ts';
import { runBipOnDisk, startBip } from './harness.ts';
import { ALBUM, BLOCK, flip, parsed, SINGLE, TORRENT, verify } from './verify-run.ts';

describe('--json', () => {
  test('has every field that scripts rely on', async () => {
    const { code, stdout, stderr } = await verify(['--json', TORRENT], {
      change: async (files) => {
        await flip(files, '/desk/album/a', 20_000);
        await files.remove('/desk/album/c');
      },
    });
    expect([code, stderr]).toEqual([5, '']);
    expect(parsed(stdout)).toEqual({
      torrent: TORRENT,
      name: 'album',
      infoHash: ALBUM.metainfo.infoHash?.hex,
      content: '/desk/album',
      complete: false,
      piecesGood: 2,
      piecesBad: 1,
      piecesMissing: 3,
      bad: [{ piece: 1, files: [{ path: 'album/a', offset: BLOCK, length: BLOCK }] }],
      files: [
        { path: 'album/a', state: 'bad', goodBytes: BLOCK + 100, length: 2 * BLOCK + 100 },
        {
          path: 'album/sub/b',
          state: 'good',
          goodBytes: BLOCK - 100,
          length: BLOCK,
          undecidedBytes: 100,
        },
        { path: 'album/c', state: 'missing', goodBytes: 0, length: 2 * BLOCK },
      ],
      warnings: [],
    });
  });

  test('is complete, with exit code 0; v2 has its own infohash', async () => {
    const { code, stdout } = await verify(['--json', '/desk/single.iso.torrent']);
    expect(code).toBe(0);
    expect(parsed(stdout)).toMatchObject({
      infoHashV2: SINGLE.metainfo.infoHashV2?.hex,
      content: '/desk/single.iso',
      complete: true,
      piecesGood: 3,
      files: [{ path: 'single.iso', state: 'good' }],
    });
    expect(Object.keys(parsed(stdout))).not.toContain('infoHash');
  });
});

describe('in a pipe', () => {
  test('each fact is a line of tab-separated fields', async () => {
    const { code, stdout } = await verify([TORRENT], {
      change: async (files) => {
        await flip(files, '/desk/album/a', 2 * BLOCK + 99);
        await files.writeFile('/desk/album/c', noise(2 * BLOCK, 3).subarray(0, 30_000));
      },
    });
    expect(code).toBe(5);
    expect(stdout.split('\n')).toEqual([
      `torrent\tincomplete\t3\t1\t2\t/desk/album\t${TORRENT}`,
      `piece\t2\tbad\talbum/a\t${2 * BLOCK}\t100`,
      `piece\t2\tbad\talbum/sub/b\t0\t${BLOCK - 100}`,
      `file\tbad\t${2 * BLOCK}\t${2 * BLOCK + 100}\talbum/a\t0\t`,
      `file\tbad\t100\t${BLOCK}\talbum/sub/b\t0\t`,
      `file\twrong-size\t${BLOCK - 100}\t${2 * BLOCK}\talbum/c\t${30_000 - BLOCK + 100}\t`,
      '',
    ]);
  });
});

describe('where the content is', () => {
  test('beside the .torrent, else in the current folder', async () => {
    const beside = await verify(['--json', TORRENT]);
    expect(parsed(beside.stdout)).toMatchObject({ content: '/desk/album', complete: true });
    const here = await verify(['--json', TORRENT], {
      change: (files) => files.rename('/desk/album', 'album'),
    });
    expect(parsed(here.stdout)).toMatchObject({ content: './album', complete: true });
  });

  test('--content: what the name points to, whatever it is called, or the folder that holds it', async () => {
    const change = async (files: Files): Promise<void> => {
      await files.makeDirectory('/srv');
      await files.rename('/desk/album', '/srv/other name');
      await files.rename('/desk/single.iso', '/srv/single.iso');
    };
    const results = [
      await verify(['--json', TORRENT, '--content', '/srv/other name/'], { change }),
      await verify(['--json', '/desk/single.iso.torrent', '--content', '/srv'], { change }),
      await verify(['--json', '/desk/single.iso.torrent', '--content', '/srv/single.iso'], {
        change,
      }),
    ];
    expect(results.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(results.map(({ stdout }) => parsed(stdout)['content'])).toEqual([
      '/srv/other name',
      '/srv/single.iso',
      '/srv/single.iso',
    ]);
    const files = parsed(results[0]?.stdout ?? '')['files'];
    expect(files).toContainEqual(expect.objectContaining({ path: 'album/a', state: 'good' }));
  });

  test.each([
    [['/desk/folder.torrent']],
    [['/desk/folder.torrent', '--content', '/desk']],
    [['/desk/folder.torrent', '--content', '/desk/folder']],
    [['/desk/folder.torrent', '--content', '/desk/folder/only']],
  ])('a folder with one file, which v2 takes for the file: %j', async (argv) => {
    const bytes = noise(100, 7);
    const folder = contentTorrent({
      name: 'folder',
      version: 'v2',
      files: [{ path: 'only', bytes }],
    });
    const { code, stdout } = await verify(['--json', ...argv], {
      change: async (files) => {
        await files.makeDirectory('/desk/folder');
        await files.writeFile('/desk/folder/only', bytes);
        await files.writeFile('/desk/folder.torrent', folder.bytes);
      },
    });
    expect(code).toBe(0);
    expect(parsed(stdout)).toMatchObject({ content: '/desk/folder/only', complete: true });
  });

  test('nowhere: all files are missing, and a sentence says where it was looked for', async () => {
    const { code, stdout, stderr } = await verify([TORRENT, '--content', '/srv']);
    expect(code).toBe(5);
    expect(stdout.match(/^file\tmissing/gm)).toHaveLength(3);
    expect(stderr).toBe(
      'warning: nothing of album is at /srv/album or /srv; --content PATH says where it is\n',
    );
  });

  test('a torrent from standard input belongs to the current folder', async () => {
    const { code, stdout } = await verify(['--json', '-'], {
      stdin: ALBUM.bytes,
      change: (files) => files.rename('/desk/album', 'album'),
    });
    expect(code).toBe(0);
    expect(parsed(stdout)).toMatchObject({ torrent: '-', content: './album' });
  });
});

describe('several torrents', () => {
  test('one line each, also for those that cannot be read; the first fault decides', async () => {
    const { code, stdout, stderr } = await verify(
      ['--json', '/desk/bad.torrent', TORRENT, '/desk/single.iso.torrent'],
      {
        change: async (files) => {
          await files.writeFile('/desk/bad.torrent', noise(10, 1));
          await flip(files, '/desk/album/a', 0);
        },
      },
    );
    expect(code).toBe(3);
    const lines = stdout.trim().split('\n').map(parsed);
    expect(lines.map(({ name, complete }) => [name, complete])).toEqual([
      ['album', false],
      ['single.iso', true],
    ]);
    expect(stderr).toContain('/desk/bad.torrent');
    const other = await verify([TORRENT, '/desk/none.torrent'], {
      change: (files) => flip(files, '/desk/album/a', 0),
    });
    expect(other.code).toBe(5);
    expect(other.stderr).toContain('/desk/none.torrent');
  });

  test('--content is the folder that holds all', async () => {
    const { code, stdout } = await verify(
      [TORRENT, '/desk/single.iso.torrent', '--content', '/srv'],
      {
        change: async (files) => {
          await files.makeDirectory('/srv');
          await files.rename('/desk/album', '/srv/album');
          await files.rename('/desk/single.iso', '/srv/single.iso');
        },
      },
    );
    expect(code).toBe(0);
    expect(stdout.match(/^torrent\tcomplete/gm)).toHaveLength(2);
  });
});

describe('exit codes', () => {
  test('4 when all that is wrong is that a file cannot be read', async () => {
    const { code, stdout } = await verify([TORRENT], {
      change: async (_, host) => {
        host.disk.fail({ operation: 'open', path: '/desk/album/c', error: 'EACCES' });
      },
    });
    expect(code).toBe(4);
    expect(stdout).toMatch(/^file\tmissing\t0\t32768\talbum\/c\t0\t.*permission denied/m);
  });

  test.each([
    [['magnet:?xt=urn:btih:0123456789012345678901234567890123456789'], 'take the .torrent'],
    [['0123456789012345678901234567890123456789'], 'take the .torrent'],
    [[], 'torrent'],
    [[TORRENT, '--link'], '--search'],
    [[TORRENT, '--search', '/desk', '--link', '--copy'], '--link and --copy contradict'],
    [[TORRENT, '--dry-run'], '--dry-run goes with'],
    [[TORRENT, '--search', '/desk', '--fail-fast'], '--fail-fast'],
    [[TORRENT, '--threads', '0'], '--threads'],
    [[TORRENT, '--read-order', 'backwards'], 'read-order'],
    [[TORRENT, '--files', '9'], 'there are 1-3'],
    [[TORRENT, '--files', 'nothing*'], '`nothing*` is no file of album'],
    [[TORRENT, '--content', ''], '--content is empty'],
    [['-', '-'], 'standard input can be read once'],
  ])('2 for %j', async (argv, sentence) => {
    const { code, stdout, stderr } = await verify(argv);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(sentence);
  });

  test('4 for a folder to search in that is none', async () => {
    const { code, stderr } = await verify([TORRENT, '--search', '/nowhere'], {
      change: (files) => files.remove('/desk/album/c'),
    });
    expect(code).toBe(4);
    expect(stderr).toContain('/nowhere');
  });

  test('130 for Ctrl-C, with nothing on stdout', async () => {
    const abort = new AbortController();
    const { code, stdout } = await verify([TORRENT], {
      signal: abort.signal,
      tty: { stderr: true },
      onWrite: (_, text) => {
        if (text.includes('hashing')) abort.abort(new Interrupted('SIGINT'));
      },
    });
    expect([code, stdout]).toEqual([130, '']);
  });
});

describe('--files', () => {
  test.each([
    [['--files', '1'], ['album/a']],
    [
      ['--files', '1-2'],
      ['album/a', 'album/sub/b'],
    ],
    [
      ['--files', '3, 1'],
      ['album/a', 'album/c'],
    ],
    [['--files', 'sub'], ['album/sub/b']],
    [['--files', 'album/sub/'], ['album/sub/b']],
    [
      ['--files', 'c', '--files', '[ab]'],
      ['album/a', 'album/sub/b', 'album/c'],
    ],
    [['--files', 'sub/*'], ['album/sub/b']],
  ])('%j', async (flags, paths) => {
    const { code, stdout } = await verify(['--json', TORRENT, ...flags]);
    expect(code).toBe(0);
    const { files } = parsed(stdout);
    expect(files).toMatchObject(paths.map((path) => ({ path, state: 'good' })));
  });
});

test('--fail-fast says what was not looked at', async () => {
  const { code, stdout } = await verify(['--json', '--fail-fast', TORRENT], {
    change: (files) => files.remove('/desk/album/sub/b'),
  });
  expect(code).toBe(5);
  expect(parsed(stdout)).toMatchObject({
    piecesUnchecked: 4,
    unchecked: ['album/a', 'album/c'],
    files: [{ path: 'album/sub/b', state: 'missing' }],
  });
  const plain = await verify(['--fail-fast', TORRENT], {
    change: (files) => files.remove('/desk/album/sub/b'),
  });
  expect(plain.stdout).toContain('unchecked\talbum/a\nunchecked\talbum/c\n');
});

describe('on a terminal', () => {
  test('a summary, and what is wrong with which bytes', async () => {
    const { stdout } = await verify([TORRENT], {
      tty: { stdout: true },
      change: async (files) => {
        await flip(files, '/desk/album/a', 0);
        await flip(files, '/desk/album/a', BLOCK);
        await files.remove('/desk/album/c');
      },
      env: { NO_COLOR: '1' },
    });
    expect(stdout).toBe(
      [
        'album: not complete, 16 KiB of 80.1 KiB good in 3 files, pieces: 1 good, 2 bad, 3 missing',
        '  looked at /desk/album',
        '  bad         album/a  100 B of 32.1 KiB good',
        '                bytes 0-32767 (32 KiB)',
        '  undecided   album/sub/b  100 B share pieces with files that are not as they should be',
        '  missing     album/c  32 KiB',
        '',
      ].join('\n'),
    );
    const good = await verify([TORRENT], { tty: { stdout: true }, env: { NO_COLOR: '1' } });
    expect(good.stdout).toBe('album: complete, 80.1 KiB in 3 files, pieces: 6 good\n');
  });

  test('what was found and laid out, and what stopped', async () => {
    const change = async (files: Files): Promise<void> => {
      await files.makeDirectory('/else');
      await files.rename('/desk/album/a', '/else/x');
    };
    const tty = { tty: { stdout: true }, env: { NO_COLOR: '1' }, change };
    const found = await verify([TORRENT, '--search', '/else'], tty);
    expect(found.stdout).toContain('  found       album/a  at /else/x\n');
    const placed = await verify([TORRENT, '--search', '/else', '--link'], tty);
    expect(placed.stdout).toContain('  placed      /desk/album/a  hard link to /else/x\n');
    const stopped = await verify([TORRENT, '--fail-fast'], tty);
    expect(stopped.stdout).toContain('not looked at: album/sub/b and 1 more\n');
  });

  test('progress on stderr only when it is a terminal, and not with --quiet', async () => {
    const drawn = await verify([TORRENT], { tty: { stderr: true } });
    expect(drawn.stderr).toContain('hashing album');
    const quiet = await verify([TORRENT, '--quiet'], { tty: { stderr: true } });
    expect(quiet.stderr).toBe('');
    const piped = await verify([TORRENT]);
    expect(piped.stderr).toBe('');
  });
});

test('threads are kept from torrent to torrent', async () => {
  const world = makeWorld();
  const host = world.host('10.0.0.1');
  const { runtime } = host;
  const opened: number[] = [];
  const counting = {
    ...runtime,
    hashers: {
      ...runtime.hashers,
      openFileHashers: (options: FileHasherOptions): FileHashers => {
        opened.push(options.totalBytes);
        return runtime.hashers.openFileHashers(options);
      },
    },
  };
  const many = [1, 3, 2, 5, 4].map((pieces) =>
    contentTorrent({
      name: `t${pieces}`,
      version: 'v1',
      files: [{ path: '', bytes: noise(pieces * BLOCK, pieces) }],
    }),
  );
  const files = many.flatMap(({ metainfo, bytes, contents }) => [
    [`/desk/${metainfo.name}.torrent`, bytes] as const,
    ...[...contents].map(([path, content]) => [`/desk/${path}`, content] as const),
  ]);
  const torrents = many.map(({ metainfo }) => `/desk/${metainfo.name}.torrent`);
  const { code, stdout } = await world.run(
    startBip(counting, {
      argv: ['metainfo', 'verify', ...torrents],
      files: Object.fromEntries(files),
    }),
  );
  expect(code).toBe(0);
  expect(stdout.match(/^torrent\tcomplete/gm)).toHaveLength(5);
  expect(opened).toEqual([BLOCK, Number.MAX_SAFE_INTEGER]);
  world.assertClosed();
});

test('real threads and real files', async () => {
  const big = contentTorrent({
    name: 'big',
    version: 'hybrid',
    pieceLength: 4 * BLOCK,
    files: [
      { path: 'a', bytes: noise(100 * BLOCK + 1, 1) },
      { path: 'b', bytes: new Uint8Array(700 * BLOCK).fill(7) },
    ],
  });
  const { code, stdout } = await runBipOnDisk({
    argv: (folder) => ['metainfo', 'verify', '--json', `${folder}/big.torrent`, '--threads', '2'],
    files: { 'big.torrent': big.bytes, ...Object.fromEntries(big.contents) },
  });
  expect(code).toBe(0);
  expect(parsed(stdout)).toMatchObject({ complete: true, piecesGood: big.metainfo.pieceCount });
});
