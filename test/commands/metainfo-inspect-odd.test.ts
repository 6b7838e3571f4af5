/** `bip metainfo inspect` of torrents with more than usual in them, and how much of it is shown. @module */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FIELD_NAMES } from '../../commands/metainfo/fields.ts';
import type { Inspection } from '../../commands/metainfo/inspection.ts';
import { decode } from '../../src/bencode/index.ts';
import {
  bytes,
  leaf,
  MEBIBYTE_LAYER,
  multiV1,
  pieces,
  type Raw,
  singleV1,
  singleV2,
  sorted,
  torrent,
  ZERO_ROOTS,
  zeroRoot,
} from '../metainfo/raw.ts';
import { type BipResult, type RunOptions, runBip } from './harness.ts';

interface Printed {
  readonly [key: string]: unknown;
}

function inspect(
  content: Uint8Array,
  argv: readonly string[] = [],
  options: Partial<RunOptions> = {},
): Promise<BipResult> {
  return runBip({
    argv: ['metainfo', 'inspect', '--color', 'never', 'a.torrent', ...argv],
    files: { 'a.torrent': content },
    ...options,
  });
}

async function json(content: Uint8Array, argv: readonly string[] = []): Promise<Printed> {
  const { stdout } = await inspect(content, ['--json', ...argv]);
  const value: Printed = JSON.parse(stdout);
  return value;
}

interface Shown extends Printed {
  readonly otherKeys?: Printed;
}

/** Where the keys beside the info dictionary are shown. */
const FIELD_OF: Readonly<Record<string, keyof Inspection>> = {
  announce: 'announce',
  'announce-list': 'announce',
  comment: 'comment',
  'created by': 'createdBy',
  'creation date': 'creationDate',
  encoding: 'encoding',
  httpseeds: 'httpSeeds',
  info: 'name',
  nodes: 'nodes',
  'piece layers': 'pieceCount',
  'url-list': 'webSeeds',
};

const NAMES = multiV1(
  [
    { length: 1, path: [bytes(0x61, 0xff), '..'] },
    { length: 2, path: ['x/y', '\u202etxt'] },
    { length: 3, path: ['plain', 'z'] },
    { length: 4, path: ['plain', 'Z'] },
  ],
  { name: bytes(0x6e, 0xfe) },
);

describe('names that are not safe', () => {
  test('in JSON: what they were, without loss', async () => {
    const { name, rawName, files } = await json(NAMES);
    expect([name, rawName]).toEqual(['n_', { $hex: '6efe' }]);
    expect(files).toEqual([
      { path: 'n_/a_/_', rawPath: [{ $hex: '6efe' }, { $hex: '61ff' }, '..'], length: 1 },
      { path: 'n_/xy/txt', rawPath: [{ $hex: '6efe' }, 'x/y', '\u202etxt'], length: 2 },
      { path: 'n_/plain/z', rawPath: [{ $hex: '6efe' }, 'plain', 'z'], length: 3 },
      { path: 'n_/plain/Z.1', rawPath: [{ $hex: '6efe' }, 'plain', 'Z'], length: 4 },
    ]);
  });
  test('in a pipe: escaped', async () => {
    const { stdout } = await inspect(NAMES);
    expect(stdout.split('\n').filter((line) => line.startsWith('renamed'))).toEqual([
      'renamed\tn\\xfe/a\\xff/..\tn_/a_/_',
      'renamed\tn\\xfe/x\\x2fy/\\u{202e}txt\tn_/xy/txt',
      'renamed\tn\\xfe/plain/z\tn_/plain/z',
      'renamed\tn\\xfe/plain/Z\tn_/plain/Z.1',
    ]);
  });
  test('on a terminal: beside those that they become', async () => {
    const { stdout } = await inspect(NAMES, [], { tty: true });
    expect(stdout).toContain('          Name  n_\nIn the torrent  n\\xfe\n');
    expect(stdout.slice(stdout.indexOf('n_  in the'), stdout.indexOf('warning:'))).toBe(
      'n_  in the torrent: n\\xfe\n' +
        '├─ a_  in the torrent: a\\xff\n' +
        '│  └─ _  1 B  in the torrent: ..\n' +
        '├─ xy  in the torrent: x\\x2fy\n' +
        '│  └─ txt  2 B  in the torrent: \\u{202e}txt\n' +
        '└─ plain\n' +
        '   ├─ z  3 B\n' +
        '   └─ Z.1  4 B  in the torrent: Z\n',
    );
    expect(stdout).toContain('warning: the name is not safe');
  });
});

