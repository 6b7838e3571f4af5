/** Anything that may come over the network: nothing throws, nothing grows, and others are served. */

import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { parseNetwork } from '../../../src/base/ip-network.ts';
import {
  NetworkSet,
  parseDenyList,
  parsePasskeys,
  type ServiceNumbers,
  type ServiceOptions,
} from '../../../src/tracker/server/index.ts';
import { TEST_SEED } from '../../sim/world.ts';
import { BareService } from './bare-service.ts';
import { serveOthers } from './fuzz-honest.ts';
import { PASSKEY } from './fuzz-inputs.ts';
import { FuzzRun } from './fuzz-run.ts';
import { ANSWERS } from './service-world.ts';

interface Configuration {
  readonly options: Partial<ServiceOptions> & Pick<ServiceOptions, 'limits'>;
  /** Others find room so long after it. */
  readonly restSeconds: number;
  /** What has to have happened, and how often at least. */
  readonly happened: Partial<ServiceNumbers['counters']>;
}

const ROOMY = { maxSwarms: 20_000, maxPeers: 100_000, maxBytes: 64 * 1024 * 1024 } as const;
const PROXIES = ['10.0.0.0/8', '::1/128'].flatMap((text) => parseNetwork(text) ?? []);
const DENIED = parseDenyList(`${'00'.repeat(20)}\n8.8.2.0/24\n2001:db8:3::/48\n`);

const CONFIGURATIONS: Readonly<Record<string, Configuration>> = {
  'open to all, behind proxies': {
    options: {
      answers: { ...ANSWERS, jitter: 0.5, ipParameter: 'always' },
      fullScrape: true,
      trustedProxies: NetworkSet.of(PROXIES).handle,
      limits: ROOMY,
    },
    restSeconds: 0,
    happened: { announcesUdp4: 5000, announcesUdp6: 2000, announcesHttp4: 1000, scrapes: 3000 },
  },
  'members only, with lists of what is denied': {
    options: {
      access: {
        passkeys: parsePasskeys(PASSKEY),
        deny: DENIED.infoHashes.handle,
        denyNetworks: DENIED.networks.handle,
      },
      limits: ROOMY,
    },
    restSeconds: 0,
    happened: {
      announcesUdp4: 500,
      refusedPasskey: 5000,
      refusedAddress: 500,
      refusedNotListed: 100,
    },
  },
  'at a limited rate': {
    options: { requestsPerSecond: 1, limits: ROOMY },
    restSeconds: 0,
    happened: { announcesUdp4: 2000, refusedRate: 2000, droppedByRate: 2000 },
  },
  'with little room': {
    options: { limits: { maxSwarms: 50, maxPeers: 300, maxBytes: 256 * 1024 } },
    restSeconds: 70,
    happened: { announcesUdp4: 500, announcesHttp4: 100, refusedFull: 5000 },
  },
};

const LIFETIME_SECONDS = 60;
/** How long it may take beyond the lifetime until all are forgotten. */
const SWEEP_SECONDS = 65;
const ROUNDS = 5;
/** Of all configurations together. */
const PACKETS = 200_000;
const REQUESTS = 50_000;

describe(`seed ${TEST_SEED}`, () => {
  const all = Object.entries(CONFIGURATIONS);
  test.each(all)(
    '%s',
    async (_, { options, restSeconds, happened }) => {
      await using bare = await BareService.open({
        peerLifetimeSeconds: LIFETIME_SECONDS,
        ...options,
      });
      const { service, clock } = bare;
      const run = new FuzzRun(bare, TEST_SEED);
      const sizes: Sizes[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        run.packets(PACKETS / all.length / ROUNDS);
        await run.requests(REQUESTS / all.length / ROUNDS);
        sizes.push(measure(bare));
      }
      expect(run.faults).toEqual([]);
      expectAtLeast(service.numbers.counters, happened);
      expectSteady(sizes);
      expectWithin(service.numbers, options.limits);

      clock.pass(1000 * restSeconds);
      await serveOthers(bare);
      clock.pass(1000 * (LIFETIME_SECONDS + SWEEP_SECONDS));
      expect(service.numbers.totals).toMatchObject({
        peers4: 0,
        peers6: 0,
        seeders: 0,
        leechers: 0,
      });
    },
    60_000,
  );
});

/** After a round. */
interface Sizes {
  /** Bytes of objects; without machine code, which comes when V8 finds the time for it. */
  readonly heap: number;
  /** Bytes of buffers; the store takes more now and then, and keeps to its limit. */
  readonly buffers: number;
  readonly timers: number;
}

function measure({ clock }: BareService): Sizes {
  // Buffers are freed by another thread; the second time waits for what the first one began.
  collect();
  collect();
  const spaces = getHeapSpaceStatistics().filter(({ space_name: name }) => OBJECTS.test(name));
  return {
    heap: spaces.reduce((sum, { space_used_size: bytes }) => sum + bytes, 0),
    buffers: process.memoryUsage().arrayBuffers,
    timers: clock.size,
  };
}

const OBJECTS = /^(?:new|old|large_object|new_large_object)_?(?:space)?$/;
const collect = collector();

function collector(): () => void {
  setFlagsFromString('--expose-gc');
  const gc: unknown = runInNewContext('() => gc()');
  return () => {
    if (typeof gc !== 'function') throw new Error('V8 gives no gc');
    Reflect.apply(gc, undefined, []);
  };
}

/**
 * What leaks grows in every round; caches, and V8's own notes, grow in some. Of one object for each
 * packet a round would leave 300 KB.
 */
function expectSteady(sizes: readonly Sizes[]): void {
  for (const what of ['heap', 'buffers'] as const) {
    const bytes = sizes.map((size) => size[what]);
    const growths = bytes.slice(1).map((size, at) => size - (bytes[at] ?? 0));
    const least = Math.min(...growths);
    expect(least, `${what} after each round: ${bytes.join(', ')}`).toBeLessThan(LEAK);
  }
  expect(new Set(sizes.map(({ timers }) => timers)).size).toBe(1);
}

/** Bytes in a round. */
const LEAK = 60_000;

function expectAtLeast(
  counters: ServiceNumbers['counters'],
  least: Configuration['happened'],
): void {
  const counted = new Map<string, number>(Object.entries(counters));
  const rare = Object.entries(least).filter(([name, count]) => (counted.get(name) ?? 0) < count);
  expect(rare, `counted: ${JSON.stringify(counters)}`).toEqual([]);
}

function expectWithin({ totals }: ServiceNumbers, limits: ServiceOptions['limits']): void {
  const { peers4, peers6, seeders, leechers } = totals;
  expect(seeders + leechers).toBe(peers4 + peers6);
  expect(peers4 + peers6).toBeLessThanOrEqual(limits.maxPeers);
  expect(totals.swarms).toBeLessThanOrEqual(limits.maxSwarms);
  expect(totals.bytesReserved).toBeLessThanOrEqual(limits.maxBytes);
}
