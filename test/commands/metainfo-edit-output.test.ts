/** What `bip metainfo edit` prints, writes and refuses. @module */

import { chmod, readFile, readlink, stat, symlink, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseMetainfo } from '../../src/metainfo/index.ts';
import { leaf, pieces, singleV1, singleV2, treeV2 } from '../metainfo/raw.ts';
import { A, B, edit, KEY, parsed, run } from './edit-run.ts';
import { runBipOnDisk } from './harness.ts';

describe('what is printed', () => {
  const root = { announce: `http://t.example/${KEY}/announce`, comment: 'a\tb\u009b' };
  const argv = ['--no-trackers', '--no-comment', '--source', 'S'];

  test('in a pipe: a line a change, old and new infohash', async () => {
    const { stdout, stderr } = await edit(root, argv);
    const lines = stdout.split('\n');
    const [path, label, before, after] = lines[3]?.split('\t') ?? [];
    expect([path, label]).toEqual(['a.torrent', 'infoHash']);
    expect(lines).toEqual([
      'a.torrent\tannounce\t"http://t.example/***/announce"\t',
      'a.torrent\tcomment\t"a\\tb␣"\t',
      'a.torrent\tinfo.source\t\t"S"',
      `a.torrent\tinfoHash\t${before}\t${after}`,
      '',
    ]);
    expect(stderr).toBe(
      `warning: a.torrent is now another torrent, with other peers: ${before} → ${after}\n`,
    );
  });

  test('on a terminal', async () => {
    const { stdout } = await edit(root, ['--color', 'never', ...argv, '--dry-run'], {
      tty: { stdout: true },
    });
    expect(stdout).toMatch(
      /^a\.torrent \(dry run: nothing is written\)\n {2}announce: "http:\/\/t\.example\/\*\*\*\/announce" → nothing\n {2}comment: "a\\tb␣" → nothing\n {2}info\.source: nothing → "S"\n {2}infoHash: [0-9a-f]{40} → [0-9a-f]{40}\n$/,
    );
    const same = await edit(root, ['--no-nodes'], {
      tty: { stdout: true },
      env: { NO_COLOR: '1' },
    });
    expect(same.stdout).toBe('a.torrent: nothing to change\n');
    const long = await edit({}, ['-c', 'x'.repeat(500)], {
      tty: { stdout: true },
      env: { NO_COLOR: '1' },
    });
    expect(long.stdout).toContain(`nothing → "${'x'.repeat(199)}… (502 characters)\n`);
  });

  test('--json', async () => {
    const { stdout } = await edit(root, ['--json', '--no-comment', '--set', 'info.x=1']);
    expect(stdout.endsWith('\n')).toBe(true);
    expect(parsed(stdout)).toEqual({
      path: 'a.torrent',
      infoHashBefore: expect.stringMatching(/^[0-9a-f]{40}$/),
      infoHashAfter: expect.stringMatching(/^[0-9a-f]{40}$/),
      changed: ['comment', 'info.x'],
    });
    const same = await edit(root, ['--json', '--no-nodes']);
    const { infoHashBefore, infoHashAfter, changed } = parsed(same.stdout);
    expect([infoHashBefore, changed]).toEqual([infoHashAfter, []]);
  });

  test('--json of v2 and hybrids', async () => {
    const v2 = await edit(singleV2(), ['--json', '--source', 'x']);
    expect(Object.keys(parsed(v2.stdout))).toEqual([
      'path',
      'infoHashV2Before',
      'infoHashV2After',
      'changed',
    ]);
    const hybrid = treeV2({ temp: leaf(1) }, { length: 1, pieces: pieces(1) });
    const both = await edit(hybrid, ['--json', '--source', 'x']);
    const { infoHashBefore, infoHashAfter, infoHashV2Before, infoHashV2After } = parsed(
      both.stdout,
    );
    expect(infoHashBefore).not.toBe(infoHashAfter);
    expect(infoHashV2Before).not.toBe(infoHashV2After);
    const after = parseMetainfo(both.bytes);
    expect([after.infoHash?.hex, after.infoHashV2?.hex]).toEqual([infoHashAfter, infoHashV2After]);
  });

  test('--dry-run --json has the values', async () => {
    const { stdout } = await edit(root, ['--json', '--dry-run', '--tracker', A]);
    expect(parsed(stdout)['changes']).toEqual([
      { key: 'announce', before: 'http://t.example/***/announce', after: A },
    ]);
  });

  test('--reveal shows secrets', async () => {
    const { stdout } = await edit(root, ['--reveal', '--no-trackers']);
    expect(stdout).toBe(`a.torrent\tannounce\t"${root.announce}"\t\n`);
    const list = { announce: A, 'announce-list': [[A], [root.announce]] };
    const hidden = await edit(list, ['--no-trackers']);
    expect(hidden.stdout).not.toContain(KEY);
  });

  test('--quiet is silent about other peers', async () => {
    const { stderr } = await edit(root, ['--quiet', '--source', 'x']);
    expect(stderr).toBe('');
  });
});

