import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { type BipResult, bip, runBip, runBipOnDisk, type SimulatedRun } from './harness.ts';

/** `bip bencode …` with text or bytes on stdin. */
function bencode(
  argv: readonly string[],
  stdin: string | Uint8Array = '',
  more: Omit<SimulatedRun, 'argv' | 'stdin'> = {},
): Promise<BipResult> {
  return runBip({ argv: ['bencode', ...argv], stdin, ...more });
}

const ok = { code: 0, stderr: '' };

describe('decode', () => {
  test('one line in a pipe and with --json', async () => {
    const input = 'd3:agei9e4:listli1e1:aee';
    const line = '{"age":9,"list":[1,"a"]}\n';
    expect(await bencode(['decode'], input)).toMatchObject({ ...ok, stdout: line });
    expect(await bencode(['decode', '-', '--json'], input)).toMatchObject({ ...ok, stdout: line });
    expect(await bencode(['decode', '--json'], input, { tty: { stdout: true } })).toMatchObject({
      stdout: line,
    });
  });
  test('indented on a terminal, coloured there', async () => {
    const run = { tty: { stdout: true }, env: { NO_COLOR: '1' } };
    expect(await bencode(['decode'], 'd3:agei9e4:listli1e1:aee', run)).toMatchObject({
      ...ok,
      stdout: '{\n  "age": 9,\n  "list": [\n    1,\n    "a"\n  ]\n}\n',
    });
    const coloured = await bencode(['decode'], 'd1:a1:be', {
      tty: { stdout: true },
    });
    expect(coloured.stdout).toBe('{\n  \u001b[36m"a"\u001b[39m: \u001b[32m"b"\u001b[39m\n}\n');
  });
  test('a file', async () => {
    const files = { '/in.benc': 'i7e' };
    expect(await bencode(['decode', '/in.benc'], '', { files })).toMatchObject({
      ...ok,
      stdout: '7\n',
    });
  });
  test('keys that look like numbers keep their place with --json', async () => {
    const { stdout } = await bencode(['decode', '--json'], 'd2:10i1e1:2i2ee');
    expect(stdout).toBe('{"10":1,"2":2}\n');
  });
  test('what is not canonical: a warning with the offset, a refusal with --strict', async () => {
    const input = 'd1:bi01e1:ai2eex';
    expect(await bencode(['decode'], input)).toEqual(
      expect.objectContaining({
        code: 0,
        stdout: '{"b":1,"a":2}\n',
        stderr: [
          'warning: standard input: byte 5 (b): an integer has needless zeros in front',
          'warning: standard input: byte 8 (a): the key should stand before the key in front',
          'warning: standard input: byte 15: a byte follows after the value',
          '',
        ].join('\n'),
      }),
    );
    expect(await bencode(['decode', '--quiet'], input)).toMatchObject(ok);
    expect(await bencode(['decode', '--strict'], input)).toMatchObject({
      code: 3,
      stdout: '',
      stderr: 'error: standard input: bencode at byte 5: an integer has needless zeros in front\n',
    });
    expect((await bencode(['decode', '--strict'], 'i1ex')).code).toBe(3);
  });
  test('many warnings are cut short', async () => {
    const { stderr } = await bencode(['decode'], `l${'i01e'.repeat(30)}e`);
    expect(stderr.split('\n')).toHaveLength(12);
    expect(stderr).toContain('warning: 20 more faults; `bip bencode check` lists all\n');
  });
  test('what is no bencode', async () => {
    expect(await bencode(['decode'], 'd1:ai1e1:ai2ee')).toMatchObject({
      code: 3,
      stdout: '',
      stderr:
        'error: standard input: bencode at byte 7: the dictionary has this key already, at byte 1\n',
    });
    const { code, stdout, stderr } = await bencode(['decode', '--json'], 'i+5e');
    expect([code, stdout]).toEqual([3, '']);
    expect(JSON.parse(stderr)).toEqual({
      error: {
        code: 'BIP_BENCODE',
        message: 'standard input: bencode at byte 1: an integer has "+" among its digits',
      },
    });
  });
  test('depth', async () => {
    const deep = 'l'.repeat(60) + 'e'.repeat(60);
    expect(await bencode(['decode'], deep)).toMatchObject({
      code: 3,
      stderr:
        'error: standard input: bencode at byte 50: lists and dictionaries are nested deeper than 50 levels; --max-depth permits more\n',
    });
    expect((await bencode(['decode', '--max-depth', '60'], deep)).code).toBe(0);
    expect((await bencode(['decode', '--max-depth', 'x'], deep)).code).toBe(2);
  });
  test('--path prints one value', async () => {
    const input = 'd4:infod5:filesld6:lengthi7eee5:x.y.z1:!ee';
    const at = async (path: string): Promise<string> =>
      (await bencode(['decode', '--path', path], input)).stdout;
    expect(await at('info.files.0.length')).toBe('7\n');
    expect(await at('info.files')).toBe('[{"length":7}]\n');
    expect(await at('info.x\\.y\\.z')).toBe('"!"\n');
    expect(await at('')).toBe('{"info":{"files":[{"length":7}],"x.y.z":"!"}}\n');
  });
  test.each([
    ['info.name', 'there is no key "name"'],
    ['info.files.1', '"1" is no index of a list of 1'],
    ['info.files.0.length.x', '"x" would lead into an integer'],
    ['info.s.x', '"x" would lead into a string'],
  ])('--path %s leads nowhere', async (path, reason) => {
    const input = 'd4:infod5:filesld6:lengthi7eee1:s0:ee';
    expect(await bencode(['decode', '--path', path], input)).toMatchObject({
      code: 2,
      stdout: '',
      stderr: `error: standard input has nothing at --path ${path}: ${reason}\n`,
    });
  });
  test('--raw gives the exact bytes', async () => {
    const input = Uint8Array.from(Buffer.from('d1:ad1:bi01e1:a2:\xff\0ee', 'latin1'));
    const { code, stdoutBytes } = await bencode(['decode', '--path', 'a', '--raw', '-q'], input);
    expect(code).toBe(0);
    expect(Buffer.from(stdoutBytes).toString('latin1')).toBe('d1:bi01e1:a2:\xff\0e');
  });
  test('--raw never goes to a terminal by itself', async () => {
    const tty = { stdout: true };
    expect(await bencode(['decode', '--raw'], 'i7e', { tty })).toMatchObject({
      code: 2,
      stdout: '',
      stderr:
        'error: the result is binary and stdout is a terminal: use --output FILE, or --output - to insist\n',
    });
    expect(await bencode(['decode', '--raw', '--output', '-'], 'i7e', { tty })).toMatchObject({
      ...ok,
      stdout: 'i7e',
    });
    expect((await bencode(['decode', '--raw', '--json'], 'i7e')).code).toBe(2);
  });
  test('no input', async () => {
    expect(await bencode(['decode'], '', { tty: { stdin: true } })).toMatchObject({
      code: 2,
      stderr: 'error: there is no input: name a FILE, pipe into bip, or type it after `-`\n',
    });
    expect(await bencode(['decode', '/missing'])).toMatchObject({ code: 4, stdout: '' });
    expect(await bencode(['decode'])).toMatchObject({
      code: 3,
      stderr: 'error: standard input: bencode at byte 0: the input is empty\n',
    });
  });
});

