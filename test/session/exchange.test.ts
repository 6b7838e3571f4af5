/** What peers are told of each other, what is believed of what they tell, and who is introduced to whom. */

import { describe, expect, test } from 'vitest';
import { type Endpoint, formatEndpoint } from '../../src/base/endpoint.ts';
import {
  type ExtensionName,
  HOLEPUNCH_ERROR,
  type HolepunchMessage,
  MAX_PEX_SENT,
  PEX_FLAG,
  type PexMessage,
} from '../../src/peer/index.ts';
import { Holepunch } from '../../src/session/holepunch.ts';
import { PeerExchange } from '../../src/session/peer-exchange.ts';
import { PeerTips } from '../../src/session/peer-tips.ts';

const MINUTE = 60_000;

/** A link as far as these parts look at it. */
class Friend {
  readonly remote: Endpoint;
  listening: Endpoint | undefined;
  readonly outgoing: boolean;
  readonly since = 0;
  readonly stream;
  readonly pex: PexMessage[] = [];
  readonly holepunch: HolepunchMessage[] = [];
  readonly connection;

  constructor(
    listening: Endpoint | undefined,
    how: {
      outgoing?: boolean;
      uploadOnly?: boolean;
      utp?: boolean;
      takes?: readonly ExtensionName[];
    } = {},
  ) {
    const { takes = ['ut_pex', 'ut_holepunch'], uploadOnly = false } = how;
    this.remote = listening ?? { host: '192.0.2.200', port: 50_000 };
    this.listening = listening;
    this.outgoing = how.outgoing ?? false;
    this.stream = how.utp === true ? ({ transport: 'utp' } as const) : {};
    this.connection = {
      takes: (name: ExtensionName): boolean => takes.includes(name),
      sendPex: (message: PexMessage): void => void this.pex.push(message),
      sendHolepunch: (message: HolepunchMessage): void => void this.holepunch.push(message),
      uploadOnly,
      handshake: undefined,
    };
  }
  flush(): void {
    // Nothing is collected here.
  }
  /** What the last message named: added and dropped. */
  get told(): readonly [string[], string[]] {
    const last = this.pex.at(-1);
    return [
      (last?.added ?? []).map(({ endpoint }) => formatEndpoint(endpoint)),
      (last?.dropped ?? []).map(formatEndpoint),
    ];
  }
}
const at = (n: number, port = 6881): Endpoint => ({ host: `192.0.2.${n}`, port });
const textAt = (n: number): string => formatEndpoint(at(n));

