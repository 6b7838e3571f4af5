import { describe, expect, test } from 'vitest';
import { formatIp } from '../../../src/base/ip.ts';
import {
  createAnswer,
  type IncomingAnnounce,
  type RemoteAnswer,
  type RemoteSwarms,
  type SwarmCounts,
} from '../../../src/tracker/server/model.ts';
import { decodeResponse } from '../../../src/tracker/udp/codec.ts';
import {
  announcePacket,
  connectPacket,
  HOME,
  hashOf,
  scrapePacket,
  TRANSACTION,
  UdpDesk,
} from './udp-desk.ts';

/** Swarms that answer when the test says so. */
class SlowSwarms implements RemoteSwarms {
  readonly up = true;
  pending = 0;
  readonly asked: { announce: IncomingAnnounce; answer: (answer: RemoteAnswer) => void }[] = [];
  readonly scraped: {
    infoHashes: readonly Uint8Array[];
    answer: (swarms: readonly SwarmCounts[]) => void;
  }[] = [];

  announce(announce: IncomingAnnounce): Promise<RemoteAnswer> {
    const { promise, resolve } = Promise.withResolvers<RemoteAnswer>();
    const copy = { ...announce, infoHash: announce.infoHash.slice() };
    this.asked.push({ announce: copy, answer: resolve });
    return promise;
  }

  scrape(infoHashes: readonly Uint8Array[]): Promise<readonly SwarmCounts[]> {
    const { promise, resolve } = Promise.withResolvers<readonly SwarmCounts[]>();
    this.scraped.push({ infoHashes, answer: resolve });
    return promise;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}

interface Sent {
  readonly bytes: Uint8Array;
  readonly to: string;
}

function openDesk(): { desk: UdpDesk; remote: SlowSwarms; sent: Sent[] } {
  const remote = new SlowSwarms();
  const sent: Sent[] = [];
  const desk = new UdpDesk({
    deps: { remote },
    server: {
      send: (bytes, address, port) =>
        sent.push({ bytes: bytes.slice(), to: `${formatIp(address)} ${port}` }),
    },
  });
  return { desk, remote, sent };
}

/** An answer with `count` peers of each family, that of number `n` at port `first + n`. */
function answerOf(count: number, first: number): RemoteAnswer {
  const answer = { ...createAnswer(), local: false, seeders: 3, leechers: 4 };
  answer.count4 = count;
  answer.count6 = count;
  for (let index = 0; index < count; index++) {
    const port = [(first + index) >>> 8, (first + index) & 0xff];
    answer.peers4.set([8, 8, 8, 8, ...port], 6 * index);
    answer.peers6.set([32, 1, ...new Uint8Array(14), ...port], 18 * index);
  }
  return answer;
}

async function turn(): Promise<void> {
  for (let count = 0; count < 5; count++) await Promise.resolve();
}

describe('shared swarms over UDP', () => {
  test('connects are answered at once, announces when the swarms have answered', async () => {
    const { desk, remote, sent } = openDesk();
    expect(desk.ask(connectPacket()).length).toBe(16);
    expect(desk.announce().length).toBe(0);
    await turn();
    expect(sent).toEqual([]);
    remote.asked[0]?.answer(answerOf(2, 1000));
    await turn();
    expect(sent.map(({ to }) => to)).toEqual([`${HOME} 5000`]);
    expect(sent.map(({ bytes }) => decodeResponse(bytes, 4))).toEqual([
      {
        action: 'announce',
        transaction: TRANSACTION,
        intervalSeconds: 1800,
        seeders: 3,
        leechers: 4,
        peers: [
          { host: '8.8.8.8', port: 1000 },
          { host: '8.8.8.8', port: 1001 },
        ],
      },
    ]);
    expect(desk.counters).toMatchObject({ announcesUdp4: 1, bytesOut: 16 + 16 + 32 });
  });

  test('its own memory knows the peer before the shared one does', () => {
    const { desk } = openDesk();
    desk.announce();
    expect(desk.store.totals.leechers).toBe(1);
  });

  test('answers in any order reach who asked', async () => {
    const { desk, remote, sent } = openDesk();
    const packet = announcePacket(desk.connect('9.9.9.9'));
    packet.set([0, 0, 0, 1], 12);
    desk.ask(packet, '9.9.9.9', 1111);
    packet.fill(0);
    desk.announce({}, '2001:4860:4860::1');
    remote.asked[1]?.answer(answerOf(100, 2000));
    await turn();
    remote.asked[0]?.answer(answerOf(1, 3000));
    await turn();
    expect(sent.map(({ to }) => to)).toEqual(['2001:4860:4860::1 5000', '9.9.9.9 1111']);
    const [six, four] = sent;
    const first = decodeResponse(six?.bytes ?? new Uint8Array(0), 6);
    // As many as fit into a packet.
    expect(first.action === 'announce' && first.peers.length).toBe(76);
    expect(decodeResponse(four?.bytes ?? new Uint8Array(0), 4)).toMatchObject({
      transaction: 1,
      peers: [{ host: '8.8.8.8', port: 3000 }],
    });
  });

  test('a full queue refuses at once, and nothing is kept', () => {
    const { desk, remote } = openDesk();
    remote.pending = 10_000;
    expect(decodeResponse(desk.announce(), 4)).toMatchObject({
      action: 'error',
      reason: expect.stringMatching(/overloaded/),
    });
    expect(decodeResponse(desk.ask(scrapePacket(desk.connect(), [hashOf(1)])), 4)).toMatchObject({
      action: 'error',
    });
    expect(desk.store.totals.leechers).toBe(0);
    expect(desk.counters.refusedBusy).toBe(2);
    remote.pending = 9999;
    expect(desk.announce().length).toBe(0);
  });

  test('scrapes are asked there, too', async () => {
    const { desk, remote, sent } = openDesk();
    const packet = scrapePacket(desk.connect(), [hashOf(1), hashOf(2)]);
    expect(desk.ask(packet).length).toBe(0);
    packet.fill(0);
    expect(remote.scraped[0]?.infoHashes).toEqual([hashOf(1), hashOf(2)]);
    remote.scraped[0]?.answer([
      { seeders: 1, completed: 2, leechers: 3 },
      { seeders: 4, completed: 5, leechers: 6 },
    ]);
    await turn();
    const bytes = sent[0]?.bytes ?? new Uint8Array(0);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    expect(Array.from({ length: 8 }, (_, index) => view.getUint32(4 * index))).toEqual([
      2,
      TRANSACTION,
      1,
      2,
      3,
      4,
      5,
      6,
    ]);
  });
});
