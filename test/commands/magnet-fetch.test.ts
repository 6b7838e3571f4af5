/** `bip magnet fetch`: the .torrent of a link from peers, whole command lines in the simulated world. */

import { describe, expect, test } from 'vitest';
import { Interrupted } from '../../commands/cli/context.ts';
import { concatBytes } from '../../src/base/bytes.ts';
import { PeerId } from '../../src/base/ids.ts';
import { encodeHandshake, Reserved } from '../../src/handshake/index.ts';
import { type Metainfo, parseMetainfo } from '../../src/metainfo/index.ts';
import { encodeExtendedHandshake, encodeMetadataMessage, Outbox } from '../../src/peer/index.ts';
import type { SimHost } from '../../src/runtime/sim/index.ts';
import { DhtSwarm, nodeAddress } from '../simulation/dht-swarm.ts';
import { makeContent, type Peer, type SwarmContent } from '../simulation/swarm-world.ts';
import { serveTracker } from '../tracker/world.ts';
import { type BipResult, type RunOptions, startBip } from './harness.ts';

const LINE = { latencyMs: 10, upload: 400_000, download: 2_000_000 } as const;
const NODE = `${nodeAddress(0).host}:${nodeAddress(0).port}`;
/** Its info dictionary has three parts. */
const CONTENT = makeContent(1_000_000, 512);
const HASH = hashOf(CONTENT);
const LINK = `magnet:?xt=urn:btih:${HASH}`;

function hashOf({ metainfo }: SwarmContent): string {
  return metainfo.infoHash?.hex ?? '';
}

/** A host for bip beside a seed, and others when they are wanted. */
class FetchWorld extends DhtSwarm {
  #us: SimHost | undefined;
  seedAddress = '';
  theSeed: Peer | undefined;

  get us(): SimHost {
    this.#us ??= this.host(LINE);
    return this.#us;
  }

  async withSeed(): Promise<this> {
    this.theSeed = await this.world.run(this.seed(LINE));
    this.seedAddress = `${this.theSeed.host.address}:6881`;
    return this;
  }

  /** Runs `bip magnet fetch …`, and sees that it leaves no socket and no timer behind. */
  async fetch(argv: readonly string[], more: Partial<RunOptions> = {}): Promise<BipResult> {
    const result = await this.bip(['magnet', 'fetch', ...argv], more);
    if (this.us.open.length > 0) throw new Error(`left open: ${this.us.open.join(', ')}`);
    return result;
  }

  bip(argv: readonly string[], more: Partial<RunOptions> = {}): Promise<BipResult> {
    return this.world.run(startBip(this.us.runtime, { argv, ...more }));
  }

  async read(path: string): Promise<Metainfo> {
    return parseMetainfo(await this.us.runtime.files.readFile(path, { maxBytes: 1e7 }));
  }

  /** Paths in the working directory. */
  list(): Promise<readonly string[]> {
    return this.us.runtime.files.list('.');
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    const session = this.theSeed?.session;
    if (session !== undefined) await this.world.run(session[Symbol.asyncDispose]());
    await super[Symbol.asyncDispose]();
  }
}

/** A world with a seed of {@link CONTENT}. */
async function seeded(content: SwarmContent = CONTENT): Promise<FetchWorld> {
  return new FetchWorld(content).withSeed();
}

