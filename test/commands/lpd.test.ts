/** `bip lpd listen` and `bip lpd announce` on simulated networks. */

import { describe, expect, test } from 'vitest';
import { Interrupted } from '../../commands/cli/context.ts';
import { formatHex } from '../../src/base/bytes.ts';
import { encodeAnnounce, LPD_GROUPS } from '../../src/lpd/codec.ts';
import type { SimHost, World } from '../../src/runtime/sim/index.ts';
import { hashOf } from '../lpd/lan.ts';
import { makeWorld } from '../sim/world.ts';
import { makeContent } from '../simulation/swarm-world.ts';
import { printedError, printedLines } from './dht-scene.ts';
import { type BipResult, type RunOptions, startBip } from './harness.ts';

const ONE = formatHex(hashOf(1));
const TWO = formatHex(hashOf(2));
const { signal } = new AbortController();

class Home {
  readonly world: World = makeWorld();
  readonly here: SimHost = this.host('10.0.0.1');
  readonly there: SimHost = this.host('10.0.0.2');

  host(address: string): SimHost {
    return this.world.host(address, { lans: ['home'] });
  }

  /** Runs bip on a host without waiting for its end. */
  start(
    host: SimHost,
    argv: readonly string[],
    more: Partial<RunOptions> = {},
  ): Promise<BipResult> {
    return startBip(host.runtime, { argv, ...more });
  }

  /** Announces, as another client would, when so many milliseconds are over. */
  async call(
    after: number,
    more: { readonly host?: SimHost; readonly cookie?: string; readonly hashes?: number[] } = {},
  ): Promise<void> {
    const { host = this.there, cookie, hashes = [1] } = more;
    const multicast = { interface: 'eth0', hops: 1 };
    const socket = await host.runtime.network.bindDatagrams({ multicast, signal });
    const infoHashes = hashes.map(hashOf);
    this.world.timeline.after(after, () => {
      socket.send(encodeAnnounce({ port: 7_000, infoHashes, cookie }, 4), LPD_GROUPS[4]);
      void socket[Symbol.asyncDispose]();
    });
  }
}

