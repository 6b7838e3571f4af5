/** What `tracker announce` and `tracker scrape` tell of exchanges: bytes, TLS, redirects, DNS, lists of trackers. */

import { describe, expect, test } from 'vitest';
import { encode } from '../../src/bencode/index.ts';
import type { World } from '../../src/runtime/sim/index.ts';
import { makeWorld } from '../sim/world.ts';
import { INFO_HASH } from '../tracker/samples.ts';
import { serveTracker, type TrackerHost } from '../tracker/world.ts';
import { type BipResult, runBip, type SimulatedRun } from './harness.ts';

const HASH = INFO_HASH.hex;
const ANSWER = { interval: 60, complete: 2, incomplete: 1, peers: '' };

class Scene {
  readonly world: World = makeWorld();
  serve(address = '10.0.1.1'): Promise<TrackerHost> {
    return serveTracker(this.world, this.world.host(address));
  }
  run(argv: readonly string[], rest: Partial<SimulatedRun> = {}): Promise<BipResult> {
    return runBip({ world: this.world, argv: ['tracker', 'announce', ...argv], ...rest });
  }
  async json(...argv: readonly string[]): Promise<Record<string, unknown>> {
    const { stdout } = await this.run([...argv, '--json']);
    const document: Record<string, unknown> = JSON.parse(stdout);
    return document;
  }
}

interface Raw {
  readonly sent: readonly string[];
  readonly received: readonly string[];
}

/** The bytes in a line of JSON. */
function rawOf(document: Record<string, unknown>): Raw {
  const raw: Raw = JSON.parse(JSON.stringify(document['raw']));
  return raw;
}

function textOf(hex: string | undefined): string {
  return Buffer.from(hex ?? '', 'hex').toString('latin1');
}

describe('--raw', () => {
  test('packets, in hex', async () => {
    const scene = new Scene();
    const { udpUrl } = await scene.serve();
    const { sent, received } = rawOf(await scene.json(udpUrl, HASH, '--raw'));
    expect(sent.map(({ length }) => length / 2)).toEqual([16, 98 + 2 + 9]);
    expect(sent[0]).toMatch(/^0000041727101980/);
    expect(sent[1]).toContain(HASH);
    expect(received.map(({ length }) => length / 2)).toEqual([16, 20]);
  });

  test('the question and the body over HTTP', async () => {
    const scene = new Scene();
    const { httpUrl } = await scene.serve();
    const { sent, received } = rawOf(await scene.json(httpUrl, HASH, '--raw'));
    expect(textOf(sent[0])).toMatch(/^\/announce\?info_hash=%00%20%25/);
    expect(textOf(received[0])).toMatch(/^d8:completei0e/);
  });

  test('lines in a pipe after the one of the tracker', async () => {
    const scene = new Scene();
    const { udpUrl } = await scene.serve();
    const { stdout } = await scene.run([udpUrl, HASH, '--raw']);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.map((line) => line.split('\t')[1])).toEqual([
      'ok',
      'sent',
      'sent',
      'received',
      'received',
    ]);
    expect(lines[1]).toMatch(/\t0000041727101980[0-9a-f]{16}$/);
  });

  test('on a terminal a dump of packets, and text with escapes', async () => {
    const scene = new Scene();
    const { udpUrl, httpUrl, tiny } = await scene.serve();
    const endpoint = { host: '10.0.9.9', port: 6881 };
    tiny.swarms.set(HASH, new Map([['x', { endpoint, seed: true }]]));
    const argv = [udpUrl, httpUrl, HASH, '--raw', '--color', 'never'];
    const { stdout } = await scene.run(argv, { tty: true });
    const [, packets = '', texts = ''] = stdout.split(/\n(?=udp:.*\nsent|http:.*\nsent)/);
    expect(packets).toMatch(
      /^udp:\S+\nsent 16 bytes\n {2}0000 {2}00 00 04 17 27 10 19 80 {2}00 00 00 00 .* {2}\.{4}'\.{3}/,
    );
    expect(packets).toContain('  00 20 25 26 2b 2d 2e 2f  39 3a 41 5a');
    expect(texts).toMatch(/\nreceived \d+ bytes\n {2}d8:complete/);
    // Port 6881, in compact peers.
    expect(texts).toContain('\\x1a\\xe1');
  });

  test('what a refusal was made of, on stdout, and the failure as always', async () => {
    const scene = new Scene();
    const { udpUrl, tiny } = await scene.serve();
    tiny.refusal = 'no';
    const { code, stdout, stderr } = await scene.run([udpUrl, HASH, '--raw', '--json']);
    expect(code).toBe(1);
    const document: Record<string, unknown> = JSON.parse(stdout);
    expect(document).toMatchObject({ tracker: udpUrl, error: { code: 'BIP_TRACKER_REFUSED' } });
    expect(rawOf(document).received.at(-1)).toMatch(/6e6f$/);
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'BIP_TRACKER_REFUSED' } });
    const terminal = await scene.run([udpUrl, HASH, '--raw'], {
      host: scene.world.host('10.0.0.2'),
      tty: true,
    });
    expect(terminal.stdout).toContain('received');
    expect(terminal.stderr).toContain('refused with: no');
  });

  test.each(['udp', 'http'])('secrets are starred over %s, unless revealed', async (scheme) => {
    const scene = new Scene();
    const { tiny } = await scene.serve();
    const secret = '0123456789abcdef0123456789abcdef';
    const path = scheme === 'udp' ? `/${secret}/announce` : '/announce';
    const url = `${scheme}://10.0.1.1:6969${path}?passkey=ab`;
    tiny.extra = { 'warning message': `ab, your key is passkey=ab` };
    const words = [url, HASH, '--raw', '--key', 'BEEF', '--peer-id', '-XX0000-123456789012'];
    const masked = rawOf(await scene.json(...words));
    const asked = textOf(masked.sent.at(-1));
    expect(asked).toContain('passkey=**');
    expect(asked).not.toContain(secret);
    if (scheme === 'udp') expect(asked).toContain(`/${'*'.repeat(32)}/announce?`);
    else {
      // Ours is no secret, and the tracker may repeat theirs.
      expect(asked).toMatch(/key=0000beef/i);
      expect(textOf(masked.received[0])).toContain('ab, your key is passkey=**');
    }
    const host = scene.world.host('10.0.0.2');
    const { stdout } = await scene.run([...words, '--reveal', '--json'], { host });
    const revealed: Record<string, unknown> = JSON.parse(stdout);
    expect(textOf(rawOf(revealed).sent.at(-1))).toContain('passkey=ab');
    expect(rawOf(revealed).sent.at(-1)).toHaveLength(masked.sent.at(-1)?.length ?? 0);
  });
});

