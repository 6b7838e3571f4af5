/** Peers behind NATs that are introduced to each other by one that both can reach (BEP 55), in virtual time. */

import { expect, test } from 'vitest';
import type { HostOptions } from '../../src/runtime/sim/index.ts';
import type { TransportMode } from '../../src/session/index.ts';
import { makeContent, type Peer, SwarmWorld } from './swarm-world.ts';

const LINE: Partial<HostOptions> = { latencyMs: 20, upload: 500_000, download: 2_000_000 };
const HIDDEN: Partial<HostOptions> = { ...LINE, nat: 'cone' };
/** So slow that what comes fast did not come from there. */
const SLOW: Partial<HostOptions> = { ...LINE, upload: 4_000, download: 4_000 };

function notes({ events }: Peer): string {
  return events.flatMap((event) => (event.type === 'note' ? [event.message] : [])).join('\n');
}

interface Three {
  readonly swarm: SwarmWorld;
  /** Has next to nothing, and knows both. */
  readonly relay: Peer;
  /** Has all, behind a NAT; hears of nobody from others. */
  readonly seed: Peer;
  /** Behind a NAT, too. */
  readonly leecher: Peer;
}

async function meet(
  transport: TransportMode,
  story: (three: Three) => Promise<void>,
): Promise<void> {
  const swarm = new SwarmWorld(makeContent(1_000_000));
  swarm.session = { transport };
  await swarm.world.run(
    (async () => {
      const relay = await swarm.start(swarm.host(SLOW));
      const seed = await swarm.seed({ ...HIDDEN, peers: [relay.endpoint] }, undefined, {
        pex: false,
      });
      await relay.host.sleep(5_000);
      const leecher = await swarm.start(swarm.host(HIDDEN), { peers: [relay.endpoint] });
      await story({ swarm, relay, seed, leecher });
      for (const peer of [leecher, seed, relay]) await peer[Symbol.asyncDispose]();
      swarm.world.assertClosed();
    })(),
  );
}

test('two peers behind NATs are joined, and one serves the other', () =>
  meet('both', async ({ swarm, relay, seed, leecher }) => {
    await leecher.torrent.completed;
    // From the relay it would have taken four minutes and more.
    expect(swarm.world.now).toBeLessThan(90_000);
    expect(await swarm.digests(leecher.host)).toEqual(swarm.expected);
    expect(seed.torrent.stats().uploaded).toBeGreaterThan(900_000);
    const [us, them] = [leecher.endpoint.host, seed.endpoint.host];
    expect(notes(leecher)).toContain(`is asked to introduce us to ${them}:6881`);
    expect(notes(relay)).toContain(`introduces ${us}:6881 and ${them}:6881`);
    expect(notes(seed)).toContain(`introduces us to ${us}:6881`);
    expect(notes(seed)).toMatch(/(connected to|called by) .* over uTP/);
  }));

test('without uTP nobody offers it, and they do not meet', () =>
  meet('tcp', async ({ seed, leecher }) => {
    await leecher.host.sleep(90_000);
    expect(leecher.torrent.stats().peers).toBe(1);
    expect(seed.torrent.stats().peers).toBe(1);
    expect(notes(leecher)).not.toContain('introduce');
  }));
