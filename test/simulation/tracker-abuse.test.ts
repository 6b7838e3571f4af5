/** Floods of one address, of whole networks and of nobody: everybody else is served as without them. */

import { beforeAll, describe, expect, test } from 'vitest';
import type { Millis } from '../../src/runtime/ports.ts';
import type { SimHost } from '../../src/runtime/sim/index.ts';
import type { ServiceNumbers } from '../../src/tracker/server/index.ts';
import { TEST_SEED } from '../sim/world.ts';
import { TRACKER } from '../tracker/server/service-world.ts';
import { connectPacket } from '../tracker/server/udp-desk.ts';
import { NEVER } from '../tracker/world.ts';
import { ForgedFlood, HostFlood, HttpFlood } from './tracker-floods.ts';
import {
  type Battlefield,
  besiege,
  DOUBLE,
  FLOOD,
  FLOODER,
  FLOODING_24,
  FLOODING_64,
  MAX_CONNECTIONS,
  PER_SECOND,
  type Siege,
} from './tracker-siege.ts';
import type { Traffic } from './tracker-wire.ts';

/** What a limit lets pass in a flood: a burst of ten seconds' worth, and the rate. */
function allowance(perSecond: number): number {
  return perSecond * (10 + (FLOOD.until - FLOOD.from) / 1000) + 1;
}

const ALLOWED = allowance(PER_SECOND);
/** A network is many hosts. */
const ALLOWED_NETWORK = allowance(10 * PER_SECOND);
/** One for those who have a connection id, and one for those who have none. */
const LIMITERS = 2;
/** So many addresses are told apart by each. */
const CELLS = 65_536;

interface OneFlood {
  readonly udp: HostFlood;
  readonly http: HttpFlood;
}

async function floodFromOne(
  { scene, random, host }: Battlefield,
  until: Millis = FLOOD.until,
): Promise<OneFlood> {
  const machine = host(FLOODER);
  const udp = new HostFlood(scene, [machine], random.fork(1));
  const http = new HttpFlood(scene, machine, random.fork(2));
  await Promise.all([udp.run(until, 10), http.run(until)]);
  return { udp, http };
}

const FOURS = Array.from({ length: 254 }, (_, at) => `${FLOODING_24}.${at + 1}`);
const SIXES = Array.from({ length: 254 }, (_, at) => `${FLOODING_64}::${(at + 1).toString(16)}`);

async function floodFromNetworks(
  { scene, random, host }: Battlefield,
  until: Millis = FLOOD.until,
): Promise<readonly HostFlood[]> {
  const floods = [FOURS, SIXES].map(
    (hosts, at) => new HostFlood(scene, hosts.map(host), random.fork(3 + at)),
  );
  await Promise.all(floods.map((flood) => flood.run(until, 12)));
  return floods;
}

/** Nobody is there, and answers are to hit them. */
const TARGETS = Array.from({ length: 20 }, (_, at) => `203.0.${at}.5`);

async function floodFromNowhere(
  field: Battlefield,
  until: Millis = FLOOD.until,
): Promise<ForgedFlood> {
  const own = await connectionIdOf(field, field.host(BEHIND));
  const aims = { targets: TARGETS, double: DOUBLE };
  const flood = new ForgedFlood(field, field.random.fork(5), aims);
  await flood.run(until, 40, own);
  return flood;
}

/** The one behind a forged flood asks once in its own name. */
async function connectionIdOf({ scene }: Battlefield, { runtime }: SimHost): Promise<Uint8Array> {
  await using socket = await runtime.network.bindDatagrams({ signal: NEVER });
  let id = new Uint8Array(0);
  socket.receive((bytes) => {
    id = bytes.slice(8);
  });
  socket.send(connectPacket(), { host: TRACKER.four, port: TRACKER.port });
  await scene.pass(0.1);
  expect(id.length).toBe(8);
  return id;
}

const BEHIND = '198.18.0.67';

