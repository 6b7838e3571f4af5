/** `bip handshake probe` in the simulated world. */

import { describe, expect, test } from 'vitest';
import { formatEndpoint } from '../../src/base/endpoint.ts';
import { PORT, SwarmWorld } from '../simulation/swarm-world.ts';
import { type BipResult, runBipOnDisk, type SimulatedRun, startBip } from './harness.ts';

/** Seeds of one torrent, and bip on a host beside them. */
class Scene extends SwarmWorld {
  readonly infoHash: string = this.content.metainfo.infoHash?.hex ?? '';

  /** Runs it while `seeds` seeds are there; `argv` gets their addresses. */
  probe(
    seeds: number,
    argv: (addresses: readonly string[]) => readonly string[],
    rest: Omit<SimulatedRun, 'argv'> = {},
  ): Promise<BipResult> {
    return this.world.run(
      (async () => {
        const peers = await Promise.all(Array.from({ length: seeds }, () => this.seed()));
        const addresses = peers.map(({ endpoint }) => formatEndpoint(endpoint));
        const words = ['handshake', 'probe', ...argv(addresses)];
        const files = { 'album.torrent': this.content.torrent, ...rest.files };
        const result = await startBip(this.host().runtime, { ...rest, argv: words, files });
        for (const peer of peers) await peer[Symbol.asyncDispose]();
        this.world.assertClosed();
        return result;
      })(),
    );
  }
}

const NOBODY = `10.9.9.9:${PORT}`;
const TORRENT = ['--info-hash', 'album.torrent'] as const;

function lines(result: BipResult): readonly unknown[] {
  return result.stdout
    .trimEnd()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
}

describe('one peer', () => {
  test('a line in a pipe', async () => {
    const { code, stdout, stderr } = await new Scene().probe(1, ([one = '']) => [one, ...TORRENT]);
    expect([code, stderr]).toEqual([0, '']);
    const fields = stdout.replace(/\n$/, '').split('\t');
    expect(fields).toHaveLength(14);
    expect(fields[13]).toBe('tcp,utp');
    expect(fields.slice(0, 3)).toEqual([`10.0.0.1:${PORT}`, 'ok', 'bip 0.1.0']);
    expect(fields[3]).toMatch(/^2d425030313030[0-9a-f]{26}$/);
    expect(fields.slice(4, 10)).toEqual(['tcp', 'none', 'extended,fast', '31', '31', '100']);
  });

  test('JSON', async () => {
    const scene = new Scene();
    const argv = [...TORRENT, '--json'];
    const result = await scene.probe(1, ([one = '']) => [one, ...argv]);
    const connectMs: unknown = expect.any(Number);
    const taken = { connected: true, connectMs, accepted: true };
    expect([result.code, result.stderr]).toEqual([0, '']);
    expect(lines(result)).toEqual([
      {
        address: `10.0.0.1:${PORT}`,
        family: 4,
        transport: 'tcp',
        encryption: 'none',
        peerId: expect.stringMatching(/^2d4250303130302d/),
        client: 'bip 0.1.0',
        clientName: 'bip',
        clientVersion: '0.1.0',
        peerIdStyle: 'azureus',
        infoHash: scene.infoHash,
        extensions: ['extended', 'fast'],
        reserved: '0000000000100004',
        extended: {
          version: 'bip 0.1.0',
          reqq: 2000,
          port: PORT,
          yourIp: '10.0.0.2',
          metadataSize: scene.content.metainfo.infoBytes.length,
          messages: expect.objectContaining({ ut_metadata: 1 }),
          uploadOnly: true,
        },
        pieces: { source: 'have-all', have: 31, total: 31, share: 1 },
        connectMs,
        handshakeMs: expect.any(Number),
        closedByPeer: false,
        transports: { tcp: taken, utp: taken },
        attempts: [
          { transport: 'tcp', encryption: 'none', connectMs, accepted: true },
          { transport: 'tcp', encryption: 'rc4', connectMs, accepted: true },
          { transport: 'tcp', encryption: 'plaintext', connectMs, accepted: true },
          { transport: 'utp', encryption: 'none', connectMs, accepted: true },
        ],
      },
    ]);
  });

  test('on a terminal, in words', async () => {
    const argv = [...TORRENT, '--color', 'never'];
    const { code, stdout } = await new Scene().probe(1, ([one = '']) => [one, ...argv], {
      tty: true,
    });
    expect(code).toBe(0);
    const shown = stdout.split('\n');
    expect(shown[0]).toBe(`10.0.0.1:${PORT}`);
    for (const line of [
      '          by  TCP over IPv4',
      expect.stringMatching(/^ {2}transports {2}TCP: connected in [\d.]+ ms$/),
      expect.stringMatching(/^ {14}uTP: connected in [\d.]+ ms$/),
      '  encryption  plain: accepted',
      '              rc4: accepted',
      '              plaintext: accepted',
      '      client  bip 0.1.0',
      '  extensions  extension protocol (BEP 10)',
      '              fast extension (BEP 6)',
      'calls itself  bip 0.1.0',
      '       takes  2000 requests at once',
      '  listens on  port 6881',
      '  sees us at  10.0.0.2',
      '         has  all pieces (says have-all)',
    ]) {
      expect(shown).toContainEqual(line);
    }
  });

  test('by a link that names it, and without encryption', async () => {
    const scene = new Scene();
    const link = (peer = ''): string => `magnet:?xt=urn:btih:${scene.infoHash}&x.pe=${peer}`;
    const result = await scene.probe(1, ([one]) => [
      ...['--info-hash', link(one), '--encryption', 'off', '--json'],
    ]);
    expect(result.code).toBe(0);
    expect(lines(result)).toMatchObject([
      {
        pieces: { source: 'have-all', share: 1 },
        attempts: [
          { transport: 'tcp', encryption: 'none' },
          { transport: 'utp', encryption: 'none' },
        ],
      },
    ]);
  });

  test.each([
    ['tcp', ['tcp', 'tcp', 'tcp']],
    ['utp', ['utp', 'utp', 'utp']],
    ['both', ['tcp', 'tcp', 'tcp', 'utp']],
  ])('--transport %s', async (mode, transports) => {
    const argv = [...TORRENT, '--transport', mode, '--json'];
    const result = await new Scene().probe(1, ([one = '']) => [one, ...argv]);
    expect([result.code, result.stderr]).toEqual([0, '']);
    expect(lines(result)).toMatchObject([
      {
        transport: transports[0],
        attempts: transports.map((transport) => ({ transport, accepted: true })),
      },
    ]);
  });

  test('nobody there: exit code 1 and nothing on stdout', async () => {
    const scene = new Scene();
    const { code, stdout, stderr } = await scene.probe(0, () => [NOBODY, ...TORRENT]);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(NOBODY);
  });

  test('one that has another torrent', async () => {
    const other = '00'.repeat(20);
    const result = await new Scene().probe(1, ([one = '']) => [one, '--info-hash', other]);
    expect([result.code, result.stdout]).toEqual([1, '']);
    expect(result.stderr).toContain(
      ' the connection without a handshake: it does not share this torrent',
    );
  });
});

