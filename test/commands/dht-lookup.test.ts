/** `bip dht lookup` in the simulated world. */

import { describe, expect, test } from 'vitest';
import { Interrupted } from '../../commands/cli/context.ts';
import { formatHex } from '../../src/base/bytes.ts';
import { encode } from '../../src/bencode/index.ts';
import { commonPrefixBits, compareDistance } from '../../src/dht/index.ts';
import { type Member, publicAddress, publicAddress6 } from '../dht/dht-world.ts';
import { DhtScene, printed, printedError, printedLines } from './dht-scene.ts';
import { runBip } from './harness.ts';

const HASH = new Uint8Array(20).fill(0x5a);
const HEX = formatHex(HASH);

/** A .torrent, and its v1 infohash in hex. */
function torrent(info: object, more: object = {}): Uint8Array {
  return encode({
    info: { length: 3, name: 'film', 'piece length': 16_384, pieces: new Uint8Array(20), ...info },
    ...more,
  });
}

function idOf({ node }: Member): Uint8Array {
  return node.idOf(4) ?? HASH;
}

async function populated(count: number): Promise<DhtScene> {
  const scene = new DhtScene();
  await scene.populate(count);
  return scene;
}

describe('peers', () => {
  test('one a line in a pipe, each once', async () => {
    await using scene = await populated(20);
    await scene.announce(3, HASH, 5000);
    await scene.announce(4, HASH, 5001);
    const { code, stdout, stderr } = await scene.ask(['lookup', HEX]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.trimEnd().split('\n').toSorted()).toEqual([
      `${publicAddress(3)}:5000`,
      `${publicAddress(4)}:5001`,
    ]);
    expect(stdout.endsWith('\n')).toBe(true);
  });

  test('JSON Lines: an event each, and a last one that sums up', async () => {
    await using scene = await populated(20);
    await scene.announce(3, HASH, 5000);
    const result = await scene.ask(['lookup', HEX, '--json']);
    expect([result.code, result.stderr]).toEqual([0, '']);
    const [peer, done, ...rest] = printedLines(result);
    expect(rest).toEqual([]);
    expect(peer).toEqual({ type: 'peer', address: `${publicAddress(3)}:5000` });
    expect(done).toMatchObject({ type: 'done', infoHash: HEX, peers: 1, complete: true });
    expect(Object.keys(done ?? {}).slice(0, 6)).toEqual([
      ...['type', 'infoHash', 'peers', 'nodesQueried', 'nodesAnswered', 'elapsedMs'],
    ]);
    expect(done?.['nodesAnswered']).toBeGreaterThanOrEqual(8);
    expect(Number(done?.['nodesQueried'])).toBeGreaterThanOrEqual(Number(done?.['nodesAnswered']));
    expect(done?.['elapsedMs']).toBeGreaterThan(80);
    expect(done?.['closest']).toHaveLength(8);
  });

  test('are printed when they are found, not at the end', async () => {
    await using scene = await populated(30);
    await scene.announce(3, HASH, 5000);
    const times: number[] = [];
    const onWrite = (): number => times.push(scene.world.now);
    await scene.ask(['lookup', HEX, '--json'], { onWrite });
    expect(times).toHaveLength(2);
    const [first = 0, last = 0] = times;
    expect(last - first).toBeGreaterThan(50);
  });

  test('--limit ends the search, with exit code 0', async () => {
    await using scene = await populated(20);
    for (let at = 0; at < 6; at++) await scene.announce(at, HASH, 5000);
    const result = await scene.ask(['lookup', HEX, '--limit', '2', '--json']);
    expect(result.code).toBe(0);
    const lines = printedLines(result);
    expect(lines.map(({ type }) => type)).toEqual(['peer', 'peer', 'done']);
    expect(lines[2]).toMatchObject({ peers: 2, complete: false });
  });

  test('in words on a terminal', async () => {
    await using scene = await populated(20);
    await scene.announce(3, HASH, 5000);
    const tty = { stdout: true };
    const { stdout } = await scene.ask(['lookup', HEX, '--color', 'never'], { tty });
    expect(stdout).toMatch(
      /^80\.0\.3\.1:5000\n1 peer; \d+ of \d+ nodes answered in \d+ ms; the closest 15\d bits away after \d hops?\n$/,
    );
  });
});

