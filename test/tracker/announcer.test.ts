import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import type { Endpoint } from '../../src/base/endpoint.ts';
import type { World } from '../../src/runtime/sim/index.ts';
import {
  type AnnounceRequest,
  Announcer,
  type AnnouncerEvent,
  type AnnouncerOptions,
} from '../../src/tracker/index.ts';
import { makeWorld } from '../sim/world.ts';
import { REQUEST } from './samples.ts';
import type { Heard } from './tiny-tracker.ts';
import { NEVER, serveTracker, type TrackerHost } from './world.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** One announcer at 10.0.0.1 and what it told. */
class Story {
  readonly events: AnnouncerEvent[] = [];
  readonly times: number[] = [];
  readonly peers: Endpoint[] = [];
  readonly announcer: Announcer;
  left = 100;
  readonly #world: World;

  constructor(world: World, tiers: string[][], options: Partial<AnnouncerOptions> = {}) {
    this.#world = world;
    this.announcer = new Announcer(world.host('10.0.0.1', { latencyMs: 0 }).runtime, {
      tiers,
      request: (): AnnounceRequest => ({ ...REQUEST, left: this.left }),
      onPeers: (peers) => this.peers.push(...peers),
      onEvent: (event) => {
        this.events.push(event);
        this.times.push(world.now);
      },
      signal: NEVER,
      ...options,
    });
  }
  /** Disposes the announcer, which takes virtual time. */
  async end(): Promise<void> {
    await this.#world.run(this.announcer[Symbol.asyncDispose]());
  }
  /** `tracker:event` or `tracker:event!` for failures, by the last part of the tracker's address. */
  get line(): string {
    return this.events
      .map(({ tracker, event = '-', type }) => {
        const name = /\.(\d+):/.exec(tracker)?.[1] ?? tracker;
        return `${name}:${event}${type === 'failed' ? '!' : ''}`;
      })
      .join(' ');
  }
}

async function trackers(world: World, count: number): Promise<TrackerHost[]> {
  const hosts: TrackerHost[] = [];
  for (let at = 1; at <= count; at++) {
    hosts.push(await serveTracker(world, world.host(`10.0.1.${at}`, { latencyMs: 0 })));
  }
  return hosts;
}
async function oneTracker(world: World): Promise<TrackerHost> {
  const [tracker] = await trackers(world, 1);
  if (tracker === undefined) throw new Error('there is one');
  return tracker;
}
function eventsOf(heard: readonly Heard[]): (string | undefined)[] {
  return heard.map(({ event }) => event);
}

