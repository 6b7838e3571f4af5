/** Encrypted connections of whole sessions in virtual time: all modes, broken lines, hostile strangers. */

import { describe, expect, test } from 'vitest';
import { concatBytes } from '../../src/base/bytes.ts';
import { PeerId } from '../../src/base/ids.ts';
import { CipherBuffers, encodeHandshake, MseStream, Reserved } from '../../src/handshake/index.ts';
import type { ByteStream } from '../../src/runtime/ports.ts';
import type { HostOptions, SimHost } from '../../src/runtime/sim/index.ts';
import type { EncryptionMode } from '../../src/session/index.ts';
import { HANDMADE_KEY } from '../handshake/mse/sides.ts';
import { TEST_SEED } from '../sim/world.ts';
import { makeContent, type Peer, PORT, SwarmWorld } from './swarm-world.ts';

const LINE: Partial<HostOptions> = { latencyMs: 20, upload: 500_000, download: 2_000_000 };
const SIGNAL = new AbortController().signal;

const RC4 = /^connected to \S+ \S+, encrypted with RC4$/m;
const HEADER = /^connected to \S+ \S+, with an encrypted handshake$/m;
const PLAIN = /^connected to \S+ \S+$/m;
const AGAIN = /called again without encryption$/m;

async function finish(swarm: SwarmWorld, peers: readonly Peer[]): Promise<void> {
  for (const peer of peers) await peer[Symbol.asyncDispose]();
  swarm.world.assertClosed();
}

function notes({ events }: Peer): string {
  return events.flatMap((event) => (event.type === 'note' ? [event.message] : [])).join('\n');
}

describe('modes of the side that is called, and of the side that calls', () => {
  const pairs: readonly [EncryptionMode, EncryptionMode, said: readonly RegExp[]][] = [
    ['off', 'off', [PLAIN]],
    ['off', 'prefer', [AGAIN, PLAIN]],
    ['prefer', 'off', [PLAIN]],
    ['prefer', 'prefer', [HEADER]],
    ['prefer', 'require', [RC4]],
    ['require', 'prefer', [RC4]],
    ['require', 'require', [RC4]],
  ];
  test.each(pairs)('%s and %s: the download completes', async (called, calling, said) => {
    const swarm = new SwarmWorld(makeContent(300_000));
    await swarm.world.run(
      (async () => {
        swarm.session = { encryption: called };
        const seed = await swarm.seed(LINE);
        swarm.session = { encryption: calling };
        const leecher = await swarm.start(swarm.host(LINE), { peers: [seed.endpoint] });
        await leecher.torrent.completed;
        expect(await swarm.digests(leecher.host)).toEqual(swarm.expected);
        for (const note of said) expect(notes(leecher)).toMatch(note);
        expect(notes(leecher).match(/^connected to/gm)).toHaveLength(1);
        expect(AGAIN.test(notes(leecher))).toBe(said.includes(AGAIN));
        await finish(swarm, [leecher, seed]);
      })(),
    );
  });

  const strangers: readonly [EncryptionMode, EncryptionMode, told: RegExp, heard: RegExp][] = [
    [
      'off',
      'require',
      /the peer does not speak the BitTorrent protocol/,
      /instead of sending its key/,
    ],
    ['require', 'off', /the peer does not encrypt/, /closed the connection during the handshake/],
  ];
  test.each(strangers)('%s and %s: no connection', async (called, calling, told, heard) => {
    const swarm = new SwarmWorld(makeContent(300_000));
    await swarm.world.run(
      (async () => {
        const heardBySeed: string[] = [];
        swarm.session = { encryption: called, onNote: (note) => heardBySeed.push(note) };
        const seed = await swarm.seed(LINE);
        swarm.session = { encryption: calling };
        const leecher = await swarm.start(swarm.host(LINE), { peers: [seed.endpoint] });
        await leecher.host.sleep(30_000);
        expect(notes(leecher)).toMatch(heard);
        expect(notes(leecher)).not.toMatch(/connected to|called again/);
        expect(heardBySeed.join('\n')).toMatch(told);
        expect(leecher.torrent.stats()).toMatchObject({ downloaded: 0, peers: 0 });
        await finish(swarm, [leecher, seed]);
      })(),
    );
  });

  test('how a peer was reached is remembered: the plain one is called so at once', async () => {
    const swarm = new SwarmWorld(makeContent(2_000_000));
    await swarm.world.run(
      (async () => {
        swarm.session = { encryption: 'off' };
        const seed = await swarm.seed(LINE);
        swarm.session = { encryption: 'prefer' };
        const leecher = await swarm.start(swarm.host(LINE), { peers: [seed.endpoint] });
        await leecher.host.sleep(2_000);
        for (const link of seed.torrent.swarm.links) link.close(undefined);
        await leecher.torrent.completed;
        expect(notes(leecher).match(/^connected to/gm)).toHaveLength(2);
        expect(notes(leecher).match(/called again/g)).toHaveLength(1);
        await finish(swarm, [leecher, seed]);
      })(),
    );
  });

  test('a plain peer that requires encryption after a restart is reached again', async () => {
    const swarm = new SwarmWorld(makeContent(2_000_000));
    await swarm.world.run(
      (async () => {
        swarm.session = { encryption: 'off' };
        const host = swarm.host(LINE);
        const before = await swarm.seed(LINE);
        swarm.session = { encryption: 'prefer' };
        const leecher = await swarm.start(host, { peers: [before.endpoint] });
        await leecher.host.sleep(2_000);
        await before[Symbol.asyncDispose]();
        swarm.session = { encryption: 'require' };
        const after = await swarm.start(before.host, { seedOnly: true, verify: 'never' });
        await leecher.torrent.completed;
        expect(notes(leecher)).toMatch(/called again with encryption/);
        expect(notes(leecher)).toMatch(RC4);
        await finish(swarm, [leecher, after]);
      })(),
    );
  });
});

