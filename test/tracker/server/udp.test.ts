import { describe, expect, test } from 'vitest';
import { concatBytes } from '../../../src/base/bytes.ts';
import { Access } from '../../../src/tracker/server/access.ts';
import { parseAllowList, parseDenyList } from '../../../src/tracker/server/lists.ts';
import { EVENT } from '../../../src/tracker/server/model.ts';
import { decodeResponse, encodeUrlData, type UdpResponse } from '../../../src/tracker/udp/codec.ts';
import {
  announcePacket,
  connectPacket,
  HOME,
  hashOf,
  ip,
  scrapePacket,
  TRANSACTION,
  UdpDesk,
} from './udp-desk.ts';

const HOME_6 = '2001:4860:4860::8888';

function read(bytes: Uint8Array, family: 4 | 6 = 4): UdpResponse {
  const response = decodeResponse(bytes, family);
  expect(response.transaction).toBe(TRANSACTION);
  return response;
}

function reasonOf(bytes: Uint8Array): string {
  const response = read(bytes);
  return response.action === 'error' ? response.reason : `no error but ${response.action}`;
}

function peersOf(bytes: Uint8Array, family: 4 | 6 = 4): string[] {
  const response = read(bytes, family);
  if (response.action !== 'announce') throw new Error(`answered with ${JSON.stringify(response)}`);
  return response.peers.map(({ host, port }) => `${host} ${port}`).toSorted();
}

describe('connect (BEP 15)', () => {
  test('gets an id that the next packet is good with', () => {
    const desk = new UdpDesk();
    const answer = desk.ask(connectPacket());
    expect(answer.length).toBe(16);
    expect(read(answer).action).toBe('connect');
    expect(read(desk.ask(announcePacket(answer.slice(8)))).action).toBe('announce');
    expect(desk.counters).toMatchObject({
      connects: 1,
      announcesUdp4: 1,
      bytesIn: 114,
      bytesOut: 36,
    });
  });

  test('may be longer than it is', () => {
    expect(new UdpDesk().ask(concatBytes(connectPacket(), new Uint8Array(100))).length).toBe(16);
  });

  test('without the magic there is no answer', () => {
    const desk = new UdpDesk();
    for (let at = 0; at < 8; at++) {
      const packet = connectPacket();
      packet[at] = (packet[at] ?? 0) ^ 1;
      expect(desk.ask(packet)).toEqual(new Uint8Array(0));
    }
    expect(desk.counters).toMatchObject({ connects: 0, badRequests: 8, bytesOut: 0 });
  });

  test('port 0 cannot be answered', () => {
    expect(new UdpDesk().ask(connectPacket(), HOME, 0).length).toBe(0);
  });
});