describe('several torrents', () => {
  test('a bad one is reported, the rest goes on, its code stays', async () => {
    const files = {
      'a.torrent': singleV1(),
      'bad.torrent': singleV1({ pieces: 'short' }),
      'b.torrent': singleV1({}, { comment: 'x' }),
    };
    const { result, read } = await run(
      ['a.torrent', 'bad.torrent', 'missing.torrent', 'b.torrent', '--comment', 'x', '--json'],
      { files },
    );
    expect(result.code).toBe(3);
    expect(
      result.stdout
        .trimEnd()
        .split('\n')
        .map((line) => parsed(line)['changed']),
    ).toEqual([['comment'], []]);
    const [first = '', second = ''] = result.stderr.split('\n');
    expect(parsed(first)['error']).toMatchObject({
      code: 'BIP_METAINFO_PIECES',
      message: expect.stringMatching(/^bad\.torrent: 5 bytes are not the hashes/),
    });
    expect(parsed(second)['error']).toMatchObject({ code: 'BIP_NOT_FOUND' });
    expect(parseMetainfo(await read('a.torrent')).comment).toBe('x');
    expect(Buffer.from(await read('bad.torrent'))).toEqual(Buffer.from(files['bad.torrent']));
  });

  test('an edit that breaks one torrent is refused for that one', async () => {
    const files = { 'a.torrent': singleV2(), 'b.torrent': singleV1() };
    const { result, read } = await run(
      ['a.torrent', 'b.torrent', '--unset', 'info.meta version', '--comment', 'x'],
      { files },
    );
    expect(result.code).toBe(2);
    expect(result.stderr).toBe(
      'error: a.torrent: this would break the torrent: there is a v2 file tree but no meta version 2\n',
    );
    expect(Buffer.from(await read('a.torrent'))).toEqual(Buffer.from(files['a.torrent']));
    expect(parseMetainfo(await read('b.torrent')).comment).toBe('x');
  });
});

