/** The frame around every command: streams, exit codes, colour, errors, interruptions. @module */

import { describe, expect, test } from 'vitest';
import { Interrupted } from '../../commands/cli/context.ts';
import { StorageError } from '../../src/base/errors.ts';
import { type BipResult, bip, runBip, TEST_VERSION } from './harness.ts';

const ESCAPE = '\u001b[';

/** What `--json` leaves on stderr: exactly one line with one error. */
function jsonError({ stderr }: BipResult): { code: string; message: string } {
  expect(stderr).toMatch(/^\{"error":\{"code":"BIP_[A-Z_]+","message":".*"\}\}\n$/);
  const parsed: { error: { code: string; message: string } } = JSON.parse(stderr);
  return parsed.error;
}

describe('help and version go to stdout', () => {
  test('--version', async () => {
    expect(await bip('--version')).toMatchObject({
      code: 0,
      stdout: `${TEST_VERSION}\n`,
      stderr: '',
    });
  });

  test('--help lists every command', async () => {
    const { code, stdout, stderr } = await bip('--help');
    expect([code, stderr]).toEqual([0, '']);
    const groups = ['bencode', 'metainfo', 'magnet', 'tracker', 'dht', 'handshake', 'simulate'];
    for (const name of [...groups, 'download', 'seed']) {
      expect(stdout).toMatch(new RegExp(`^ {2}${name}\\b`, 'm'));
    }
  });

  test('`help COMMAND` is `COMMAND --help`', async () => {
    const [asked, flag] = [await bip('help', 'bencode'), await bip('bencode', '--help')];
    expect(asked).toEqual(flag);
    expect(asked.stdout).toContain('Usage: bip bencode');
  });

  test('the flags of every command are listed once', async () => {
    const { stdout } = await bip('bencode', 'decode', '--help');
    expect(stdout.match(/--json +print JSON/g)).toHaveLength(1);
    expect(stdout).toMatch(/Global Options:[^]*--json/);
  });

  test('help is as wide as the terminal, and at most 100 columns', async () => {
    const widest = async (columns: number): Promise<number> => {
      const tty = { stdout: true, columns };
      const { stdout } = await runBip({ argv: ['--help', '--color', 'never'], tty });
      return Math.max(...stdout.split('\n').map((line) => line.length));
    };
    expect(await widest(70)).toBeLessThanOrEqual(70);
    expect(await widest(500)).toBeLessThanOrEqual(100);
  });
});

describe('usage errors: exit code 2, one sentence on stderr, nothing on stdout', () => {
  test.each([
    [[], '`bip` needs a command: '],
    [['bencode'], '`bip bencode` needs a command: decode, encode, check; see `bip bencode --help`'],
    [['--quiet', 'bencode'], '`bip bencode` needs a command: '],
    [['becode'], "unknown command 'becode' (Did you mean bencode?)"],
    [['bencode', 'deocde'], "unknown command 'deocde' (Did you mean decode?)"],
    [['bencode', 'decode', '--strit'], "unknown option '--strit' (Did you mean --strict?)"],
    [['bencode', 'decode', 'a', 'b'], 'too many arguments'],
    [['help', 'nothing'], "there is no command 'nothing'; see `bip --help`"],
    [['--color', 'pink', 'bencode', 'decode'], 'Allowed choices are auto, always, never'],
    [['-q', '-v', 'bencode', 'decode'], '--quiet and --verbose contradict each other'],
  ])('bip %j', async (argv, sentence) => {
    const { code, stdout, stderr } = await bip(...argv);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^error: .*\n$/);
    expect(stderr).toContain(sentence);
  });

  test('with --json, wherever it stands, one line of JSON', async () => {
    for (const argv of [
      ['--json', 'becode'],
      ['becode', '--json'],
      ['bencode', '--json', 'decode', '--strit'],
      ['bencode', 'decode', '--strit', '--json'],
    ]) {
      const result = await bip(...argv);
      expect([result.code, result.stdout]).toEqual([2, '']);
      expect(jsonError(result)).toMatchObject({
        code: 'BIP_USAGE',
        message: expect.stringContaining('Did you mean'),
      });
    }
  });

  test('a --json after -- is an argument', async () => {
    const { code, stderr } = await bip('bencode', 'decode', '--', 'a', '--json');
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: /);
  });
});

