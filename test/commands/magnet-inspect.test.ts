/** `bip magnet inspect`, whole, in process. @module */

import { describe, expect, test } from 'vitest';
import { bip, runBip } from './harness.ts';

const HEX = 'c0fda1edafdbdbb96443424e0b3899af7159d10e';
const LINK = `magnet:?xt=urn:btih:${HEX}`;
const RICH =
  `${LINK}&xt=urn:btmh:1220${'ab'.repeat(32)}&dn=a%0ab&xl=2048` +
  '&tr=https%3A%2F%2Ft.example%2Fannounce%3Fpasskey%3D1234&ws=http://w.example/&x.pe=[::1]:9' +
  '&dht=r.example:1&so=0,2-4';

interface Printed {
  readonly [key: string]: unknown;
}

/** One line of `--json`. */
function parsed(line: string): Printed {
  const value: Printed = JSON.parse(line);
  return value;
}

test('--json', async () => {
  const { code, stdout, stderr } = await bip('--json', 'magnet', 'inspect', RICH, LINK);
  expect([code, stderr]).toEqual([0, '']);
  const [rich = '', bare = ''] = stdout.trimEnd().split('\n');
  expect(parsed(rich)).toEqual({
    infoHash: HEX,
    infoHashV2: 'ab'.repeat(32),
    name: 'a\nb',
    length: 2048,
    trackers: ['https://t.example/announce?passkey=***'],
    webSeeds: ['http://w.example/'],
    peers: ['[::1]:9'],
    nodes: ['r.example:1'],
    selectOnly: [0, 2, 3, 4],
  });
  expect(parsed(bare)).toEqual({ infoHash: HEX, trackers: [], webSeeds: [], peers: [] });
});

test('a public key', async () => {
  const link = `magnet:?xs=urn:btpk:${'8a'.repeat(32)}&s=6e`;
  const { stdout } = await bip('--json', 'magnet', 'inspect', link);
  expect(parsed(stdout)).toMatchObject({ publicKey: '8a'.repeat(32), salt: '6e' });
});

test('in a pipe', async () => {
  const { stdout } = await bip('magnet', 'inspect', '--reveal', RICH);
  expect(stdout).toBe(
    [
      'name\ta␣b',
      `infoHash\t${HEX}`,
      `infoHashV2\t${'ab'.repeat(32)}`,
      'length\t2048',
      'tracker\thttps://t.example/announce?passkey=1234',
      'webSeed\thttp://w.example/',
      'peer\t[::1]:9',
      'node\tr.example:1',
      'selectOnly\t0,2,3,4',
      '',
    ].join('\n'),
  );
});

test('on a terminal', async () => {
  const { stdout } = await runBip({
    argv: ['magnet', 'inspect', '--color', 'never', RICH],
    tty: true,
  });
  expect(stdout).toContain('       Name  a␣b\n');
  expect(stdout).toContain('       Size  2 KiB\n');
});

describe('tiers', () => {
  const tiers = '&tr.1=udp%3A%2F%2Fa%3A1&tr.1=udp%3A%2F%2Fb%3A1&tr.2=udp%3A%2F%2Fc%3A1';

  test('with several trackers are shown', async () => {
    const { stdout } = await bip('--json', 'magnet', 'inspect', LINK + tiers);
    expect(parsed(stdout)).toMatchObject({
      trackers: ['udp://a:1', 'udp://b:1', 'udp://c:1'],
      tiers: [['udp://a:1', 'udp://b:1'], ['udp://c:1']],
    });
    const piped = await bip('magnet', 'inspect', LINK + tiers);
    expect(piped.stdout).toContain(
      'tracker\tudp://a:1\t1\ntracker\tudp://b:1\t1\ntracker\tudp://c:1\t2\n',
    );
    const argv = ['magnet', 'inspect', '--color', 'never', LINK + tiers];
    expect((await runBip({ argv, tty: true })).stdout).toContain(
      'Trackers  Tier 1: udp://a:1\n                  udp://b:1\n          Tier 2: udp://c:1\n',
    );
  });
  test('of one tracker each are not', async () => {
    const link = `${LINK}&tr=udp%3A%2F%2Fa%3A1&tr=udp%3A%2F%2Fb%3A1`;
    expect(parsed((await bip('--json', 'magnet', 'inspect', link)).stdout)).not.toHaveProperty(
      'tiers',
    );
    const argv = ['magnet', 'inspect', '--color', 'never', link];
    expect((await runBip({ argv, tty: true })).stdout).toContain(
      'Trackers  udp://a:1\n          udp://b:1\n',
    );
  });
  test('are masked as well', async () => {
    const secret = encodeURIComponent('http://a/?passkey=1');
    const link = `${LINK}&tr.1=${secret}&tr.1=udp%3A%2F%2Fb%3A1`;
    const { stdout } = await bip('--json', 'magnet', 'inspect', link);
    expect(parsed(stdout)['tiers']).toEqual([['http://a/?passkey=***', 'udp://b:1']]);
  });
});

test('key, salt, selection and sources in all renderings', async () => {
  const link = `magnet:?xs=urn:btpk:${'8a'.repeat(32)}&s=6e&so=1,3&xs=http%3A%2F%2Fs%2Fa.torrent`;
  const piped = await bip('magnet', 'inspect', link);
  expect(piped.stdout).toBe(
    `publicKey\t${'8a'.repeat(32)}\nsalt\t6e\nsource\thttp://s/a.torrent\nselectOnly\t1,3\n`,
  );
  const { stdout } = await runBip({
    argv: ['magnet', 'inspect', '--color', 'never', link],
    tty: true,
  });
  expect(stdout).toBe(
    ` Public key  ${'8a'.repeat(32)}\n       Salt  6e\n` +
      '.torrent at  http://s/a.torrent\n      Files  1,3\n',
  );
  const json = await bip('--json', 'magnet', 'inspect', link);
  expect(parsed(json.stdout)).toMatchObject({
    sources: ['http://s/a.torrent'],
    selectOnly: [1, 3],
  });
});

describe('standard input', () => {
  test('holds links, one a line', async () => {
    const stdin = `${LINK}\n\n  ${LINK}&dn=x\r\n`;
    const { stdout } = await runBip({ argv: ['--json', 'magnet', 'inspect', '-'], stdin });
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => parsed(line)['name']),
    ).toEqual([undefined, 'x']);
  });
  test('may not be empty', async () => {
    const run = await runBip({ argv: ['magnet', 'inspect', '-'], stdin: '\n' });
    expect(run).toMatchObject({ code: 2, stdout: '' });
    expect(run.stderr).toContain('holds no magnet link');
  });
});

describe('exit codes', () => {
  test.each([
    ['magnet:?dn=x', 3, 'names no torrent'],
    [`${LINK}0`, 3, 'is no infohash'],
    ['some.torrent', 2, 'bip metainfo inspect'],
  ])('%s', async (link, code, message) => {
    const run = await bip('magnet', 'inspect', link);
    expect([run.code, run.stdout]).toEqual([code, '']);
    expect(run.stderr).toContain(message);
  });
  test('one bad of several', async () => {
    const run = await bip('magnet', 'inspect', 'magnet:?dn=x', LINK);
    expect(run).toMatchObject({ code: 3, stdout: `infoHash\t${HEX}\n` });
  });
});