describe('--output', () => {
  const files = {
    'a.torrent': singleV1(),
    'b.torrent': singleV2({ name: 'other', 'file tree': { other: leaf(1_048_576) } }),
    'out/there': '',
  };

  test('a file; the input stays', async () => {
    const { result, read } = await run(
      ['a.torrent', '-c', 'x', '-p', '-o', 'c.torrent', '--json'],
      {
        files,
      },
    );
    expect([result.code, parsed(result.stdout)['path'], result.stderr]).toEqual([
      0,
      'c.torrent',
      expect.stringMatching(/^warning: c\.torrent is now another torrent/),
    ]);
    expect(parseMetainfo(await read('c.torrent')).comment).toBe('x');
    expect(Buffer.from(await read('a.torrent'))).toEqual(Buffer.from(files['a.torrent']));
  });

  test('is written when nothing changed, too', async () => {
    const { read } = await run(['a.torrent', '--no-comment', '-o', 'c.torrent'], { files });
    expect(Buffer.from(await read('c.torrent'))).toEqual(Buffer.from(files['a.torrent']));
  });

  test.each(['out', 'out/'])('a folder: %s', async (output) => {
    const { result, read } = await run(
      ['a.torrent', 'b.torrent', '-c', 'x', '-o', output, '--json'],
      { files },
    );
    expect(
      result.stdout
        .trimEnd()
        .split('\n')
        .map((line) => parsed(line)['path']),
    ).toEqual(['out/a.torrent', 'out/b.torrent']);
    expect(parseMetainfo(await read('out/b.torrent')).comment).toBe('x');
  });

  test('templates', async () => {
    const { result, exists } = await run(
      [
        'a.torrent',
        'b.torrent',
        '--source',
        'x',
        '-o',
        'out/{name}-{infoHash}-{infoHashV2}.torrent',
        '--json',
      ],
      { files },
    );
    expect(result.code).toBe(0);
    const [one = {}, two = {}] = result.stdout.trimEnd().split('\n').map(parsed);
    const [v1, v2] = [String(one['infoHashAfter']), String(two['infoHashV2After'])];
    expect([one['path'], two['path']]).toEqual([
      `out/temp-${v1}-${v1}.torrent`,
      `out/other-${v2}-${v2}.torrent`,
    ]);
    expect(await exists(String(one['path']))).toBe(true);
  });

  test.each([
    [['a.torrent', '-o', 'b.torrent'], 4, 'b.torrent exists already; use --force'],
    [['a.torrent', '-o', 'nowhere/c.torrent'], 4, 'nowhere, does not exist'],
    [['a.torrent', '-o', '{nam}.torrent'], 2, '`{nam}` is no placeholder'],
    [['a.torrent', 'b.torrent', '-o', 'c.torrent'], 2, 'is one file for 2 torrents'],
    [['a.torrent', 'b.torrent', '-o', '-'], 2, 'stdout is for a single torrent'],
    [['a.torrent', '-', '--dry-run'], 2, 'stdout is for a single torrent'],
    [['a.torrent', '-o', '-', '--json'], 2, 'not JSON'],
    [['-', '--json'], 2, 'not JSON'],
    [['-', '--merge', '-'], 2, 'can be read once only'],
    [['a.torrent', '--similar', '-'], 2, 'standard input is no torrent to name'],
    [['a.torrent', 'a.torrent', '-o', '{name}.torrent'], 2, 'was written by this run already'],
  ])('%j: %i', async (argv, code, message) => {
    const { result } = await run([...argv, '--comment', 'x'], { files, stdin: singleV1() });
    expect(result.code).toBe(code);
    expect(result.stderr).toContain(message);
    expect(result.stderr.trimEnd()).not.toContain('\n');
  });

  test('--force overwrites', async () => {
    const { result, read } = await run(['a.torrent', '-c', 'x', '-o', 'b.torrent', '--force'], {
      files,
    });
    expect([result.code, parseMetainfo(await read('b.torrent')).comment]).toEqual([0, 'x']);
  });

  test('standard input to stdout, and to a file', async () => {
    const piped = await run(['-', '-c', 'x', '--source', 'S'], { stdin: singleV1() });
    expect(parseMetainfo(piped.result.stdoutBytes)).toMatchObject({ comment: 'x', source: 'S' });
    expect(piped.result.stderr).toMatch(/^warning: standard input is now another torrent/);
    const same = await run(['-', '--no-comment'], { stdin: singleV1() });
    expect(Buffer.from(same.result.stdoutBytes)).toEqual(Buffer.from(singleV1()));
    const filed = await run(['-', '-c', 'x', '-o', 'out/'], { stdin: singleV1(), files });
    expect(parseMetainfo(await filed.read('out/temp.torrent')).comment).toBe('x');
    const shown = await run(['-', '-c', 'x', '--dry-run', '--json'], { stdin: singleV1() });
    expect(parsed(shown.result.stdout)).toMatchObject({ path: '-', changed: ['comment'] });
  });

  test('no torrent on a terminal, unless it is asked for', async () => {
    const options = { stdin: singleV1(), tty: { stdout: true } };
    const refused = await run(['-', '-c', 'x'], options);
    expect([refused.result.code, refused.result.stdout]).toEqual([2, '']);
    const insisted = await run(['-', '-c', 'x', '-o', '-'], options);
    expect(parseMetainfo(insisted.result.stdoutBytes).comment).toBe('x');
  });
});

