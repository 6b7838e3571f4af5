/** `bip metainfo inspect` with `--get` and `--columns`. @module */

import { describe, expect, test } from 'vitest';
import { FIELD_NAMES } from '../../commands/metainfo/fields.ts';
import { bytes, multiV1, singleV1, singleV2, ZERO_ROOTS } from '../metainfo/raw.ts';
import { type BipResult, type RunOptions, runBip } from './harness.ts';

const SECRET = 'http://t.example/0123456789abcdef0123456789abcdef/announce';

const ALBUM = multiV1(
  [
    { length: 10, md5sum: 'ff00', path: ['a', 'one.txt'] },
    { length: 20, path: ['two.txt'] },
  ],
  { name: 'album', source: 'SRC', 'x.y/z': [1, [2], bytes(0xff)] },
  {
    'announce-list': [[SECRET, 'udp://b.example:1'], ['udp://c.example:2']],
    comment: 'tab\there\u001b[31m',
    publisher: 'me',
    'publisher-url': SECRET,
  },
);

function inspect(argv: readonly string[], options: Partial<RunOptions> = {}): Promise<BipResult> {
  return runBip({
    argv: ['metainfo', 'inspect', ...argv],
    files: {
      'album.torrent': ALBUM,
      'single.torrent': singleV1(),
      'v2.torrent': singleV2(),
      'bad.torrent': 'x',
    },
    ...options,
  });
}

