/** `bip magnet create`, whole, in process. @module */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Magnet, magnetTiers, parseMagnet } from '../../src/magnet/index.ts';
import { parseMetainfo } from '../../src/metainfo/index.ts';
import {
  leaf,
  multiV1,
  pieces,
  type RawDictionary,
  singleV1,
  singleV2,
  sorted,
  torrent,
} from '../metainfo/raw.ts';
import { type BipResult, type RunOptions, runBip } from './harness.ts';

const HEX = 'c0fda1edafdbdbb96443424e0b3899af7159d10e';
const LINK = `magnet:?xt=urn:btih:${HEX}`;
const KEY = '8543d3e6115f0f98c944077a4493dcd543e49c739fd998550a1f614ab36ed63e';
const SECRET = 'https://t.example/announce?passkey=1234';

const ALBUM = multiV1(
  [
    { length: 16_000, path: ['a', 'b.txt'] },
    { attr: 'p', length: 384, path: ['.pad', '384'] },
    { length: 5, path: ['c'] },
    { length: 6, path: ['d.txt'] },
  ],
  { name: 'album' },
  {
    'announce-list': [
      [SECRET, 'udp://b.example:1'],
      ['udp://c.example:2', 'udp://d.example:3'],
    ],
    nodes: [['::1', 6881]],
    'url-list': ['https://user:pass@w.example/', 'http://v.example/'],
  },
);

const HYBRID = torrent(
  sorted({
    'file tree': { h: leaf(512) },
    length: 512,
    'meta version': 2,
    name: 'h',
    'piece length': 16_384,
    pieces: pieces(1),
  }),
);

function create(argv: readonly string[], options: Partial<RunOptions> = {}): Promise<BipResult> {
  return runBip({
    argv: ['magnet', 'create', ...argv],
    files: {
      'album.torrent': ALBUM,
      'hybrid.torrent': HYBRID,
      'v1.torrent': singleV1(),
      'v2.torrent': singleV2(),
      'bad.torrent': 'x',
      'link.txt': `${LINK}&dn=of+a+file\n`,
    },
    ...options,
  });
}

/** The one link that is printed. */
async function link(...argv: readonly string[]): Promise<Magnet> {
  const { code, stdout } = await create(argv);
  expect([code, stdout.split('\n').length]).toEqual([0, 2]);
  return parseMagnet(stdout.trimEnd());
}