describe('telling', () => {
  test('each learns of the others, of none twice, and at most once a minute', () => {
    const friends = [1, 2, 3].map((n) => new Friend(at(n)));
    const exchange = new PeerExchange(() => friends);
    exchange.tick(1_999);
    expect(friends.map(({ pex }) => pex.length)).toEqual([0, 0, 0]);
    exchange.tick(2_000);
    expect(friends.map(({ told }) => told)).toEqual([
      [[textAt(2), textAt(3)], []],
      [[textAt(1), textAt(3)], []],
      [[textAt(1), textAt(2)], []],
    ]);
    const fourth = new Friend(at(4));
    friends.push(fourth);
    exchange.tick(61_999);
    expect(friends[0]?.pex).toHaveLength(1);
    friends.splice(1, 1);
    exchange.tick(62_000);
    expect(friends[0]?.told).toEqual([[textAt(4)], [textAt(2)]]);
    exchange.tick(10 * MINUTE);
    expect(friends[0]?.pex).toHaveLength(2);
  });

  test('nobody is told of whom nobody can call, nor told anything who does not listen', () => {
    const hidden = new Friend(undefined);
    const deaf = new Friend(at(2), { takes: [] });
    const friends = [new Friend(at(1)), hidden, deaf];
    new PeerExchange(() => friends).tick(MINUTE);
    expect(friends[0]?.told).toEqual([[textAt(2)], []]);
    expect(hidden.told).toEqual([[textAt(1), textAt(2)], []]);
    expect(deaf.pex).toEqual([]);
  });

  test('addresses of this machine and of the local network stay there', () => {
    const hosts = ['127.0.0.1', '10.0.0.1', '192.0.2.1', '2001:db8::1', 'fd00::1'];
    const friends = hosts.map((host) => new Friend({ host, port: 1 }));
    new PeerExchange(() => friends).tick(MINUTE);
    const heard = friends.map(({ told: [added] }) => added.length);
    // This machine hears of all, the local network of what is as far away, the internet of the internet.
    expect(heard).toEqual([4, 3, 1, 1, 3]);
  });

  test('the flags say what kind of peer it is', () => {
    const friends = [
      new Friend(at(1)),
      new Friend(at(2), { outgoing: true, uploadOnly: true }),
      new Friend(at(3), { takes: [], utp: true }),
    ];
    new PeerExchange(() => friends).tick(MINUTE);
    expect(friends[0]?.pex[0]?.added.map(({ flags }) => flags)).toEqual([
      PEX_FLAG.reachable | PEX_FLAG.uploadOnly | PEX_FLAG.holepunch,
      PEX_FLAG.utp,
    ]);
  });

  test('never more than 50 in a message; the rest follows', () => {
    const friends = Array.from({ length: 80 }, (_, n) => new Friend(at(n)));
    const exchange = new PeerExchange(() => friends);
    exchange.tick(MINUTE);
    const [first] = friends;
    expect(first?.pex[0]?.added).toHaveLength(MAX_PEX_SENT);
    exchange.tick(2 * MINUTE);
    expect(first?.pex[1]?.added).toHaveLength(79 - MAX_PEX_SENT);
    friends.splice(1);
    exchange.tick(3 * MINUTE);
    exchange.tick(4 * MINUTE);
    expect(first?.pex.slice(2).map(({ dropped }) => dropped.length)).toEqual([50, 29]);
  });

  test('who was sent away a moment ago fills up a short list, and is dropped with the next (BEP 11)', () => {
    const [one, two, gone] = [new Friend(at(1)), new Friend(at(2)), new Friend(at(3))];
    const friends = [one, two];
    const exchange = new PeerExchange(() => friends);
    exchange.dismissed(gone, 10_000);
    exchange.tick(20_000);
    expect(one.told).toEqual([[textAt(2), textAt(3)], []]);
    exchange.tick(80_000);
    expect(one.told).toEqual([[], [textAt(3)]]);
    const crowd = Array.from({ length: 30 }, (_, n) => new Friend(at(10 + n)));
    const late = new PeerExchange(() => crowd);
    late.dismissed(gone, 10_000);
    late.tick(20_000);
    expect(crowd[0]?.told[0]).not.toContain(textAt(3));
  });
});