describe('finds peers', () => {
  test('that the link names; keeps what it says besides, and downloads nothing', async () => {
    await using world = await seeded();
    const link = [
      `${LINK}&x.pe=${world.seedAddress}&dn=whatever`,
      'tr.1=http://a.example/announce&tr.1=udp://b.example:1&tr.2=udp://c.example:2',
      'ws=http://seed.example/files/&dht=192.0.2.9:6881',
    ].join('&');
    const result = await world.fetch([link, '--no-dht', '--no-trackers']);
    expect(result).toEqual(
      expect.objectContaining({
        code: 0,
        stdout: `album.torrent\t${HASH}\talbum\t1000000\n`,
        stderr: '',
      }),
    );
    expect(await world.list()).toEqual(['album.torrent']);
    expect(await world.read('album.torrent')).toMatchObject({
      infoBytes: CONTENT.metainfo.infoBytes,
      announce: [['http://a.example/announce', 'udp://b.example:1'], ['udp://c.example:2']],
      webSeeds: ['http://seed.example/files/'],
      nodes: [{ host: '192.0.2.9', port: 6881 }],
      warnings: [],
    });
    expect(world.theSeed?.torrent.stats().uploaded).toBe(0);
  });

  test('passkeys in what it says go into the file, and are shown with --reveal only', async () => {
    await using world = await seeded();
    const secret = 'https://t.example/0123456789abcdef0123456789abcdef/announce';
    const flags = ['--no-dht', '--no-trackers', '--json', '--force'];
    const argv = [`${LINK}&x.pe=${world.seedAddress}&tr=${secret}`, ...flags];
    const { stdout } = await world.fetch(argv);
    expect(stdout).toContain('https://t.example/');
    expect(stdout).not.toContain('0123456789abcdef0123');
    expect((await world.read('album.torrent')).announce).toEqual([[secret]]);
    expect((await world.fetch([...argv, '--reveal'])).stdout).toContain(secret);
  });

  test('that --peer names, for a bare infohash', async () => {
    await using world = await seeded();
    const result = await world.fetch([HASH, '--no-dht', '--peer', world.seedAddress]);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect((await world.read('album.torrent')).announce).toEqual([]);
  });

  test('in the DHT, which does not hear of a peer that is gone in a moment', async () => {
    await using world = new FetchWorld(CONTENT);
    await world.populate(10);
    await world.withSeed();
    await world.world.runFor(30_000);
    const result = await world.fetch([HASH, '--bootstrap', NODE]);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(world.askedBy(world.us, 'get_peers').length).toBeGreaterThan(0);
    expect(world.askedBy(world.us, 'announce_peer')).toEqual([]);
  });

  test('by the trackers of the link, which hear that it leaves again', async () => {
    await using world = await seeded();
    const tracker = await serveTracker(world.world, world.host(LINE));
    const [host = '', port = ''] = world.seedAddress.split(':');
    const endpoint = { host, port: Number(port) };
    tracker.tiny.swarms.set(HASH, new Map([['seed', { endpoint, seed: true }]]));
    const result = await world.fetch([`${LINK}&tr=${tracker.httpUrl}`, '--no-dht']);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(tracker.tiny.heard.map(({ event }) => event)).toEqual(['started', 'stopped']);
    expect(tracker.tiny.heard.every(({ left }) => left > 0)).toBe(true);
    expect((await world.read('album.torrent')).announce).toEqual([[tracker.httpUrl]]);
  });

  test('that call us, as those behind a NAT have to', async () => {
    await using world = new FetchWorld(CONTENT);
    const peers = [{ host: world.us.address, port: 6881 }];
    world.theSeed = await world.world.run(world.seed({ ...LINE, nat: 'symmetric', peers }));
    const result = await world.fetch([HASH, '--no-dht']);
    expect(result).toMatchObject({ code: 0, stdout: expect.stringContaining('album.torrent') });
    expect(result.stderr).toMatch(/^warning: the torrent names no tracker.*--no-dht.*\n$/);
  });
});

describe('trusts nobody', () => {
  test('metadata that does not match is thrown away with who sent it', async () => {
    await using world = await seeded();
    const liar = world.host(LINE);
    await serveLies(liar, CONTENT.metainfo);
    const peers = ['--peer', `${liar.address}:6881`, '--peer', world.seedAddress];
    // The liar speaks plain: called so at once, it answers before the seed does.
    const plain = ['--encryption', 'off'];
    const { code, stderr } = await world.fetch([HASH, '--no-dht', ...plain, ...peers]);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^warning: \S+ sent metadata that does not match .* is banned\n$/);
    expect((await world.read('album.torrent')).infoHash?.hex).toBe(HASH);
  });

  test('both hashes of a link have to be those of one torrent', async () => {
    await using world = await seeded();
    const link = `${LINK}&xt=urn:btmh:1220${'ab'.repeat(32)}&x.pe=${world.seedAddress}`;
    const { code, stderr } = await world.fetch([link, '--no-dht']);
    expect(code).toBe(5);
    expect(stderr).toMatch(/^error: the link names two torrents: .*\n$/);
    expect(await world.list()).toEqual([]);
  });
});

