/** TORRENT arguments of every kind, through `bip metainfo inspect` and loadTorrent. @module */

import { describe, expect, test } from 'vitest';
import { maskSecrets } from '../../commands/cli/secrets.ts';
import type { SimHttpHandler } from '../../src/runtime/sim/index.ts';
import { singleV1 } from '../metainfo/raw.ts';
import { makeWorld } from '../sim/world.ts';
import { type BipResult, runBip } from './harness.ts';

const TORRENT = singleV1({ name: 'fetched' });
const HEX = 'c0fda1edafdbdbb96443424e0b3899af7159d10e';

/** Runs `metainfo inspect` beside a web server at 10.0.0.2. */
function fetching(url: string, handler: SimHttpHandler): Promise<BipResult> {
  const world = makeWorld();
  world.host('10.0.0.2').serveHttp(80, handler);
  return runBip({ world, argv: ['metainfo', 'inspect', url] });
}

describe('a URL', () => {
  test('is fetched', async () => {
    const run = await fetching('http://10.0.0.2/a.torrent', () => ({ body: TORRENT }));
    expect(run.code).toBe(0);
    expect(run.stdout).toMatch(/^name\tfetched\n/);
  });

  test('redirects are followed, five of them', async () => {
    const hops =
      (count: number): SimHttpHandler =>
      ({ target }) => {
        const hop = Number(target.slice(1));
        return hop < count
          ? { status: 302, headers: { location: `/${hop + 1}` } }
          : { body: TORRENT };
      };
    expect((await fetching('http://10.0.0.2/0', hops(5))).code).toBe(0);
    const six = await fetching('http://10.0.0.2/0', hops(6));
    expect(six.code).toBe(1);
    expect(six.stderr).toContain('redirects more than 5 times');
  });

  test('a redirect may end in a magnet link', async () => {
    const location = `magnet:?xt=urn:btih:${HEX}`;
    const run = await fetching('http://10.0.0.2/', () => ({ status: 302, headers: { location } }));
    expect(run.code).toBe(2);
    expect(run.stderr).toContain('bip magnet inspect');
  });

  test.each([
    ['file:///etc/passwd', 'does not fetch'],
    ['http://', 'HTTP status 302'],
  ])('a redirect to %s is not followed', async (location, message) => {
    const run = await fetching('http://10.0.0.2/', () => ({ status: 302, headers: { location } }));
    expect(run.code).toBe(1);
    expect(run.stderr).toContain(message);
  });

  test('what is no torrent is malformed', async () => {
    const run = await fetching('http://10.0.0.2/x?passkey=1', () => ({ body: '<html>' }));
    expect(run.code).toBe(3);
    expect(run.stderr).toMatch(/^error: http:\/\/10\.0\.0\.2\/x\?passkey=\*\*\*: bencode/);
  });

  test('a status and its words are told', async () => {
    const run = await fetching('http://10.0.0.2/', () => ({ status: 403, body: 'log in\nplease' }));
    expect(run.code).toBe(1);
    expect(run.stderr).toContain('answers with HTTP status 403: log in\n');
  });

  test('too much is not taken', async () => {
    const run = await fetching('http://10.0.0.2/', () => ({ body: new Uint8Array(10_000_001) }));
    expect(run.code).toBe(1);
  });

  test('silence ends after 30 seconds', async () => {
    const run = await fetching('http://10.0.0.2/', () => ({ delayMs: 40_000, body: TORRENT }));
    expect(run.code).toBe(1);
    expect(run.stderr).toContain('gave no answer for 30 seconds');
  });

  test('must be one', async () => {
    const run = await runBip({ argv: ['metainfo', 'inspect', 'http://[x'] });
    expect(run.code).toBe(2);
  });
});

describe('by its looks', () => {
  test('an infohash is one even when a file has that name', async () => {
    const files = { [HEX]: TORRENT };
    expect(await runBip({ argv: ['metainfo', 'inspect', HEX], files })).toMatchObject({ code: 2 });
    const path = await runBip({ argv: ['metainfo', 'inspect', `./${HEX}`], files });
    expect(path.stdout).toMatch(/^name\tfetched\n/);
  });

  test('a file without an ending is found', async () => {
    const run = await runBip({
      argv: ['metainfo', 'inspect', 'plain'],
      files: { plain: TORRENT },
    });
    expect(run.code).toBe(0);
  });

  test('a file or standard input may hold a magnet link', async () => {
    const link = `magnet:?xt=urn:btih:${HEX}\n`;
    const runs = [
      await runBip({ argv: ['metainfo', 'inspect', 'm.txt'], files: { 'm.txt': link } }),
      await runBip({ argv: ['metainfo', 'inspect', '-'], stdin: link }),
    ];
    for (const run of runs) expect(run.stderr).toContain('bip magnet inspect');
  });

  test.each([
    ['', 'is empty'],
    ['ftp://x.example/a.torrent', 'not ftp'],
    ['udp://x.example:1', 'not udp'],
    [HEX.slice(1), 'it has 39 hex digits'],
    [`${HEX}\u001b[2J`, '␣[2J'],
  ])('%j is a mistake with a hint', async (argument, hint) => {
    const run = await runBip({ argv: ['metainfo', 'inspect', '--', argument] });
    expect([run.code, run.stdout]).toEqual([2, '']);
    expect(run.stderr).toContain(hint);
    expect(run.stderr).not.toContain('\u001b[2J');
  });
});

test.each([
  ['http://t.example/announce', 'http://t.example/announce'],
  ['http://t.example:8080/a1b2c3d4e5f60718/announce', 'http://t.example:8080/***/announce'],
  [
    'http://t.example/announce.php?passkey=x&id=5',
    'http://t.example/announce.php?passkey=***&id=5',
  ],
  ['http://t.example/?id=Zm9vYmFyYmF6cXV4MTIz', 'http://t.example/?id=***'],
  [
    'http://t.example/?uid=5&torrent_pass=y;auth=z',
    'http://t.example/?uid=***&torrent_pass=***;auth=***',
  ],
  ['https://me:pw@t.example/x', 'https://***@t.example/x'],
  [
    'udp://tracker.opentrackr.example:1337/announce',
    'udp://tracker.opentrackr.example:1337/announce',
  ],
  [
    'http://t.example/some-long-word-in-path/announce',
    'http://t.example/some-long-word-in-path/announce',
  ],
  ['http://t.example/#0123456789abcdef0123', 'http://t.example/#***'],
  ['no url 0123456789abcdef0123', 'no url 0123456789abcdef0123'],
])('secrets of %s', (url, masked) => expect(maskSecrets(url)).toBe(masked));
