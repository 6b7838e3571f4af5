/** `bip dht get` and `bip dht put` in the simulated world. */

import { describe, expect, test } from 'vitest';
import { formatHex, parseHex } from '../../src/base/bytes.ts';
import { encode } from '../../src/bencode/index.ts';
import { immutableTarget, signItem } from '../../src/dht/index.ts';
import { DhtScene, printed, printedError } from './dht-scene.ts';
import type { BipResult } from './harness.ts';

const HELLO = 'e5f96f6f38320f0f33959cb4d3d656452117aadb';
const HASH = '5a'.repeat(20);

/** The key of BEP 44's test vectors: it has no seed. */
const KEY =
  'e06d3183d14159228433ed599221b80bd0a5ce8352e4bdf0262f76786ef1c74d' +
  'b7e7a9fea2c0eb269d61e3b38e450a22e754941ac78479d6c54e1faf6037881d';
const PUBLIC = '77ff84905a91936367c01360803104f92432fcd904a43511876df5cdf3e7e548';
const TARGET = '4a533d47ec9c7d95b1ad75f576cffc641853b750';
const SALTED = '411eba73b6f087ca51a3795d9c8c938d365e32c1';

class Scene extends DhtScene {
  static async of(count: number): Promise<Scene> {
    const scene = new Scene();
    await scene.populate(count);
    await scene.us.runtime.files.writeFile('my.key', new TextEncoder().encode(`${KEY}\n`));
    return scene;
  }
  put(...argv: string[]): Promise<BipResult> {
    return this.ask(['put', ...argv]);
  }
  get(...argv: string[]): Promise<BipResult> {
    return this.ask(['get', ...argv]);
  }
  /** Items that members hold of a target. */
  copies(target: string): number {
    const key = parseHex(target) ?? new Uint8Array(20);
    return this.members.filter(({ node }) => node.stores.items.get(key, this.world.now)).length;
  }
}

