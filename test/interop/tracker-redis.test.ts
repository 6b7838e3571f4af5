/** Trackers that share their swarms through Redis, as whole processes, while things are killed. */

import { networkInterfaces } from 'node:os';
import { expect, test } from 'vitest';
import { formatEndpoint } from '../../src/base/endpoint.ts';
import { InfoHash, PeerId } from '../../src/base/ids.ts';
import { nodeRuntime } from '../../src/runtime/node/index.ts';
import { announce, type ScrapedFile, scrape } from '../../src/tracker/index.ts';
import { AnnounceLoad, LANES } from './announce-load.ts';
import { Bip } from './bip.ts';
import { parseJson, textAt } from './json.ts';
import { BipTracker } from './peers/bip-tracker.ts';
import type { Loopback } from './peers/peer.ts';
import { RedisServer } from './peers/redis.ts';
import { peersInRedis } from './redis-swarms.ts';
import { describeWith } from './require.ts';
import { openScratch } from './scratch.ts';
import { until } from './until.ts';

const DEADLINE_MS = 30_000;
const { signal: NEVER } = new AbortController();

const HOSTS: readonly Loopback[] = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === '::1'),
)
  ? ['127.0.0.1', '::1']
  : ['127.0.0.1'];

function startTracker(
  redis: RedisServer,
  { workers = 1, port = 0 }: { readonly workers?: number; readonly port?: number } = {},
): Promise<BipTracker> {
  const flags = ['--store', redis.url, '--workers', String(workers), '--no-rate-limit'];
  return BipTracker.start(flags, { hosts: HOSTS, port, isQuiet: true });
}

/** Whether the store is there, each time that a tracker told so. */
function saidOf(tracker: BipTracker): readonly boolean[] {
  return tracker.told('store').map(({ up }) => up === true);
}

/** Waits until the last that each tracker has said is that the store is there, or away. */
async function say(trackers: readonly BipTracker[], up: boolean): Promise<void> {
  for (const tracker of trackers) {
    await tracker.child.until(() => saidOf(tracker).at(-1) === up, {
      deadlineMs: DEADLINE_MS,
      what: `the store to be ${up ? 'back' : 'away'}`,
    });
  }
}

/** Waits until Redis has exactly those peers that are there, and each tracker counts them. */
async function expectShared(
  redis: RedisServer,
  load: AnnounceLoad,
  trackers: readonly BipTracker[],
): Promise<void> {
  const { present, counts, infoHashes } = load;
  let wrong: readonly string[] = [];
  const isRight = async (): Promise<boolean> => {
    const there = await peersInRedis(redis.url, infoHashes);
    const names = new Set([...there.keys(), ...present.keys()]);
    wrong = [...names]
      .filter((name) => there.get(name) !== present.get(name))
      .map((name) => `${name}: ${there.get(name) ?? 'gone'}, not ${present.get(name) ?? 'gone'}`);
    return wrong.length === 0;
  };
  await until(isRight, {
    deadlineMs: DEADLINE_MS,
    what: `${present.size} peers in Redis`,
    log: () => `${wrong.length} wrong\n${wrong.slice(0, 20).join('\n')}`,
  });
  for (const tracker of trackers) {
    for (const by of ['http', 'udp'] as const) {
      let last = '';
      // A thread that is still on its way to Redis counts those that it knows itself.
      const isSame = async (): Promise<boolean> => {
        const files = await scrapeAll(tracker.url(by), infoHashes);
        last = files.map(({ seeders, leechers }) => `${seeders} ${leechers}`).join(', ');
        return last === counts.map((pair) => pair.join(' ')).join(', ');
      };
      await until(isSame, {
        deadlineMs: DEADLINE_MS,
        what: `the right numbers over ${by}`,
        log: () => last,
      });
    }
  }
}

/** How many downloads the tracker counts, once these are all that were acknowledged or more. */
async function downloadsOf(
  tracker: BipTracker,
  { infoHashes, completed: expected }: AnnounceLoad,
): Promise<number | false> {
  const files = await scrapeAll(tracker.url('http'), infoHashes);
  const downloads = files.reduce((sum, { completed = 0 }) => sum + completed, 0);
  return downloads >= expected && downloads;
}

async function scrapeAll(
  url: string,
  infoHashes: readonly InfoHash[],
): Promise<readonly ScrapedFile[]> {
  await using runtime = nodeRuntime();
  const options = { signal: NEVER, trusted: true, timeoutMs: DEADLINE_MS };
  return (await scrape(runtime, url, infoHashes, options)).files;
}