describe('all versions', () => {
  test.each<[string, (made: Metainfo) => string, boolean]>([
    ['--v2', ({ infoHashV2 }) => `xt=urn:btmh:1220${infoHashV2?.hex}`, true],
    ['--hybrid', ({ infoHash }) => `xt=urn:btih:${infoHash?.hex}`, true],
    [
      '--hybrid',
      ({ infoHash, infoHashV2 }) =>
        `xt=urn:btih:${infoHash?.hex}&xt=urn:btmh:1220${infoHashV2?.hex}`,
      true,
    ],
    ['--v1', ({ infoHash }) => `xt=urn:btih:${infoHash?.hex}`, false],
  ])('%s, and what is missing is said', async (version, topicOf, lacksLayers) => {
    await using world = new FetchWorld(CONTENT);
    const sharing = world.host(LINE);
    const files = Object.fromEntries(
      [...CONTENT.files].map(([path, bytes]) => [`/pub/${path}`, bytes]),
    );
    const create = ['metainfo', 'create', '/pub/album', version, '-o', '/made.torrent'];
    await world.world.run(startBip(sharing.runtime, { argv: create, files }));
    const torrent = await sharing.runtime.files.readFile('/made.torrent', { maxBytes: 1e7 });
    const made = parseMetainfo(torrent);
    const stop = new AbortController();
    const seeding = startBip(sharing.runtime, {
      argv: ['seed', '/made.torrent', '--content', '/pub', '--no-dht'],
      signal: stop.signal,
    });
    const link = `magnet:?${topicOf(made)}&x.pe=${sharing.address}:6881`;
    const result = await world.fetch([link, '--no-dht', '--json']);
    expect(result.code).toBe(0);
    expect(JSON.parse(result.stdout)).toMatchObject({
      path: 'album.torrent',
      version: made.version,
      ...(made.infoHash === undefined ? {} : { infoHash: made.infoHash.hex }),
      ...(made.infoHashV2 === undefined ? {} : { infoHashV2: made.infoHashV2.hex }),
      fileCount: 3,
    });
    expect(result.stderr).toMatch(
      lacksLayers
        ? /^warning: album\.torrent: the piece hashes of 2 files are missing .* no piece layers .*\n$/
        : /^$/,
    );
    expect((await world.read('album.torrent')).infoBytes).toEqual(made.infoBytes);
    stop.abort(new Interrupted('SIGINT'));
    expect((await world.world.run(seeding)).code).toBe(130);
  });

  test('a private torrent is written without nodes, and without a tracker it is of no use', async () => {
    const content = makeContent(100_000, 32_768, { private: true });
    await using world = await seeded(content);
    const link = `magnet:?xt=urn:btih:${hashOf(content)}&x.pe=${world.seedAddress}&dht=192.0.2.9:1`;
    const { code, stderr } = await world.fetch([link, '--no-dht']);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^warning: album\.torrent is private and the link names no tracker/);
    expect(await world.read('album.torrent')).toMatchObject({ private: true, nodes: [] });
  });
});

describe('--output', () => {
  const flags = ['--no-dht', '--peer'];

  test.each([
    ['there/', 'there/album.torrent'],
    ['there', 'there/album.torrent'],
    ['{infoHash}.torrent', `${HASH}.torrent`],
    ['there/{name}-{infoHash}', `there/album-${HASH}`],
    ['x', 'x'],
  ])('%s is %s', async (output, path) => {
    await using world = await seeded();
    await world.us.runtime.files.makeDirectory('there');
    const result = await world.fetch([HASH, ...flags, world.seedAddress, '-o', output]);
    expect(result).toMatchObject({ code: 0, stdout: expect.stringMatching(`^${path}\t`) });
    expect((await world.read(path)).infoHash?.hex).toBe(HASH);
  });

  test('- is stdout', async () => {
    await using world = await seeded();
    const result = await world.fetch([HASH, ...flags, world.seedAddress, '-o', '-']);
    expect(parseMetainfo(result.stdoutBytes).infoHash?.hex).toBe(HASH);
    expect(await world.list()).toEqual([]);
  });

  test.each([
    [['x', '-o', 'kept'], 'kept exists already; use --force'],
    [['x', '-o', 'kept/'], 'the folder of --output, kept, is no folder'],
    [['x', '-o', 'nowhere/{name}'], 'the folder of --output, nowhere, does not exist'],
  ])('%j is refused with 4 before anybody is asked', async (argv, words) => {
    await using world = await seeded();
    const before = world.world.now;
    const [, ...rest] = argv;
    const { code, stderr } = await world.fetch([HASH, ...flags, world.seedAddress, ...rest], {
      files: { kept: 'mine' },
    });
    expect([code, world.world.now]).toEqual([4, before]);
    expect(stderr.slice(0, `error: ${words}`.length)).toBe(`error: ${words}`);
    expect(await world.list()).toEqual(['kept']);
  });

  test('a file of the name that peers give is kept, or replaced with --force', async () => {
    await using world = await seeded();
    const argv = [HASH, ...flags, world.seedAddress];
    const refused = await world.fetch(argv, { files: { 'album.torrent': 'mine' } });
    expect(refused).toMatchObject({ code: 4, stdout: '' });
    expect(refused.stderr).toMatch(/^error: album\.torrent exists already; use --force/);
    expect(await world.us.runtime.files.readFile('album.torrent', { maxBytes: 9 })).toHaveLength(4);
    expect((await world.fetch([...argv, '--force'])).code).toBe(0);
    expect((await world.read('album.torrent')).infoHash?.hex).toBe(HASH);
  });
});

