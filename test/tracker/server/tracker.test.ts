import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InvariantError } from '../../../src/base/errors.ts';
import { RateLimiter } from '../../../src/runtime/rate-limiter.ts';
import { SeededRandom } from '../../../src/runtime/sim/seeded-random.ts';
import { Access } from '../../../src/tracker/server/access.ts';
import { parseAllowList } from '../../../src/tracker/server/lists.ts';
import {
  createAnswer,
  EVENT,
  type IncomingAnnounce,
  type RemoteSwarms,
} from '../../../src/tracker/server/model.ts';
import { REFUSAL_TEXT, type TrackerDeps } from '../../../src/tracker/server/tracker.ts';
import { hashOf, ip, UdpDesk } from './udp-desk.ts';

function call(changes: Partial<IncomingAnnounce> = {}): IncomingAnnounce {
  return {
    infoHash: hashOf(1),
    peerId: hashOf(2),
    address: ip('8.8.4.4'),
    port: 6881,
    seeding: false,
    event: EVENT.none,
    numWant: 50,
    ...changes,
  };
}

function limiter(): RateLimiter {
  const limits = { perSecond: 1, burst: 3, networkPerSecond: 100, networkBurst: 100 };
  return new RateLimiter(limits, new SeededRandom(1));
}

/** Swarms that know everything about 7. */
const sevens: RemoteSwarms = {
  up: true,
  pending: 0,
  announce: () => Promise.resolve({ ...createAnswer(), seeders: 7, local: false }),
  scrape: (infoHashes) =>
    Promise.resolve(infoHashes.map(() => ({ seeders: 7, leechers: 7, completed: 7 }))),
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

describe('announces', () => {
  test('fill the answer of the tracker, or another one', () => {
    const { tracker } = new UdpDesk();
    expect(tracker.announce(call(), 'both-families', undefined)).toBeUndefined();
    expect(tracker.answer.leechers).toBe(1);
    const other = createAnswer();
    expect(tracker.announce(call({ port: 1 }), 'both-families', undefined, other)).toBeUndefined();
    expect([other.leechers, other.count4, tracker.answer.leechers]).toEqual([2, 1, 1]);
  });

  test('new lists count at once', () => {
    const { tracker } = new UdpDesk();
    tracker.access = new Access({ allow: parseAllowList('').handle });
    expect(tracker.announce(call(), 'both-families', undefined)).toBe('not-listed');
    tracker.access = new Access();
    expect(tracker.announce(call(), 'both-families', undefined)).toBeUndefined();
  });

  test('are told with what became of them, whoever keeps the swarms', () => {
    for (const remote of [undefined, sevens]) {
      const told: unknown[] = [];
      const onAnnounce: TrackerDeps['onAnnounce'] = ({ port }, wanted, refusal) =>
        told.push([port, wanted, refusal]);
      const { tracker } = new UdpDesk({
        deps: { onAnnounce, ...(remote === undefined ? {} : { remote }) },
      });
      const ask = (port: number): unknown =>
        remote === undefined
          ? tracker.announce(call({ port }), 'both-families', undefined)
          : tracker.announceRemote(call({ port }), 'same-family', undefined);
      ask(1);
      tracker.access = new Access({ allow: parseAllowList('').handle });
      ask(2);
      const wanted = remote === undefined ? 'both-families' : 'same-family';
      expect(told).toEqual([
        [1, wanted, undefined],
        [2, wanted, 'not-listed'],
      ]);
    }
  });

  test('limits are those of who asks, not of where it says that it is', () => {
    const desk = new UdpDesk({ deps: { limiter: limiter() } });
    const { tracker } = desk;
    const refusals = Array.from({ length: 5 }, (_, index) =>
      tracker.announce(
        call({ sender: ip('8.8.8.8'), address: ip(`9.9.9.${index}`) }),
        'both-families',
        undefined,
      ),
    );
    expect(refusals).toEqual([undefined, undefined, undefined, 'rate', 'rate']);
    expect(tracker.announce(call({ address: ip('9.9.9.9') }), 'both-families', undefined)).toBe(
      undefined,
    );
    expect(desk.counters.refusedRate).toBe(2);
  });

  test('what is refused by a list costs nothing of the limit', () => {
    const { tracker } = new UdpDesk({ deps: { limiter: limiter() } });
    tracker.access = new Access({ allow: parseAllowList('').handle });
    for (let count = 0; count < 10; count++) tracker.announce(call(), 'both-families', undefined);
    tracker.access = new Access();
    expect(tracker.announce(call(), 'both-families', undefined)).toBeUndefined();
  });

  test('events are counted when they are taken', () => {
    const desk = new UdpDesk();
    for (const event of [EVENT.completed, EVENT.stopped, EVENT.stopped, EVENT.none]) {
      desk.tracker.announce(call({ event }), 'both-families', undefined);
    }
    desk.tracker.access = new Access({ allow: parseAllowList('').handle });
    desk.tracker.announce(call({ event: EVENT.completed }), 'both-families', undefined);
    expect(desk.counters).toMatchObject({
      completedEvents: 1,
      stoppedEvents: 2,
      refusedNotListed: 1,
    });
  });
});

describe('shared swarms', () => {
  test('answer what the tracker itself does not know', async () => {
    const { tracker, store } = new UdpDesk({ deps: { remote: sevens } });
    const answer = tracker.announceRemote(call(), 'both-families', undefined);
    expect(await answer).toMatchObject({ seeders: 7, local: false });
    expect(store.totals.leechers).toBe(1);
  });

  test('are not asked what is refused', () => {
    const { tracker, store } = new UdpDesk({ deps: { remote: sevens } });
    tracker.access = new Access({ allow: parseAllowList('').handle });
    expect(tracker.announceRemote(call(), 'both-families', undefined)).toBe('not-listed');
    expect(store.totals.leechers).toBe(0);
  });

  test('scrapes hide what is not listed', async () => {
    const { tracker } = new UdpDesk({ deps: { remote: sevens } });
    tracker.access = new Access({ allow: parseAllowList('aa'.repeat(20)).handle });
    expect(await tracker.scrapeRemote([hashOf(1), new Uint8Array(20).fill(0xaa)])).toEqual([
      { seeders: 0, leechers: 0, completed: 0 },
      { seeders: 7, leechers: 7, completed: 7 },
    ]);
  });

  test('a tracker without them cannot ask them', () => {
    const { tracker } = new UdpDesk();
    expect(tracker.remote).toBeUndefined();
    expect(() => tracker.announceRemote(call(), 'both-families', undefined)).toThrow(
      InvariantError,
    );
  });
});

describe('scrapes', () => {
  test('numbers of what is known', () => {
    const { tracker } = new UdpDesk();
    tracker.announce(call({ seeding: true }), 'both-families', undefined);
    const counts = { seeders: 9, leechers: 9, completed: 9 };
    expect(tracker.scrape(hashOf(1), counts)).toBe(true);
    expect(counts).toEqual({ seeders: 1, leechers: 0, completed: 0 });
    expect(tracker.scrape(hashOf(5), counts)).toBe(false);
    expect(counts).toEqual({ seeders: 0, leechers: 0, completed: 0 });
  });

  test('what was listed once is unknown', () => {
    const { tracker } = new UdpDesk();
    tracker.announce(call({ seeding: true }), 'both-families', undefined);
    tracker.access = new Access({ allow: parseAllowList('').handle });
    const counts = { seeders: 9, leechers: 9, completed: 9 };
    expect(tracker.scrape(hashOf(1), counts)).toBe(false);
    expect(counts).toEqual({ seeders: 0, leechers: 0, completed: 0 });
  });

  test('private trackers want a passkey', () => {
    const passkey = 'a-passkey-of-a-member';
    const { tracker } = new UdpDesk({ access: { passkeys: new Set([passkey]) } });
    expect(tracker.refusesScrape(ip('8.8.8.8'), undefined)).toBe('passkey');
    expect(tracker.refusesScrape(ip('8.8.8.8'), passkey)).toBeUndefined();
  });
});

describe('policy', () => {
  test('intervals stay between the one that was asked for and its stretch', () => {
    fc.assert(
      fc.property(fc.integer({ min: 60, max: 7200 }), fc.nat(50), (intervalSeconds, percent) => {
        const jitter = percent / 100;
        const { tracker } = new UdpDesk({
          tracker: { intervalSeconds, jitter, minIntervalSeconds: 30 },
        });
        for (let count = 0; count < 20; count++) {
          const next = tracker.nextIntervalSeconds();
          expect(Number.isInteger(next)).toBe(true);
          expect(next).toBeGreaterThanOrEqual(intervalSeconds);
          expect(next).toBeLessThanOrEqual(Math.ceil(intervalSeconds * (1 + jitter)));
        }
      }),
    );
  });

  test('no interval is below the least one', () => {
    const { tracker } = new UdpDesk({ tracker: { intervalSeconds: 10, minIntervalSeconds: 60 } });
    expect(tracker.nextIntervalSeconds()).toBe(60);
  });

  test.each([
    [-1, 50],
    [0, 0],
    [80, 80],
    [81, 80],
  ])('who wants %i peers gets %i at most', (wanted, given) => {
    expect(new UdpDesk({ tracker: { maxNumWant: 80 } }).tracker.numWant(wanted)).toBe(given);
  });

  test.each([
    ['local', '10.1.2.3', true],
    ['local', '127.0.0.1', true],
    ['local', 'fe80::1', true],
    ['local', '8.8.8.8', false],
    ['local', '2001:4860:4860::1', false],
    ['never', '127.0.0.1', false],
    ['always', '8.8.8.8', true],
  ] as const)('%s: the word of %s counts: %s', (ipParameter, sender, believed) => {
    const { tracker } = new UdpDesk({ tracker: { ipParameter } });
    expect(tracker.believes(ip(sender))).toBe(believed);
  });

  test('every refusal is a line of ASCII that fits into a packet', () => {
    for (const text of Object.values(REFUSAL_TEXT)) expect(text).toMatch(/^[\x20-\x7e]{10,100}$/);
  });
});
