/** What the flags of `bip metainfo edit` change. @module */

import { describe, expect, test } from 'vitest';
import { parseMetainfo } from '../../src/metainfo/index.ts';
import { type RawDictionary, singleV1, singleV2 } from '../metainfo/raw.ts';
import { makeWorld } from '../sim/world.ts';
import { A, B, C, edit, type Files, KEY, parsed, run } from './edit-run.ts';

/** Keys beside info after an edit, which has to succeed. */
async function keysAfter(
  root: RawDictionary,
  argv: readonly string[],
  files: Files = {},
): Promise<unknown> {
  const { code, stderr, json } = await edit(root, argv, { files });
  expect([code, stderr]).toEqual([0, '']);
  const { info: _, ...rest } = dictionary(json);
  return rest;
}

/** Keys of info that no torrent needs, after an edit. */
async function infoAfter(
  info: RawDictionary,
  argv: readonly string[],
  files: Files = {},
): Promise<unknown> {
  const { code, stderr, json } = await edit(singleV1(info), argv, { files });
  expect(code).toBe(0);
  expect(stderr).toMatch(
    /^warning: a\.torrent is now another torrent, with other peers: [0-9a-f]{40} → [0-9a-f]{40}\n$/,
  );
  const {
    length: _,
    name: __,
    'piece length': ___,
    pieces: ____,
    ...rest
  } = dictionary(dictionary(json)['info']);
  return rest;
}

describe('trackers', () => {
  test.each<[RawDictionary, readonly string[], unknown]>([
    [{}, ['--tracker', A], { announce: A }],
    [
      { announce: B, 'announce-list': [[B]] },
      ['-t', `${A},${C}`, '-t', B],
      { announce: A, 'announce-list': [[A, C], [B]] },
    ],
    [{ announce: A }, ['--add-tracker', B], { announce: A, 'announce-list': [[A], [B]] }],
    [
      { announce: A },
      ['--add-tracker', `${B},${A},${C}`],
      { announce: A, 'announce-list': [[A], [B, C]] },
    ],
    [
      { announce: A },
      ['--add-tracker', B, '--add-tracker', C, '--tier', '1'],
      { announce: A, 'announce-list': [[A, B, C]] },
    ],
    [
      { announce: A },
      ['--add-tracker', B, '--add-tracker', C, '--tier', '9'],
      { announce: A, 'announce-list': [[A], [B, C]] },
    ],
    [
      { announce: A },
      ['--add-tracker', B, '--add-tracker', B],
      { announce: A, 'announce-list': [[A], [B]] },
    ],
    [
      { announce: A, 'announce-list': [[A], [B]] },
      ['--remove-tracker', A],
      { announce: B, 'announce-list': [[B]] },
    ],
    [
      { announce: A, 'announce-list': [[A, B], [C]] },
      ['--remove-tracker', 'udp://*'],
      { announce: A, 'announce-list': [[A]] },
    ],
    [{ announce: A, 'announce-list': [[A], [B]] }, ['--remove-tracker', '*'], {}],
    [{ announce: A, 'announce-list': [[A], [B]] }, ['--no-trackers'], {}],
    [
      { announce: `http://t.example/${KEY}/announce` },
      ['--remove-tracker', 'http://t.example/***/announce'],
      {},
    ],
    [{ announce: A }, ['--remove-tracker', 'http://a_example/announce'], { announce: A }],
    [
      { announce: A, 'announce-list': [[A], [B]] },
      ['--replace', '^http:=>https:'],
      {
        announce: 'https://a.example/announce',
        'announce-list': [['https://a.example/announce'], [B]],
      },
    ],
    [
      { announce: A, 'announce-list': [[A], [B, C]] },
      ['--replace', String.raw`//(b|c)\.example:\d(/x)?=>//n.example:7`],
      { announce: A, 'announce-list': [[A], ['udp://n.example:7']] },
    ],
    [
      { announce: A, 'announce-list': [[A], [B], [C]] },
      ['--remove-tracker', A, '--replace', '/b=>/d', '--add-tracker', A],
      { announce: 'udp://d.example:1', 'announce-list': [['udp://d.example:1'], [C], [A]] },
    ],
    [
      { announce: B },
      ['--replace', '/b=>$&-$$', '--replace', '(x)=>$1$1'],
      { announce: 'udp://b-$.exxample:1' },
    ],
  ])('%j %j', async (root, argv, after) => {
    expect(await keysAfter(root, argv)).toEqual(after);
  });

  test.each([
    [['--add-tracker', A]],
    [['--add-tracker', A, '--tier', '2']],
    [['--remove-tracker', 'udp://none.example:1']],
    [['--replace', 'nowhere=>there']],
    [['--tracker', A, '-t', B]],
  ])('%j changes nothing here', async (argv) => {
    const root = { announce: A, 'announce-list': [[A], [B]] };
    const { bytes, stdout } = await edit(root, argv);
    expect(Buffer.from(bytes)).toEqual(Buffer.from(singleV1({}, root)));
    expect(stdout).toBe('');
  });
});

