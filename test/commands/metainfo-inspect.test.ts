/** `bip metainfo inspect`, whole, in process. @module */

import { describe, expect, test } from 'vitest';
import { formatIsoTime } from '../../commands/metainfo/iso-time.ts';
import { multiV1, singleV1, singleV2, ZERO_ROOTS } from '../metainfo/raw.ts';
import { type BipResult, runBip, type Terminals } from './harness.ts';

const TRACKER = 'http://t.example/0123456789abcdef0123456789abcdef/announce';

const RICH = multiV1(
  [
    { length: 16_000, path: ['a', 'b.txt'] },
    { attr: 'p', length: 384, path: ['.pad', '384'] },
    { attr: 'xh', length: 1_310_720, path: ['c'] },
    { attr: 'l', path: ['d'], 'symlink path': ['a'] },
  ],
  { name: 'rich', private: 1, source: 'SRC' },
  {
    'announce-list': [[TRACKER, 'udp://b.example:1'], ['udp://c.example:2']],
    comment: 'two\nlines\u001b[31m',
    'created by': 'hand',
    'creation date': 1_234_567_890,
    'url-list': 'https://user:pass@w.example/x?token=secret&n=1',
    httpseeds: ['http://h.example/'],
    nodes: [['::1', 6881]],
  },
);

interface Printed {
  readonly [key: string]: unknown;
}

/** One line of `--json`. */
function parsed(line: string): Printed {
  const value: Printed = JSON.parse(line);
  return value;
}

interface Run {
  readonly stdin?: Uint8Array;
  readonly tty?: boolean | Terminals;
  readonly env?: Readonly<Record<string, string>>;
}

function inspect(argv: readonly string[], options: Run = {}): Promise<BipResult> {
  return runBip({
    argv: ['metainfo', 'inspect', ...argv],
    files: {
      'rich.torrent': RICH,
      'single.torrent': singleV1(),
      'v2.torrent': singleV2(),
      'bad.torrent': singleV1({ pieces: 'short' }),
      'html.torrent': '<html>',
    },
    ...options,
  });
}

describe('--json', () => {
  test('has every field that scripts rely on', async () => {
    const { code, stdout, stderr } = await inspect(['--json', 'rich.torrent']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.endsWith('\n') && !stdout.slice(0, -1).includes('\n')).toBe(true);
    const { magnet, ...rest } = parsed(stdout);
    expect(rest).toEqual({
      torrent: 'rich.torrent',
      name: 'rich',
      version: 'v1',
      infoHash: expect.stringMatching(/^[0-9a-f]{40}$/),
      length: 1_326_720,
      pieceLength: 16_384,
      pieceCount: 81,
      torrentLength: RICH.length,
      private: true,
      fileCount: 3,
      files: [
        { path: 'rich/a/b.txt', length: 16_000 },
        { path: 'rich/.pad/384', length: 384, padding: true },
        { path: 'rich/c', length: 1_310_720, executable: true, hidden: true },
        { path: 'rich/d', length: 0, symlink: 'rich/a' },
      ],
      announce: [['http://t.example/***/announce', 'udp://b.example:1'], ['udp://c.example:2']],
      webSeeds: ['https://***@w.example/x?token=***&n=1/'],
      httpSeeds: ['http://h.example/'],
      nodes: ['[::1]:6881'],
      comment: 'two\nlines\u001b[31m',
      createdBy: 'hand',
      creationDate: '2009-02-13T23:31:30Z',
      source: 'SRC',
      warnings: [],
    });
    // What has secrets is left out; the second tier is the first that is left.
    expect(magnet).toBe(
      `magnet:?xt=urn:btih:${String(rest['infoHash'])}&dn=rich&xl=1326720` +
        '&tr=udp%3A%2F%2Fb.example%3A1&tr=udp%3A%2F%2Fc.example%3A2&dht=[::1]:6881',
    );
  });

  test('leaves out what is absent; v2 has its roots', async () => {
    const { stdout } = await inspect(['--json', 'v2.torrent']);
    expect(parsed(stdout)).toEqual({
      torrent: 'v2.torrent',
      name: 'temp',
      version: 'v2',
      infoHashV2: expect.stringMatching(/^[0-9a-f]{64}$/),
      length: 1_048_576,
      pieceLength: 65_536,
      pieceCount: 16,
      torrentLength: singleV2().length,
      private: false,
      fileCount: 1,
      files: [{ path: 'temp', length: 1_048_576, piecesRoot: ZERO_ROOTS[1_048_576] }],
      announce: [],
      webSeeds: [],
      httpSeeds: [],
      nodes: [],
      magnet: expect.stringMatching(/^magnet:\?xt=urn:btmh:1220[0-9a-f]{64}&dn=temp&xl=1048576$/),
      warnings: [],
    });
  });

  test('--reveal shows secrets, in the magnet link as well', async () => {
    const { stdout } = await inspect(['--json', '--reveal', 'rich.torrent']);
    const { announce, webSeeds, magnet } = parsed(stdout);
    expect(announce).toEqual([[TRACKER, 'udp://b.example:1'], ['udp://c.example:2']]);
    expect(webSeeds).toEqual(['https://user:pass@w.example/x?token=secret&n=1/']);
    expect(magnet).toContain(
      `&tr.1=${encodeURIComponent(TRACKER)}&tr.1=udp%3A%2F%2Fb.example%3A1&tr.2=`,
    );
  });
});