describe('a life with one tracker', () => {
  test.each(['udpUrl', 'httpUrl'] as const)(
    '%s: started, regular, completed, stopped',
    async (url) => {
      const world = makeWorld();
      const tracker = await oneTracker(world);
      const story = new Story(world, [[tracker[url]]]);
      await world.runFor(SECOND);
      expect(eventsOf(tracker.tiny.heard)).toEqual(['started']);
      await world.runFor(30 * MINUTE);
      expect(eventsOf(tracker.tiny.heard)).toEqual(['started', undefined]);
      story.left = 0;
      story.announcer.completed();
      await world.runFor(SECOND);
      expect(tracker.tiny.heard.at(-1)).toMatchObject({ event: 'completed', left: 0 });
      await story.end();
      expect(tracker.tiny.heard.at(-1)).toMatchObject({ event: 'stopped', numWant: 0 });
      expect(tracker.tiny.heard).toHaveLength(4);
      expect(story.line).toBe('1:started 1:- 1:completed 1:stopped');
      expect(tracker.tiny.swarms.get(REQUEST.infoHash.hex)?.size).toBe(0);
      expect(new Set(tracker.tiny.heard.map(({ key }) => key)).size).toBe(1);
      expect(world.open).toHaveLength(1);
    },
  );

  test.each([
    [440, 440],
    [1200, 1200],
    [1800, 1800],
    [0, 60],
    [59, 60],
    [4_000_000_000, 86_400],
  ])('an interval of %i s is kept as %i s', async (interval, seconds) => {
    const world = makeWorld();
    const tracker = await oneTracker(world);
    tracker.tiny.interval = interval;
    const story = new Story(world, [[tracker.udpUrl]]);
    await world.runFor(3 * seconds * SECOND + SECOND);
    expect(story.times.map((at) => Math.round(at / SECOND))).toEqual(
      [0, 1, 2, 3].map((n) => n * seconds),
    );
    await story.end();
  });

  test('never before `min interval`', async () => {
    const world = makeWorld();
    const tracker = await oneTracker(world);
    tracker.tiny.interval = 100;
    tracker.tiny.extra = { 'min interval': 300 };
    const story = new Story(world, [[tracker.httpUrl]]);
    await world.runFor(301 * SECOND);
    expect(story.times.map((at) => Math.round(at / SECOND))).toEqual([0, 300]);
    await story.end();
  });

  test('the tracker id is sent back, and kept when not repeated', async () => {
    const world = makeWorld();
    const tracker = await oneTracker(world);
    tracker.tiny.extra = { 'tracker id': Uint8Array.of(0x41, 0xff) };
    const story = new Story(world, [[tracker.httpUrl]]);
    await world.runFor(SECOND);
    tracker.tiny.extra = {};
    await world.runFor(2 * 30 * MINUTE);
    expect(story.events).toHaveLength(3);
    expect(tracker.tiny.heard.map(({ trackerId }) => trackerId)).toEqual([
      undefined,
      'A%FF',
      'A%FF',
    ]);
    await story.end();
  });

  test('peers come by callback', async () => {
    const world = makeWorld();
    const tracker = await oneTracker(world);
    tracker.tiny.swarms.set(
      REQUEST.infoHash.hex,
      new Map([['x', { endpoint: { host: '10.9.9.9', port: 9 }, seed: true }]]),
    );
    const story = new Story(world, [[tracker.udpUrl]]);
    await world.runFor(SECOND);
    expect(story.peers).toContainEqual({ host: '10.9.9.9', port: 9 });
    await story.end();
  });

  test('completed while an announce is under way comes right after it', async () => {
    const world = makeWorld();
    const tracker = await oneTracker(world);
    const story = new Story(world, [[tracker.udpUrl]]);
    story.announcer.completed();
    await world.runFor(SECOND);
    expect(story.line).toBe('1:started 1:completed');
    await world.runFor(31 * MINUTE);
    expect(story.line).toBe('1:started 1:completed 1:-');
    await story.end();
  });

  test('no trackers: nothing happens and nothing hangs', async () => {
    const world = makeWorld();
    const story = new Story(world, []);
    await world.runFor(MINUTE);
    await story.end();
    expect(story.events).toEqual([]);
    world.assertClosed();
  });
});

describe('tiers (BEP 12)', () => {
  test('the next tier only when nobody in the first answers; who answers goes first', async () => {
    const world = makeWorld();
    const [a, b, c] = await trackers(world, 3);
    if (a === undefined || b === undefined || c === undefined) throw new Error('there are three');
    a.tiny.refusal = 'no';
    b.tiny.refusal = 'no';
    const story = new Story(world, [[a.udpUrl, b.httpUrl], [c.udpUrl]]);
    await world.runFor(SECOND);
    expect(story.line.split(' ').toSorted()).toEqual(['1:started!', '2:started!', '3:started']);
    expect(story.line).toMatch(/3:started$/);
    b.tiny.refusal = undefined;
    await world.runFor(30 * MINUTE);
    expect(story.line).toMatch(/ 2:started$/);
    await world.runFor(30 * MINUTE);
    expect(story.line).toMatch(/ 2:started 2:-$/);
    await story.end();
    expect(story.line.split(' ').slice(-2).toSorted()).toEqual(['2:stopped', '3:stopped']);
    expect(eventsOf(a.tiny.heard)).toEqual([]);
  });

  test('a silent tracker costs 30 s', async () => {
    const world = makeWorld();
    const tracker = await oneTracker(world);
    const story = new Story(world, [['udp://10.7.7.7:1/announce'], [tracker.udpUrl]]);
    await world.runFor(31 * SECOND);
    expect(story.line).toBe('7:started! 1:started');
    expect(story.times).toEqual([30_000, 30_000]);
    await story.end();
  });

  test('every tier on its own when asked for', async () => {
    const world = makeWorld();
    const [a, b] = await trackers(world, 2);
    if (a === undefined || b === undefined) throw new Error('there are two');
    b.tiny.interval = 600;
    const story = new Story(world, [[a.udpUrl], [b.udpUrl]], { everyTier: true });
    await world.runFor(601 * SECOND);
    expect(story.line.split(' ').toSorted()).toEqual(['1:started', '2:-', '2:started']);
    await story.end();
  });
});