describe('of a torrent', () => {
  test('all that a link can carry, tiers kept, secrets left out', async () => {
    const { code, stdout, stderr } = await create(['album.torrent']);
    const { infoHash } = parseMetainfo(ALBUM);
    expect(code).toBe(0);
    expect(stdout).toBe(
      `magnet:?xt=urn:btih:${infoHash?.hex}&dn=album&xl=16011&tr.1=udp%3A%2F%2Fb.example%3A1` +
        '&tr.2=udp%3A%2F%2Fc.example%3A2&tr.2=udp%3A%2F%2Fd.example%3A3' +
        '&ws=http%3A%2F%2Fv.example%2F&dht=[::1]:6881\n',
    );
    expect(stderr).toBe(
      'warning: left out URLs with a secret (https://t.example/announce?passkey=***, https://***@w.example/); --reveal puts them into the link, for everybody who gets it\n',
    );
  });

  test('--reveal puts secrets in, without a word', async () => {
    const { stdout, stderr } = await create(['album.torrent', '--reveal']);
    const magnet = parseMagnet(stdout.trimEnd());
    expect(stderr).toBe('');
    expect(magnetTiers(magnet)).toEqual([
      [SECRET, 'udp://b.example:1'],
      ['udp://c.example:2', 'udp://d.example:3'],
    ]);
    expect(magnet.webSeeds).toEqual(['https://user:pass@w.example/', 'http://v.example/']);
  });

  test('what is left out on request is not warned of', async () => {
    const run = await create(['album.torrent', '--no-trackers', '--no-web-seeds', '--no-nodes']);
    const { infoHash } = parseMetainfo(ALBUM);
    expect(run.stderr).toBe('');
    expect(run.stdout).toBe(`magnet:?xt=urn:btih:${infoHash?.hex}&dn=album&xl=16011\n`);
  });

  test('--quiet is quiet', async () => {
    expect((await create(['album.torrent', '--quiet'])).stderr).toBe('');
  });

  test('trackers, seeds, peers and nodes are added; what is named is never left out', async () => {
    const magnet = await link(
      'album.torrent',
      ...['--tracker', 'udp://x.example:1,udp://b.example:1', '--tracker', SECRET],
      ...['--web-seed', 'https://w.example/?token=abc', '--peer', '192.0.2.7:6881'],
      ...['--peer', '[2001:db8::1]:9', '--peer', '192.0.2.7:6881', '--node', 'r.example:1'],
      ...['--source-url', 'https://x.example/a.torrent'],
    );
    expect(magnetTiers(magnet)).toEqual([
      ['udp://b.example:1'],
      ['udp://c.example:2', 'udp://d.example:3'],
      ['udp://x.example:1'],
      [SECRET],
    ]);
    expect(magnet.webSeeds).toEqual(['http://v.example/', 'https://w.example/?token=abc']);
    expect(magnet.peers).toEqual([
      { host: '192.0.2.7', port: 6881 },
      { host: '2001:db8::1', port: 9 },
    ]);
    expect(magnet.nodes).toEqual([
      { host: '::1', port: 6881 },
      { host: 'r.example', port: 1 },
    ]);
    expect(magnet.sources).toEqual(['https://x.example/a.torrent']);
  });

  test('--no-trackers with --tracker: only those', async () => {
    const { trackers } = await link('album.torrent', '--no-trackers', '-t', 'udp://x.example:1');
    expect(trackers).toEqual(['udp://x.example:1']);
  });

  test('--flat: plain tr', async () => {
    const { stdout } = await create(['album.torrent', '--flat']);
    expect(stdout).not.toContain('tr.');
    expect(parseMagnet(stdout.trimEnd()).trackers).toHaveLength(3);
  });

  test.each([
    [['1'], [0]],
    [['2-3'], [2, 3]],
    [['1,3'], [0, 3]],
    [
      ['c', '1'],
      [0, 2],
    ],
    [['*.txt'], [0, 3]],
    [['a'], [0]],
    [['album/d.txt'], [3]],
  ])('--files %j counts without padding, the link with it', async (selections, indices) => {
    const flags = selections.flatMap((selection) => ['--files', selection]);
    expect((await link('album.torrent', ...flags)).selectOnly).toEqual(indices);
  });

  test('name and length', async () => {
    const none = await link('album.torrent', '--no-name', '--no-length');
    expect(none).not.toHaveProperty('name');
    expect(none).not.toHaveProperty('length');
    const other = await link('album.torrent', '--name', 'x & y', '--length', '2KiB');
    expect([other.name, other.length]).toEqual(['x & y', 2048]);
  });

  test('both infohashes of a hybrid, or one', async () => {
    const hashes = async (...argv: readonly string[]): Promise<readonly boolean[]> => {
      const { infoHash, infoHashV2 } = await link('hybrid.torrent', ...argv);
      return [infoHash !== undefined, infoHashV2 !== undefined];
    };
    expect(await hashes()).toEqual([true, true]);
    expect(await hashes('--v1')).toEqual([true, false]);
    expect(await hashes('--v2')).toEqual([false, true]);
  });

  test('on standard input', async () => {
    const { stdout } = await create(['-'], { stdin: singleV2() });
    expect(parseMagnet(stdout.trimEnd()).infoHashV2).toBeDefined();
  });
});