describe('--get', () => {
  test.each([
    ['name', ['album']],
    ['length', ['30']],
    ['pieceLength', ['16384']],
    ['private', ['false']],
    ['files', ['10\talbum/a/one.txt', '20\talbum/two.txt']],
    ['files.path', ['album/a/one.txt', 'album/two.txt']],
    ['files.length', ['10', '20']],
    ['files.otherKeys.md5sum', ['ff00']],
    ['files.1.path', ['album/two.txt']],
    ['files.0.otherKeys', ['md5sum\tff00']],
    ['files.0', ['path\talbum/a/one.txt', 'length\t10', 'otherKeys\t{"md5sum":"ff00"}']],
    ['announce', ['http://t.example/***/announce', 'udp://b.example:1', 'udp://c.example:2']],
    ['announce.0', ['http://t.example/***/announce', 'udp://b.example:1']],
    ['announce.1.0', ['udp://c.example:2']],
    ['comment', ['tab␣here␣[31m']],
    ['otherKeys.publisher', ['me']],
    ['otherKeys', ['publisher\tme', 'publisher-url\thttp://t.example/***/announce']],
    ['pieces', ['61'.repeat(20)]],
    ['/info/source', ['SRC']],
    ['/info/piece length', ['16384']],
    ['/info/files/1/path/0', ['two.txt']],
    ['/info/files/0', ['length\t10', 'md5sum\tff00', 'path\t["a","one.txt"]']],
    ['/info/x.y~1z', ['1', '[2]', 'ff']],
    ['/info/x.y~1z/2', ['ff']],
    ['/announce-list/0/0', ['http://t.example/***/announce']],
  ])('%s', async (field, lines) => {
    const { code, stdout, stderr } = await inspect(['album.torrent', '--get', field]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toBe(lines.map((line) => `${line}\n`).join(''));
  });

  test.each([
    ['infoHashV2'],
    ['files.7.path'],
    ['warnings'],
    ['collections'],
    ['otherKeys.none'],
    ['/info/none'],
    ['/info/files/9/path'],
    ['/'],
    ['/info/'],
  ])('%s is not there: nothing, and no failure', async (field) => {
    expect(await inspect(['album.torrent', '--get', field])).toEqual(
      expect.objectContaining({ code: 0, stdout: '', stderr: '' }),
    );
  });

  test('with --json: the value as JSON', async () => {
    const get = async (field: string): Promise<string> =>
      (await inspect(['--json', 'album.torrent', '--get', field])).stdout;
    expect(await get('length')).toBe('30\n');
    expect(await get('comment')).toBe('"tab\\there\\u001b[31m"\n');
    expect(await get('files.length')).toBe('[10,20]\n');
    expect(await get('announce.1')).toBe('["udp://c.example:2"]\n');
    expect(await get('infoHashV2')).toBe('null\n');
    expect(await get('/info/x.y~1z')).toBe('[1,[2],{"$hex":"ff"}]\n');
    expect(await get('/publisher-url')).toBe('"http://t.example/***/announce"\n');
  });

  test('--reveal shows secrets', async () => {
    for (const field of ['announce.0.0', '/publisher-url', 'otherKeys.publisher-url']) {
      const { stdout } = await inspect(['album.torrent', '--reveal', '--get', field]);
      expect(stdout).toBe(`${SECRET}\n`);
    }
    const { stdout } = await inspect([
      '--json',
      'album.torrent',
      '--reveal',
      '--get',
      '/publisher-url',
    ]);
    expect(stdout).toBe(`"${SECRET}"\n`);
  });

  test('the same on a terminal', async () => {
    const { stdout } = await inspect(['album.torrent', '--get', 'length'], { tty: true });
    expect(stdout).toBe('30\n');
  });

  test('several torrents, one of them bad', async () => {
    const run = await inspect(['album.torrent', 'bad.torrent', 'v2.torrent', '--get', 'name']);
    expect(run).toMatchObject({ code: 3, stdout: 'album\ntemp\n' });
    expect(run.stderr).toContain('bad.torrent');
  });

  test('piece layers of v2', async () => {
    const { stdout } = await inspect(['--json', 'v2.torrent', '--get', 'pieceLayers']);
    const root = String(ZERO_ROOTS[1_048_576]);
    const layer = Array.from({ length: 16 }, () => ZERO_ROOTS[65_536]);
    expect(JSON.parse(stdout)).toEqual({ [root]: layer });
  });

  test('every field that the JSON of a torrent has is known', async () => {
    const { stdout } = await inspect(['--json', '--pieces', 'album.torrent']);
    const document: object = JSON.parse(stdout);
    for (const name of Object.keys(document)) expect(FIELD_NAMES).toContain(name);
  });
});

describe('--columns', () => {
  test('in a pipe: one line a torrent, tab-separated', async () => {
    const columns = 'torrent,name,length,infoHashV2,announce,/info/source';
    const { stdout } = await inspect(['album.torrent', 'v2.torrent', '--columns', columns]);
    const [album, v2, rest] = stdout.split('\n').map((line) => line.split('\t'));
    expect(album).toEqual([
      'album.torrent',
      'album',
      '30',
      '',
      'http://t.example/***/announce udp://b.example:1 udp://c.example:2',
      'SRC',
    ]);
    expect(v2).toEqual([
      ...['v2.torrent', 'temp', '1048576'],
      ...[expect.stringMatching(/^[0-9a-f]{64}$/), '', ''],
    ]);
    expect(rest).toEqual(['']);
  });

  test('with --json: just these keys, without those that are not there', async () => {
    const { stdout } = await inspect([
      ...['--json', 'album.torrent', 'v2.torrent'],
      ...['--columns', 'name,files.length,/info/source,source'],
    ]);
    expect(stdout).toBe(
      '{"name":"album","files.length":[10,20],"/info/source":"SRC","source":"SRC"}\n' +
        '{"name":"temp","files.length":[1048576]}\n',
    );
  });

  test('on a terminal: one aligned table of all', async () => {
    const argv = [
      '--color',
      'never',
      'album.torrent',
      'v2.torrent',
      '--columns',
      'name,length,source',
    ];
    const { stdout } = await inspect(argv, { tty: true });
    expect(stdout).toBe('name   length  source\nalbum    30 B  SRC\ntemp    1 MiB\n');
    const exact = await inspect([...argv, '--verbose'], { tty: true });
    expect(exact.stdout).toContain('temp   1 MiB / 1,048,576 B');
  });

  test('a bad torrent leaves the table to the others', async () => {
    const argv = ['--color', 'never', 'bad.torrent', 'album.torrent', '--columns', 'name'];
    const run = await inspect(argv, { tty: true });
    expect(run).toMatchObject({ code: 3, stdout: 'name\nalbum\n' });
    expect(run.stderr).toContain('bad.torrent');
    const none = await inspect(['bad.torrent', 'missing.torrent', '--columns', 'name'], {
      tty: true,
    });
    expect(none).toMatchObject({ code: 3, stdout: '' });
  });
});

describe('wrong arguments', () => {
  test.each([
    [['--get', 'infohash'], '--get: `infohash` is no field; did you mean `infoHash`?'],
    [['--get', 'zzzzzzzzz'], '--get: `zzzzzzzzz` is no field; --help lists them'],
    [['--get', 'files.0.paht'], 'is no field of `files.0`; did you mean `path`?'],
    [['--get', 'name.first'], '`name` has no parts'],
    [['--get', 'constructor'], 'is no field'],
    [['--get', ''], '--get is empty'],
    [['--get', 'name', '--get', 'length'], 'for several there is --columns'],
    [['--columns', 'name,lenght'], '--columns: `lenght` is no field; did you mean `length`?'],
    [['--columns', 'name,name'], '`name` stands there twice'],
    [['--columns', 'name,'], '--columns is empty'],
    [['--columns', 'name', '--columns', 'length'], 'separate the fields by commas'],
    [['--columns', 'name', '--get', 'name'], 'contradict each other'],
    [['--get', 'name', '--pieces'], '--pieces is about whole torrents; leave out it or --get'],
    [['--columns', 'name', '--no-files'], 'leave out it or --columns'],
    [['--get', 'name', '--depth', '1'], '--depth is about whole torrents'],
    [['--get', 'name', '--padding'], '--padding is about whole torrents'],
    [['--no-files', '--depth', '2'], 'contradict each other'],
    [['--no-files', '--padding'], 'contradict each other'],
    [['--depth', '0'], '--depth: `0` is no whole number'],
    [['--depth', 'x'], '--depth: `x` is no whole number'],
  ])('%j', async (argv, message) => {
    const run = await inspect(['album.torrent', ...argv]);
    expect([run.code, run.stdout]).toEqual([2, '']);
    expect(run.stderr).toContain(message);
    expect(run.stderr.trimEnd()).not.toContain('\n');
  });
});