describe('failures', () => {
  test('back-off from 15 s, doubling to 30 minutes; then life goes on', async () => {
    const world = makeWorld();
    const tracker = await oneTracker(world);
    tracker.tiny.refusal = 'busy';
    const story = new Story(world, [[tracker.udpUrl]]);
    await world.runFor(2.3 * 60 * MINUTE);
    const seconds = story.times.map((at) => Math.round(at / SECOND));
    const waits = seconds.slice(1).map((at, index) => at - (seconds[index] ?? 0));
    expect(waits).toEqual([15, 30, 60, 120, 240, 480, 960, 1800, 1800, 1800]);
    tracker.tiny.refusal = undefined;
    await world.runFor(31 * MINUTE);
    expect(story.line).toMatch(/1:started! 1:started$/);
    tracker.tiny.refusal = 'busy again';
    await world.runFor(31 * MINUTE);
    const again = story.line.split(' ').indexOf('1:-!');
    const [first = 0, second = 0, third = 0] = story.times.slice(again);
    expect([second - first, third - second].map((ms) => Math.round(ms / SECOND))).toEqual([15, 30]);
    await story.end();
  });

  test('a refusal with `retry in` is obeyed (BEP 31)', async () => {
    const world = makeWorld();
    const tracker = await oneTracker(world);
    tracker.tiny.refusal = 'later';
    tracker.tiny.extra = { 'retry in': 10 };
    const story = new Story(world, [[tracker.httpUrl]]);
    await world.runFor(10 * MINUTE + SECOND);
    expect(story.times.map((at) => Math.round(at / SECOND))).toEqual([0, 600]);
    await story.end();
  });

  test('`retry in` never is never, also after completed', async () => {
    const world = makeWorld();
    const tracker = await oneTracker(world);
    tracker.tiny.refusal = 'go away';
    tracker.tiny.extra = { 'retry in': 'never' };
    const story = new Story(world, [[tracker.httpUrl]]);
    await world.runFor(48 * 60 * MINUTE);
    story.announcer.completed();
    await world.runFor(48 * 60 * MINUTE);
    expect(story.line).toBe('1:started!');
    await story.end();
    expect(world.open).toHaveLength(1);
  });

  test('a URL that must not be used is a failure, not the end', async () => {
    const world = makeWorld();
    const tracker = await oneTracker(world);
    const story = new Story(world, [['ftp://x.example'], [tracker.udpUrl]]);
    await world.runFor(SECOND);
    expect(story.events[0]).toMatchObject({ type: 'failed', error: { code: 'BIP_TRACKER_URL' } });
    expect(story.events[1]).toMatchObject({ type: 'announced' });
    await story.end();
  });

  test('a WebSocket tracker is told of once and never asked: its peers are of no use', async () => {
    const world = makeWorld();
    const tracker = await oneTracker(world);
    const story = new Story(world, [['wss://x.example', 'WS://x.example'], [tracker.udpUrl]]);
    await world.runFor(3 * 60 * MINUTE);
    const failures = story.events.filter(({ type }) => type === 'failed');
    expect(failures).toMatchObject([
      { error: { code: 'BIP_TRACKER_WEBRTC', message: expect.stringContaining('WebRTC') } },
      { error: { code: 'BIP_TRACKER_WEBRTC' } },
    ]);
    expect(tracker.tiny.heard.length).toBeGreaterThan(3);
    await story.end();
  });

  test('a tracker that moved is found by DNS (BEP 34)', async () => {
    const world = makeWorld();
    const tracker = await oneTracker(world);
    world.names.set('t.example', [new URL(tracker.httpUrl).hostname]);
    world.names.setTexts('t.example', ['BITTORRENT UDP:6969']);
    const story = new Story(world, [['http://t.example/announce']]);
    await world.runFor(SECOND);
    expect(tracker.tiny.heard).toMatchObject([{ over: 'udp', event: 'started' }]);
    await story.end();
    expect(tracker.tiny.heard[1]).toMatchObject({ over: 'udp', event: 'stopped' });
  });
});