describe('with RC4 required', () => {
  test('by magnet: metadata and data come encrypted', async () => {
    const swarm = new SwarmWorld();
    swarm.session = { encryption: 'require' };
    await swarm.world.run(
      (async () => {
        const seed = await swarm.seed(LINE);
        const { infoHash } = swarm.content.metainfo;
        const peers = [seed.endpoint];
        const nothing = { trackers: [], webSeeds: [], nodes: [] };
        const magnet = { ...nothing, peers, ...(infoHash === undefined ? {} : { infoHash }) };
        const source = { type: 'magnet', magnet } as const;
        const leecher = await swarm.start(swarm.host(LINE), { source });
        await leecher.torrent.completed;
        expect(await swarm.digests(leecher.host)).toEqual(swarm.expected);
        expect(notes(leecher)).toMatch(RC4);
        await finish(swarm, [leecher, seed]);
      })(),
    );
  });

  test.each([1, 2, 3])('seed %i: loss of 5 in 100 on every line', async (offset) => {
    const swarm = new SwarmWorld(makeContent(), { seed: TEST_SEED * 1000 + offset });
    swarm.session = { encryption: 'require' };
    const line = { ...LINE, loss: 0.05, jitterMs: 10 };
    await swarm.world.run(
      (async () => {
        const seed = await swarm.seed(line);
        const leecher = await swarm.start(swarm.host(line), { peers: [seed.endpoint] });
        await leecher.torrent.completed;
        expect(await swarm.digests(leecher.host)).toEqual(swarm.expected);
        await finish(swarm, [leecher, seed]);
      })(),
    );
  });

  test('who calls itself finds out', async () => {
    const swarm = new SwarmWorld();
    swarm.session = { encryption: 'require' };
    await swarm.world.run(
      (async () => {
        const host = swarm.host(LINE);
        const leecher = await swarm.start(host, { peers: [{ host: host.address, port: PORT }] });
        await host.sleep(60_000);
        expect(notes(leecher).match(/we called ourselves/g)).toHaveLength(1);
        await finish(swarm, [leecher]);
      })(),
    );
  });

  test('two that call each other at once keep one connection', async () => {
    const swarm = new SwarmWorld(makeContent(3_000_000));
    swarm.session = { encryption: 'require' };
    await swarm.world.run(
      (async () => {
        const [host, other] = [swarm.host(LINE), swarm.host(LINE)];
        const to = (target: SimHost) => [{ host: target.address, port: PORT }];
        const left = await swarm.start(host, { peers: to(other) });
        const right = await swarm.start(other, { peers: to(host) });
        await host.sleep(20_000);
        expect(left.torrent.swarm.links.size).toBe(1);
        expect(right.torrent.swarm.links.size).toBe(1);
        await finish(swarm, [left, right]);
      })(),
    );
  });
});