describe(`seed ${TEST_SEED}`, () => {
  /** The same minute without a flood. */
  let peace: Siege;
  beforeAll(async () => {
    peace = await besiege(async () => undefined);
  }, 60_000);

  /** Each client was told the same, at the same time, as without a flood. */
  function expectServed({ answers }: Siege): void {
    expect(peace.answers.flat().length).toBeGreaterThan(500);
    expect(peace.answers.flat().filter((answer) => !PLEASED.test(answer))).toEqual([]);
    expect(answers).toEqual(peace.answers);
  }

  /** What a flood added to a number of the tracker. */
  function added({ numbers }: Siege, ...names: readonly CounterName[]): number {
    return names.reduce(
      (sum, name) => sum + numbers.counters[name] - peace.numbers.counters[name],
      0,
    );
  }

  /** What a flood added to what some hosts and the tracker sent each other. */
  function addedTraffic({ wire }: Siege, hosts: Iterable<string>): Traffic {
    const [during, before] = [wire.sum(hosts), peace.wire.sum(hosts)];
    return {
      packetsIn: during.packetsIn - before.packetsIn,
      bytesIn: during.bytesIn - before.bytesIn,
      packetsOut: during.packetsOut - before.packetsOut,
      bytesOut: during.bytesOut - before.bytesOut,
    };
  }

  test('one address, over UDP and HTTP: it gets what it may, and nobody else gets less', async () => {
    const [siege, { udp, http }] = await withFlood(floodFromOne);
    expectServed(siege);

    const { packetsIn, packetsOut } = siege.wire.of(FLOODER);
    expect(packetsIn).toBe(udp.sent);
    expect(packetsIn).toBeGreaterThan(30_000);
    expect(packetsOut + http.answers.taken).toBeLessThanOrEqual(LIMITERS * ALLOWED);
    expect(http.answers.refused).toBeGreaterThan(1500);
    expect(http.idle).toBeGreaterThan(10 * MAX_CONNECTIONS);

    const refusedUdp = packetsIn - packetsOut;
    expect(added(siege, 'droppedByRate')).toBe(refusedUdp);
    expect(added(siege, 'announcesHttp4')).toBe(http.answers.taken);
    expect(added(siege, ...ANSWERED_UDP)).toBe(packetsOut + http.answers.refused);
    expect(added(siege, 'refusedRate')).toBeGreaterThan(http.answers.refused);
    expect(added(siege, 'refusedRate')).toBeLessThan(http.answers.refused + refusedUdp);
    // Each announce that was taken named another swarm.
    const swarms = siege.numbers.totals.swarms - peace.numbers.totals.swarms;
    expect(swarms).toBe(added(siege, 'announcesHttp4', 'announcesUdp4'));
  }, 60_000);

  test('a /24 and a /64 of IPv6: a network gets what ten addresses may, a /64 what one may', async () => {
    const [siege, floods] = await withFlood(floodFromNetworks);
    expectServed(siege);

    const { wire } = siege;
    const [fours, sixes] = [wire.sum(FOURS), wire.sum(SIXES)];
    expect([fours.packetsIn, sixes.packetsIn]).toEqual(floods.map(({ sent }) => sent));
    expect(fours.packetsOut).toBeLessThanOrEqual(LIMITERS * ALLOWED_NETWORK);
    expect(fours.packetsOut).toBeGreaterThan(ALLOWED_NETWORK);
    expect(sixes.packetsOut).toBeLessThanOrEqual(LIMITERS * ALLOWED);
    expect(sixes.packetsOut).toBeGreaterThan(ALLOWED);
    // No address of the /24 alone was loud enough to be stopped.
    const loudest = Math.max(...FOURS.map((host) => wire.of(host).packetsIn));
    expect(loudest).toBeLessThan(ALLOWED);

    const { packetsIn, packetsOut, bytesIn, bytesOut } = wire.sum([...FOURS, ...SIXES]);
    expect(added(siege, 'droppedByRate')).toBe(packetsIn - packetsOut);
    expect(added(siege, ...ANSWERED_UDP)).toBe(packetsOut);
    expect([added(siege, 'bytesIn'), added(siege, 'bytesOut')]).toEqual([bytesIn, bytesOut]);
  }, 60_000);

  test('forged senders: nobody is sent more than was sent in its name, and nothing is kept', async () => {
    const [siege, { pretended, told }] = await withFlood(floodFromNowhere);
    // Also the one whose name was used, as it has a connection id.
    expectServed(siege);

    const { wire, numbers } = siege;
    expect(pretended.size).toBeGreaterThan(CELLS);
    const amplified = [...pretended].filter((host) => {
      const { bytesIn, bytesOut } = addedTraffic(siege, [host]);
      return bytesOut > bytesIn;
    });
    expect(amplified).toEqual([]);
    for (const target of TARGETS) {
      expect(wire.of(target).packetsIn).toBeGreaterThan(2 * ALLOWED);
      expect(wire.of(target).packetsOut).toBeLessThanOrEqual(ALLOWED);
    }

    const behind = wire.of(BEHIND);
    expect(behind).toEqual({ packetsIn: 1, bytesIn: 16, packetsOut: 1, bytesOut: 16 });
    const { packetsIn, packetsOut, bytesIn, bytesOut } = addedTraffic(siege, [
      ...pretended,
      BEHIND,
    ]);
    expect(packetsIn).toBe(told.connects + told.wrongIds + told.junk + 1);
    expect(added(siege, 'badRequests')).toBe(told.junk);
    expect(added(siege, 'badConnectionIds')).toBe(told.wrongIds);
    expect(added(siege, 'connects', 'errorsSent')).toBe(packetsOut);
    expect(added(siege, 'droppedByRate')).toBe(packetsIn - packetsOut - told.junk);
    expect([added(siege, 'bytesIn'), added(siege, 'bytesOut')]).toEqual([bytesIn, bytesOut]);
    expect(added(siege, ...TAKEN)).toBe(0);
    expect(numbers.totals).toEqual(peace.numbers.totals);
  }, 60_000);

  test('all at once: the same seed gives the same trace, another seed another', async () => {
    const all = async (seed: number): Promise<string> => {
      const until = FLOOD.from + 2000;
      const siege = await besiege(
        async (field) => {
          const floods = [floodFromOne, floodFromNetworks, floodFromNowhere];
          await Promise.all(floods.map((flood) => flood(field, until)));
        },
        { seed },
      );
      expectServed(siege);
      return `${siege.trace} ${JSON.stringify(siege.numbers)}`;
    };
    const first = await all(TEST_SEED);
    expect(await all(TEST_SEED)).toBe(first);
    expect(await all(TEST_SEED + 1)).not.toBe(first);
  }, 60_000);
});

/** A siege, and what flooded it. */
async function withFlood<Flood>(
  flood: (field: Battlefield) => Promise<Flood>,
): Promise<readonly [Siege, Flood]> {
  const { promise, resolve } = Promise.withResolvers<Flood>();
  const siege = await besiege(async (field) => resolve(await flood(field)));
  return [siege, await promise];
}

type CounterName = keyof ServiceNumbers['counters'];

const TAKEN: readonly CounterName[] = [
  'announcesHttp4',
  'announcesHttp6',
  'announcesUdp4',
  'announcesUdp6',
  'scrapes',
];
/** With failures over HTTP, which are counted together with those over UDP. */
const ANSWERED_UDP: readonly CounterName[] = [
  'connects',
  'announcesUdp4',
  'announcesUdp6',
  'scrapes',
  'errorsSent',
];
/** Numbers, and no reason for failure. */
const PLEASED = /^\d+, \d+/;