describe('the end', () => {
  test('a tracker that went silent is not waited for longer than 5 s', async () => {
    const world = makeWorld();
    const tracker = await oneTracker(world);
    const story = new Story(world, [[tracker.udpUrl]]);
    await world.runFor(SECOND);
    tracker.deaf = true;
    await story.end();
    expect(world.now).toBe(6 * SECOND);
    expect(story.line).toBe('1:started 1:stopped!');
  });

  test('who never accepted us is not told', async () => {
    const world = makeWorld();
    const tracker = await oneTracker(world);
    tracker.deaf = true;
    const story = new Story(world, [[tracker.udpUrl]]);
    await world.runFor(SECOND);
    await story.end();
    expect(world.now).toBe(SECOND);
    expect(story.events).toEqual([]);
  });

  test.each(['udpUrl', 'httpUrl'] as const)(
    '%s: right after completed the tracker hears of both, each once',
    async (url) => {
      const world = makeWorld();
      const tracker = await oneTracker(world);
      const story = new Story(world, [[tracker[url]]]);
      await world.runFor(SECOND);
      story.left = 0;
      story.announcer.completed();
      await story.end();
      expect(eventsOf(tracker.tiny.heard)).toEqual(['started', 'completed', 'stopped']);
      expect(tracker.tiny.heard[1]).toMatchObject({ left: 0 });
      expect(story.line).toBe('1:started 1:completed 1:stopped');
    },
  );

  test.each(['udpUrl', 'httpUrl'] as const)(
    '%s: completed that is under way is not cut off, and not said twice',
    async (url) => {
      const world = makeWorld();
      const host = world.host('10.0.1.1', { latencyMs: 200 });
      const tracker = await serveTracker(world, host);
      const story = new Story(world, [[tracker[url]]]);
      await world.runFor(2 * SECOND);
      story.announcer.completed();
      await world.runFor(100);
      await story.end();
      expect(eventsOf(tracker.tiny.heard)).toEqual(['started', 'completed', 'stopped']);
      expect(world.now).toBeLessThan(7 * SECOND);
      expect(world.open).toHaveLength(1);
    },
  );

  test.each([0, 100])(
    'a tracker that went silent %i ms after completed has 5 s for all of the goodbye',
    async (later) => {
      const world = makeWorld();
      const tracker = await oneTracker(world);
      const story = new Story(world, [[tracker.udpUrl]]);
      await world.runFor(SECOND);
      tracker.deaf = true;
      story.announcer.completed();
      await world.runFor(later);
      await story.end();
      expect(world.now).toBe(6 * SECOND + later);
      expect(story.line).toBe('1:started 1:completed!');
      expect(story.events.at(-1)).toMatchObject({
        error: {
          code: 'BIP_TRACKER_TIMEOUT',
          message: expect.stringContaining('10.0.1.1:6969 did not answer within 5 s'),
        },
      });
      expect(world.open).toHaveLength(1);
    },
  );

  test('of several trackers that know us one counts the completed, all hear stopped', async () => {
    const world = makeWorld();
    const [a, b] = await trackers(world, 2);
    if (a === undefined || b === undefined) throw new Error('there are two');
    const story = new Story(world, [[a.udpUrl], [b.udpUrl]]);
    await world.runFor(SECOND);
    a.tiny.refusal = 'busy';
    await world.runFor(31 * MINUTE);
    expect(story.line).toBe('1:started 1:-! 2:started');
    a.tiny.refusal = undefined;
    story.announcer.completed();
    await story.end();
    const said = [a, b].flatMap(({ tiny }) => eventsOf(tiny.heard));
    expect(said.filter((event) => event === 'completed')).toHaveLength(1);
    expect(said.filter((event) => event === 'stopped')).toHaveLength(2);
  });

  test('an abort ends the announcing, the disposal still says stopped; twice is fine', async () => {
    const world = makeWorld();
    const tracker = await oneTracker(world);
    const controller = new AbortController();
    const story = new Story(world, [[tracker.udpUrl]], { signal: controller.signal });
    await world.runFor(SECOND);
    controller.abort(new Error('Ctrl-C'));
    await world.runFor(60 * MINUTE);
    expect(story.line).toBe('1:started');
    await Promise.all([story.end(), story.end()]);
    expect(story.line).toBe('1:started 1:stopped');
    await story.end();
    expect(story.line).toBe('1:started 1:stopped');
    expect(world.open).toHaveLength(1);
  });

  test('no listener stays on the signal', async () => {
    const world = makeWorld();
    const tracker = await oneTracker(world);
    const { signal } = new AbortController();
    const story = new Story(world, [[tracker.udpUrl]], { signal });
    await world.runFor(40 * MINUTE);
    await story.end();
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  test('a signal aborted before asks nobody', async () => {
    const world = makeWorld();
    const tracker = await oneTracker(world);
    const controller = new AbortController();
    controller.abort(new Error('no'));
    const story = new Story(world, [[tracker.udpUrl]], { signal: controller.signal });
    await world.runFor(SECOND);
    await story.end();
    expect(tracker.packets).toEqual([]);
  });

  test('same seed, same trace', async () => {
    const trace = async (): Promise<unknown> => {
      const world = makeWorld({ seed: 3, keepLines: true });
      const hosts = await trackers(world, 3);
      const story = new Story(world, [hosts.map(({ udpUrl }) => udpUrl)]);
      await world.runFor(2 * 60 * MINUTE);
      await story.end();
      return [story.line, world.trace.lines];
    };
    expect(await trace()).toEqual(await trace());
  });
});
