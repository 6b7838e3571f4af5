/** Through proxies that nobody here wrote; who is behind them sees the proxy and nobody else. */

import { expect, test } from 'vitest';
import { Bip, bipJson } from './bip.ts';
import { expectContent, manyFiles } from './content.ts';
import { expectComplete } from './expect-download.ts';
import { isRecord, parseJson, textAt } from './json.ts';
import { startLibtorrent } from './peers/libtorrent.ts';
import { type Peer, READY_MS } from './peers/peer.ts';
import { PROXY_HOST, type ProxyName, startProxy } from './peers/proxies.ts';
import { describeWith } from './require.ts';
import { openSwarm, type Swarm } from './swarm.ts';
import { until } from './until.ts';

const DONE_MS = 60_000;
const SEEDER_HOST = '127.0.0.5';

interface Way {
  readonly by: 'http' | 'udp';
  readonly through: ProxyName;
}

/** At an address of its own, since it calls itself when the tracker names it. */
async function seedApart({ torrent, source, tracker }: Swarm): Promise<Peer> {
  const seeder = await startLibtorrent({
    ...{ mode: 'seed', torrent: torrent.path, dir: source, host: SEEDER_HOST },
  });
  await until(async () => (await tracker?.scrape(torrent.infoHash))?.seeders === 1, {
    deadlineMs: READY_MS,
    what: 'the tracker to count the seeder',
  });
  return seeder;
}

/** Those who called this libtorrent, besides itself. */
function callers({ child }: Peer): ReadonlySet<string> {
  const events = child.lines.map(parseJson).filter(isRecord);
  return new Set(
    events
      .filter(({ event }) => event === 'called')
      .map((event) => textAt(event, 'host'))
      .filter((host) => host !== SEEDER_HOST),
  );
}

const WAYS: readonly Way[] = [
  { by: 'udp', through: 'dante' },
  { by: 'http', through: 'dante' },
  { by: 'http', through: 'microsocks' },
  { by: 'http', through: 'tinyproxy' },
];

describeWith(['libtorrent', 'opentracker', 'dante', 'microsocks', 'tinyproxy'], 'download', () => {
  test.for(WAYS)('from libtorrent through $through, found by $by', async ({ by, through }) => {
    await using swarm = await openSwarm(manyFiles(), by);
    await using proxy = await startProxy(through, swarm.to('proxy'));
    await using seeder = await seedApart(swarm);
    const dir = swarm.to('out');
    await using bip = new Bip([
      'download',
      swarm.torrent.magnet,
      ...['--output', dir, '--proxy', proxy.url, '--no-dht'],
    ]);
    await expectComplete(bip, swarm, { dir, deadlineMs: DONE_MS });
    expect(callers(seeder)).toEqual(new Set([PROXY_HOST]));
    const known = await swarm.tracker?.scrape(swarm.torrent.infoHash);
    expect(known).toEqual({ seeders: 1, leechers: 0, completed: 1 });
  });

  test('without a proxy the caller is seen, so that the test above means something', async () => {
    await using swarm = await openSwarm(manyFiles(), 'http');
    await using seeder = await seedApart(swarm);
    const dir = swarm.to('out');
    await using bip = new Bip(['download', swarm.torrent.path, '--output', dir]);
    await expectComplete(bip, swarm, { dir, deadlineMs: DONE_MS });
    expect(callers(seeder)).toEqual(new Set(['127.0.0.1']));
  });

  test('a seed serves whom it calls', async () => {
    await using swarm = await openSwarm(manyFiles());
    await using proxy = await startProxy('dante', swarm.to('proxy'));
    const dir = swarm.to('out');
    const leecher = await swarm.leech('libtorrent', dir);
    await using bip = new Bip([
      ...['seed', swarm.torrent.path, '--content', swarm.source],
      ...['--peer', leecher.address, '--proxy', proxy.url],
    ]);
    await leecher.completed(DONE_MS);
    await expectContent(dir, swarm.content);
    expect(callers(leecher)).toEqual(new Set([PROXY_HOST]));
    expect(bip.child.stderr).toContain('nobody can call through a proxy');
  });

  test('what a proxy cannot carry is said, and that it lets nobody in', async () => {
    await using swarm = await openSwarm(manyFiles());
    const { infoHash } = swarm.torrent;
    for (const [through, reason] of [
      ['microsocks', 'does not relay UDP'],
      ['tinyproxy', 'cannot carry UDP'],
    ] as const) {
      await using proxy = await startProxy(through, swarm.to(through));
      const ask = (url: string, proxyUrl: string): Promise<unknown> =>
        bipJson(['tracker', 'announce', url, infoHash, '--proxy', proxyUrl], DONE_MS);
      await expect(ask('udp://127.0.0.1:9/announce', proxy.url)).rejects.toThrow(reason);
      const wrong = proxy.url.replace('//me:', '//you:');
      await expect(ask('http://127.0.0.1:9/announce', wrong)).rejects.toThrow(
        'does not accept this user and password',
      );
    }
  });

  test('a SOCKS5 proxy that lets nobody in ends a download at once', async () => {
    await using swarm = await openSwarm(manyFiles());
    await using proxy = await startProxy('microsocks', swarm.to('proxy'));
    const wrong = proxy.url.replace('//me:', '//you:');
    const argv = ['download', swarm.torrent.path, '--proxy', wrong, '--output', swarm.to('out')];
    await expect(bipJson(argv, DONE_MS)).rejects.toThrow('does not accept this user and password');
  });
});