describe('believing', () => {
  interface Heard {
    readonly tips: PeerTips<Friend>;
    readonly peers: string[];
    readonly distrusted: string[];
  }
  function listen(): Heard {
    const peers: string[] = [];
    const distrusted: string[] = [];
    const tips = new PeerTips<Friend>({
      onPeer: (endpoint, { uploadOnly }) =>
        peers.push(`${formatEndpoint(endpoint)}${uploadOnly ? ' seed' : ''}`),
      onDistrust: (teller, named) => distrusted.push(`${teller} ${named.length}`),
      isOurselves: ({ host }) => host === '192.0.2.99',
    });
    return { tips, peers, distrusted };
  }
  const named = (...endpoints: readonly Endpoint[]): PexMessage => ({
    added: endpoints.map((endpoint) => ({ endpoint, flags: 0 })),
    dropped: [],
  });
  const many = (from: number, count: number): PexMessage =>
    named(
      ...Array.from({ length: count }, (_, n) => ({
        host: `198.51.${(from + n) >> 8}.${(from + n) & 255}`,
        port: 1,
      })),
    );

  test('who is named is told once, ourselves and the teller never', () => {
    const { tips, peers } = listen();
    const teller = new Friend(at(1));
    const seed = { endpoint: at(3), flags: PEX_FLAG.uploadOnly };
    tips.onMessage(teller, { added: [...named(at(2)).added, seed], dropped: [] }, 0);
    tips.onMessage(teller, named(at(1), at(2), at(99), at(4)), MINUTE);
    expect(peers).toEqual([textAt(2), `${textAt(3)} seed`, textAt(4)]);
  });

  test('one address counts once in a message, whatever its ports; on this machine each port does', () => {
    const { tips, peers } = listen();
    tips.onMessage(new Friend(at(1)), named(at(2, 1), at(2, 2), at(3, 1)), 0);
    const here = new Friend({ host: '127.0.0.1', port: 9 });
    tips.onMessage(here, named({ host: '127.0.0.1', port: 1 }, { host: '127.0.0.1', port: 2 }), 0);
    expect(peers).toEqual(['192.0.2.2:1', '192.0.2.3:1', '127.0.0.1:1', '127.0.0.1:2']);
  });

  test('a peer on the internet does not send us to our own network', () => {
    const { tips, peers } = listen();
    const local = [
      { host: '127.0.0.1', port: 22 },
      { host: '192.168.1.1', port: 80 },
    ];
    tips.onMessage(new Friend(at(1)), named(...local), 0);
    tips.onMessage(new Friend({ host: '192.168.1.9', port: 1 }), named(...local), 0);
    expect(peers).toEqual(['192.168.1.1:80']);
  });

  test('a hundred at once, fifty a minute afterwards; a second connection of a host gains nothing', () => {
    const { tips, peers } = listen();
    const teller = new Friend(at(1));
    tips.onMessage(teller, many(0, 99), 0);
    expect(peers).toHaveLength(99);
    tips.onMessage(new Friend(at(1)), many(200, 50), 0);
    expect(peers).toHaveLength(100);
    // What it still says to be there is as many as it may.
    tips.onMessage(new Friend(at(1)), many(300, 100), MINUTE);
    expect(peers).toHaveLength(150);
  });

  test('what is dropped makes room for others', () => {
    const { tips, peers } = listen();
    const teller = new Friend(at(1));
    tips.onMessage(teller, many(0, 100), 0);
    tips.onMessage(teller, many(100, 10), MINUTE);
    expect(peers).toHaveLength(100);
    const dropped = many(0, 5).added.map(({ endpoint }) => endpoint);
    tips.onMessage(teller, { ...many(200, 10), dropped }, 2 * MINUTE);
    expect(peers).toHaveLength(105);
  });

  test('six messages in a minute are borne, the seventh is not', () => {
    const { tips } = listen();
    const teller = new Friend(at(1));
    for (let n = 0; n < 6; n++) tips.onMessage(teller, named(), n);
    expect(() => tips.onMessage(teller, named(), 59_999)).toThrow('PEX messages too often');
    expect(() => tips.onMessage(teller, named(), 60_000)).not.toThrow();
  });

  test('twenty calls in vain end the belief, one that worked saves it', () => {
    const liar = listen();
    const honest = listen();
    for (const { tips } of [liar, honest]) tips.onMessage(new Friend(at(1)), many(0, 40), 0);
    const all = many(0, 40).added.map(({ endpoint }) => endpoint);
    honest.tips.onCalled(all[39] ?? at(0), true);
    for (const { tips } of [liar, honest]) {
      for (const endpoint of all.slice(0, 19)) {
        tips.onCalled(endpoint, false);
        tips.onCalled(endpoint, false);
      }
    }
    expect(liar.distrusted).toEqual([]);
    for (const { tips } of [liar, honest]) tips.onCalled(all[19] ?? at(0), false);
    expect(liar.distrusted).toEqual(['192.0.2.1 40']);
    expect(honest.distrusted).toEqual([]);
    liar.tips.onMessage(new Friend(at(1)), many(100, 5), MINUTE);
    expect(liar.peers).toHaveLength(40);
    // Later it gets another chance.
    liar.tips.onMessage(new Friend(at(1)), many(100, 5), 12 * MINUTE);
    expect(liar.peers).toHaveLength(45);
  });
});