describe('lpd listen', () => {
  test('prints a line for each torrent in a pipe, and who is on this machine', async () => {
    const home = new Home();
    await home.call(1_000, { hashes: [1, 2], cookie: 'lt~1' });
    await home.call(2_000, { host: home.here });
    const argv = ['lpd', 'listen', '--limit', '2'];
    expect(await home.world.run(home.start(home.here, argv))).toEqual(
      expect.objectContaining({
        code: 0,
        stdout: `10.0.0.2:7000\t${ONE}\tlt~1\t\n10.0.0.2:7000\t${TWO}\tlt~1\t\n10.0.0.1:7000\t${ONE}\t\tus\n`,
        stderr: '',
      }),
    );
    expect(home.here.open).toEqual([]);
  });

  test('prints JSON Lines, the last one with sums', async () => {
    const home = new Home();
    await home.call(1_000, { hashes: [1, 2], cookie: 'c' });
    await home.call(2_000, { hashes: [2] });
    const argv = ['lpd', 'listen', '--timeout', '5s', '--json'];
    const result = await home.world.run(home.start(home.here, argv));
    expect(result.code).toBe(6);
    expect(printedLines(result)).toEqual([
      {
        type: 'announce',
        address: '10.0.0.2:7000',
        infoHashes: [ONE, TWO],
        cookie: 'c',
        host: '239.192.152.143:6771',
        ours: false,
        time: expect.stringMatching(/^2026-01-01T00:00:01\.\d{3}Z$/),
      },
      expect.objectContaining({ type: 'announce', infoHashes: [TWO] }),
      {
        ...{ type: 'done', announces: 2, peers: 1, torrents: 2, dropped: 0, invalid: 0 },
        elapsedMs: 5_000,
      },
    ]);
    expect(printedError(result).code).toBe('BIP_LIMIT');
  });

  test('aligns columns on a terminal, and says what it heard when it is interrupted', async () => {
    const home = new Home();
    await home.call(1_000, { hashes: [1, 2], cookie: 'evil~' });
    await home.call(2_000, { host: home.here });
    const stop = new AbortController();
    home.world.timeline.after(10_000, () => stop.abort(new Interrupted('SIGINT')));
    const { code, stdout, stderr } = await home.world.run(
      home.start(home.here, ['lpd', 'listen', '--color', 'never'], {
        tty: true,
        signal: stop.signal,
      }),
    );
    expect(code).toBe(130);
    expect(stdout.split('\n')).toEqual([
      `00:00:01  10.0.0.2:7000          ${ONE}  evil~`,
      `00:00:01                         ${TWO}`,
      `00:00:02  10.0.0.1:7000          ${ONE}  (this machine)`,
      '2 announces of 2 torrents by 2 peers in 10s',
      '',
    ]);
    expect(stderr).toContain('listening on eth0 (10.0.0.1); Ctrl-C ends');
  });

  test('--info-hash shows one torrent alone, whatever names it', async () => {
    const home = new Home();
    await home.call(1_000, { hashes: [2] });
    await home.call(2_000, { hashes: [1, 2] });
    const argv = ['lpd', 'listen', '--info-hash', `magnet:?xt=urn:btih:${ONE}`, '--limit', '1'];
    const { stdout } = await home.world.run(home.start(home.here, [...argv, '--json']));
    expect(stdout).toContain(`"infoHashes":["${ONE}","${TWO}"]`);
    expect(stdout.match(/"type":"announce"/g)).toHaveLength(1);
  });

  test('of a flood a part is shown, and how much was left out', async () => {
    const home = new Home();
    for (let at = 0; at < 100; at++) await home.call(1_000 + at);
    const argv = ['lpd', 'listen', '--timeout', '3s', '--json'];
    const result = await home.world.run(home.start(home.here, argv));
    expect(printedLines(result).at(-1)).toMatchObject({ announces: 40, dropped: 60, peers: 1 });
  });

  test('-4, -6 and --interface choose where it listens', async () => {
    const home = new Home();
    const host = home.world.host('10.0.0.9', { addresses: ['fd00::9'], lans: ['home', 'v6'] });
    await home.call(1_000);
    const heard = async (...flags: string[]): Promise<string> => {
      await home.call(1_000);
      const argv = ['lpd', 'listen', '--timeout', '2s', '--verbose', ...flags];
      const { stdout, stderr } = await home.world.run(home.start(host, argv));
      return `${/listening on (.*)/.exec(stderr)?.[1]}: ${stdout.split('\n').length - 1}`;
    };
    expect(await heard()).toBe('eth0 (10.0.0.9), eth1 (fd00::9): 2');
    expect(await heard('-4')).toBe('eth0 (10.0.0.9): 1');
    expect(await heard('-6')).toBe('eth1 (fd00::9): 0');
    expect(await heard('--interface', 'eth1')).toBe('eth1 (fd00::9): 0');
    expect(await heard('--interface', '10.0.0.9')).toBe('eth0 (10.0.0.9): 1');
    expect(await heard('--interface', 'lo')).toBe('lo (127.0.0.1, ::1): 0');
  });

  test.each([
    [['--interface', 'eth7'], 'there is no `eth7` here; there are lo, eth0'],
    [['-4', '-6'], "option '-4, --ipv4' cannot be used with option '-6, --ipv6'"],
    [['--timeout', '0'], 'leaves no time to hear anybody'],
    [['--limit', '0'], '--limit: `0` is no whole number'],
    [['--info-hash', 'abc'], '`abc` is no torrent'],
  ])('%j is refused', async (flags, message) => {
    const home = new Home();
    const result = await home.world.run(home.start(home.here, ['lpd', 'listen', ...flags]));
    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(result.stderr).toContain(message);
  });
});