describe('of other things', () => {
  test('an infohash', async () => {
    const magnet = await link(HEX, '--name', 'n', '--tracker', 'udp://a:1', '--files', '2-3,8,3');
    expect(magnet).toMatchObject({ name: 'n', trackers: ['udp://a:1'], selectOnly: [1, 2, 7] });
    expect(magnet.infoHash?.hex).toBe(HEX);
    expect((await create(['ab'.repeat(32)])).stdout).toBe(
      `magnet:?xt=urn:btmh:1220${'ab'.repeat(32)}\n`,
    );
  });

  test('a link, which is edited', async () => {
    const given = `${LINK}&dn=a&xl=5&tr=udp%3A%2F%2Fa%3A1&x.pe=192.0.2.1:1&so=4&xs=http%3A%2F%2Fs%2F`;
    expect((await create([given])).stdout).toBe(
      `${LINK}&dn=a&xl=5&tr=udp%3A%2F%2Fa%3A1&xs=http%3A%2F%2Fs%2F&x.pe=192.0.2.1:1&so=4\n`,
    );
    const edited = await create([
      given,
      '--no-name',
      '--files',
      '1-3',
      '-t',
      'udp://b:1,udp://c:1',
    ]);
    expect(edited.stdout).toBe(
      `${LINK}&xl=5&tr.1=udp%3A%2F%2Fa%3A1&tr.2=udp%3A%2F%2Fb%3A1&tr.2=udp%3A%2F%2Fc%3A1` +
        '&xs=http%3A%2F%2Fs%2F&x.pe=192.0.2.1:1&so=0-2\n',
    );
  });

  test('a link with a secret', async () => {
    const given = `${LINK}&tr=${encodeURIComponent(SECRET)}&xs=${encodeURIComponent('http://s/?key=1')}`;
    const run = await create(['--json', given]);
    expect(JSON.parse(run.stdout)).toMatchObject({
      magnet: LINK,
      trackers: [],
      withheld: ['https://t.example/announce?passkey=***', 'http://s/?key=***'],
    });
    expect((await link(given, '--reveal')).trackers).toEqual([SECRET]);
  });

  test('a file that holds a link', async () => {
    expect((await create(['link.txt'])).stdout).toBe(`${LINK}&dn=of%20a%20file\n`);
  });

  test('a key alone (BEP 46)', async () => {
    const { stdout } = await create(['--public-key', KEY.toUpperCase(), '--salt', '6E']);
    expect(stdout).toBe(`magnet:?xs=urn:btpk:${KEY}&s=6e\n`);
  });

  test('a key and a torrent', async () => {
    expect((await link('v1.torrent', '--public-key', KEY)).publicKey).toBe(KEY);
    const given = `magnet:?xs=urn:btpk:${KEY}`;
    expect((await create([given, '--salt', '6e'])).stdout).toBe(`${given}&s=6e\n`);
  });
});

describe('renderings', () => {
  test('--json has the link and what it says', async () => {
    const { stdout } = await create(['--json', 'album.torrent', '--files', '1']);
    const { magnet, ...rest } = JSON.parse(stdout);
    const inspected = await runBip({ argv: ['--json', 'magnet', 'inspect', String(magnet)] });
    const { withheld, ...same } = rest;
    expect(withheld).toHaveLength(2);
    expect(same).toEqual(JSON.parse(inspected.stdout));
    expect(same).toMatchObject({
      name: 'album',
      tiers: [['udp://b.example:1'], expect.any(Array)],
    });
  });
  test('a terminal gets the link as a pipe does', async () => {
    const { stdout } = await create(['v1.torrent'], { tty: true });
    expect(stdout).toBe((await create(['v1.torrent'])).stdout);
  });
  test('several: a line each, and one that is bad does not stop the rest', async () => {
    const run = await create(['v1.torrent', 'bad.torrent', HEX, '--peer', '192.0.2.7:1']);
    expect(run.code).toBe(3);
    expect(run.stdout.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/&dn=temp&xl=425&x\.pe=192\.0\.2\.7:1$/),
      `${LINK}&x.pe=192.0.2.7:1`,
    ]);
    expect(run.stderr).toContain('bad.torrent');
  });
});