describe('--output', () => {
  test('writes files, and overwrites with --force only', async () => {
    await runBipOnDisk({
      argv: (folder) => ['bencode', 'decode', `${folder}/in`, '-o', `${folder}/out`, '--json'],
      files: { in: 'd1:a2:hie' },
      inspect: async (folder) => {
        expect(await readFile(`${folder}/out`, 'utf8')).toBe('{"a":"hi"}\n');
      },
    }).then(({ code, stdout, stderr }) => {
      expect([code, stderr]).toEqual([0, '']);
      expect(JSON.parse(stdout)).toMatchObject({ length: 11 });
    });
    const again = (...flags: string[]): Promise<BipResult> =>
      runBipOnDisk({
        argv: (folder) => ['bencode', 'encode', `${folder}/in`, '-o', `${folder}/out`, ...flags],
        files: { in: '{"b":1,"a":2}', out: 'precious' },
        inspect: async (folder) => {
          const content = flags.includes('--force') ? 'd1:ai2e1:bi1ee' : 'precious';
          expect(await readFile(`${folder}/out`, 'utf8')).toBe(content);
        },
      });
    expect(await again('--force')).toMatchObject({ ...ok, stdout: '' });
    const { code, stderr } = await again();
    expect(code).toBe(4);
    expect(stderr).toMatch(/^error: .*\/out exists already; use --force to overwrite it\n$/);
  });
  test('a folder is no file', async () => {
    const { code, stderr } = await runBipOnDisk({
      argv: (folder) => ['bencode', 'decode', '--raw', '-o', folder, '--force'],
      stdin: 'i7e',
    });
    expect(code).toBe(4);
    expect(stderr).toContain('is a directory');
  });
});