describe('several inputs', () => {
  test('give one result each, in their order', async () => {
    const { stdout } = await inspect(['--json', 'v2.torrent', 'single.torrent', '-'], {
      stdin: RICH,
    });
    const names = stdout
      .trimEnd()
      .split('\n')
      .map((line) => parsed(line)['version']);
    expect(names).toEqual(['v2', 'v1', 'v1']);
  });

  test('a bad one is reported, the rest goes on, its code stays', async () => {
    const run = await inspect(['bad.torrent', 'missing.torrent', 'single.torrent']);
    expect(run.code).toBe(3);
    expect(run.stdout).toMatch(/^name\ttemp\n/);
    expect(run.stderr).toBe(
      'error: bad.torrent: 5 bytes are not the hashes of 1 pieces, 20 bytes each\n' +
        `error: ${run.stderr.split('\n')[1]?.slice('error: '.length)}\n`,
    );
    expect(run.stderr).toContain('missing.torrent');
    expect((await inspect(['missing.torrent', 'bad.torrent'])).code).toBe(4);
  });

  test('with --json errors are lines of JSON', async () => {
    const { code, stderr, stdout } = await inspect(['--json', 'single.torrent', 'bad.torrent']);
    expect(code).toBe(3);
    expect(parsed(stderr)).toEqual({
      error: { code: 'BIP_METAINFO_PIECES', message: expect.stringContaining('bad.torrent') },
    });
    expect(parsed(stdout)['name']).toBe('temp');
  });
});

test('in a pipe: tab-separated lines without colour', async () => {
  const { stdout } = await inspect(['rich.torrent']);
  const [infoHash, magnet] = [/infoHash\t(.*)/, /magnet\t(.*)/].map(
    (pattern) => pattern.exec(stdout)?.[1],
  );
  expect(stdout).toBe(
    [
      'name\trich',
      'version\tv1',
      `infoHash\t${infoHash}`,
      'length\t1326720',
      'pieceLength\t16384',
      'pieceCount\t81',
      `torrentLength\t${RICH.length}`,
      'private\ttrue',
      'fileCount\t3',
      'comment\ttwo␣lines␣[31m',
      'createdBy\thand',
      'creationDate\t2009-02-13T23:31:30Z',
      'source\tSRC',
      `magnet\t${magnet}`,
      'torrent\trich.torrent',
      'webSeed\thttps://***@w.example/x?token=***&n=1/',
      'httpSeed\thttp://h.example/',
      'node\t[::1]:6881',
      'announce\t1\thttp://t.example/***/announce',
      'announce\t1\tudp://b.example:1',
      'announce\t2\tudp://c.example:2',
      'file\t16000\trich/a/b.txt',
      'padding\t384\trich/.pad/384',
      'file\t1310720\trich/c',
      'symlink\t0\trich/d\trich/a',
      '',
    ].join('\n'),
  );
});