describe('wrong arguments', () => {
  test.each([
    [[], 2, 'name a TORRENT'],
    [['missing.torrent'], 4, 'missing.torrent'],
    [['nonsense'], 2, 'no such file'],
    [[`${LINK}0`], 3, 'is no infohash'],
    [['v1.torrent', '--v2'], 2, '--v2: there is no infohash of v2, only one of v1'],
    [['v2.torrent', '--v1'], 2, '--v1: there is no infohash of v1, only one of v2'],
    [['--v1', '--public-key', KEY], 2, '--v1: there is no infohash of v1'],
    [['hybrid.torrent', '--v1', '--v2'], 2, 'contradict each other'],
    [['v1.torrent', '--name', ''], 2, '--no-name'],
    [['v1.torrent', '--length', 'long'], 2, '--length'],
    [['v1.torrent', '--tracker', 'ftp://a/'], 2, '--tracker: `ftp://a/` is no tracker'],
    [['v1.torrent', '--web-seed', 'x'], 2, '--web-seed'],
    [['v1.torrent', '--source-url', 'ftp://a/'], 2, '--source-url'],
    [['v1.torrent', '--peer', '192.0.2.7'], 2, '--peer: `192.0.2.7` is no HOST:PORT'],
    [['v1.torrent', '--node', '[::1]:0'], 2, '--node'],
    [['v1.torrent', '--public-key', 'ab'], 2, '64 hex digits'],
    [['v1.torrent', '--public-key', KEY, '--salt', 'n'], 2, '--salt: `n` is none'],
    [['v1.torrent', '--salt', '6e'], 2, 'needs --public-key'],
    [['album.torrent', '--files', '4'], 2, 'there are 1-3'],
    [['album.torrent', '--files', 'nope'], 2, '`nope` is no file of album'],
    [[HEX, '--files', '*.txt'], 2, 'names need the .torrent'],
    [[HEX, '--files', '0'], 2, '`0` is no number'],
    [[HEX, '--files', '5-2'], 2, '`5-2` is no number'],
    [[HEX, '--files', '1-2000000'], 2, 'is no number'],
    [['v1.torrent', HEX, '--name', 'x'], 2, '--name is for one torrent; there are 2'],
    [['v1.torrent', HEX, '--length', '1'], 2, '--length is for one torrent'],
    [['v1.torrent', HEX, '--public-key', KEY], 2, '--public-key is for one torrent'],
    [['v1.torrent', '--trackers', 'udp://a:1'], 2, '--tracker'],
  ])('%j', async (argv, code, message) => {
    const run = await create(argv);
    expect([run.code, run.stdout]).toEqual([code, '']);
    expect(run.stderr).toContain(message);
    expect(run.stderr.trimEnd()).not.toContain('\n');
  });
});

test('any tiers of any torrent come through', async () => {
  const tiers = fc.array(
    fc.array(
      fc.nat(30).map((port) => `udp://t.example:${port + 1}`),
      { minLength: 1, maxLength: 3 },
    ),
    { minLength: 1, maxLength: 5 },
  );
  await fc.assert(
    fc.asyncProperty(tiers, async (announce) => {
      const root: RawDictionary = { 'announce-list': announce };
      const { stdout } = await create(['-'], { stdin: singleV1({}, root) });
      expect(magnetTiers(parseMagnet(stdout.trimEnd()))).toEqual(eachOnce(announce));
    }),
    { numRuns: 40 },
  );
});

/** Each tracker in the first tier that has it. */
function eachOnce(announce: readonly (readonly string[])[]): readonly (readonly string[])[] {
  const seen = new Set<string>();
  return announce
    .map((tier) => tier.filter((url) => !seen.has(url) && seen.add(url)))
    .filter((tier) => tier.length > 0);
}