describe('encode', () => {
  test('canonical bencode', async () => {
    const input = '{"b":[1,{"$hex":"00ff"}],"a":{"$int":"9007199254740993"}}';
    const { code, stdoutBytes } = await bencode(['encode'], input);
    expect(code).toBe(0);
    expect(Buffer.from(stdoutBytes).toString('latin1')).toBe(
      'd1:ai9007199254740993e1:bli1e2:\0\xffee',
    );
  });
  test('bad JSON, with its place', async () => {
    expect(await bencode(['encode'], '{\n  "a": 1.5\n}')).toMatchObject({
      code: 3,
      stdout: '',
      stderr: 'error: standard input: JSON at line 2, column 8: bencode has whole numbers only\n',
    });
    expect((await bencode(['encode'], '{} {}')).code).toBe(3);
    expect((await bencode(['encode'], '{"a":null}')).code).toBe(3);
  });
  test('--json needs a file, a terminal needs --output -', async () => {
    expect(await bencode(['encode', '--json'], '1')).toMatchObject({ code: 2, stdout: '' });
    expect(await bencode(['encode'], '1', { tty: { stdout: true } })).toMatchObject({ code: 2 });
    expect(await bencode(['encode', '-o', '-'], '1', { tty: { stdout: true } })).toMatchObject({
      ...ok,
      stdout: 'i1e',
    });
  });
});

describe('check', () => {
  test('canonical input', async () => {
    expect(await bencode(['check'], 'd1:ai1ee')).toMatchObject({ ...ok, stdout: '' });
    expect(await bencode(['check', '--json'], 'd1:ai1ee')).toMatchObject({
      ...ok,
      stdout: '{"input":"-","length":8,"canonical":true,"faults":[]}\n',
    });
    expect(
      await bencode(['check'], 'i1e', { tty: { stdout: true }, env: { NO_COLOR: '1' } }),
    ).toMatchObject({
      ...ok,
      stdout: 'standard input: canonical bencode, 3 B\n',
    });
  });
  test('every fault, exit 3', async () => {
    const input = 'd1:bi01e1:a2:xx1:b0:e';
    expect(await bencode(['check'], input)).toMatchObject({
      code: 3,
      stderr: '',
      stdout: [
        '-\t5\tb\tleading-zero\tan integer has needless zeros in front',
        '-\t8\ta\tunsorted-key\tthe key should stand before the key in front',
        '-\t15\tb\tduplicate-key\tthe dictionary has this key already, at byte 1',
        '',
      ].join('\n'),
    });
    const terminal = { tty: { stdout: true }, env: { NO_COLOR: '1' } };
    expect((await bencode(['check'], 'd1:ai01ee', terminal)).stdout).toBe(
      'standard input: byte 5 at a: an integer has needless zeros in front (leading-zero)\n',
    );
  });
  test('several files, one line each with --json, in their order', async () => {
    const files = { '/good': 'le', '/bad': 'l' };
    const { code, stdout } = await bencode(['check', '--json', '/good', '/bad'], '', { files });
    expect(code).toBe(3);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    expect(lines).toEqual([
      { input: '/good', length: 2, canonical: true, faults: [] },
      {
        input: '/bad',
        length: 1,
        canonical: false,
        faults: [
          {
            offset: 1,
            path: '0',
            code: 'unexpected-end',
            rule: 'BEP 3 end of input',
            message: 'the input ends within a value',
          },
        ],
      },
    ]);
  });
});

test('help explains, with examples', async () => {
  for (const command of ['decode', 'encode', 'check']) {
    const { code, stdout, stderr } = await bip('bencode', command, '--help');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('Examples:\n');
  }
});

describe('the examples of the help run', async () => {
  const helps = await Promise.all(
    ['decode', 'encode', 'check'].map(
      async (name) => (await bip('bencode', name, '--help')).stdout,
    ),
  );
  const examples = helps.flatMap((help) =>
    [...help.matchAll(/^ {2}\$ echo (?:-n )?'([^']*)' \| (.*)$/gm)].map(
      ([, input = '', rest = '']) => ({
        input,
        rest,
      }),
    ),
  );
  test('there are some', () => {
    expect(examples.length).toBeGreaterThanOrEqual(9);
  });
  test.each(examples)('$input | $rest', async ({ input, rest }) => {
    const [pipeline = '', otherwise] = rest.split(' || ');
    let data: string | Uint8Array = input;
    for (const stage of pipeline.split(' | ')) {
      const [program, ...argv] = stage.trim().split(' ');
      // Other programs stand at the end only.
      if (program !== 'bip') break;
      const { code, stdoutBytes } = await runBip({ argv, stdin: data });
      expect(code).toBe(otherwise === undefined ? 0 : 3);
      data = stdoutBytes;
    }
  });
});