describe('items without a key', () => {
  test('are put by eight nodes, and found by their hash', async () => {
    await using scene = await Scene.of(20);
    const put = await scene.put('Hello World!');
    expect([put.code, put.stderr, put.stdout]).toEqual([0, '', `${HELLO}\t8\n`]);
    expect(scene.copies(HELLO)).toBe(8);
    const got = await scene.get(HELLO);
    expect([got.code, got.stderr, got.stdout]).toEqual([0, '', 'Hello World!\n']);
  });

  test('JSON: the value as bencode in JSON', async () => {
    await using scene = await Scene.of(10);
    const json = '{"b":[1,"x",{"$hex":"ff"}],"1":{"$int":"9007199254740993"}}';
    const put = await scene.put(json, '--json-value', '--json');
    expect([put.code, put.stderr]).toEqual([0, '']);
    const { target, nodes, ...rest } = printed(put);
    expect(rest).toMatchObject({ stored: 8, refused: 0, timedOut: 0 });
    expect(rest).not.toHaveProperty('sequence');
    expect(nodes).toHaveLength(8);
    const value = '{"1":{"$int":"9007199254740993"},"b":[1,"x",{"$hex":"ff"}]}';
    const got = await scene.get(String(target), '--json');
    expect(got.stdout.startsWith(`{"target":"${String(target)}","value":${value},"nodesQ`)).toBe(
      true,
    );
    expect(printed(got)['nodesAnswered']).toBeGreaterThan(0);
    expect((await scene.get(String(target))).stdout).toBe(`${value}\n`);
  });

  test('from a file, from stdin, and written to a file', async () => {
    await using scene = await Scene.of(10);
    const { files } = scene.us.runtime;
    const bytes = Uint8Array.of(0, 255, 10, 9);
    await files.writeFile('value.bin', bytes);
    const [target = ''] = (await scene.put('@value.bin')).stdout.split('\t');
    expect(target).toBe(formatHex(immutableTarget(encode(bytes))));
    const written = await scene.get(target, '--output', 'out.bin');
    expect([written.code, written.stdout]).toEqual([0, '']);
    expect(await files.readFile('out.bin', { maxBytes: 99 })).toEqual(bytes);
    const again = await scene.get(target, '--output', 'out.bin');
    expect(again.code).toBe(4);
    expect((await scene.get(target, '-o', '-')).stdoutBytes).toEqual(bytes);
    const piped = await scene.ask(['put', '-'], { stdin: 'Hello World!' });
    expect(piped.stdout).toBe(`${HELLO}\t8\n`);
    const list = await scene.ask(['put', '-', '--json-value'], { stdin: ' [1 ]\n' });
    const [listed = ''] = list.stdout.split('\t');
    expect((await scene.get(listed, '-o', '-')).stdout).toBe('li1ee');
  });

  test('in words on a terminal, where nothing in them moves the cursor', async () => {
    await using scene = await Scene.of(10);
    const argv = ['put', 'one\n\u001b[2Jtwo', '--color', 'never'];
    const put = await scene.ask(argv, { tty: { stdout: true } });
    expect(put.stdout).toMatch(/^target {2}[0-9a-f]{40}\nstored {2}by 8 nodes in \d+ ms\n$/);
    const target = /[0-9a-f]{40}/.exec(put.stdout)?.[0] ?? '';
    const tty = { stdout: true };
    const got = await scene.ask(['get', target, '--color', 'never'], { tty });
    expect(got.stdout).toMatch(
      /^target {2}[0-9a-f]{40}\n value {2}one\n {8}␣\[2Jtwo\n asked {2}\d+ of \d+ nodes answered in \d+ ms\n$/,
    );
  });

  test('the search for one ends with the first that gives it', async () => {
    await using scene = await Scene.of(30);
    await scene.put('Hello World!');
    const found = printed(await scene.get(HELLO, '--json'));
    await scene.ask(['put', 'x', '--key', 'my.key']);
    const mutable = printed(await scene.get(PUBLIC, '--json'));
    expect(Number(found['elapsedMs'])).toBeLessThan(Number(mutable['elapsedMs']));
  });
});

describe('items with a key', () => {
  test('vectors of BEP 44, offline', async () => {
    await using scene = await Scene.of(0);
    const only = async (...argv: string[]): Promise<string> =>
      (await scene.run(['put', ...argv, '--target-only'])).stdout;
    expect(await only('Hello World!')).toBe(`${HELLO}\n`);
    expect(await only('--key', 'my.key')).toBe(`${TARGET}\t${PUBLIC}\n`);
    expect(await only('Hello World!', '--key', 'my.key', '--salt', 'foobar')).toBe(
      `${SALTED}\t${PUBLIC}\n`,
    );
    const json = await scene.run(['put', 'v', '--key', 'my.key', '--target-only', '--json']);
    expect(printed(json)).toEqual({ target: TARGET, value: 'v', publicKey: PUBLIC });
    expect(await scene.run(['put', 'v', '--target-only', '--json'])).toMatchObject({
      stdout: `{"target":"${formatHex(immutableTarget(encode('v')))}","value":"v"}\n`,
    });
  });

  test('are found by the key, and by the target', async () => {
    await using scene = await Scene.of(20);
    const put = await scene.put('Hello World!', '--key', 'my.key', '--json');
    expect(printed(put)).toMatchObject({
      ...{ target: TARGET, value: 'Hello World!', sequence: 1, publicKey: PUBLIC },
      // The vector of BEP 44.
      signature:
        '305ac8aeb6c9c151fa120f120ea2cfb923564e11552d06a5d856091e5e853cff' +
        '1260d3f39e4999684aa92eb73ffd136e6f4f3ecbfda0ce53a1608ecd7ae21f01',
      stored: 8,
    });
    for (const place of [PUBLIC, TARGET, `magnet:?xs=urn:btpk:${PUBLIC}`]) {
      expect((await scene.get(place)).stdout).toBe('Hello World!\n');
    }
    const { signature, ...got } = printed(await scene.get(PUBLIC, '--json'));
    expect(signature).toBe(printed(put)['signature']);
    expect(got).toMatchObject({ target: TARGET, sequence: 1, publicKey: PUBLIC });
  });

  test('salts tell them apart', async () => {
    await using scene = await Scene.of(20);
    await scene.put('one', '--key', 'my.key', '--salt', 'foobar');
    await scene.put('two', '--key', 'my.key');
    const read = async (...argv: string[]): Promise<string> => (await scene.get(...argv)).stdout;
    expect(await read(PUBLIC, '--salt', 'foobar')).toBe('one\n');
    expect(await read(PUBLIC)).toBe('two\n');
    expect(await read(SALTED, '--salt', 'foobar')).toBe('one\n');
    expect(await read(`magnet:?xs=urn:btpk:${PUBLIC}&s=666f6f626172`)).toBe('one\n');
    const without = await scene.get(SALTED);
    expect(without.code).toBe(1);
    expect(without.stderr).toContain('is --salt as it has to be?');
    const tty = { stdout: true };
    const argv = ['get', PUBLIC, '--salt', 'foobar', '--color', 'never'];
    const words = await scene.ask(argv, { tty });
    expect(words.stdout).toContain(
      `  target  ${SALTED}\n     key  ${PUBLIC}\n    salt  foobar\nsequence  1\n   value  one\n`,
    );
  });

  test('each change has the next sequence; the same value is put once more as it is', async () => {
    await using scene = await Scene.of(20);
    const sequence = async (...argv: string[]): Promise<string | undefined> =>
      (await scene.put(...argv, '--key', 'my.key')).stdout.split('\t')[2];
    expect(await sequence('one')).toBe('1');
    expect(await sequence('two')).toBe('2');
    expect(await sequence('two')).toBe('2');
    expect(await sequence('three', '--seq', '7')).toBe('7');
    expect(await sequence('three', '--seq', '7')).toBe('7');
    expect(await sequence('four', '--cas', '7')).toBe('8');
    expect((await scene.get(PUBLIC)).stdout).toBe('four\n');
  });

  test.each([
    [['--seq', '5'], 'the item has sequence 5 already, and nodes take only higher ones'],
    [['--seq', '4'], 'the item has sequence 5 already'],
    [['--cas', '4'], 'the item has sequence 5, not the 4 of --cas'],
  ])('are not changed against what is there: %j', async (argv, message) => {
    await using scene = await Scene.of(10);
    await scene.put('one', '--key', 'my.key', '--seq', '5');
    const { code, stdout, stderr } = await scene.put('two', '--key', 'my.key', ...argv);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(message);
    expect((await scene.get(PUBLIC)).stdout).toBe('one\n');
  });

  test('the highest sequence is the last', async () => {
    await using scene = await Scene.of(10);
    const highest = '9223372036854775807';
    const put = await scene.put('one', '--key', 'my.key', '--seq', highest, '--json');
    expect(put.stdout).toContain(`"sequence":{"$int":"${highest}"}`);
    const next = await scene.put('two', '--key', 'my.key');
    expect(next.code).toBe(1);
    expect(next.stderr).toContain('cannot be changed any more');
  });

  test('the newest of several counts', async () => {
    await using scene = await Scene.of(20);
    await scene.put('old', '--key', 'my.key', '--seq', '3');
    const secretKey = parseHex(KEY) ?? new Uint8Array(64);
    const parts = { secretKey, salt: new Uint8Array(0), sequence: 4n, value: encode('new') };
    const item = signItem(parts);
    const target = parseHex(TARGET) ?? new Uint8Array(20);
    const holder = scene.members.find(({ node }) => node.stores.items.get(target, scene.world.now));
    expect(holder?.node.stores.items.put(item, {}, scene.world.now)).toEqual({ type: 'stored' });
    expect((await scene.get(PUBLIC)).stdout).toBe('new\n');
  });
});

describe('key files', () => {
  test('are made once, and never shown', async () => {
    await using scene = await Scene.of(10);
    const made = await scene.run(['put', '--new-key', 'new.key']);
    expect([made.code, made.stderr]).toEqual([0, '']);
    const [target = '', publicKey = ''] = made.stdout.trimEnd().split('\t');
    const { files } = scene.us.runtime;
    const bytes = await files.readFile('new.key', { maxBytes: 100 });
    const text = new TextDecoder().decode(bytes);
    expect(text).toMatch(/^[0-9a-f]{64}\n$/);
    const put = await scene.put('x', '--key', 'new.key', '--json', '--verbose');
    expect(printed(put)).toMatchObject({ target, publicKey });
    expect(put.stdout + put.stderr + made.stdout).not.toContain(text.trim());
    const again = await scene.run(['put', 'x', '--new-key', 'new.key', '--json']);
    expect([again.code, again.stdout]).toEqual([4, '']);
    expect(printedError(again)).toEqual({
      code: 'BIP_EXISTS',
      message: '--new-key: new.key exists already, and keys are never written over; --key uses it',
    });
    expect(await files.readFile('new.key', { maxBytes: 100 })).toEqual(bytes);
  });

  // RFC 8410 §10.3 and RFC 8032 §7.1, test 1.
  const SEED = '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60';
  const SEEDED = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a';
  const PEM = `-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
-----END PRIVATE KEY-----
`;
  const PEM_PUBLIC = '19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1';
  test.each([
    ['hex', `${SEED}\n`, SEEDED],
    ['hex with the public key', SEED.toUpperCase() + SEEDED, SEEDED],
    ['bytes (libtorrent)', parseHex(SEED) ?? '', SEEDED],
    ['an expanded key', parseHex(KEY) ?? '', PUBLIC],
    ['PKCS #8 (OpenSSL)', PEM, PEM_PUBLIC],
  ])('are read: %s', async (_, content, publicKey) => {
    await using scene = new Scene();
    const argv = ['put', '--key', 'k', '--target-only'];
    const { stdout } = await scene.run(argv, { files: { k: content } });
    expect(stdout.trimEnd().split('\t')[1]).toBe(publicKey);
  });

  test.each([
    ['', 'there is no Ed25519 key in k'],
    ['x'.repeat(40), 'there is no Ed25519 key in k'],
    ['-----BEGIN PRIVATE KEY-----\nMC4CAQAw\n-----END PRIVATE KEY-----', 'no Ed25519 key in k'],
    ['-----BEGIN PRIVATE KEY-----\n?', 'no Ed25519 key in k'],
    [new Uint8Array(64), 'no Ed25519 key in k'],
  ])('that are none are refused: %j', async (content, message) => {
    await using scene = new Scene();
    const argv = ['put', '--key', 'k', '--target-only'];
    const { code, stderr } = await scene.run(argv, { files: { k: content } });
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });
});

describe('pointers to torrents (BEP 46)', () => {
  test('are put with a link that leads to them, and followed', async () => {
    await using scene = await Scene.of(10);
    const link = `magnet:?xs=urn:btpk:${PUBLIC}&s=73`;
    const put = await scene.put('--torrent', HASH, '--key', 'my.key', '--salt', 's');
    expect(put.stdout.trimEnd().split('\t').slice(1)).toEqual(['8', '1', PUBLIC, link]);
    const got = await scene.get(link, '--torrent');
    expect([got.code, got.stdout]).toEqual([0, `${HASH}\n`]);
    const tty = { stdout: true };
    const shown = await scene.ask(['get', link, '--torrent'], { tty });
    expect(shown.stdout).toBe(`magnet:?xt=urn:btih:${HASH}\n`);
    expect(printed(await scene.get(link, '--json'))).toMatchObject({
      value: { ih: 'Z'.repeat(20) },
      infoHash: HASH,
      salt: '73',
    });
    const place = await scene.run([
      ...['put', '--torrent', HASH, '--key', 'my.key', '--target-only', '--json'],
    ]);
    expect(printed(place)).toMatchObject({ magnet: `magnet:?xs=urn:btpk:${PUBLIC}` });
  });

  test('an item that is none is told from one', async () => {
    await using scene = await Scene.of(10);
    await scene.put('text', '--key', 'my.key');
    const result = await scene.get(PUBLIC, '--torrent', '--json');
    expect([result.code, result.stdout]).toEqual([1, '']);
    expect(printedError(result).code).toBe('BIP_DHT_NO_POINTER');
  });
});

describe('failures', () => {
  test('nobody has it, nobody answers', async () => {
    await using scene = await Scene.of(6);
    const none = await scene.get(HELLO, '--json');
    expect([none.code, none.stdout]).toEqual([1, '']);
    expect(printedError(none)).toEqual({
      code: 'BIP_DHT_NO_ITEM',
      message: `none of the 6 nodes that answered has the item of ${HELLO}`,
    });
    for (const argv of [
      ['get', HELLO],
      ['put', 'x'],
    ]) {
      const silent = await scene.run([...argv, '--bootstrap', '90.0.0.1:1', '--json']);
      expect([silent.code, silent.stdout]).toEqual([1, '']);
      expect(printedError(silent).code).toBe('BIP_DHT_SILENT');
    }
  });

  test('--timeout: exit code 6', async () => {
    await using scene = await Scene.of(10);
    for (const argv of [
      ['get', HELLO],
      ['put', 'x'],
    ]) {
      const late = await scene.ask([...argv, '--timeout', '100ms', '--json']);
      expect([late.code, late.stdout]).toEqual([6, '']);
    }
    await scene.put('x', '--key', 'my.key');
    const whole = printed(await scene.get(PUBLIC, '--json'));
    const timeout = `${Number(whole['elapsedMs']) - 1}ms`;
    // What came in time is printed.
    const late = await scene.get(PUBLIC, '--timeout', timeout);
    expect([late.code, late.stdout]).toEqual([6, 'x\n']);
  });

  const LONG = 'x'.repeat(997);
  test.each([
    [['get', 'nonsense'], '`nonsense` is no item'],
    [['get', `magnet:?xt=urn:btih:${HASH}`], 'the link has no public key'],
    [['get', HASH, '--salt', 'x'.repeat(65)], '--salt has 65 bytes; 64 is the most'],
    [['get', HASH, '--torrent', '-o', 'x'], '--torrent prints a link'],
    [['put'], 'there is no VALUE'],
    [['put', '--key', 'my.key'], 'there is no VALUE'],
    [['put', LONG], 'the value has 1001 bytes as bencode'],
    [['put', 'x', '--salt', 's'], '--salt, --seq and --cas are about items with a key'],
    [['put', 'x', '--seq', '0'], 'are about items with a key'],
    [['put', 'x', '--seq', '-1', '--key', 'my.key'], '--seq: `-1` is no whole number'],
    [['put', 'x', '--cas', '9223372036854775808'], '--cas: `9223372036854775808` is no whole'],
    [['put', 'x', '--torrent', HASH, '--key', 'my.key'], 'contradict each other'],
    [['put', '--torrent', HASH], 'name it with --key'],
    [['put', '--torrent', HASH, '--json-value', '--key', 'my.key'], '--json-value is about'],
    [['put', 'x', '--v2'], '--v2 is about the torrent of --torrent'],
    [['put', 'x', '--key', 'a', '--new-key', 'b'], 'cannot be used with'],
  ])('usage: %j', async (argv, message) => {
    await using scene = await Scene.of(0);
    const { code, stdout, stderr } = await scene.run(argv);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
  });

  test('JSON that is none, files that are not there', async () => {
    await using scene = await Scene.of(0);
    const bad = await scene.run(['put', '{"a":1', '--json-value', '--target-only']);
    expect(bad.code).toBe(3);
    expect(bad.stderr).toContain('--json-value: JSON at line 1, column 7');
    expect((await scene.run(['put', '@none', '--target-only'])).code).toBe(4);
    expect((await scene.run(['put', 'x', '--key', 'none'])).code).toBe(4);
    expect((await scene.run(['put', 'x'.repeat(996), '--target-only'])).code).toBe(0);
  });
});