describe('on a terminal', () => {
  test('aligned labels and a tree', async () => {
    const { stdout } = await inspect(['--color', 'never', 'rich.torrent'], { tty: true });
    expect(stdout).toContain('      Name  rich\n');
    expect(stdout).toContain('      Size  1.27 MiB\n');
    expect(stdout).toContain('    Pieces  81 × 16 KiB\n');
    expect(stdout).toContain('   Comment  two␣lines␣[31m\n');
    expect(stdout).toContain(
      '  Trackers  Tier 1: http://t.example/***/announce\n' +
        '                    udp://b.example:1\n' +
        '            Tier 2: udp://c.example:2\n',
    );
    expect(stdout).toContain('     Files  3, and 384 B of padding between them\n');
    expect(stdout.slice(stdout.indexOf('rich\n├'))).toBe(
      'rich\n' +
        '├─ a\n' +
        '│  └─ b.txt  15.63 KiB\n' +
        '├─ c  1.25 MiB, executable, hidden\n' +
        '└─ d → rich/a\n',
    );
    expect(stdout).not.toContain('\u001b');
  });

  test('in colour, and never with the escapes of a torrent', async () => {
    const { stdout } = await inspect(['rich.torrent'], { tty: true });
    expect(stdout).toContain('\u001b[');
    expect(stdout).not.toContain('\u001b[31m');
  });

  test('warnings stand below', async () => {
    const { stdout } = await runBip({
      argv: ['metainfo', 'inspect', '--color', 'never', 'odd.torrent'],
      files: { 'odd.torrent': singleV1({ name: '/odd' }) },
      tty: true,
    });
    expect(stdout.trimEnd().split('\n').at(-1)).toBe(
      'warning: the name is not safe as it stands and becomes odd',
    );
  });
});

describe('exit codes', () => {
  test.each([
    [['-'], 3, 'standard input: '],
    [['html.torrent'], 3, 'html.torrent: bencode at byte 0'],
    [['missing.torrent'], 4, 'missing.torrent'],
    [['c0fda1edafdbdbb96443424e0b3899af7159d10e'], 2, 'bip magnet inspect'],
    [['nonsense'], 2, 'no such file'],
    [[], 2, "'torrent'"],
  ])('%j: %i', async (argv, code, message) => {
    const run = await inspect(argv);
    expect(run.code).toBe(code);
    expect(run.stdout).toBe('');
    expect(run.stderr).toContain(message);
    expect(run.stderr.trimEnd()).not.toContain('\n');
  });
});

test('names fit for Windows, there', async () => {
  const { stdout } = await runBip({
    argv: ['--json', 'metainfo', 'inspect', 'w.torrent'],
    files: { 'w.torrent': singleV1({ name: 'a?b.' }) },
    env: { OS: 'Windows_NT' },
  });
  expect(parsed(stdout)['files']).toEqual([{ path: 'a_b', rawPath: ['a?b.'], length: 425 }]);
});

test('times are those of Date', () => {
  const seconds = [0, 59, 68_169_599, 68_169_600, 951_782_399, 951_868_800, 4_107_542_400, 2e11];
  expect(seconds.map(formatIsoTime)).toEqual(
    seconds.map((value) => new Date(value * 1000).toISOString().replace('.000Z', 'Z')),
  );
  expect(formatIsoTime(253_402_300_799)).toBe('9999-12-31T23:59:59Z');
  expect(formatIsoTime(253_402_300_800)).toBeUndefined();
});