describe('seeds and nodes', () => {
  test.each<[RawDictionary, readonly string[], unknown]>([
    [
      { 'url-list': 'http://w.example' },
      ['-w', 'ftp://x.example/', '--web-seed', 'http://y.example'],
      { 'url-list': ['ftp://x.example/', 'http://y.example'] },
    ],
    [
      { 'url-list': 'http://w.example' },
      ['--add-web-seed', 'http://x.example/'],
      { 'url-list': ['http://w.example', 'http://x.example/'] },
    ],
    [
      { 'url-list': 'http://w.example' },
      ['--add-web-seed', 'http://w.example/'],
      { 'url-list': 'http://w.example' },
    ],
    [
      { 'url-list': ['http://w.example', 'http://x.example'] },
      ['--remove-web-seed', 'http://w.example/'],
      { 'url-list': ['http://x.example'] },
    ],
    [{ 'url-list': 'http://w.example' }, ['--no-web-seeds'], {}],
    [
      { httpseeds: ['http://h.example'] },
      ['--http-seed', 'http://i.example'],
      { httpseeds: ['http://i.example'] },
    ],
    [
      { httpseeds: ['http://h.example'] },
      ['--add-http-seed', 'http://i.example', '--remove-http-seed', '*h.ex*'],
      { httpseeds: ['http://i.example'] },
    ],
    [{ httpseeds: ['http://h.example'] }, ['--no-http-seeds'], {}],
    [
      { httpseeds: ['http://h.example'], 'url-list': 'http://w.example' },
      ['--replace', '^http=>https'],
      { httpseeds: ['https://h.example'], 'url-list': ['https://w.example'] },
    ],
    [
      { nodes: [['a.example', 1]] },
      ['--node', '[::1]:2', '--node', 'b.example:3'],
      {
        nodes: [
          ['::1', 2],
          ['b.example', 3],
        ],
      },
    ],
    [
      { nodes: [['a.example', 1]] },
      ['--add-node', 'a.example:1', '--add-node', 'b.example:3'],
      {
        nodes: [
          ['a.example', 1],
          ['b.example', 3],
        ],
      },
    ],
    [
      {
        nodes: [
          ['a.example', 1],
          ['::1', 2],
        ],
      },
      ['--remove-node', '[::1]:*'],
      { nodes: [['a.example', 1]] },
    ],
    [{ nodes: [['a.example', 1]] }, ['--no-nodes'], {}],
  ])('%j %j', async (root, argv, after) => {
    expect(await keysAfter(root, argv)).toEqual(after);
  });
});

