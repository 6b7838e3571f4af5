/** `--watch` of `tracker announce` and `tracker scrape`, in virtual time. */

import { describe, expect, test } from 'vitest';
import { Interrupted } from '../../commands/cli/context.ts';
import type { SimHost, World } from '../../src/runtime/sim/index.ts';
import { makeWorld } from '../sim/world.ts';
import { INFO_HASH } from '../tracker/samples.ts';
import { serveTracker, type TrackerHost } from '../tracker/world.ts';
import { type BipResult, runBip, type SimulatedRun } from './harness.ts';

const HASH = INFO_HASH.hex;
const MINUTE = 60_000;

class Scene {
  readonly world: World = makeWorld();
  readonly client: SimHost = this.world.host('10.0.0.1');
  readonly controller: AbortController = new AbortController();

  serve(address = '10.0.1.1'): Promise<TrackerHost> {
    return serveTracker(this.world, this.world.host(address));
  }
  /** Calls `act` at `time`. */
  at(time: number, act: () => void): void {
    this.client.runtime.clock.schedule(time, act);
  }
  interruptAt(time: number): void {
    this.at(time, () => this.controller.abort(new Interrupted('SIGINT')));
  }
  run(
    command: string,
    argv: readonly string[],
    rest: Partial<SimulatedRun> = {},
  ): Promise<BipResult> {
    return runBip({
      world: this.world,
      host: this.client,
      signal: this.controller.signal,
      argv: ['tracker', command, ...argv, '--watch'],
      ...rest,
    });
  }
}

function linesOf(stdout: string): readonly Record<string, unknown>[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => {
      const document: Record<string, unknown> = JSON.parse(line);
      return document;
    });
}