describe('keys that have no field', () => {
  const odd = (info: Readonly<Record<string, Raw>>, root: Readonly<Record<string, Raw>> = {}) =>
    singleV1(info, root);

  test.each<[string, Record<string, Raw>, Printed]>([
    ['unknown', { publisher: 'me', x: { y: [1] } }, { publisher: 'me', x: { y: [1] } }],
    ['no text', { x: bytes(0xff) }, { x: { $hex: 'ff' } }],
    ['keys that are no text', { 'k\xff': 1, $a: 2 }, { '$hex:6bff': 1, $$a: 2 }],
    ['of a wrong kind', { comment: 5, encoding: [] }, { comment: 5, encoding: [] }],
    ['text that is not UTF-8', { comment: bytes(0xe4) }, { comment: { $hex: 'e4' } }],
    ['empty text', { comment: '' }, { comment: '' }],
    ['hidden by a twin', { comment: 'a', 'comment.utf-8': 'ä' }, { comment: 'a' }],
    ['a date beyond all calendars', { 'creation date': 10 ** 15 }, { 'creation date': 10 ** 15 }],
    [
      'a tracker that the tiers do not have, masked',
      { announce: 'http://a/0123456789abcdef', 'announce-list': [['udp://b:1']] },
      { announce: 'http://a/***' },
    ],
  ])('%s', async (_, root, others) => {
    const { otherKeys } = await json(odd({}, root));
    expect(otherKeys).toEqual(others);
  });

  test.each<[string, Record<string, Raw>]>([
    ['usual ones', { comment: 'c', 'created by': 'd', encoding: 'UTF-8', nodes: [['a', 1]] }],
    ['twins that say the same', { comment: 'c', 'comment.utf-8': 'c' }],
    ['a tracker that is in a tier', { announce: 'udp://b:1', 'announce-list': [['udp://b:1']] }],
    ['lists of seeds', { 'url-list': 'http://w/', httpseeds: ['http://h/'] }],
  ])('%s are no others', async (_, root) => {
    expect(await json(odd({}, root))).not.toHaveProperty('otherKeys');
  });

  test('of the info dictionary and of files', async () => {
    const files = [
      { length: 1, path: ['a'], md5sum: 'ff', mtime: 5 },
      { attr: 'xq', length: 1, path: ['b'] },
      { length: 1, path: [bytes(0xe4)], 'path.utf-8': ['ä'] },
    ];
    const content = multiV1(files, { private: 0, entropy: bytes(0xff, 1) });
    const document = await json(content);
    expect(document['otherInfoKeys']).toEqual({ private: 0, entropy: { $hex: 'ff01' } });
    expect(document['files']).toMatchObject([
      { otherKeys: { md5sum: 'ff', mtime: 5 } },
      { otherKeys: { attr: 'xq' } },
      { path: 'temp/ä', otherKeys: { path: [{ $hex: 'e4' }] } },
    ]);
    const { stdout } = await inspect(content);
    expect(stdout).toContain('other\tinfo/entropy\t{"$hex":"ff01"}\n');
    expect(stdout).toContain('fileOther\tmd5sum\t"ff"\ttemp/a\n');
    const shown = await inspect(content, [], { tty: true });
    expect(shown.stdout).toContain('Other keys  info/private: 0\n');
  });

  test('of both parts of a hybrid', async () => {
    const files = [
      { length: 512, md5sum: 'ff', path: ['a'] },
      { attr: 'p', length: 15_872, path: ['.pad', '15872'] },
      { length: 7, path: ['b'] },
    ];
    const tree = { a: leaf(512, { a1: 1 }), b: leaf(7, { b1: 2 }) };
    const info = { files, 'file tree': tree, 'meta version': 2, name: 'h' };
    const content = torrent(sorted({ ...info, 'piece length': 16_384, pieces: pieces(2) }));
    const document = await json(content);
    expect(document['version']).toBe('hybrid');
    expect(document['files']).toMatchObject([
      { otherKeys: { md5sum: 'ff', a1: 1 } },
      { padding: true },
      { otherKeys: { b1: 2 } },
    ]);
    expect(document['fileCount']).toBe(2);
  });

  test('a long value is cut on a terminal only', async () => {
    const content = singleV1({}, { x: 'v'.repeat(1000) });
    const { stdout } = await inspect(content, [], { tty: true });
    expect(stdout).toMatch(/Other keys {2}x: "v{198}…\n/);
    expect((await inspect(content)).stdout).toContain('v'.repeat(1000));
  });
});

describe('how much is shown', () => {
  const content = multiV1([
    { length: 2000, path: ['a', 'b', 'c'] },
    { attr: 'p', length: 14_384, path: ['.pad', '14384'] },
    { attr: 'p', length: 14_384, path: ['.pad', '14384'] },
    { length: 5, path: ['a', 'd'] },
  ]);
  const tree = async (...argv: readonly string[]): Promise<string> => {
    const { stdout } = await inspect(content, argv, { tty: true });
    return stdout.slice(stdout.indexOf('\ntemp') + 1);
  };

  test('--depth', async () => {
    expect(await tree('--depth', '1')).toBe('temp  2 files, 1.96 KiB\n');
    expect(await tree('--depth', '2')).toBe('temp\n└─ a  2 files, 1.96 KiB\n');
    expect(await tree('--depth', '3')).toBe(
      'temp\n└─ a\n   ├─ b  1 file, 1.95 KiB\n   └─ d  5 B\n',
    );
    expect(await tree('--depth', '9')).toBe(await tree());
  });
  test('--padding', async () => {
    expect(await tree()).not.toContain('.pad');
    expect(await tree('--padding')).toContain(
      '└─ .pad\n   ├─ 14384  14.05 KiB, padding\n   └─ 14384  14.05 KiB, padding\n',
    );
  });
  test('--verbose gives bytes as well', async () => {
    expect(await tree('--verbose')).toContain('c  1.95 KiB / 2,000 B\n');
    expect(await tree('--verbose')).toContain('d  5 B\n');
  });
  test('--no-files', async () => {
    const shown = await inspect(content, ['--no-files'], { tty: true });
    expect(shown.stdout).not.toContain('└─');
    expect(shown.stdout).toContain('Files  2, and');
    const piped = await inspect(content, ['--no-files']);
    expect(piped.stdout).not.toMatch(/^(?:file|padding)\t/m);
    expect(piped.stdout).toContain('fileCount\t2\n');
    const document = await json(content, ['--no-files']);
    expect(document).not.toHaveProperty('files');
    expect(document['fileCount']).toBe(2);
  });
  test('--pieces', async () => {
    expect(await json(content)).not.toHaveProperty('pieces');
    const hash = '61'.repeat(20);
    expect((await json(content, ['--pieces']))['pieces']).toEqual([hash, hash]);
    expect((await inspect(content, ['--pieces'])).stdout).toContain(`piece\t1\t${hash}\n`);
    const shown = await inspect(content, ['--pieces'], { tty: true });
    expect(shown.stdout).toContain(`piece  1  ${hash}\n`);
  });
  test('--pieces of v2', async () => {
    const root = String(ZERO_ROOTS[1_048_576]);
    const layer = Array.from({ length: 16 }, () => String(ZERO_ROOTS[65_536]));
    const document = await json(singleV2(), ['--pieces']);
    expect(document).not.toHaveProperty('pieces');
    expect(document['pieceLayers']).toEqual({ [root]: layer });
    expect(MEBIBYTE_LAYER.subarray(0, 32)).toEqual(zeroRoot(65_536));
    const { stdout } = await inspect(singleV2(), ['--pieces']);
    expect(stdout).toContain(`pieceLayer\t${root}\t15\t${layer[15]}\n`);
  });
  test('one tier has no number', async () => {
    const one = singleV1({}, { 'announce-list': [['udp://a:1', 'udp://b:2']] });
    const { stdout } = await inspect(one, [], { tty: true });
    expect(stdout).toContain('Trackers  udp://a:1\n          udp://b:2\n');
  });
});

test('100,000 files are no trouble', async () => {
  const files = Array.from({ length: 100_000 }, (_, at) => ({
    length: 1,
    path: [`d${at % 100}`, `f${at}`],
  }));
  const content = multiV1(files);
  const { stdout } = await inspect(content, ['--depth', '1'], { tty: true });
  expect(stdout).toContain('temp  100000 files, 97.66 KiB\n');
  expect((await inspect(content)).stdout.split('\n').at(-2)).toBe('file\t1\ttemp/d99/f99999');
});

describe('every torrent of the fixtures', () => {
  const folder = join(import.meta.dirname, '../../fixtures/torrents');
  const files = Object.fromEntries(
    readdirSync(folder)
      .filter((name) => name.endsWith('.torrent'))
      .map((name) => [name, readFileSync(join(folder, name))]),
  );
  const argv = ['metainfo', 'inspect', ...Object.keys(files), '--pieces'];

  test.each<[string, readonly string[], boolean]>([
    ['in a pipe', [], false],
    ['on a terminal', ['--padding', '--verbose'], true],
    ['in JSON', ['--json'], false],
    ['in columns', ['--columns', FIELD_NAMES.join(',')], true],
  ])('is shown or refused, %s', async (_, flags, tty) => {
    const columns = flags.includes('--columns');
    const run = await runBip({
      argv: [...(columns ? argv.slice(0, -1) : argv), ...flags],
      files,
      tty,
    });
    expect(run.code).toBe(3);
    expect(run.stderr).not.toContain('bug');
    expect(run.stdout.length).toBeGreaterThan(10_000);
  });

  test('no key is lost: each is a field, or among the others', async () => {
    const { stdout } = await runBip({ argv: ['--json', ...argv], files });
    const lines = stdout.trimEnd().split('\n');
    expect(lines.length).toBeGreaterThan(40);
    for (const line of lines) {
      const { torrent: name, otherKeys = {}, ...fields }: Shown = JSON.parse(line);
      const root = decode(files[String(name)] ?? new Uint8Array(), { fullDecode: false });
      for (const [key] of root.entries()) {
        const text = Buffer.from(key).toString();
        const field = FIELD_OF[text];
        const isTold = field !== undefined && fields[field] !== undefined;
        expect([name, text, isTold || otherKeys[text] !== undefined]).toEqual([name, text, true]);
      }
    }
  });
});