describe('failures', () => {
  test('nobody knows a peer: exit code 1, and the sum all the same', async () => {
    await using scene = await populated(6);
    const result = await scene.ask(['lookup', HEX, '--json']);
    expect(result.code).toBe(1);
    expect(printed(result)).toMatchObject({ type: 'done', peers: 0, nodesAnswered: 6 });
    expect(printedError(result)).toEqual({
      code: 'BIP_DHT_NO_PEERS',
      message: `none of the 6 nodes that answered knows a peer of ${HEX}`,
    });
  });

  test('nobody answers: exit code 1, soon enough', async () => {
    await using scene = new DhtScene();
    const started = scene.world.now;
    const argv = ['lookup', HEX, '--bootstrap', '80.0.0.1:6881', '--bootstrap', '80.0.1.1:6881'];
    const { code, stdout, stderr } = await scene.run(argv);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toBe(
      'error: no node of the DHT answered; 2 were asked; --bootstrap HOST:PORT names others\n',
    );
    expect(scene.world.now - started).toBeLessThan(20_000);
  });

  test('no name can be found', async () => {
    await using scene = new DhtScene();
    const { code, stderr } = await scene.run(['lookup', HEX, '--bootstrap', 'dht.example:1']);
    expect(code).toBe(1);
    expect(stderr).toContain('none of the nodes to begin with has an address here');
  });

  test('--timeout: exit code 6, and what was found until then', async () => {
    await using scene = await populated(30);
    await scene.announce(3, HASH, 5000);
    const whole = await scene.ask(['lookup', HEX, '--json']);
    const { elapsedMs } = printedLines(whole).at(-1) ?? {};
    const argv = ['lookup', HEX, '--json', '--timeout', `${Number(elapsedMs) - 1}ms`];
    const result = await scene.ask(argv, { host: scene.world.host('81.0.0.3') });
    expect(result.code).toBe(6);
    expect(printedLines(result).map(({ type }) => type)).toEqual(['peer', 'done']);
    expect(printedLines(result)[1]).toMatchObject({ complete: false });
    expect(printedError(result).code).toBe('BIP_LIMIT');
  });

  test('Ctrl-C: exit code 130, and the sum', async () => {
    await using scene = await populated(30);
    await scene.announce(3, HASH, 5000);
    const interrupt = new AbortController();
    const onWrite = (): void => interrupt.abort(new Interrupted('SIGINT'));
    const how = { signal: interrupt.signal, onWrite };
    const result = await scene.ask(['lookup', HEX, '--json'], how);
    expect(result.code).toBe(130);
    expect(printedLines(result).map(({ type }) => type)).toEqual(['peer', 'done']);
  });

  test.each([
    [['lookup', HEX, '--limit', '0'], '--limit'],
    [['lookup', HEX, '--limit', '3', '--nodes'], 'cannot be used with'],
    [['lookup', HEX, '--bootstrap', 'x'], '`x` is no HOST:PORT'],
    [['lookup', HEX, '--v2'], '--v2: the torrent has no v2 infohash'],
    [['lookup', `magnet:?xs=urn:btpk:${HEX.slice(8)}${HEX.slice(8)}`], 'ask `bip dht get` first'],
    [['lookup', 'nothing'], '`nothing` is no torrent'],
  ])('usage: %j', async (argv, message) => {
    await using scene = new DhtScene();
    const { code, stdout, stderr } = await scene.run(argv);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
  });
});