describe('announce (BEP 15)', () => {
  test('the numbers of the swarm, and its peers of this family', () => {
    const desk = new UdpDesk();
    desk.announce({ port: 1001 }, '8.8.8.1');
    desk.announce({ port: 1002, left: 0n }, '8.8.8.2');
    desk.announce({ port: 1003 }, HOME_6);
    const answer = desk.announce();
    expect(read(answer)).toMatchObject({ intervalSeconds: 1800, seeders: 1, leechers: 3 });
    expect(peersOf(answer)).toEqual(['8.8.8.1 1001', '8.8.8.2 1002']);
    expect(peersOf(desk.announce({}, '2001:4860:4860::1'), 6)).toEqual([`${HOME_6} 1003`]);
    expect(desk.counters).toMatchObject({ announcesUdp4: 3, announcesUdp6: 2 });
  });

  test('a seed gets no seeds, and nobody itself', () => {
    const desk = new UdpDesk();
    desk.announce({ left: 0n }, '8.8.8.1');
    desk.announce({ left: 5n }, '8.8.8.2');
    expect(peersOf(desk.announce({ left: 0n }))).toEqual(['8.8.8.2 6881']);
    expect(peersOf(desk.announce({ left: 1n }))).toEqual(['8.8.8.1 6881', '8.8.8.2 6881']);
  });

  test.each([
    [1n, false],
    [1n << 32n, false],
    [0xffffffffffffffffn, false],
    [0n, true],
  ])('%i bytes left: a seed: %s', (left, seeding) => {
    const desk = new UdpDesk();
    desk.announce({ left });
    expect(desk.store.totals.seeders).toBe(seeding ? 1 : 0);
  });

  test('events move the peer', () => {
    const desk = new UdpDesk();
    desk.announce({ event: EVENT.started });
    desk.announce({ event: EVENT.completed, left: 0n });
    expect(desk.store.totals).toMatchObject({ seeders: 1, leechers: 0, completed: 1 });
    expect(peersOf(desk.announce({ event: EVENT.stopped }))).toEqual([]);
    expect(desk.store.totals).toMatchObject({ seeders: 0, leechers: 0, completed: 1 });
    expect(desk.counters).toMatchObject({ completedEvents: 1, stoppedEvents: 1 });
  });

  test('an event that is unknown is none', () => {
    const desk = new UdpDesk();
    desk.announce({ event: 77 });
    expect(desk.store.totals.leechers).toBe(1);
    expect(desk.counters).toMatchObject({ completedEvents: 0, stoppedEvents: 0 });
  });

  test.each([
    [-1, 50],
    [0, 0],
    [7, 7],
    [150, 150],
    [10_000, 150],
    [0x7fffffff, 150],
    [-0x80000000, 50],
  ])('%i peers wanted: %i given', (numWant, given) => {
    const desk = new UdpDesk({ tracker: { maxNumWant: 150 } });
    for (let peer = 0; peer < 300; peer++) {
      desk.announce({ port: 1000 + peer, numWant: 0 }, `8.8.${peer & 1}.9`);
    }
    expect(peersOf(desk.announce({ numWant })).length).toBe(given);
  });

  test('an answer fits into one packet of the internet', () => {
    const desk = new UdpDesk();
    for (let peer = 0; peer < 250; peer++) {
      desk.announce({ port: 1000 + peer, numWant: 0 }, '8.8.8.1');
      desk.announce({ port: 1000 + peer, numWant: 0 }, HOME_6);
    }
    const four = desk.announce({ numWant: 250 });
    expect([four.length, peersOf(four).length]).toEqual([20 + 200 * 6, 200]);
    const six = desk.announce({ numWant: 250 }, '2001:4860:4860::1');
    expect([six.length, peersOf(six, 6).length]).toEqual([20 + 76 * 18, 76]);
    expect(six.length).toBeLessThanOrEqual(1400);
  });

  test('each answer is written anew', () => {
    const desk = new UdpDesk();
    desk.announce({ port: 1001 }, '8.8.8.1');
    expect(peersOf(desk.announce())).toEqual(['8.8.8.1 1001']);
    expect(peersOf(desk.announce({ infoHash: hashOf(2) }))).toEqual([]);
  });

  test('the interval is stretched by chance', () => {
    const desk = new UdpDesk({ tracker: { jitter: 0.2 } });
    const intervals = Array.from({ length: 200 }, () => {
      const response = read(desk.announce());
      return response.action === 'announce' ? response.intervalSeconds : 0;
    });
    expect(Math.min(...intervals)).toBeGreaterThanOrEqual(1800);
    expect(Math.max(...intervals)).toBeLessThanOrEqual(2160);
    expect(new Set(intervals).size).toBeGreaterThan(50);
  });

  test('port 0 is refused', () => {
    const desk = new UdpDesk();
    expect(reasonOf(desk.announce({ port: 0 }))).toBe('port 0 cannot be reached');
    expect(desk.store.totals.leechers).toBe(0);
  });

  test('one that is cut is refused, once its id is known', () => {
    const desk = new UdpDesk();
    const packet = announcePacket(desk.connect());
    expect(reasonOf(desk.ask(packet.slice(0, 97)))).toBe('an announce has at least 98 bytes');
  });
});

describe('the address that an announce names', () => {
  const named = ip('9.9.9.9');
  test.each([
    ['never', HOME, '8.8.4.4'],
    ['never', '192.168.1.1', '192.168.1.1'],
    ['local', HOME, '8.8.4.4'],
    ['local', '192.168.1.1', '9.9.9.9'],
    ['local', '127.0.0.1', '9.9.9.9'],
    ['always', HOME, '9.9.9.9'],
  ] as const)('believed %s, of %s: %s', (ipParameter, from, found) => {
    const desk = new UdpDesk({ tracker: { ipParameter } });
    desk.announce({ ip: named }, from);
    expect(peersOf(desk.announce({}, '8.8.8.8'))).toEqual([`${found} 6881`]);
  });

  test('has no meaning over IPv6', () => {
    const desk = new UdpDesk({ tracker: { ipParameter: 'always' } });
    desk.announce({ ip: named }, HOME_6);
    expect(desk.store.totals).toMatchObject({ peers4: 0, peers6: 1 });
  });

  test('does not hide who asks', () => {
    const denied = parseDenyList('8.8.4.0/24').networks.handle;
    const desk = new UdpDesk({
      tracker: { ipParameter: 'always' },
      access: { denyNetworks: denied },
    });
    expect(reasonOf(desk.announce({ ip: named }))).toMatch(/^your address is not served/);
    expect(reasonOf(desk.announce({ ip: ip('8.8.4.9') }, '1.1.1.1'))).toMatch(/^your address/);
  });
});