describe('how the answer came', () => {
  test('TLS: protocol, issuer, until when', async () => {
    const scene = new Scene();
    const server = scene.world.host('10.0.1.1');
    server.serveHttp(443, () => ({ body: encode(ANSWER) }), { certificate: 'good' });
    const url = 'https://10.0.1.1/announce';
    expect(await scene.json(url, HASH)).toMatchObject({
      transport: 'https',
      tls: { protocol: 'TLSv1.3', validUntil: expect.stringMatching(/^2026-.*Z$/) },
      // A round trip of 40 ms for TCP, and one for TLS.
      connectMs: 80,
      rttMs: 40,
    });
    const { stdout } = await scene.run([url, HASH, '--color', 'never'], {
      host: scene.world.host('10.0.0.2'),
      tty: true,
    });
    expect(stdout).toMatch(/ TLS {2}TLSv1\.3.*, certificate.* for \d+ days\n/);
  });

  test('the connection over HTTP, apart from the answer', async () => {
    const scene = new Scene();
    const { httpUrl } = await scene.serve();
    const { stdout } = await scene.run([httpUrl, HASH, '--color', 'never'], { tty: true });
    expect(stdout).toContain(' answered  10.0.1.1:6969 in 40 ms\n');
    expect(stdout).toContain('connected  in 40 ms\n');
  });

  test('redirects, without secrets', async () => {
    const scene = new Scene();
    await scene.serve('10.0.1.2');
    scene.world.host('10.0.1.1').serveHttp(80, () => ({
      status: 302,
      headers: { location: 'http://10.0.1.2:6969/announce/0123456789abcdef0123456789abcdef?pk=ab' },
    }));
    const url = 'http://10.0.1.1/announce';
    const document = await scene.json(url, HASH, '--raw');
    expect(document['redirects']).toEqual(['http://10.0.1.2:6969/announce/***']);
    expect(textOf(rawOf(document).sent[1])).toMatch(/^\/announce\/\*{32}\?pk=\*\*&/);
    const { stdout } = await scene.run([url, 'udp://10.0.1.2:6969', HASH, '--color', 'never'], {
      host: scene.world.host('10.0.0.2'),
      tty: true,
    });
    expect(stdout).toContain('\n  redirected to http://10.0.1.2:6969/announce/***\n');
  });

  test('packets that were sent again', async () => {
    const scene = new Scene();
    const tracker = await scene.serve();
    tracker.deaf = true;
    const host = scene.world.host('10.0.0.1');
    host.runtime.clock.schedule(10_000, () => {
      tracker.deaf = false;
    });
    const argv = [tracker.udpUrl, HASH, '--color', 'never'];
    const { stdout } = await scene.run(argv, { host, tty: true });
    expect(stdout).toContain('sent again  1 packet\n');
  });

  test('what DNS prefers (BEP 34), unless told to ignore it', async () => {
    const scene = new Scene();
    await scene.serve();
    scene.world.names.set('t.example', ['10.0.1.1']);
    scene.world.names.setTexts('t.example', ['BITTORRENT UDP:6969']);
    const url = 'http://t.example:1/announce';
    expect(await scene.json(url, HASH)).toMatchObject({
      tracker: url,
      transport: 'udp',
      preference: { record: 'BITTORRENT UDP:6969', asked: 'udp://t.example:6969' },
    });
    const host = scene.world.host('10.0.0.2');
    const ignoring = await scene.run([url, HASH, '--no-dns-preferences'], { host });
    expect(ignoring).toMatchObject({ code: 1, stdout: '' });
    const { stdout } = await scene.run([url, HASH, '--color', 'never'], { host, tty: true });
    expect(stdout).toContain('DNS  BITTORRENT UDP:6969: asked udp://t.example:6969\n');
  });

  test('a WebSocket tracker has counts and no peers', async () => {
    const scene = new Scene();
    const info_hash = Buffer.from(INFO_HASH.bytes).toString('latin1');
    scene.world.host('10.0.1.1').serveWebSockets(8000, (link) => {
      const answer = { action: 'announce', info_hash, interval: 120, complete: 3, incomplete: 4 };
      link.open({
        message: () => link.send(JSON.stringify(answer)),
        closed: () => undefined,
      });
    });
    const argv = ['ws://10.0.1.1:8000', HASH, '--color', 'never'];
    const { stdout, code } = await scene.run(argv, { tty: true });
    expect(code).toBe(0);
    expect(stdout).toContain('seeders  3\n');
    expect(stdout).toContain('peers  none that bip could call: they speak WebRTC\n');
  });

  test('--allow-local lets a torrent ask any path of this machine', async () => {
    const scene = new Scene();
    const host = scene.world.host('10.0.0.1');
    host.serveHttp(80, () => ({ body: encode(ANSWER) }));
    const magnet = `magnet:?xt=urn:btih:${HASH}&tr=${encodeURIComponent('http://127.0.0.1/x')}`;
    expect((await scene.run([magnet], { host })).code).toBe(1);
    expect((await scene.run([magnet, '--allow-local'], { host })).code).toBe(0);
  });
});