describe('--nodes', () => {
  test('the closest that there are, nearest first', async () => {
    await using scene = await populated(40);
    const result = await scene.ask(['lookup', HEX, '--nodes', '--json']);
    expect([result.code, result.stderr]).toEqual([0, '']);
    const all = scene.members.map(({ node, endpoint }) => ({ id: node.idOf(4), endpoint }));
    const sorted = all
      .flatMap(({ id, endpoint }) => (id === undefined ? [] : [{ id, endpoint }]))
      .toSorted((a, b) => compareDistance(HASH, a.id, b.id));
    const lines = printedLines(result);
    expect(lines.slice(0, -1)).toMatchObject(
      sorted.slice(0, 8).map(({ id, endpoint: { host, port } }) => ({
        type: 'node',
        address: `${host}:${port}`,
        nodeId: formatHex(id),
        distanceBits: 160 - commonPrefixBits(HASH, id),
      })),
    );
    expect(lines.at(-1)).toMatchObject({ type: 'done', infoHash: HEX });
    expect(lines.at(-1)).not.toHaveProperty('peers');
    const plain = await scene.ask(['lookup', HEX, '--nodes']);
    const [nearest] = sorted;
    expect(plain.stdout.split('\n')[0]?.split('\t').slice(0, 2)).toEqual([
      `${nearest?.endpoint.host}:6881`,
      formatHex(nearest?.id ?? HASH),
    ]);
  });
});

describe('--trace', () => {
  test('every step with hop, distance and time', async () => {
    await using scene = await populated(30);
    await scene.announce(3, HASH, 5000);
    const result = await scene.ask(['lookup', HEX, '--trace', '--json']);
    const lines = printedLines(result);
    const of = (wanted: string) => lines.filter(({ type }) => type === wanted);
    const done = lines.at(-1);
    expect(of('asked')).toHaveLength(Number(done?.['nodesQueried']));
    expect(of('answered')).toHaveLength(Number(done?.['nodesAnswered']));
    const [first] = of('answered');
    expect(first).toMatchObject({
      ...{ address: scene.nodeAt(0), nodeId: scene.idOf(0), hop: 0, rttMs: 80, elapsedMs: 80 },
      ...{ version: 'BP\\x00\\x01', client: 'bip' },
    });
    expect(Number(first?.['newNodes'])).toBeGreaterThan(0);
    expect(of('answered').some(({ peers }) => peers === 1)).toBe(true);
    for (const { hop } of of('answered').slice(1)) expect(hop).toBeGreaterThan(0);
  });

  test('who is silent', async () => {
    await using scene = await populated(12);
    const dead = scene.members
      .slice(1)
      .toSorted((a, b) => compareDistance(HASH, idOf(a), idOf(b)))
      .at(0);
    await dead?.node[Symbol.asyncDispose]();
    const result = await scene.ask(['lookup', HEX, '--trace', '--nodes', '--json']);
    const address = `${dead?.endpoint.host}:6881`;
    const steps = printedLines(result).filter((line) => line['address'] === address);
    // It is asked twice, and waited for no longer than the others take.
    expect(steps.map(({ type }) => type)).toEqual(['asked', 'slow', 'asked', 'slow']);
    const { stdout } = await scene.ask(['lookup', HEX, '--trace', '--color', 'never'], {
      tty: { stdout: true },
    });
    expect(stdout).toMatch(new RegExp(`^slow .* ${address}$`, 'm'));
    expect(stdout).toContain('○');
  });

  test('in a pipe every line says what it is', async () => {
    await using scene = await populated(20);
    await scene.announce(3, HASH, 5000);
    const { stdout } = await scene.ask(['lookup', HEX, '--trace']);
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t'));
    expect(new Set(rows.map(([type]) => type))).toEqual(new Set(['asked', 'answered', 'peer']));
    expect(rows.filter(([type]) => type === 'peer')).toEqual([
      ['peer', `${publicAddress(3)}:5000`],
    ]);
    const answer = rows.find(([type]) => type === 'answered');
    expect(answer?.slice(0, 4)).toEqual(['answered', scene.nodeAt(0), scene.idOf(0), '0']);
    expect(answer?.at(-1)).toBe('bip');
  });

  test('on a terminal with a picture of how it closes in', async () => {
    await using scene = await populated(60);
    await scene.announce(3, HASH, 5000);
    const argv = ['lookup', HEX, '--trace', '--color', 'never'];
    const { stdout, stderr } = await scene.ask(argv, { tty: true });
    expect(stdout).toMatch(
      /^answered +80 ms {2}hop 0 {3}\d+ bits {2}80\.0\.0\.1:6881 {10}\d+ nodes, \d+ new, .*bip$/m,
    );
    expect(stdout).toMatch(/^peer +80\.0\.3\.1:5000$/m);
    expect(stdout).not.toContain('asked');
    expect(stdout).toMatch(/^hop 0 +1\/1 {2} *●$/m);
    expect(stdout).toMatch(/^hop 1 +\d\/\d {2}.*●.*●/m);
    expect(stdout).toMatch(/^ {17}\d+ bits ─+▶ \d+$/m);
    // The same is drawn on stderr while it is under way, and taken away.
    expect(stderr).toContain('hop 0');
    expect(stderr.endsWith('A\r\u001b[J')).toBe(true);
    for (const line of stderr.split('\n')) expect(line.length).toBeLessThan(90);
  });

  test('--verbose explains the same on stderr', async () => {
    await using scene = await populated(10);
    await scene.announce(3, HASH, 5000);
    const { stdout, stderr } = await scene.ask(['lookup', HEX, '--verbose']);
    expect(stdout).toBe(`${publicAddress(3)}:5000\n`);
    expect(stderr).toMatch(/^answered +80 ms {2}hop 0 .* 80\.0\.0\.1:6881 .* new, .*bip$/m);
  });

  test('without a picture where it has no room', async () => {
    await using scene = await populated(10);
    const tty = { stdout: true, stderr: true, columns: 24 };
    const { stdout } = await scene.ask(['lookup', HEX, '--trace', '--color', 'never'], { tty });
    expect(stdout).toContain('answered');
    expect(stdout).not.toContain('▶');
  });
});