describeWith(['redis'], 'two trackers, one of them of two threads', () => {
  test('what one is told the other knows, over HTTP and UDP, v4 and v6', async () => {
    await using scratch = await openScratch();
    await using redis = await RedisServer.start({ state: scratch.path });
    await using one = await startTracker(redis);
    await using two = await startTracker(redis, { workers: 2 });
    await using runtime = nodeRuntime();
    const known: string[] = [];
    for (const host of HOSTS) {
      for (const [tracker, by] of [
        [one, 'http'],
        [two, 'udp'],
        [two, 'http'],
        [one, 'udp'],
      ] as const) {
        const port = 2_000 + known.length;
        const request = { ...REQUEST, port, peerId: new PeerId(new Uint8Array(20).fill(port)) };
        const options = { signal: NEVER, trusted: true, timeoutMs: DEADLINE_MS, retries: 0 };
        const answer = await announce(runtime, tracker.url(by, host), request, options);
        const peers = answer.peers.map(formatEndpoint).filter((peer) => known.includes(peer));
        const isKnown = (peer: string): boolean =>
          by === 'http' || peer.startsWith('[') === (host === '::1');
        expect(peers.toSorted()).toEqual(known.filter(isKnown).toSorted());
        expect(answer.leechers).toBe(known.length + 1);
        known.push(formatEndpoint({ host, port }));
      }
    }
  });

  test.each([
    ['a Redis is killed with all that it had', false],
    ['a Redis is killed and has its log, up to a second ago', true],
  ])('%s', async (_, appendOnly) => {
    await using scratch = await openScratch();
    await using redis = await RedisServer.start({ state: scratch.path, appendOnly });
    await using one = await startTracker(redis);
    await using two = await startTracker(redis, { workers: 2 });
    const trackers = [one, two];
    const about = { hosts: HOSTS, seed: appendOnly ? 2 : 1, timeoutMs: DEADLINE_MS, retries: 0 };
    await using load = new AnnounceLoad({ ...about, trackers: () => trackers });
    for (let round = 1; round <= 2; round++) {
      await load.reach(1_500, DEADLINE_MS);
      await redis.kill();
      await say(trackers, false);
      await load.reach(1_500, DEADLINE_MS);
      await redis.start();
      await say(trackers, true);
      await load.reach(500, DEADLINE_MS);
    }
    await load.settle(DEADLINE_MS);
    expect(load.failures).toEqual([]);
    await expectShared(redis, load, trackers);
    // A thread that is still on its way to Redis brings those that it has heard of.
    const downloads = await until(() => downloadsOf(one, load), {
      deadlineMs: DEADLINE_MS,
      what: `${load.completed} downloads`,
    });
    // What one thread hears of while another one writes all again may count twice.
    const underWay = 2 * trackers.length * LANES;
    expect(downloads).toBeLessThanOrEqual(load.completed + underWay);
    for (const tracker of trackers) {
      const said = saidOf(tracker);
      expect(said.length).toBeGreaterThanOrEqual(4);
      expect(said).toEqual(said.map((__, at) => at % 2 === 1));
      expect(tracker.child.exit).toBeUndefined();
      expect(tracker.child.stderr).toBe('');
    }
  });
});

describeWith(['redis'], 'a tracker that is killed', () => {
  test('and begins anew has the swarms of the other', async () => {
    await using scratch = await openScratch();
    await using redis = await RedisServer.start({ state: scratch.path });
    await using one = await startTracker(redis, { workers: 2 });
    await using first = await startTracker(redis);
    const trackers = [one, first];
    const about = { hosts: HOSTS, seed: 3, timeoutMs: 9_000, retries: 1 };
    await using load = new AnnounceLoad({ ...about, trackers: () => trackers });
    await load.reach(1_500, DEADLINE_MS);
    first.child.kill('SIGKILL');
    await first.child.ended(DEADLINE_MS);
    await using second = await startTracker(redis, { port: first.port });
    trackers[1] = second;
    await load.reach(1_500, DEADLINE_MS);
    await load.settle(DEADLINE_MS);
    await expectShared(redis, load, trackers);
  });
});

describeWith(['redis'], 'at the start', () => {
  test('no Redis, or one that lets nobody in: one sentence, without the password', async () => {
    await using scratch = await openScratch();
    await using redis = await RedisServer.start({ state: scratch.path, password: 'open@sesame' });
    const wrong = redis.url.replace('sesame', 'barley');
    expect(await refusal(wrong)).toMatch(
      /^BIP_REDIS Redis at 127[.]0[.]0[.]1:\d+ refuses: WRONGPASS[^\n]*$/,
    );
    await redis.kill();
    const gone = `BIP_REFUSED cannot connect to Redis at 127.0.0.1:${redis.port}: the connection was refused`;
    expect(await refusal(wrong)).toBe(gone);
    expect(await refusal(redis.url, 2)).toBe(gone);
  });
});

/** Why a tracker does not begin. */
async function refusal(url: string, workers = 1): Promise<string> {
  const flags = ['--host', '127.0.0.1', '--port', '0', '--workers', String(workers)];
  await using bip = new Bip(['tracker', 'serve', ...flags, '--store', url]);
  const { exit, stderr } = await bip.ended(DEADLINE_MS);
  expect([exit.code, bip.child.stdout]).toEqual([1, '']);
  expect(stderr).not.toMatch(/sesame|barley/);
  const told = parseJson(stderr);
  return `${textAt(told, 'error', 'code')} ${textAt(told, 'error', 'message')}`;
}

const REQUEST = {
  infoHash: new InfoHash(new Uint8Array(20).fill(0xee)),
  uploaded: 0,
  downloaded: 0,
  left: 1,
  numWant: 50,
  event: 'started',
} as const;