describe('introducing', () => {
  interface Punched {
    readonly holepunch: Holepunch<Friend>;
    readonly calls: string[];
    readonly notes: string[];
    now: number;
  }
  function punch(friends: readonly Friend[], introducers: readonly Friend[] = []): Punched {
    const calls: string[] = [];
    const notes: string[] = [];
    const time = { now: 0 };
    return Object.assign(time, {
      calls,
      notes,
      holepunch: new Holepunch<Friend>({
        clock: { now: () => time.now, schedule: () => () => undefined },
        links: () => friends,
        introducers: () => introducers,
        isOurselves: ({ host }) => host === '192.0.2.99',
        punch: (endpoint) => calls.push(formatEndpoint(endpoint)),
        onNote: (message) => notes.push(message),
      }),
    });
  }

  test('the one in the middle tells both, each of the other', () => {
    const [asking, wanted] = [new Friend(at(1)), new Friend(at(2))];
    const { holepunch } = punch([asking, wanted]);
    holepunch.onMessage(asking, { type: 'rendezvous', endpoint: at(2) });
    expect(asking.holepunch).toEqual([{ type: 'connect', endpoint: at(2) }]);
    expect(wanted.holepunch).toEqual([{ type: 'connect', endpoint: at(1) }]);
  });

  test.each<[string, Endpoint, keyof typeof HOLEPUNCH_ERROR]>([
    ['a port 0', at(2, 0), 'noSuchPeer'],
    ['itself', at(1), 'noSuchPeer'],
    ['somebody on our own network', { host: '10.0.0.1', port: 1 }, 'noSuchPeer'],
    ['us', at(99), 'noSelf'],
    ['somebody who is not here', at(50), 'notConnected'],
    ['somebody who does not know how', at(3), 'noSupport'],
  ])('asked for %s it answers with the error of BEP 55', (_name, endpoint, error) => {
    const asking = new Friend(at(1));
    const local = new Friend({ host: '10.0.0.1', port: 1 });
    const others = [new Friend(at(2)), new Friend(at(3), { takes: [] }), local];
    punch([asking, ...others]).holepunch.onMessage(asking, { type: 'rendezvous', endpoint });
    expect(asking.holepunch).toEqual([{ type: 'error', endpoint, code: HOLEPUNCH_ERROR[error] }]);
    for (const other of others) expect(other.holepunch).toEqual([]);
  });

  test('who does not take the messages is not answered', () => {
    const asking = new Friend(at(1), { takes: [] });
    const wanted = new Friend(at(2));
    punch([asking, wanted]).holepunch.onMessage(asking, { type: 'rendezvous', endpoint: at(2) });
    expect([...asking.holepunch, ...wanted.holepunch]).toEqual([]);
  });

  test('who is told to call does so, unless it is connected, or sent to its own network', () => {
    const relay = new Friend(at(1));
    const { holepunch, calls } = punch([relay, new Friend(at(2))]);
    for (const endpoint of [at(2), at(99), at(3, 0), { host: '192.168.0.1', port: 1 }, at(3)]) {
      holepunch.onMessage(relay, { type: 'connect', endpoint });
    }
    expect(calls).toEqual([textAt(3)]);
    expect(relay.holepunch).toEqual([]);
  });

  test('who cannot reach a peer asks whoever told of it, once in thirty seconds', () => {
    const relay = new Friend(at(1));
    const it = punch([relay], [new Friend(at(5), { takes: [] }), relay]);
    expect(it.holepunch.unreachable(at(2))).toBe(true);
    expect(it.holepunch.unreachable(at(2))).toBe(false);
    expect(relay.holepunch).toEqual([{ type: 'rendezvous', endpoint: at(2) }]);
    it.holepunch.onMessage(relay, { type: 'error', endpoint: at(2), code: 2 });
    it.holepunch.onMessage(relay, { type: 'error', endpoint: at(3), code: 2 });
    expect(it.notes).toEqual([
      '192.0.2.1:6881 is asked to introduce us to 192.0.2.2:6881',
      '192.0.2.1:6881 cannot introduce us to 192.0.2.2:6881: it is not connected to that peer',
    ]);
    expect(it.holepunch.unreachable(at(2))).toBe(true);
    it.now = 30_000;
    expect(it.holepunch.unreachable(at(2))).toBe(true);
    expect(punch([relay]).holepunch.unreachable(at(2))).toBe(false);
  });

  test('thirty messages of one link in a minute are acted upon', () => {
    const relay = new Friend(at(1));
    const it = punch([relay]);
    for (let n = 0; n < 40; n++)
      it.holepunch.onMessage(relay, { type: 'connect', endpoint: at(100 + n) });
    expect(it.calls).toHaveLength(30);
    it.now = MINUTE;
    it.holepunch.onMessage(relay, { type: 'connect', endpoint: at(3) });
    expect(it.calls).toHaveLength(31);
  });
});