describe('lpd announce', () => {
  const announce = ['lpd', 'announce', ONE, TWO, '--port', '6881'];

  test('is heard by listen, and tells of who answers', async () => {
    const home = new Home();
    const listening = home.start(home.there, ['lpd', 'listen', '--limit', '1']);
    await home.call(2_000, { hashes: [2, 3] });
    await home.call(3_000, { hashes: [2] });
    const announcing = home.start(home.here, announce);
    const [heard, answered] = await home.world.run(Promise.all([listening, announcing]));
    expect(heard.stdout).toMatch(
      new RegExp(`^10.0.0.1:6881\t${ONE}\tbip-[0-9a-f]{16}\t\n10.0.0.1:6881\t${TWO}\t`),
    );
    expect(answered).toMatchObject({ code: 0, stdout: `10.0.0.2:7000\t${TWO}\n`, stderr: '' });
    expect(home.world.now).toBe(5_000);
    expect(home.here.open).toEqual([]);
  });

  test('two that announce the same find each other', async () => {
    const home = new Home();
    const both = [home.here, home.there].map((host) => home.start(host, announce));
    const [one, two] = await home.world.run(Promise.all(both));
    expect(one?.stdout.split('\n').toSorted()).toEqual([
      '',
      `10.0.0.2:6881\t${ONE}`,
      `10.0.0.2:6881\t${TWO}`,
    ]);
    expect(two?.stdout).toContain(`10.0.0.1:6881\t${ONE}\n`);
  });

  test('prints JSON Lines; --limit ends it', async () => {
    const home = new Home();
    await home.call(2_000);
    const argv = ['lpd', 'announce', ONE, '--port', '6881', '--limit', '1', '--json'];
    const result = await home.world.run(home.start(home.here, argv));
    expect(result.code).toBe(0);
    expect(printedLines(result)).toEqual([
      { type: 'announced', infoHashes: [ONE], port: 6881, addresses: ['10.0.0.1:6881'] },
      { type: 'peer', address: '10.0.0.2:7000', infoHash: ONE },
      { type: 'done', announces: 1, peers: 1, elapsedMs: expect.closeTo(2_020, 0) },
    ]);
  });

  test('on a terminal says where it announced', async () => {
    const home = new Home();
    await home.call(2_000);
    const argv = [...announce, '--color', 'never'];
    const { stdout } = await home.world.run(home.start(home.here, argv, { tty: true }));
    expect(stdout.split('\n')).toEqual([
      'announced 2 torrents at port 6881 on eth0 (10.0.0.1)',
      `${ONE}  10.0.0.2:7000`,
      '1 announce, 1 peer in 5s',
      '',
    ]);
  });

  test('--watch announces again every five minutes, until Ctrl-C or --timeout', async () => {
    const home = new Home();
    const stop = new AbortController();
    home.world.timeline.after(11 * 60_000, () => stop.abort(new Interrupted('SIGINT')));
    const argv = [...announce, '--watch', '--json'];
    const watched = await home.world.run(home.start(home.here, argv, { signal: stop.signal }));
    expect(watched.code).toBe(130);
    expect(printedLines(watched).at(-1)).toMatchObject({ type: 'done', announces: 3, peers: 0 });
    const ended = await home.world.run(home.start(home.here, [...argv, '--timeout', '6m']));
    expect(ended.code).toBe(6);
    expect(printedLines(ended).at(-1)).toMatchObject({ announces: 2 });
  });

  test('a private torrent is refused (BEP 27), and so are more than fit', async () => {
    const home = new Home();
    const { torrent } = makeContent(100_000, 32_768, { private: true });
    const argv = ['lpd', 'announce', '/p.torrent', '--port', '1'];
    const files = { '/p.torrent': torrent };
    const refused = await home.world.run(home.start(home.here, argv, { files }));
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toContain('`album` is private');
    const many = Array.from({ length: 25 }, (_, at) => formatHex(hashOf(at)));
    const result = await home.world.run(
      home.start(home.here, ['lpd', 'announce', ...many, '--port', '1']),
    );
    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(result.stderr).toContain('25 torrents do not fit into one announce');
  });

  test.each([
    [['lpd', 'announce', ONE], "required option '--port <n>' not specified"],
    [['lpd', 'announce', ONE, '--port', '0'], '--port: `0` is no whole number'],
    [['lpd', 'announce', '--port', '1'], "missing required argument 'torrent'"],
  ])('%j is refused', async (argv, message) => {
    const home = new Home();
    const result = await home.world.run(home.start(home.here, argv));
    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(result.stderr).toContain(message);
  });
});