describe('whom it begins with', () => {
  test('the well-known nodes, unless others are named', async () => {
    await using scene = await populated(10);
    await scene.announce(3, HASH, 5000);
    scene.world.names.set('router.bittorrent.com', [publicAddress(2)]);
    const { code, stdout } = await scene.run(['lookup', HEX]);
    expect([code, stdout]).toEqual([0, `${publicAddress(3)}:5000\n`]);
    const argv = ['lookup', HEX, '--bootstrap', '80.9.9.9:1', '--trace', '--json'];
    const named = await scene.run(argv);
    expect(named.code).toBe(1);
    const asked = printedLines(named).flatMap(({ address }) => address ?? []);
    expect(new Set(asked)).toEqual(new Set(['80.9.9.9:1']));
  });

  test.each(['dht', 'x.pe'])('the nodes that a link names by %s', async (key) => {
    await using scene = await populated(10);
    await scene.announce(3, HASH, 5000);
    const link = `magnet:?xt=urn:btih:${HEX}&${key}=${scene.nodeAt(7)}`;
    const { code, stdout } = await scene.run(['lookup', link, '--bootstrap', '80.9.9.9:1']);
    expect([code, stdout]).toEqual([0, `${publicAddress(3)}:5000\n`]);
  });

  test('the nodes of a .torrent', async () => {
    await using scene = await populated(6);
    const bytes = torrent({}, { nodes: [['node.example', 6881]] });
    scene.world.names.set('node.example', [publicAddress(4)]);
    const files = { 'film.torrent': bytes };
    const result = await scene.run(['lookup', 'film.torrent', '--json'], { files });
    expect(result.code).toBe(1);
    expect(printed(result)).toMatchObject({ type: 'done', nodesAnswered: 6 });
  });

  test('nodes of one network, when all that are named are in a private one', async () => {
    await using scene = new DhtScene();
    for (let at = 1; at <= 7; at++) {
      const bootstrap = at === 1 ? [] : [{ host: '10.0.0.1', port: 6881 }];
      const member = await scene.open(`10.0.0.${at}`, { bootstrap, limitAddresses: false });
      scene.members.push(member);
      await scene.world.run(member.node.join());
    }
    const host = scene.world.host('10.0.0.99');
    const argv = ['lookup', HEX, '--json', '--nodes'];
    const result = await scene.ask(argv, { host });
    expect(printedLines(result).at(-1)).toMatchObject({ nodesAnswered: 7 });
  });
});