describe('several peers', () => {
  test('a line each, in their order; exit code 1 when one failed', async () => {
    const result = await new Scene().probe(2, ([one = '', two = '']) => [
      ...[two, NOBODY, one, '--json', '--concurrency', '1'],
      ...TORRENT,
    ]);
    expect([result.code, result.stderr]).toEqual([1, '']);
    expect(lines(result)).toMatchObject([
      { address: `10.0.0.2:${PORT}`, client: 'bip 0.1.0' },
      { address: NOBODY, error: { code: expect.stringMatching(/^BIP_/) } },
      { address: `10.0.0.1:${PORT}`, client: 'bip 0.1.0' },
    ]);
  });

  test('from standard input, with comments, each once', async () => {
    const stdin = `# found\n10.0.0.2:${PORT}\tx\n\n10.0.0.1:${PORT} # first\n10.0.0.2:${PORT}`;
    const { code, stdout } = await new Scene().probe(2, () => ['-', ...TORRENT], { stdin });
    expect(code).toBe(0);
    expect(stdout.match(/^\S+/gm)).toEqual([`10.0.0.2:${PORT}`, `10.0.0.1:${PORT}`]);
  });

  test('a table on a terminal', async () => {
    const argv = [...TORRENT, '--color', 'never'];
    const { code, stdout } = await new Scene().probe(2, (all) => [...all, NOBODY, ...argv], {
      tty: { stdout: true },
    });
    expect(code).toBe(1);
    const [head, one, two, three] = stdout.split('\n');
    expect(head).toBe(
      'peer                   client                      has    connect   handshake  over     accepts',
    );
    expect(one).toMatch(
      /^10\.0\.0\.1:6881 {10}bip 0\.1\.0 {19}100 % .* tcp utp  plain rc4 plaintext$/,
    );
    expect(two).toMatch(/^10\.0\.0\.2:6881 /);
    expect(three).toMatch(/^10\.9\.9\.9:6881 {10}\S/);
  });
});

describe('what makes no sense is refused, exit code 2', () => {
  test.each([
    [['10.0.0.1:1'], "required option '--info-hash <torrent>'"],
    [['nonsense', ...TORRENT], '`nonsense` is no HOST:PORT'],
    [[NOBODY, '::1:6881', ...TORRENT], 'write IPv6 like [2001:db8::1]:6881'],
    [[...TORRENT], 'name a HOST:PORT'],
    [['-', ...TORRENT], 'standard input names no HOST:PORT'],
    [['-', '--info-hash', '-'], 'standard input cannot be both'],
    [[NOBODY, ...TORRENT, '--v2'], '--v2: the torrent has no v2 infohash'],
    [[NOBODY, ...TORRENT, '--timeout', '0'], '--timeout: `0` leaves no time'],
    [[NOBODY, ...TORRENT, '--encryption', 'rot13'], '--encryption'],
    [[NOBODY, ...TORRENT, '--transport', 'sctp'], '--transport'],
    [[NOBODY, ...TORRENT, '--bind', '::1', '-4'], 'of the family that was excluded'],
    [[NOBODY, ...TORRENT, '-4', '-6'], 'cannot be used with'],
  ])('%j', async (argv, message) => {
    const { code, stdout, stderr } = await new Scene().probe(0, () => argv);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
  });
});

test('on real sockets', async () => {
  const { code, stderr } = await runBipOnDisk({
    argv: () => [
      ...['handshake', 'probe', '127.0.0.1:1', '--info-hash', '00'.repeat(20)],
      ...['--transport', 'tcp'],
    ],
  });
  expect([code, stderr]).toEqual([
    1,
    'error: cannot connect to 127.0.0.1:1: the connection was refused\n',
  ]);
});