describe('wrong arguments', () => {
  test.each([
    [[], 'nothing to change'],
    [['--dry-run', '-o', 'x'], 'nothing to change'],
    [['--tier', '2', '--comment', 'x'], 'there is no --add-tracker'],
    [['--add-tracker', A, '--tier', '0'], 'no whole number'],
    [['--comment', 'x', '--no-comment'], '--comment and --no-comment contradict each other'],
    [['--no-comment', '--comment', 'x'], '--comment and --no-comment contradict each other'],
    [['--no-entropy', '--entropy'], '--entropy and --no-entropy contradict'],
    [['--private', '--no-private'], '--private and --no-private contradict'],
    [['--no-date', '--date', '5'], '--date and --no-date contradict'],
    [['--source', 'x', '--no-source'], '--source and --no-source contradict'],
    [['--created-by', 'x', '--no-created-by'], '--created-by and --no-created-by contradict'],
    [['--no-similar', '--similar', 'b.torrent'], '--similar and --no-similar contradict'],
    [['--collection', 'x', '--no-collection'], '--collection and --no-collection contradict'],
    [['--update-url', 'http://x.example', '--no-update-url'], '--update-url and --no-update-url'],
    [['--tracker', A, '--no-trackers'], '--tracker and --no-trackers contradict'],
    [['--tracker', A, '--add-tracker', B], '--tracker and --add-tracker contradict'],
    [['--no-trackers', '--add-tracker', B], '--no-trackers and --add-tracker contradict'],
    [['--web-seed', A, '--remove-web-seed', A], '--web-seed and --remove-web-seed contradict'],
    [['--http-seed', A, '--no-http-seeds'], '--http-seed and --no-http-seeds contradict'],
    [['--node', 'a.example:1', '--no-nodes'], '--node and --no-nodes contradict'],
    [['--comment', 'x', '--set', 'comment="y"'], '--comment and --set comment contradict'],
    [
      ['--replace', 'a=>b', '--unset', 'announce-list'],
      '--replace and --unset announce-list contradict',
    ],
    [['--source', 'x', '--unset', 'info'], '--source and --unset info contradict'],
    [['--no-nodes', '--merge', 'm.json'], '--no-nodes and --merge nodes contradict'],
    [['--set', 'a.b=1', '--unset', 'a'], '--set a.b and --unset a contradict'],
    [['--set', 'a=1', '--set', 'a.b=1'], 'a.torrent: `a.b` is to change, and something in it'],
    [['--set', 'a'], 'has no `=`'],
    [['--set', 'a=x'], 'text needs quotes'],
    [['--unset', ''], 'empty key'],
    [['--date', 'soon'], '--date: `soon` is no time'],
    [['--tracker', 'a.example'], '--tracker: `a.example` is no tracker'],
    [['--add-tracker', 'udp://a.example'], '--add-tracker: `udp://a.example` has no port'],
    [['--add-web-seed', 'udp://a.example'], '--add-web-seed: `udp://a.example` is no web seed'],
    [['--add-node', 'a.example'], '--add-node: `a.example` is no HOST:PORT'],
    [['--update-url', 'x'], '--update-url: `x` is no URL'],
    [['--similar', 'nonsense'], 'no such file'],
    [['--replace', 'ab'], '`ab` is not REGEX=>TEXT'],
    [['--replace', '=>b'], '`=>b` is not REGEX=>TEXT'],
    [['--replace', '(=>b'], '`(` is no regular expression: unterminated group'],
    [['--replace', '.*=>'], 'a.torrent: --replace: the URL of a tracker is empty'],
    [
      ['--replace', 'http:=>gopher:'],
      'a.torrent: --replace: `gopher://a.example/announce` is no tracker',
    ],
    [['--name', 'a/b'], 'a.torrent: `a/b` is no name'],
    [['--set', 'announce.x=1'], 'a.torrent: `announce` is no dictionary'],
    [['--unset', 'info.pieces'], 'a.torrent: this would break the torrent'],
    [['--entropy', 'b.torrent'], '--entropy: `b.torrent` would be its TEXT'],
    [['--coment', 'x'], '--comment'],
  ])('%j', async (argv, message) => {
    const { code, stdout, stderr, bytes } = await edit({ announce: A }, argv, {
      files: { 'm.json': '{"nodes":null}', 'b.torrent': singleV1() },
    });
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain(message);
    expect(stderr.trimEnd()).not.toContain('\n');
    expect(Buffer.from(bytes)).toEqual(Buffer.from(singleV1({}, { announce: A })));
  });

  test.each([
    [['missing.torrent'], 4, 'missing.torrent'],
    [['html.torrent'], 3, 'html.torrent: bencode at byte 0'],
    [['folder'], 4, 'folder'],
    [[''], 2, 'a TORRENT is empty'],
    [['magnet:?xt=urn:btih:c0fda1edafdbdbb96443424e0b3899af7159d10e'], 2, 'is no file'],
    [['https://example.org/a.torrent'], 2, 'is no file'],
    [[], 2, "'torrent'"],
    [['a.torrent', '--merge', 'missing.json'], 4, 'missing.json'],
    [['a.torrent', '--merge', 'bad.json'], 3, 'bad.json: JSON at line 1, column 6'],
  ])('%j: %i', async (argv, code, message) => {
    const files = {
      'html.torrent': '<html>',
      'folder/x': '',
      'bad.json': '{"a":}',
      'a.torrent': singleV1(),
    };
    const { result } = await run([...argv, '--comment', 'x'], { files });
    expect(result.code).toBe(code);
    expect(result.stderr).toContain(message);
    expect(result.stderr.trimEnd()).not.toContain('\n');
  });
});