describe('other keys', () => {
  test.each<[RawDictionary, readonly string[], unknown]>([
    [{ comment: 'old', 'comment.utf-8': 'älter' }, ['--comment', 'neu ü'], { comment: 'neu ü' }],
    [{ comment: 'old' }, ['-c', ''], {}],
    [{ comment: 'old' }, ['--no-comment'], {}],
    [{}, ['--created-by', 'me'], { 'created by': 'me' }],
    [{ 'created by': 'me' }, ['--no-created-by'], {}],
    [{}, ['--date', '2026-01-31T12:00:00Z'], { 'creation date': 1_769_860_800 }],
    [{ 'creation date': 5 }, ['--date', '0'], { 'creation date': 0 }],
    [{ 'creation date': 5 }, ['--no-date'], {}],
    [{ 'creation date': 5 }, ['--comment', 'x'], { 'creation date': 5, comment: 'x' }],
    [{ odd: 1, comment: 'x' }, ['--clean'], { comment: 'x' }],
    [
      { x: { y: 1 } },
      ['--set', 'x.z={"a":[1]}', '--set', String.raw`a\.b="c"`, '--unset', 'x.y'],
      { x: { z: { a: [1] } }, 'a.b': 'c' },
    ],
    [{ comment: 'a', x: { y: 1, z: 2 } }, ['--merge', 'm.json'], { x: { z: 3, w: 'new' } }],
    [{ comment: 'a' }, ['--merge', 'm.json', '--set', 'x.z=4'], { x: { z: 4, w: 'new' } }],
  ])('%j %j', async (root, argv, after) => {
    const merge = '{"comment":null,"x":{"y":null,"z":3,"w":"new"}}';
    expect(await keysAfter(root, argv, { 'm.json': merge })).toEqual(after);
  });

  test('--date now is the time of the calendar', async () => {
    const { json } = await edit({}, ['--date', 'now']);
    const now = makeWorld().host('10.0.0.1').runtime.wallClock.now();
    expect(dictionary(json)['creation date']).toBe(Math.floor(now / 1000));
  });

  test('--merge from standard input', async () => {
    const { json } = await edit({}, ['--merge', '-'], { stdin: '{"x":1}' });
    expect(json).toMatchObject({ x: 1 });
  });
});

describe('inside of info', () => {
  const other = 'c0fda1edafdbdbb96443424e0b3899af7159d10e';

  test.each<[RawDictionary, readonly string[], unknown]>([
    [{}, ['--source', 'ABC'], { source: 'ABC' }],
    [{ source: 'ABC' }, ['--no-source'], {}],
    [{}, ['--private'], { private: 1 }],
    [{ private: 1 }, ['--no-private'], {}],
    [{}, ['--entropy', 'mine'], { entropy: 'mine' }],
    [{}, ['--entropy'], { entropy: expect.stringMatching(/^[0-9a-f]{32}$/) }],
    [{ entropy: 'x' }, ['--no-entropy'], {}],
    [
      {},
      ['--similar', other, '--similar', 'b.torrent'],
      { similar: [{ $hex: other }, { $hex: expect.stringMatching(/^[0-9a-f]{40}$/) }] },
    ],
    [{ similar: [] }, ['--no-similar'], {}],
    [{}, ['--collection', 'one', '--collection', 'two'], { collections: ['one', 'two'] }],
    [{ collections: ['x'] }, ['--no-collection'], {}],
    [{}, ['--update-url', 'https://u.example/x'], { 'update-url': 'https://u.example/x' }],
    [{ 'update-url': 'x' }, ['--no-update-url'], {}],
    [{ a: 1, b: 2 }, ['--set', 'info.a=3', '--unset', 'info.b'], { a: 3 }],
    [{ a: 1 }, ['--merge', 'm.json'], { source: 'M' }],
  ])('%j %j', async (info, argv, after) => {
    const files = { 'm.json': '{"info":{"a":null,"source":"M"}}', 'b.torrent': singleV1({ x: 1 }) };
    expect(await infoAfter(info, argv, files)).toEqual(after);
  });

  test('--name', async () => {
    const { bytes, stdout } = await edit(singleV2(), ['--name', 'new.bin']);
    expect(parseMetainfo(bytes).files.map(({ path }) => path)).toEqual([['new.bin']]);
    expect(stdout).toMatch(/^a\.torrent\tinfo\.file tree\t/);
  });

  test('entropy is another for each torrent', async () => {
    const files = { 'a.torrent': singleV1(), 'b.torrent': singleV1() };
    const { result } = await run(['--json', 'a.torrent', 'b.torrent', '--entropy'], { files });
    const [one, two] = result.stdout.trimEnd().split('\n').map(parsed);
    expect(one?.['infoHashAfter']).not.toBe(two?.['infoHashAfter']);
    expect(one?.['infoHashBefore']).toBe(two?.['infoHashBefore']);
  });

  test('--no-similar and --no-collection mean those beside info as well', async () => {
    const root = { similar: ['a'.repeat(20)], collections: ['x'] };
    expect(await keysAfter(root, ['--no-similar', '--no-collection'])).toEqual({});
  });
});

function dictionary(json: unknown): { readonly [key: string]: unknown } {
  if (typeof json !== 'object' || json === null) throw new Error('no dictionary');
  return { ...json };
}