describe('announce', () => {
  test('the event first, then regular announces at the interval, `stopped` after Ctrl-C', async () => {
    const scene = new Scene();
    const { udpUrl, tiny } = await scene.serve();
    tiny.interval = 120;
    scene.interruptAt(5 * MINUTE);
    const { code, stdout } = await scene.run('announce', [udpUrl, HASH, '--json']);
    expect(code).toBe(130);
    expect(tiny.heard.map(({ event }) => event)).toEqual([
      'started',
      undefined,
      undefined,
      'stopped',
    ]);
    const lines = linesOf(stdout);
    expect(lines.map(({ type }) => type)).toEqual(['answer', 'answer', 'answer', 'end']);
    expect(lines[0]).toMatchObject({ tracker: udpUrl, interval: 120, nextMs: 120_000 });
    const times = lines.slice(0, 3).map(({ elapsedMs }) => Math.floor(Number(elapsedMs) / MINUTE));
    expect(times).toEqual([0, 2, 4]);
    expect(lines[3]).toMatchObject({ answers: 3, failures: 0 });
    expect(scene.world.open).toEqual(['10.0.1.1: UDP socket 10.0.1.1:6969']);
  });

  test('each line is there at once', async () => {
    const scene = new Scene();
    const { udpUrl } = await scene.serve();
    scene.interruptAt(MINUTE);
    const written: number[] = [];
    await scene.run('announce', [udpUrl, HASH, '--json'], {
      onWrite: () => written.push(scene.world.now),
    });
    expect(written[0]).toBeLessThan(1000);
    expect(written).toHaveLength(2);
  });

  test('--limit and --no-stop', async () => {
    const scene = new Scene();
    const { udpUrl, tiny } = await scene.serve();
    const argv = [udpUrl, HASH, '--limit', '2', '--no-stop', '--event', 'completed'];
    const { code, stdout } = await scene.run('announce', argv);
    expect(code).toBe(0);
    expect(tiny.heard.map(({ event }) => event)).toEqual(['completed', undefined]);
    expect(stdout.trimEnd().split('\n')).toHaveLength(2);
    expect(scene.world.now).toBeGreaterThan(30 * MINUTE);
    expect(scene.world.now).toBeLessThan(31 * MINUTE);
  });

  test('the least interval counts, and the `tracker id` is sent back', async () => {
    const scene = new Scene();
    const { httpUrl, tiny } = await scene.serve();
    tiny.interval = 10;
    tiny.extra = { 'min interval': 600, 'tracker id': 'tid' };
    await scene.run('announce', [httpUrl, HASH, '--limit', '2']);
    expect(scene.world.now).toBeGreaterThan(10 * MINUTE);
    expect(tiny.heard.map(({ trackerId }) => trackerId)).toEqual([undefined, 'tid', 'tid']);
  });

  test('a tracker that asks for no interval is asked once a minute', async () => {
    const scene = new Scene();
    const { udpUrl, tiny } = await scene.serve();
    tiny.interval = 0;
    await scene.run('announce', [udpUrl, HASH, '--limit', '3']);
    expect(Math.floor(scene.world.now / MINUTE)).toBe(2);
  });

  test('a tracker that fails is asked again, more and more seldom, and hears `started`', async () => {
    const scene = new Scene();
    const tracker = await scene.serve();
    tracker.deaf = true;
    scene.at(60_000, () => {
      tracker.deaf = false;
    });
    const argv = [tracker.udpUrl, HASH, '--timeout', '1s', '--retries', '0', '--limit', '4'];
    const { code, stdout } = await scene.run('announce', [...argv, '--json']);
    expect(code).toBe(0);
    const lines = linesOf(stdout);
    expect(lines.map(({ type }) => type)).toEqual([
      'failure',
      'failure',
      'failure',
      'answer',
      'end',
    ]);
    expect(lines.map(({ nextMs }) => nextMs)).toEqual([
      15_000,
      30_000,
      60_000,
      undefined,
      undefined,
    ]);
    expect(lines[0]).toMatchObject({ error: { code: 'BIP_TRACKER_TIMEOUT' } });
    expect(tracker.tiny.heard.map(({ event }) => event)).toEqual(['started', 'stopped']);
    expect(lines[4]).toMatchObject({ answers: 1, failures: 3 });
  });

  test.each([
    [5, 5 * MINUTE, 2],
    ['never', 0, 1],
  ])('`retry in` %s is respected (BEP 31)', async (retry, least, times) => {
    const scene = new Scene();
    const { httpUrl, tiny } = await scene.serve();
    tiny.refusal = 'busy';
    tiny.extra = { 'retry in': retry };
    const argv = [httpUrl, HASH, '--limit', '2', '--json'];
    const { code, stdout } = await scene.run('announce', argv);
    expect(code).toBe(1);
    const failures = linesOf(stdout).filter(({ type }) => type === 'failure');
    expect(failures).toHaveLength(times);
    expect(failures[0]).toMatchObject({
      error: { retryIn: retry === 'never' ? 'never' : Number(retry) * 60 },
    });
    expect(scene.world.now).toBeGreaterThanOrEqual(least);
    expect(scene.world.now).toBeLessThan(least + MINUTE);
  });

  test('each tracker has its own pace; a URL that cannot be used is given up', async () => {
    const scene = new Scene();
    const quick = await scene.serve();
    const slow = await scene.serve('10.0.1.2');
    quick.tiny.interval = 60;
    slow.tiny.interval = 180;
    scene.interruptAt(4 * MINUTE);
    const files = { '/list': 'http://xn--a.example/announce' };
    const argv = [quick.udpUrl, slow.udpUrl, HASH, '--from', '/list', '--json'];
    const { stdout } = await scene.run('announce', argv, { files });
    const count = (tracker: string): number =>
      linesOf(stdout).filter((line) => line['tracker'] === tracker).length;
    expect([count(quick.udpUrl), count(slow.udpUrl)]).toEqual([4, 2]);
    expect(count('http://xn--a.example/announce')).toBe(1);
    for (const { tiny } of [quick, slow]) expect(tiny.heard.at(-1)?.event).toBe('stopped');
  });

  test('on a terminal a line each, and what is waited for', async () => {
    const scene = new Scene();
    const tracker = await scene.serve();
    tracker.tiny.interval = 60;
    scene.at(90_000, () => {
      tracker.deaf = true;
    });
    const argv = [tracker.udpUrl, HASH, '--timeout', '1s', '--retries', '0', '--limit', '3'];
    const { stdout, stderr, code } = await scene.run('announce', [...argv, '--color', 'never'], {
      tty: true,
    });
    expect(code).toBe(1);
    expect(stdout).toMatchInlineSnapshot(`
      "   0.1s  udp://10.0.1.1:6969/announce  0 seeders  1 leechers  0 peers  40 ms
       1m 00s  udp://10.0.1.1:6969/announce  0 seeders  1 leechers  0 peers  40 ms
       2m 01s  udp://10.0.1.1:6969/announce  udp://10.0.1.1:6969 did not answer within 1 s (one packet sent)
      2 answers in 2m 01s, 1 without an answer
      "
    `);
    expect(stderr).toContain('next after 1m 00s; Ctrl-C ends');
  });
});

describe('scrape', () => {
  test('every --interval, but not before the tracker allows it', async () => {
    const scene = new Scene();
    const { udpUrl, httpUrl, tiny } = await scene.serve();
    tiny.extra = { flags: { min_request_interval: 600 } };
    scene.interruptAt(20 * MINUTE);
    const argv = [udpUrl, httpUrl, HASH, '--interval', '5m', '--json'];
    const { code, stdout } = await scene.run('scrape', argv);
    expect(code).toBe(130);
    const lines = linesOf(stdout);
    const count = (tracker: string): number =>
      lines.filter((line) => line['tracker'] === tracker).length;
    expect([count(udpUrl), count(httpUrl)]).toEqual([4, 2]);
    expect(lines.at(-1)).toMatchObject({ type: 'end', answers: 6, failures: 0 });
    expect(tiny.heard).toEqual([]);
  });

  test('on a terminal', async () => {
    const scene = new Scene();
    const { udpUrl } = await scene.serve();
    const argv = [udpUrl, HASH, '--limit', '2', '--color', 'never'];
    const { stdout } = await scene.run('scrape', argv, { tty: { stdout: true } });
    expect(stdout).toMatchInlineSnapshot(`
      "   0.1s  udp://10.0.1.1:6969/announce  0 seeders  0 leechers  7 completed  40 ms
      15m 00s  udp://10.0.1.1:6969/announce  0 seeders  0 leechers  7 completed  40 ms
      2 answers in 15m 00s
      "
    `);
  });
});