describe('--from', () => {
  const list = (...lines: string[]): { files: Record<string, string> } => ({
    files: { '/list': lines.join('\n') },
  });

  test('one URL a line, each once, beside those that were typed', async () => {
    const scene = new Scene();
    const { udpUrl, httpUrl } = await scene.serve();
    const { stdout, code } = await scene.run(
      [udpUrl, HASH, '--from', '/list'],
      list('# trackers', '', `${udpUrl}\r`, `  ${httpUrl}  # the same`, '', httpUrl, ''),
    );
    expect(code).toBe(0);
    expect(stdout.split('\n').map((line) => line.split('\t')[0])).toEqual([udpUrl, httpUrl, '']);
  });

  test('instead of the trackers of the torrent, from standard input', async () => {
    const scene = new Scene();
    const { udpUrl } = await scene.serve();
    const magnet = `magnet:?xt=urn:btih:${HASH}&tr=udp%3A%2F%2F10.0.1.9%3A1`;
    const { stdout } = await scene.run([magnet, '--from', '-'], { stdin: `${udpUrl}\n` });
    expect(stdout.split('\n')).toHaveLength(2);
    expect(stdout).toMatch(/^udp:\/\/10\.0\.1\.1:6969\/announce\tok\t/);
  });

  test('a URL that cannot be used is one that fails', async () => {
    const scene = new Scene();
    const { udpUrl } = await scene.serve();
    const { stdout, code } = await scene.run(
      [HASH, '--from', '/list'],
      list('http://xn--a.example/announce', udpUrl),
    );
    expect(code).toBe(1);
    expect(stdout).toMatch(/^http:\/\/xn--a\.example\/announce\terror\tBIP_TRACKER_URL\t/);
    expect(stdout).toContain('\tok\t');
  });

  test('what is listed is not trusted like what is typed', async () => {
    const scene = new Scene();
    const host = scene.world.host('10.0.0.1');
    host.serveHttp(80, () => ({ body: encode(ANSWER) }));
    const argv = [HASH, '--from', '/list'];
    const { code, stderr } = await scene.run(argv, { host, ...list('http://127.0.0.1/x') });
    expect(code).toBe(1);
    expect(stderr).toContain('is this machine');
  });

  test.each([
    ['udp://a.example:1\n{"json":1}', 'line 2 of /list is no tracker\'s URL: `{"json":1}`'],
    ['# nothing\n', '/list names no trackers'],
    ['', '/list names no trackers'],
    ['udp://a.example:1 udp://b.example:1', 'line 1 of /list'],
    [
      Array.from({ length: 10_001 }, (_, at) => `udp://a.example:${at}`).join('\n'),
      'names more than 10000 trackers',
    ],
  ])('a file that is no list is malformed', async (text, sentence) => {
    const { code, stdout, stderr } = await new Scene().run([HASH, '--from', '/list'], list(text));
    expect([code, stdout]).toEqual([3, '']);
    expect(stderr).toContain(sentence);
  });

  test('a file that is not there is 4', async () => {
    expect((await new Scene().run([HASH, '--from', '/nowhere'])).code).toBe(4);
  });
});
