/** Peers that a session turns away by their handshakes, in virtual time. */

import { expect, test } from 'vitest';
import { clientRule, HandshakeFilter } from '../../src/handshake/index.ts';
import { makeContent, type Peer, SwarmWorld } from './swarm-world.ts';

function notes({ events }: Peer): string {
  return events.flatMap((event) => (event.type === 'note' ? [event.message] : [])).join('\n');
}

test('who is blocked is neither let in nor kept when called, until the rule is taken back', async () => {
  const swarm = new SwarmWorld(makeContent(1_000_000));
  const filter = new HandshakeFilter();
  const strangers: string[] = [];
  await swarm.world.run(
    (async () => {
      const unblock = filter.block(clientRule('bip'));
      swarm.session = { filter, onNote: (note) => void strangers.push(note) };
      const seed = await swarm.seed();
      swarm.session = {};
      const caller = await swarm.start(swarm.host(), { peers: [seed.endpoint] });
      await caller.host.sleep(20_000);
      expect(seed.torrent.stats().peers).toBe(0);
      expect(caller.torrent.stats()).toMatchObject({ peers: 0, done: 0 });
      expect(strangers.join('\n')).toContain('the peer is turned away: `bip` is blocked');

      swarm.session = { filter };
      const picky = await swarm.start(swarm.host(), { peers: [caller.endpoint] });
      await picky.host.sleep(20_000);
      expect(picky.torrent.stats().peers).toBe(0);
      expect(notes(picky)).toContain('the peer is turned away: `bip` is blocked');

      unblock();
      await Promise.all([caller.torrent.completed, picky.torrent.completed]);
      expect(await swarm.digests(picky.host)).toEqual(swarm.expected);
      for (const peer of [picky, caller, seed]) await peer[Symbol.asyncDispose]();
      swarm.world.assertClosed();
    })(),
  );
});