describe('the line breaks', () => {
  const modes: readonly EncryptionMode[] = ['prefer', 'require'];
  // In the first key, in the padding, in the requests and choices, in the first messages.
  const cuts = [0, 1, 95, 96, 97, 300, 640, 800, 1_100, 1_300, 1_600, 3_000];
  const cases = modes.flatMap((mode) => cuts.map((cut) => ({ mode, cut })));
  test.each(cases)('$mode, after $cut bytes either way', async ({ mode, cut }) => {
    const swarm = new SwarmWorld(makeContent(300_000));
    swarm.session = { encryption: mode };
    await swarm.world.run(
      (async () => {
        const seed = await swarm.seed(LINE);
        const relay = await Relay.start(swarm.host(LINE), seed, cut);
        const peers = [relay.endpoint, seed.endpoint];
        const leecher = await swarm.start(swarm.host(LINE), { peers });
        await leecher.torrent.completed;
        expect(await swarm.digests(leecher.host)).toEqual(swarm.expected);
        expect(relay.calls).toBeGreaterThan(0);
        await relay[Symbol.asyncDispose]();
        await finish(swarm, [leecher, seed]);
      })(),
    );
  });
});

test('who asks for one torrent under encryption and for another one behind it is turned away', async () => {
  const swarm = new SwarmWorld(makeContent(100_000));
  const { world } = swarm;
  await world.run(
    (async () => {
      const told: string[] = [];
      swarm.session = { encryption: 'require', onNote: (note) => told.push(note) };
      const seed = await swarm.seed(LINE);
      const other = makeContent(90_000).metainfo;
      seed.session.add({ source: { type: 'metainfo', metainfo: other }, root: '/other' });
      const [named, asked] = [swarm.content.metainfo.infoHash, other.infoHash];
      if (named === undefined || asked === undefined) throw new RangeError('both are v1');
      const onBug = (error: unknown): never => expect.unreachable(String(error));
      const caller = swarm.host(LINE);
      const { clock, random, network } = caller.runtime;
      for (const infoHash of [asked, named]) {
        const inner = await network.connect(seed.endpoint, { signal: SIGNAL });
        const context = { clock, random, buffers: new CipherBuffers(), onBug };
        const call = { infoHash: named.wire, methods: ['rc4'] } as const;
        const stream = MseStream.call(inner, context, call);
        const peerId = new PeerId(new Uint8Array(20).fill(0x66));
        const reserved = Reserved.of('fast');
        stream.write(encodeHandshake({ reserved, infoHash: infoHash.wire, peerId }));
        stream.open({ data: () => undefined, drain: () => undefined, closed: () => undefined });
        await caller.sleep(2_000);
        expect(seed.torrent.swarm.links.size).toBe(infoHash === named ? 1 : 0);
        await stream[Symbol.asyncDispose]();
      }
      expect(told).toEqual([expect.stringContaining('the peer speaks of another torrent')]);
      await finish(swarm, [seed]);
    })(),
  );
});

