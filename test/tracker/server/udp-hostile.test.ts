import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatBytes } from '../../../src/base/bytes.ts';
import { RateLimiter, type RateLimits } from '../../../src/runtime/rate-limiter.ts';
import { SeededRandom } from '../../../src/runtime/sim/seeded-random.ts';
import { prefixes } from '../samples.ts';
import {
  announcePacket,
  connectPacket,
  HOME,
  hashOf,
  scrapePacket,
  TRANSACTION,
  UdpDesk,
} from './udp-desk.ts';

const LIMITS: RateLimits = { perSecond: 10, burst: 20, networkPerSecond: 50, networkBurst: 100 };

function limiter(limits: Partial<RateLimits> = {}): RateLimiter {
  return new RateLimiter({ ...LIMITS, ...limits }, new SeededRandom(3));
}

/** Head of an answer; `undefined` for silence. */
function headOf(answer: Uint8Array): { action: number; transaction: number } | undefined {
  if (answer.length === 0) return undefined;
  const view = new DataView(answer.buffer, answer.byteOffset, answer.length);
  return { action: view.getUint32(0), transaction: view.getUint32(4) };
}

/** Random bytes, and packets that are nearly right. */
const packets = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc
    .record({
      connection: fc.uint8Array({ minLength: 8, maxLength: 8 }),
      action: fc.nat(4),
      rest: fc.uint8Array({ maxLength: 1500 }),
    })
    .map(({ connection, action, rest }) =>
      concatBytes(connection, Uint8Array.of(0, 0, 0, action, 1, 2, 3, 4), rest),
    ),
  fc.uint8Array({ maxLength: 40 }).map((rest) => concatBytes(connectPacket(), rest)),
);

describe('packets of anybody', () => {
  test('no answer is longer than its question before the sender is known', () => {
    const desk = new UdpDesk();
    desk.announce();
    fc.assert(
      fc.property(packets, fc.boolean(), (packet, overIpv6) => {
        const answer = desk.ask(packet, overIpv6 ? '2001:4860:4860::1' : '8.8.8.8');
        expect(answer.length).toBeLessThanOrEqual(packet.length);
      }),
      { numRuns: 2000 },
    );
    expect(desk.counters).toMatchObject({ announcesUdp4: 1, scrapes: 0 });
    expect(desk.counters.badConnectionIds).toBeGreaterThan(100);
  });

  test.each([
    ['an announce', announcePacket(new Uint8Array(8)), 'connection id is unknown or too old'],
    ['a scrape of one', scrapePacket(new Uint8Array(8), [hashOf(1)]), 'connect again'],
    ['a scrape of three', scrapePacket(new Uint8Array(8), [1, 2, 3].map(hashOf)), 'connection id'],
    ['a scrape of none', scrapePacket(new Uint8Array(8), []), ''],
  ])('%s without an id: told in fewer bytes', (_, packet, words) => {
    const answer = new UdpDesk().ask(packet);
    expect(answer.length).toBeLessThan(packet.length);
    expect(new TextDecoder().decode(answer.subarray(8))).toContain(words);
    expect(answer.length === 0).toBe(words === '');
  });

  test('every prefix of every packet is answered or not, by its transaction', () => {
    const desk = new UdpDesk();
    const id = desk.connect();
    for (const whole of [
      connectPacket(),
      announcePacket(id, { options: Uint8Array.of(2, 3, 65, 66, 67) }),
      scrapePacket(id, [hashOf(1), hashOf(2)]),
    ]) {
      for (const prefix of prefixes(whole)) {
        const head = headOf(desk.ask(prefix));
        if (prefix.length < 16) expect(head).toBeUndefined();
        expect(head?.transaction ?? TRANSACTION).toBe(TRANSACTION);
      }
    }
  });

  test('those with an id are answered always, whatever else they hold', () => {
    const desk = new UdpDesk({
      access: { passkeys: new Set(['a-passkey-of-a-member']) },
      tracker: { ipParameter: 'always' },
    });
    const open = new UdpDesk({ tracker: { ipParameter: 'always' } });
    const id = desk.connect();
    fc.assert(
      fc.property(fc.nat(5), fc.uint8Array({ maxLength: 1500 }), (action, rest) => {
        const packet = concatBytes(id, Uint8Array.of(0, 0, 0, action, 9, 9, 9, 9), rest);
        for (const server of [desk, open]) {
          const head = headOf(server.ask(packet));
          // As a connect it lacks the magic.
          expect(head?.transaction).toBe(action === 0 ? undefined : 0x09090909);
        }
      }),
      { numRuns: 2000 },
    );
    expect(desk.store.totals).toMatchObject({ swarms: 0, peers4: 0 });
  });
});