describe('on a disk', () => {
  const torrent = singleV1({}, { comment: 'old' });
  const past = 1_000_000_000;

  test('permissions stay, and nothing else is left in the folder', async () => {
    const result = await runBipOnDisk({
      files: { 'a.torrent': torrent },
      argv: (folder) => ['metainfo', 'edit', join(folder, 'a.torrent'), '-c', 'new'],
      inspect: async (folder, files) => {
        expect(await files.list(folder)).toEqual(['a.torrent']);
        expect(parseMetainfo(await readFile(join(folder, 'a.torrent'))).comment).toBe('new');
      },
    });
    expect(result.code).toBe(0);
  });

  test.each([
    ['--dry-run', '-c', 'new'],
    ['-c', 'old'],
  ])('%s leaves bytes and times alone', async (...argv) => {
    let before = 0;
    await runBipOnDisk({
      files: { 'a.torrent': torrent },
      argv: (folder) => ['metainfo', 'edit', join(folder, 'a.torrent'), ...argv],
      inspect: async (folder) => {
        const path = join(folder, 'a.torrent');
        expect(Buffer.from(await readFile(path))).toEqual(Buffer.from(torrent));
        // Another run, now that the time is known.
        await utimes(path, past, past);
        before = (await stat(path)).ino;
        await again(folder, argv);
        expect([(await stat(path)).mtimeMs, (await stat(path)).ino]).toEqual([past * 1000, before]);
      },
    });
    expect(before).toBeGreaterThan(0);
  });

  test('a symlink stays, what it leads to changes and keeps its permissions', async () => {
    await runBipOnDisk({
      files: { 'real/a.torrent': torrent },
      argv: () => ['--version'],
      inspect: async (folder) => {
        const [real, link] = [join(folder, 'real/a.torrent'), join(folder, 'a.torrent')];
        await chmod(real, 0o640);
        await symlink('real/a.torrent', link);
        expect(await again(folder, ['-c', 'new'])).toBe(0);
        expect(await readlink(link)).toBe('real/a.torrent');
        expect(parseMetainfo(await readFile(real)).comment).toBe('new');
        expect((await stat(real)).mode & 0o777).toBe(0o640);
      },
    });
  });

  /** Runs the command on `a.torrent` in a folder that is there. */
  async function again(folder: string, argv: readonly string[]): Promise<number> {
    const { code } = await runBipOnDisk({
      argv: () => ['metainfo', 'edit', join(folder, 'a.torrent'), ...argv],
    });
    return code;
  }
});

test('the examples of the help name flags that there are', async () => {
  const { result } = await run(['--help']);
  expect(result.code).toBe(0);
  const examples = result.stdout.split('\n').filter((line) => line.startsWith('  $ bip'));
  expect(examples.length).toBeGreaterThan(5);
  for (const flag of examples.join(' ').match(/ --[a-z-]+/g) ?? []) {
    expect(result.stdout.slice(0, result.stdout.indexOf('Examples:'))).toContain(flag.trim());
  }
});
