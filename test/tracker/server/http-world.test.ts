import { expect, test } from 'vitest';
import type { Endpoint } from '../../../src/base/endpoint.ts';
import { PeerId } from '../../../src/base/ids.ts';
import type { SimHost } from '../../../src/runtime/sim/index.ts';
import { type AnnounceResponse, announce } from '../../../src/tracker/index.ts';
import { makeWorld } from '../../sim/world.ts';
import { REQUEST } from '../samples.ts';
import { Desk, peerIdOf } from './desk.ts';

const TRACKER: Endpoint = { host: '10.0.0.1', port: 6969 };

test('clients of bip find each other through it, over connections with loss', async () => {
  const world = makeWorld();
  const place = world.host(TRACKER.host, { loss: 0.02, jitterMs: 5 });
  const clients = Array.from({ length: 20 }, (_, at) =>
    world.host(`10.0.1.${at + 1}`, { loss: 0.02, latencyMs: 5 + at }),
  );
  const desk = new Desk();
  const { signal } = new AbortController();
  const story = async (): Promise<void> => {
    await using server = await place.runtime.http.serve((request) => desk.http.handle(request), {
      ...TRACKER,
      signal,
    });
    expect(server.local).toEqual(TRACKER);
    await Promise.all(clients.map((client, at) => tell(client, at, 'started')));
    const answer = await tell(world.host('10.0.2.1'), 20);
    const others = clients.map((client) => client.address);
    expect(answer?.peers.map(({ host }) => host).toSorted()).toEqual(others.toSorted());
    expect(answer).toMatchObject({ seeders: 10, leechers: 11, externalIp: '10.0.2.1' });
    await Promise.all(clients.slice(5).map((client, at) => tell(client, at + 5, 'stopped')));
  };
  await world.run(story());
  expect(desk.store.totals).toMatchObject({ swarms: 1, peers4: 6, seeders: 2 });
  await world.runToRest();
  world.assertClosed();
});

/** Every other one is a seed. */
function tell(
  { runtime }: SimHost,
  at: number,
  event?: 'started' | 'stopped',
): Promise<AnnounceResponse> {
  const { signal } = new AbortController();
  return announce(
    runtime,
    `http://${TRACKER.host}:${TRACKER.port}/announce`,
    {
      ...REQUEST,
      peerId: new PeerId(peerIdOf(String.fromCharCode(97 + at))),
      left: at % 2 === 0 ? 100 : 0,
      ...(event === undefined ? {} : { event }),
    },
    { signal },
  );
}