describe('several', () => {
  test('each is a line, in their order; one that fails does not stop the others', async () => {
    await using world = await seeded();
    const missing = 'ab'.repeat(20);
    const link = `${LINK}&x.pe=${world.seedAddress}`;
    const argv = [missing, 'nonsense', link, '--no-dht', '--timeout', '20s', '--json'];
    const { code, stdout, stderr } = await world.fetch(argv);
    expect(code).toBe(6);
    expect(JSON.parse(stdout)).toMatchObject({ infoHash: HASH, path: 'album.torrent' });
    const lines = stderr.trim().split('\n');
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatch(/^warning: the torrent names no tracker/);
    expect(lines[1]).toContain('"code":"BIP_LIMIT"');
    expect(lines[1]).toContain(
      `no peer gave the metadata of ${missing} within the --timeout of 20s`,
    );
    expect(lines[2]).toContain('`nonsense` is no torrent');
    // All at once: the one that came to nothing kept nobody waiting.
    expect(world.world.now).toBeLessThan(30_000);
  });

  test('links may come from standard input; --concurrency 1 takes one after the other', async () => {
    await using world = await seeded();
    const stdin = `${'ab'.repeat(20)}\n\n${LINK}\n${'cd'.repeat(20)}\n`;
    const peer = ['--peer', world.seedAddress];
    const argv = ['-', '--no-dht', '--timeout', '10s', '--concurrency', '1', ...peer];
    const began = world.world.now;
    const { code, stdout } = await world.fetch(argv, { stdin });
    expect([code, stdout]).toEqual([6, `album.torrent\t${HASH}\talbum\t1000000\n`]);
    expect(world.world.now - began).toBeGreaterThan(20_000);
  });

  test('a torrent that is named twice is looked for once', async () => {
    await using world = await seeded();
    const argv = [HASH, LINK, '--no-dht', '--peer', world.seedAddress];
    const { code, stdout, stderr } = await world.fetch(argv);
    expect([code, stderr]).toEqual([2, `error: ${HASH} was given twice\n`]);
    expect(stdout.trim().split('\n')).toHaveLength(1);
  });

  test.each([
    [[HASH, LINK, '-o', 'one.torrent'], 'is one file for 2 torrents'],
    [[HASH, '-o', '-', '--json'], 'the result is a torrent, not JSON'],
    [[HASH, '-o', '{nome}'], '`{nome}` is no placeholder'],
    [['film.torrent'], 'is a .torrent already'],
    [[`magnet:?xs=urn:btpk:${'ab'.repeat(32)}`], 'bip dht get LINK --torrent'],
    [[HASH, '--concurrency', '0'], '--concurrency'],
    [['-'], 'standard input holds no magnet link'],
  ])('%j is refused with 2', async (argv, words) => {
    await using world = new FetchWorld(CONTENT);
    const files = { 'film.torrent': CONTENT.torrent };
    const { code, stdout, stderr } = await world.fetch([...argv, '--no-dht'], { files });
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(words);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});

describe('on a terminal', () => {
  test('each state says what is waited for; the result stands on stdout', async () => {
    await using world = await seeded();
    // Slow enough to be looked at.
    const slow = world.host({ latencyMs: 600, upload: 20_000, download: 20_000 });
    const drawn: string[] = [];
    const argv = ['magnet', 'fetch', `${LINK}&dn=An%20album`, '--no-dht', '--color', 'never'];
    const result = await world.world.run(
      startBip(slow.runtime, {
        argv: [...argv, '--peer', world.seedAddress],
        tty: true,
        onWrite: (stream, text) => (stream === 'stderr' ? drawn.push(text) : undefined),
      }),
    );
    expect(result.code).toBe(0);
    expect(result.stdout).toMatch(/^ +Written {2}album\.torrent\n +Name {2}album\n/);
    expect(result.stdout).toContain(`Infohash  ${HASH}`);
    const picture = drawn.join('\n');
    expect(picture).toContain('An album');
    for (const words of [
      'calling 1 address known',
      / KiB of 38\.\d+ KiB of the metadata, from 1 peer/,
    ]) {
      expect(picture).toMatch(words);
    }
    expect(slow.open).toEqual([]);
  });

  test('peers that have no metadata either are told from those that do not answer', async () => {
    await using world = new FetchWorld(CONTENT);
    const { infoHash } = CONTENT.metainfo;
    const nothing = { trackers: [], webSeeds: [], peers: [], nodes: [] };
    const magnet = infoHash === undefined ? nothing : { infoHash, ...nothing };
    const source = { type: 'magnet', magnet } as const;
    const poor = await world.world.run(world.start(world.host(LINE), { source }));
    const peers = ['--peer', `${poor.host.address}:6881`, '--peer', '203.0.113.9:6881'];
    const argv = [HASH, 'ab'.repeat(20), '--no-dht', '--timeout', '3s', ...peers];
    const { code, stderr } = await world.fetch(argv, { tty: true });
    expect(code).toBe(6);
    expect(stderr).toContain('asking 1 peer for the metadata, of 2 addresses known');
    expect(stderr).toContain('calling 2 addresses known');
    expect(stderr).toContain('0 of 2 are over');
    await world.world.run(poor.session[Symbol.asyncDispose]());
  });

  test('--quiet draws nothing', async () => {
    await using world = await seeded();
    const argv = [HASH, '--no-dht', '--peer', world.seedAddress, '--quiet'];
    expect(await world.fetch(argv, { tty: true })).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('ends', () => {
  test('by --timeout with 6, a sentence, and nothing written', async () => {
    await using world = new FetchWorld(CONTENT);
    const argv = [HASH, '--no-dht', '--timeout', '5s', '--quiet'];
    const { code, stdout, stderr } = await world.fetch(argv);
    expect([code, stdout]).toEqual([6, '']);
    expect(stderr).toBe(`error: no peer gave the metadata of ${HASH} within the --timeout of 5s\n`);
    expect(await world.list()).toEqual([]);
  });

  test.each([0, 30, 2_000])(
    'by Ctrl-C after %i ms with 130, and nothing is left',
    async (after) => {
      await using world = new FetchWorld(CONTENT);
      await world.populate(5);
      const stop = new AbortController();
      world.world.timeline.after(after, () => stop.abort(new Interrupted('SIGINT')));
      const argv = [HASH, 'ab'.repeat(20), '--bootstrap', NODE];
      const { code, stdout } = await world.fetch(argv, { signal: stop.signal });
      expect([code, stdout]).toEqual([130, '']);
      expect(await world.list()).toEqual([]);
    },
  );
});

/** Says that it has metadata of the right size, and gives zeros whatever it is asked. */
async function serveLies(host: SimHost, { infoBytes, infoHash }: Metainfo): Promise<void> {
  const { signal } = new AbortController();
  const totalSize = infoBytes.length;
  const hello = encodeHandshake({
    reserved: Reserved.of('extended'),
    infoHash: infoHash?.bytes ?? new Uint8Array(20),
    peerId: new PeerId(new Uint8Array(20).fill(0x66)),
  });
  const offer = new Outbox();
  const messages = new Map([['ut_metadata', 1]]);
  offer.extended(0, encodeExtendedHandshake({ messages, metadataSize: totalSize }));
  const box = new Outbox();
  for (let at = 0; at < totalSize; at += 16_384) {
    const data = new Uint8Array(Math.min(16_384, totalSize - at));
    box.extended(1, encodeMetadataMessage({ type: 'data', piece: at / 16_384, totalSize, data }));
  }
  const lies = box.take();
  await host.runtime.network.listen(
    (stream) => {
      stream.open({
        data: () => stream.write(lies.slice()),
        drain: () => undefined,
        closed: () => undefined,
      });
      stream.write(concatBytes(hello, offer.take()));
    },
    { port: 6881, signal },
  );
}