describe('floods', () => {
  test('memory does not grow with packets that are not announces', () => {
    const desk = new UdpDesk({ server: { strangers: limiter() } });
    const random = new SeededRandom(11);
    const before = desk.store.totals.bytesReserved;
    for (let packet = 0; packet < 50_000; packet++) {
      const bytes = random.bytes(random.below(120));
      desk.ask(bytes, `8.${random.below(256)}.${random.below(256)}.${random.below(256)}`);
      if (packet % 100 === 0) desk.clock.at += 1;
    }
    expect(desk.store.totals).toMatchObject({ swarms: 0, peers4: 0, bytesReserved: before });
  });

  test('announces of random swarms stop where the limits are', () => {
    const desk = new UdpDesk({ limits: { maxPeers: 500, maxSwarms: 200 } });
    const random = new SeededRandom(12);
    const id = desk.connect();
    const announce = (): void => {
      desk.ask(announcePacket(id, { infoHash: random.bytes(20), port: 1 + random.below(60_000) }));
    };
    for (let count = 0; count < 2000; count++) announce();
    const { bytesReserved } = desk.store.totals;
    for (let count = 0; count < 20_000; count++) announce();
    expect(desk.store.totals.swarms).toBeLessThanOrEqual(200);
    expect(desk.store.totals.bytesReserved).toBe(bytesReserved);
    expect(desk.counters.refusedFull).toBeGreaterThan(10_000);
  });

  test('a forged flood of connects is not reflected beyond the limit', () => {
    const desk = new UdpDesk({ server: { strangers: limiter() } });
    let answered = 0;
    for (let packet = 0; packet < 10_000; packet++) {
      desk.clock.at += 1;
      if (desk.ask(connectPacket(), '9.9.9.9').length > 0) answered++;
    }
    // Ten seconds.
    expect(answered).toBeLessThanOrEqual(20 + 100 + 1);
    expect(desk.counters.droppedByRate).toBe(10_000 - answered);
    expect(desk.ask(connectPacket(), HOME).length).toBe(16);
  });

  test('forged packets do not use up what the one whose address they bear is allowed', () => {
    const desk = new UdpDesk({ server: { strangers: limiter() }, deps: { limiter: limiter() } });
    const id = desk.connect();
    for (let packet = 0; packet < 1000; packet++) {
      desk.ask(connectPacket());
      desk.ask(announcePacket(new Uint8Array(8)));
    }
    expect(headOf(desk.ask(announcePacket(id)))?.action).toBe(1);
  });

  test('who announces too much is not answered, and others are as before', () => {
    const desk = new UdpDesk({ deps: { limiter: limiter() } });
    const loud = desk.connect('9.9.9.9');
    const quiet = desk.connect();
    let [answered, refused] = [0, 0];
    for (let second = 0; second < 30; second++) {
      desk.clock.at += 1000;
      for (let packet = 0; packet < 500; packet++) {
        if (desk.ask(announcePacket(loud), '9.9.9.9').length > 0) answered++;
      }
      if (headOf(desk.ask(announcePacket(quiet)))?.action !== 1) refused++;
    }
    expect(refused).toBe(0);
    expect(answered).toBeLessThanOrEqual(20 + 300);
    expect(desk.counters).toMatchObject({
      droppedByRate: 30 * 500 - answered,
      refusedRate: 30 * 500 - answered,
    });
  });

  test('scrapes are limited, too', () => {
    const desk = new UdpDesk({ deps: { limiter: limiter() } });
    const packet = scrapePacket(desk.connect(), [hashOf(1)]);
    const answers = Array.from({ length: 100 }, () => desk.ask(packet).length);
    expect(answers.filter((length) => length > 0).length).toBe(20);
  });

  test('whoever is at the same machine is not limited', () => {
    const desk = new UdpDesk({ deps: { limiter: limiter() }, server: { strangers: limiter() } });
    for (let count = 0; count < 200; count++) {
      expect(headOf(desk.announce({}, '127.0.0.1'))?.action).toBe(1);
    }
  });
});