describe('errors', () => {
  test('malformed input is 3', async () => {
    const { code, stdout, stderr } = await runBip({ argv: ['bencode', 'decode'], stdin: 'i1' });
    expect([code, stdout]).toEqual([3, '']);
    expect(stderr).toMatch(/^error: .*\n$/);
  });

  test('a missing file is 4 and named', async () => {
    const { code, stdout, stderr } = await bip('bencode', 'decode', 'no/such.torrent');
    expect([code, stdout]).toEqual([4, '']);
    expect(stderr).toContain('no/such.torrent');
  });

  test('with --json the code is stable', async () => {
    const result = await bip('--json', 'bencode', 'decode', 'no/such.torrent');
    expect([result.code, result.stdout]).toEqual([4, '']);
    expect(jsonError(result).code).toBe('BIP_NOT_FOUND');
  });

  test('--quiet keeps them', async () => {
    const { stderr } = await bip('-q', 'bencode', 'decode', 'no/such.torrent');
    expect(stderr).toMatch(/^error: /);
  });

  test('what bip did not throw on purpose is a bug: 70, a trace, and where to report it', async () => {
    const fault = new AbortController();
    fault.abort(new TypeError('planted'));
    const argv = ['bencode', 'decode'];
    const { code, stderr } = await runBip({ argv, signal: fault.signal });
    expect(code).toBe(70);
    expect(stderr).toMatch(/bug in bip\nTypeError: planted\n +at [^]*please report it/);
    const inJson = await runBip({ argv: [...argv, '--json'], signal: fault.signal });
    expect(jsonError(inJson)).toMatchObject({
      code: 'BIP_BUG',
      message: expect.stringMatching(/^TypeError: planted\n +at /),
    });
  });
});

describe('interruptions', () => {
  const aborted = (reason: Error): AbortSignal => AbortSignal.abort(reason);

  test.each([
    ['SIGINT', 130, 'interrupted\n'],
    ['SIGTERM', 143, 'terminated\n'],
  ] as const)('%s ends with %i and says so on a terminal only', async (name, code, sentence) => {
    const signal = aborted(new Interrupted(name));
    const argv = ['bencode', 'decode'];
    expect(await runBip({ argv, signal, tty: true })).toMatchObject({ code, stderr: sentence });
    expect(await runBip({ argv, signal })).toMatchObject({ code, stdout: '', stderr: '' });
    expect(await runBip({ argv: [...argv, '-q'], signal, tty: true })).toMatchObject({
      stderr: '',
    });
  });

  test('a reader that went away is no error and no news', async () => {
    const signal = aborted(new Interrupted('EPIPE'));
    const argv = ['bencode', 'decode', '--json'];
    expect(await runBip({ argv, signal, tty: true })).toMatchObject({ code: 0, stderr: '' });
  });

  test('an output that breaks is told, even when the command ended well', async () => {
    const broken = new AbortController();
    const { code, stderr } = await runBip({
      argv: ['bencode', 'decode'],
      stdin: 'i1e',
      signal: broken.signal,
      onWrite: () => broken.abort(new StorageError('cannot write to stdout: disk full')),
    });
    expect([code, stderr]).toEqual([4, 'error: cannot write to stdout: disk full\n']);
  });
});

describe('colour is decided for each stream by itself', () => {
  const colours = async (
    options: Omit<Parameters<typeof runBip>[0], 'argv'> & { argv?: readonly string[] },
  ): Promise<{ stdout: boolean; stderr: boolean }> => {
    const { argv = [], ...rest } = options;
    const help = await runBip({ ...rest, argv: [...argv, '--help'] });
    const error = await runBip({ ...rest, argv: [...argv, 'bencode', 'decode', 'nothing'] });
    expect(error.code).toBe(4);
    return { stdout: help.stdout.includes(ESCAPE), stderr: error.stderr.includes(ESCAPE) };
  };

  test.each([
    ['a pipe', {}, { stdout: false, stderr: false }],
    ['a terminal', { tty: true }, { stdout: true, stderr: true }],
    ['stderr alone', { tty: { stderr: true } }, { stdout: false, stderr: true }],
    ['stdout alone', { tty: { stdout: true } }, { stdout: true, stderr: false }],
    ['NO_COLOR', { tty: true, env: { NO_COLOR: '1' } }, { stdout: false, stderr: false }],
    ['an empty NO_COLOR', { tty: true, env: { NO_COLOR: '' } }, { stdout: true, stderr: true }],
    ['TERM=dumb', { tty: true, env: { TERM: 'dumb' } }, { stdout: false, stderr: false }],
    ['FORCE_COLOR', { env: { FORCE_COLOR: '1' } }, { stdout: true, stderr: true }],
    ['FORCE_COLOR=0', { tty: true, env: { FORCE_COLOR: '0' } }, { stdout: false, stderr: false }],
    [
      'NO_COLOR over FORCE_COLOR',
      { tty: true, env: { NO_COLOR: '1', FORCE_COLOR: '1' } },
      { stdout: false, stderr: false },
    ],
    [
      '--color always over NO_COLOR',
      { argv: ['--color', 'always'], env: { NO_COLOR: '1' } },
      { stdout: true, stderr: true },
    ],
    [
      '--color=never over FORCE_COLOR',
      { argv: ['--color=never'], tty: true, env: { FORCE_COLOR: '1' } },
      { stdout: false, stderr: false },
    ],
  ])('%s', async (_name, options, expected) => {
    expect(await colours(options)).toEqual(expected);
  });
});

test('binary output does not go to a terminal', async () => {
  const argv = ['bencode', 'encode'];
  const { code, stdout, stderr } = await runBip({ argv, stdin: '{"a":1}', tty: { stdout: true } });
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain('--output -');
  expect(await runBip({ argv, stdin: '{"a":1}' })).toMatchObject({ code: 0, stdout: 'd1:ai1ee' });
});