describe('connection ids', () => {
  test('are good for two minutes', () => {
    const desk = new UdpDesk();
    const id = desk.connect();
    desk.store.setTime(120);
    expect(read(desk.ask(announcePacket(id))).action).toBe('announce');
    desk.store.setTime(121);
    expect(reasonOf(desk.ask(announcePacket(id)))).toBe(
      'connection id is unknown or too old, connect again',
    );
    expect(desk.counters.badConnectionIds).toBe(1);
  });

  test('are good for any port of their address', () => {
    const desk = new UdpDesk();
    const id = desk.connect();
    expect(read(desk.ask(announcePacket(id), HOME, 60_000)).action).toBe('announce');
    expect(read(desk.ask(announcePacket(id), '8.8.4.5')).action).toBe('error');
  });

  test('are known to another worker', () => {
    const id = new UdpDesk().connect();
    expect(read(new UdpDesk().ask(announcePacket(id))).action).toBe('announce');
  });
});

describe('scrape (BEP 15)', () => {
  test('numbers by infohash, zeros for what is unknown', () => {
    const desk = new UdpDesk();
    desk.announce({ left: 0n, event: EVENT.completed });
    desk.announce({}, '8.8.8.8');
    const answer = desk.ask(scrapePacket(desk.connect(), [hashOf(9), hashOf(1), hashOf(1)]));
    const view = new DataView(answer.buffer, answer.byteOffset, answer.length);
    expect([view.getUint32(0), view.getUint32(4), answer.length]).toEqual([2, TRANSACTION, 44]);
    const words = Array.from({ length: 9 }, (_, index) => view.getUint32(8 + 4 * index));
    // Seeders, completed, leechers.
    expect(words).toEqual([0, 0, 0, 1, 1, 1, 1, 1, 1]);
    expect(desk.counters.scrapes).toBe(1);
  });

  test.each([
    [1, 1],
    [74, 74],
    [75, 74],
    [2000, 74],
  ])('of %i infohashes: %i', (asked, answered) => {
    const desk = new UdpDesk();
    const hashes = Array.from({ length: asked }, (_, index) => hashOf(index));
    expect(desk.ask(scrapePacket(desk.connect(), hashes)).length).toBe(8 + 12 * answered);
  });

  test('of none is refused', () => {
    const desk = new UdpDesk();
    expect(reasonOf(desk.ask(scrapePacket(desk.connect(), [])))).toBe(
      'a scrape names at least one infohash',
    );
  });

  test('what is not listed counts as unknown', () => {
    const desk = new UdpDesk();
    desk.announce();
    desk.tracker.access = new Access({ allow: parseAllowList('').handle });
    const answer = desk.ask(scrapePacket(desk.connect(), [hashOf(1)]));
    expect([...answer.subarray(8)]).toEqual(Array.from({ length: 12 }, () => 0));
  });
});

describe('refusals', () => {
  test('what is not listed', () => {
    const desk = new UdpDesk({ access: { allow: parseAllowList('aa'.repeat(20)).handle } });
    expect(reasonOf(desk.announce())).toBe('this torrent is not served by this tracker');
    const infoHash = new Uint8Array(20).fill(0xaa);
    expect(read(desk.announce({ infoHash })).action).toBe('announce');
    expect(desk.counters).toMatchObject({ refusedNotListed: 1, errorsSent: 1, announcesUdp4: 1 });
  });

  test('a tracker that is full', () => {
    const desk = new UdpDesk({ limits: { maxPeers: 100 } });
    const answers = Array.from({ length: 200 }, (_, at) => read(desk.announce({ port: at + 1 })));
    expect(answers.filter(({ action }) => action === 'announce').length).toBeGreaterThan(0);
    expect(answers.at(-1)).toMatchObject({
      action: 'error',
      reason: expect.stringMatching(/no room/),
    });
    expect(desk.counters.refusedFull).toBeGreaterThan(0);
  });

  test('an action that is unknown', () => {
    const desk = new UdpDesk();
    const packet = announcePacket(desk.connect());
    packet[11] = 4;
    expect(reasonOf(desk.ask(packet))).toBe('unknown action');
  });
});

describe('private mode (BEP 27, 41)', () => {
  const passkey = 'a-passkey-of-a-member';
  test.each([
    [`/${passkey}/announce`, 'announce'],
    [`/announce?passkey=${passkey}`, 'announce'],
    [`/${'x'.repeat(300)}/announce?passkey=${passkey}`, 'announce'],
    ['/a-passkey-of-nobody/announce', 'error'],
    ['/announce', 'error'],
  ])('%s: %s', (target, action) => {
    const desk = new UdpDesk({ access: { passkeys: new Set([passkey]) } });
    expect(read(desk.announce({ options: encodeUrlData(target) })).action).toBe(action);
  });

  test('who shows none gets nothing', () => {
    const desk = new UdpDesk({ access: { passkeys: new Set([passkey]) } });
    expect(reasonOf(desk.announce())).toMatch(/^this tracker is private/);
    expect(reasonOf(desk.ask(scrapePacket(desk.connect(), [hashOf(1)])))).toMatch(/^this tracker/);
    expect(desk.counters.refusedPasskey).toBe(2);
  });

  test('elsewhere options do not matter', () => {
    const options = Uint8Array.of(9, 200, 1, 2, 3);
    expect(read(new UdpDesk().announce({ options })).action).toBe('announce');
  });
});
