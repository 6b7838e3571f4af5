/** `bip metainfo verify --search`, and the examples of its help. */

import { describe, expect, test } from 'vitest';
import type { Files } from '../../src/runtime/ports.ts';
import { noise, plantContent } from '../content/torrents.ts';
import { makeWorld } from '../sim/world.ts';
import { type BipResult, runBip } from './harness.ts';
import { ALBUM, parsed, TORRENT, verify } from './verify-run.ts';

describe('--search', () => {
  const renamed = async (files: Files): Promise<void> => {
    await files.makeDirectory('/else');
    await files.rename('/desk/album/a', '/else/x');
    await files.rename('/desk/album/c', '/else/y');
  };
  const search = [TORRENT, '--search', '/else'];

  test('takes files from where they are found', async () => {
    const { code, stdout } = await verify(['--json', ...search], { change: renamed });
    expect(code).toBe(0);
    expect(parsed(stdout)).toMatchObject({
      complete: true,
      found: [
        { path: 'album/a', at: '/else/x' },
        { path: 'album/c', at: '/else/y' },
      ],
      candidates: [],
      files: [{ path: 'album/a', at: '/else/x' }, { path: 'album/sub/b' }, { path: 'album/c' }],
    });
  });

  test.each([
    ['--link', 'hard-link'],
    ['--symlink', 'symlink'],
    ['--copy', 'copy'],
  ])('%s lays them out; --dry-run only says so', async (flag, as) => {
    const placed = [
      `placed\t${as}\talbum/a\t/desk/album/a\t/else/x`,
      `placed\t${as}\talbum/c\t/desk/album/c\t/else/y`,
    ].join('\n');
    const world = makeWorld();
    const host = world.host('10.0.0.1');
    const { files } = host.runtime;
    await world.run(plantContent(files, '/desk', ALBUM.contents));
    await world.run(files.writeFile(TORRENT, ALBUM.bytes));
    await world.run(renamed(files));
    const run = (...argv: string[]): Promise<BipResult> =>
      runBip({ argv: ['metainfo', 'verify', ...argv], world, host });
    const dry = await run(...search, flag, '--dry-run');
    expect(dry.code).toBe(0);
    expect(dry.stdout).toContain(placed);
    expect((await run(TORRENT)).code).toBe(5);
    const real = await run(...search, flag);
    expect(real.stdout).toBe(dry.stdout);
    expect((await run(TORRENT)).code).toBe(0);
    world.assertClosed();
  });

  test('what is in the way is named, and nothing is made', async () => {
    const { code, stdout, stderr } = await verify([...search, '--copy'], {
      change: async (files) => {
        await renamed(files);
        await files.writeFile('/desk/album/c', noise(1, 1));
      },
    });
    expect([code, stdout]).toEqual([4, '']);
    expect(stderr).toContain('/desk/album/c is in the place of');
  });

  test('content that is nowhere is laid out in the folder of --content', async () => {
    const { code, stdout } = await verify(
      ['--json', ...search, '--content', '/new/place', '--link'],
      {
        change: async (files) => {
          await renamed(files);
          await files.rename('/desk/album/sub/b', '/else/z');
        },
      },
    );
    expect(code).toBe(0);
    expect(parsed(stdout)).toMatchObject({
      content: '/new/place/album',
      placed: [
        { path: 'album/a', as: 'hard-link', target: '/new/place/album/a', at: '/else/x' },
        { path: 'album/sub/b', target: '/new/place/album/sub/b' },
        { path: 'album/c', target: '/new/place/album/c' },
      ],
    });
  });
});

test('the examples of the help run as written', async () => {
  const help = await runBip({ argv: ['metainfo', 'verify', '--help'] });
  const examples = help.stdout.split('\n').filter((line) => line.startsWith('  $ bip '));
  expect(examples.length).toBeGreaterThan(3);
  const { contents, bytes } = ALBUM;
  const music = Object.fromEntries(
    [...contents].map(([path, file]) => [`/me/Music/${path}`, file]),
  );
  for (const example of examples) {
    // As a shell would.
    const words = example.trim().slice('$ bip '.length).split(' ');
    const argv = words.map((word) => word.replace('~', '/me').replace('*', 'album'));
    const { code, stderr } = await runBip({
      argv,
      files: {
        'album.torrent': bytes,
        ...Object.fromEntries(contents),
        ...music,
        '/me/Music/x': noise(10, 1),
      },
    });
    expect([example, code, stderr]).toEqual([example, 0, '']);
  }
});