describe('strangers', () => {
  /** What each does, once its connection stands; every 500 ms for as long as it is let. */
  const habits: Readonly<
    Record<string, { readonly say: (turn: number) => Uint8Array; readonly why: RegExp }>
  > = {
    'say nothing': { say: () => new Uint8Array(0), why: /its first byte did not come/ },
    'send half a key': {
      say: (turn) => (turn === 0 ? HANDMADE_KEY.subarray(0, 48) : new Uint8Array(0)),
      why: /its key did not come/,
    },
    'begin a plain handshake': {
      say: (turn) => (turn === 0 ? Uint8Array.of(19, 66, 105) : new Uint8Array(0)),
      why: /its handshake did not come/,
    },
    'never finish their padding': {
      say: (turn) => (turn === 0 ? HANDMADE_KEY : new Uint8Array(20)),
      why: /the end of its padding did not come/,
    },
    'flood with padding': {
      say: (turn) => (turn === 0 ? HANDMADE_KEY : new Uint8Array(100_000)),
      why: /no mark behind 512 bytes of padding/,
    },
    'send a degenerate key': { say: () => new Uint8Array(96), why: /degenerate key/ },
  };
  test.each(Object.entries(habits))(
    'that %s are gone after ten seconds, with a reason',
    async (_name, { say, why }) => {
      const swarm = new SwarmWorld(makeContent(300_000));
      const { world } = swarm;
      await world.run(
        (async () => {
          const told: { readonly at: number; readonly note: string }[] = [];
          const onNote = (note: string): number => told.push({ at: world.now, note });
          swarm.session = { encryption: 'prefer', onNote };
          const seed = await swarm.seed(LINE);
          const began = world.now;
          const mob = await Promise.all(
            Array.from({ length: 60 }, () => Stranger.call(swarm.host(LINE), seed, say)),
          );
          // Honest peers come in all the while.
          swarm.session = { encryption: 'prefer' };
          const leecher = await swarm.start(swarm.host(LINE), { peers: [seed.endpoint] });
          await leecher.torrent.completed;
          await seed.host.sleep(10_000);
          expect(mob.filter(({ isOpen }) => isOpen)).toEqual([]);
          expect(told).toHaveLength(mob.length);
          for (const { at, note } of told) {
            expect(note).toMatch(why);
            expect(at - began).toBeLessThan(10_000);
          }
          for (const stranger of mob) await stranger[Symbol.asyncDispose]();
          await finish(swarm, [leecher, seed]);
        })(),
      );
    },
  );

  test('that want keys without end get so many a second, and then others get in', async () => {
    const swarm = new SwarmWorld(makeContent(300_000));
    const { world } = swarm;
    await world.run(
      (async () => {
        const told: string[] = [];
        swarm.session = { encryption: 'require', onNote: (note) => told.push(note) };
        const seed = await swarm.seed({ latencyMs: 1 });
        let answered = 0;
        const hosts = Array.from({ length: 50 }, () => swarm.host({ latencyMs: 1 }));
        // Each waits for its key and goes, or is turned away: 400 within a second.
        for (let wave = 0; wave < 8; wave++) {
          const mob = await Promise.all(
            hosts.map((host) => Stranger.call(host, seed, () => HANDMADE_KEY)),
          );
          await seed.host.sleep(50);
          answered += mob.filter(({ received }) => received >= 96).length;
          for (const stranger of mob) await stranger[Symbol.asyncDispose]();
        }
        expect(answered).toBeGreaterThanOrEqual(100);
        expect(answered).toBeLessThan(200);
        expect(told.filter((note) => note.includes('too many peers')).length).toBe(400 - answered);
        await seed.host.sleep(1_000);
        const leecher = await swarm.start(swarm.host(LINE), { peers: [seed.endpoint] });
        await leecher.torrent.completed;
        expect(notes(leecher)).toMatch(RC4);
        await finish(swarm, [leecher, seed]);
      })(),
    );
  });
});

/** Passes a connection on to a peer, and breaks it after so many bytes in one direction. */
class Relay implements AsyncDisposable {
  calls = 0;
  readonly endpoint: { readonly host: string; readonly port: number };
  readonly #streams: ByteStream[] = [];
  #listener: AsyncDisposable | undefined;

  private constructor(host: SimHost) {
    this.endpoint = { host: host.address, port: PORT };
  }

  static async start(host: SimHost, peer: Peer, cut: number): Promise<Relay> {
    const relay = new Relay(host);
    const { network } = host.runtime;
    relay.#listener = await network.listen(
      (near) => {
        relay.calls += 1;
        relay.#streams.push(near);
        void network.connect(peer.endpoint, { signal: SIGNAL }).then((far) => {
          relay.#streams.push(far);
          relay.#pass(near, far, cut);
          relay.#pass(far, near, cut);
        });
      },
      { port: PORT, signal: SIGNAL },
    );
    return relay;
  }

  #pass(from: ByteStream, to: ByteStream, cut: number): void {
    let left = cut;
    const end = (): void => {
      void from[Symbol.asyncDispose]();
      void to[Symbol.asyncDispose]();
    };
    from.open({
      data: (bytes) => {
        to.write(bytes.slice(0, left));
        left -= bytes.length;
        if (left <= 0) end();
      },
      drain: () => undefined,
      closed: end,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listener?.[Symbol.asyncDispose]();
    for (const stream of this.#streams) await stream[Symbol.asyncDispose]();
  }
}

/** Calls a peer, says something every half second, and counts what it hears. */
class Stranger implements AsyncDisposable {
  isOpen = true;
  received = 0;
  readonly #stream: ByteStream;

  private constructor(stream: ByteStream) {
    this.#stream = stream;
  }

  static async call(
    host: SimHost,
    peer: Peer,
    say: (turn: number) => Uint8Array,
  ): Promise<Stranger> {
    const { network, clock } = host.runtime;
    const stream = await network.connect(peer.endpoint, { signal: SIGNAL });
    const stranger = new Stranger(stream);
    stream.open({
      data: (bytes) => {
        stranger.received += bytes.length;
      },
      drain: () => undefined,
      closed: () => {
        stranger.isOpen = false;
      },
    });
    const speak = (turn: number): void => {
      if (!stranger.isOpen) return;
      stream.write(concatBytes(say(turn)));
      clock.schedule(clock.now() + 500, () => speak(turn + 1));
    };
    speak(0);
    return stranger;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.isOpen = false;
    await this.#stream[Symbol.asyncDispose]();
  }
}