describe('which infohash', () => {
  const V2 = 'cd'.repeat(32);
  const CUT = Uint8Array.from({ length: 20 }, () => 0xcd);

  test('of a hybrid the v1 one, or with --v2 the other', async () => {
    await using scene = await populated(10);
    await scene.announce(3, HASH, 5000);
    await scene.announce(4, CUT, 5001);
    const link = `magnet:?xt=urn:btih:${HEX}&xt=urn:btmh:1220${V2}`;
    const first = await scene.ask(['lookup', link]);
    expect(first.stdout).toBe(`${publicAddress(3)}:5000\n`);
    const second = await scene.ask(['lookup', link, '--v2']);
    expect(second.stdout).toBe(`${publicAddress(4)}:5001\n`);
    const bare = await scene.ask(['lookup', V2, '--json']);
    expect(printedLines(bare).at(-1)).toMatchObject({ infoHash: 'cd'.repeat(20), infoHashV2: V2 });
  });

  test('none of a private torrent, unless its infohash is named', async () => {
    await using scene = await populated(3);
    const files = { 'film.torrent': torrent({ private: 1 }) };
    const { code, stderr } = await scene.ask(['lookup', 'film.torrent'], { files });
    expect(code).toBe(2);
    expect(stderr).toContain('`film` is private');
  });
});

describe('families', () => {
  test('both are searched, each in its own DHT, and -4 and -6 leave one out', async () => {
    await using scene = new DhtScene();
    for (let at = 0; at < 6; at++) {
      const bootstrap = at === 0 ? [] : [publicAddress(0), publicAddress6(0)];
      const routers = bootstrap.map((address) => ({ host: address, port: 6881 }));
      const how = { bootstrap: routers };
      const member = await scene.open(publicAddress(at), how, [publicAddress6(at)]);
      scene.members.push(member);
      await scene.world.run(member.node.join());
    }
    await scene.announce(3, HASH, 5000);
    const host = scene.world.host('81.0.0.2', { addresses: ['2001:db8:ffff::1'] });
    const six = `[${publicAddress6(0)}]:6881`;
    const argv = ['lookup', HEX, '--bootstrap', six];
    const v4 = `${publicAddress(3)}:5000`;
    const v6 = `[2001:db8:3::1]:5000`;
    const both = await scene.ask(argv, { host });
    expect(both.stdout.trimEnd().split('\n').toSorted()).toEqual([v4, v6].toSorted());
    expect((await scene.ask([...argv, '-4'], { host })).stdout).toBe(`${v4}\n`);
    expect((await scene.ask([...argv, '-6'], { host })).stdout).toBe(`${v6}\n`);
  });

  test('IPv6 is left out where the machine has no address of it', async () => {
    await using scene = await populated(5);
    await scene.announce(3, HASH, 5000);
    scene.world.names.set('router.bittorrent.com', [publicAddress(0), publicAddress6(0)]);
    const started = scene.world.now;
    const { code } = await runBip({
      world: scene.world,
      argv: ['dht', 'lookup', HEX],
      host: scene.us,
    });
    expect(code).toBe(0);
    // Nobody waits for who cannot answer.
    expect(scene.world.now - started).toBeLessThan(1000);
  });
});
