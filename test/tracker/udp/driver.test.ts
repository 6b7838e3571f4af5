import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { NetworkError, TimeoutError } from '../../../src/base/errors.ts';
import { announce, TrackerRefusal, UdpTrackers } from '../../../src/tracker/index.ts';
import { makeWorld } from '../../sim/world.ts';
import { REQUEST } from '../samples.ts';
import { failureOf, NEVER, serveTracker, TRACKER_PORT } from '../world.ts';

const signal = NEVER;

describe('a lossy network', () => {
  /** Seeds of 1 to 200 in which nobody answered in time. */
  async function unlucky(options: { readonly retries?: number }): Promise<number[]> {
    const seeds: number[] = [];
    for (let seed = 1; seed <= 200; seed++) {
      const world = makeWorld({ seed });
      const tracker = await serveTracker(world, world.host('10.0.0.9'));
      const { runtime } = world.host('10.0.0.1', { loss: 0.3 });
      const outcome = await world.run(
        outcomeOf(announce(runtime, tracker.udpUrl, REQUEST, { signal, ...options })),
      );
      if (outcome instanceof TimeoutError) seeds.push(seed);
      else expect(outcome, `seed ${seed}`).toMatchObject({ intervalSeconds: 1800 });
      expect(world.open, `seed ${seed}`).toEqual(['10.0.0.9: UDP socket 10.0.0.9:6969']);
    }
    return seeds;
  }

  test('30 % loss, 200 seeds, up to 16 retries: an answer in every one', async () => {
    expect(await unlucky({ retries: 16 })).toEqual([]);
  });

  // The nine packets of BEP 15 or their answers are all lost with 0.51^9, once in 430 connects, and
  // about as often later: one of 200 is expected, more than four with a probability of 0.4 %.
  test('30 % loss, 200 seeds, as BEP 15 says: an answer or a TimeoutError, and hardly any of those', async () => {
    expect((await unlucky({})).length).toBeLessThanOrEqual(4);
  });

  test('duplicates and reordering change nothing', async () => {
    const world = makeWorld();
    const tracker = await serveTracker(world, world.host('10.0.0.9'));
    const { runtime } = world.host('10.0.0.1', { duplicate: 1, reorder: 0.5, jitterMs: 30 });
    await world.run(announce(runtime, tracker.udpUrl, REQUEST, { signal }));
    expect(new Set(tracker.tiny.heard.map(({ port }) => port))).toEqual(new Set([6881]));
  });

  test('same seed, same trace', async () => {
    const trace = async (): Promise<unknown> => {
      const world = makeWorld({ seed: 7, keepLines: true });
      const tracker = await serveTracker(world, world.host('10.0.0.9'));
      const { runtime } = world.host('10.0.0.1', { loss: 0.5 });
      await world.run(outcomeOf(announce(runtime, tracker.udpUrl, REQUEST, { signal })));
      return [world.now, world.trace.lines];
    };
    expect(await trace()).toEqual(await trace());
  });
});

describe('a dead tracker', () => {
  test('is asked for 7665 virtual seconds (BEP 15)', async () => {
    const world = makeWorld();
    const { runtime } = world.host('10.0.0.1');
    const url = 'udp://10.0.0.9:6969/announce';
    const error = await world.run(failureOf(announce(runtime, url, REQUEST, { signal })));
    expect(error).toBeInstanceOf(TimeoutError);
    expect(world.now).toBe(7_665_000);
    world.assertClosed();
  });

  test('is given up after the limit, three packets by default', async () => {
    const world = makeWorld();
    const tracker = await serveTracker(world, world.host('10.0.0.9', { latencyMs: 0 }));
    tracker.deaf = true;
    const { runtime } = world.host('10.0.0.1', { latencyMs: 0 });
    const work = announce(runtime, tracker.udpUrl, REQUEST, { signal, timeoutMs: 7000 });
    expect(await world.run(failureOf(work))).toMatchObject({ waitedMs: 7000 });
    expect(tracker.packets.map(({ at }) => at)).toEqual([0, 1000, 3000]);
  });

  test('time for the name counts', async () => {
    const world = makeWorld();
    world.names.silent = true;
    const { runtime } = world.host('10.0.0.1');
    const work = announce(runtime, 'udp://t.example:1', REQUEST, { signal, timeoutMs: 500 });
    const error = await world.run(failureOf(work));
    expect(error).toBeInstanceOf(TimeoutError);
    expect(world.now).toBe(500);
    await world.runToRest();
    world.assertClosed();
  });

  test('a name without addresses', async () => {
    const world = makeWorld();
    const { runtime } = world.host('10.0.0.1');
    const work = announce(runtime, 'udp://t.example:1', REQUEST, { signal });
    const error = await world.run(failureOf(work));
    expect(error).toBeInstanceOf(NetworkError);
    expect(error).toMatchObject({ code: 'BIP_DNS' });
    world.assertClosed();
  });
});

describe('who answers', () => {
  test('somebody else with the right transaction is ignored, the request lives on', async () => {
    const world = makeWorld();
    const trackerHost = world.host('10.0.0.9');
    const liar = await world.host('10.0.0.66').runtime.network.bindDatagrams({ signal });
    const socket = await trackerHost.runtime.network.bindDatagrams({ port: TRACKER_PORT, signal });
    const { tiny } = await serveTracker(world, world.host('10.0.0.10'));
    let lies = 0;
    socket.receive((bytes, from) => {
      const lie = new Uint8Array(20);
      lie.set([0, 0, 0, 3, ...bytes.subarray(12, 16)]);
      liar.send(lie, from);
      lies++;
      const answer = tiny.udp(bytes, from);
      trackerHost.runtime.clock.schedule(world.now + 500, () => {
        if (answer !== undefined) socket.send(answer, from);
      });
    });
    const { runtime } = world.host('10.0.0.1');
    const answer = await world.run(announce(runtime, 'udp://10.0.0.9:6969', REQUEST, { signal }));
    expect(answer.remote).toEqual({ host: '10.0.0.9', port: 6969 });
    expect(lies).toBe(2);
  });

  test('a name with a dead first address: the second is asked 15 s later', async () => {
    const world = makeWorld();
    const tracker = await serveTracker(world, world.host('10.0.0.9'));
    world.names.set('t.example', ['10.0.0.8', '10.0.0.9']);
    const { runtime } = world.host('10.0.0.1');
    const url = 'udp://t.example:6969/announce';
    const { remote } = await world.run(announce(runtime, url, REQUEST, { signal }));
    expect(remote.host).toBe('10.0.0.9');
    expect(tracker.packets[0]?.at).toBe(15_040);
  });

  test('IPv6: peers of 18 bytes; --family decides between the addresses of a name', async () => {
    const world = makeWorld();
    const host = world.host('10.0.0.9', { addresses: ['2001:db8::9'] });
    const tracker = await serveTracker(world, host);
    world.names.set('t.example', ['10.0.0.9', '2001:db8::9']);
    const { runtime } = world.host('10.0.0.1', { addresses: ['2001:db8::1'] });
    const url = 'udp://t.example:6969';
    await world.run(announce(runtime, url, REQUEST, { signal, family: 6 }));
    const again = { ...REQUEST, port: 7000 };
    const six = await world.run(announce(runtime, url, again, { signal, family: 6 }));
    expect(six.remote.host).toBe('2001:db8::9');
    expect(six.peers).toEqual([{ host: '2001:db8::1', port: 6881 }]);
    const four = await world.run(announce(runtime, url, again, { signal, family: 4 }));
    expect(four.remote.host).toBe('10.0.0.9');
    expect(tracker.tiny.heard.at(-1)?.from.host).toBe('10.0.0.1');
  });

  test('path and query of the URL go along (BEP 41)', async () => {
    const world = makeWorld();
    const tracker = await serveTracker(world, world.host('10.0.0.9'));
    const { runtime } = world.host('10.0.0.1');
    const target = `/announce?passkey=${'k'.repeat(300)}`;
    await world.run(announce(runtime, `udp://10.0.0.9:6969${target}`, REQUEST, { signal }));
    expect(tracker.tiny.heard[0]?.target).toBe(target);
  });

  test('a refusal', async () => {
    const world = makeWorld();
    const tracker = await serveTracker(world, world.host('10.0.0.9'));
    tracker.tiny.refusal = 'go away';
    const { runtime } = world.host('10.0.0.1');
    const error = await world.run(
      failureOf(announce(runtime, tracker.udpUrl, REQUEST, { signal })),
    );
    expect(error).toBeInstanceOf(TrackerRefusal);
    expect(error).toMatchObject({ reason: 'go away' });
    expect(String(error)).toContain('udp://10.0.0.9:6969 refused with: go away');
  });
});

describe('one session of announces', () => {
  test('shares connection ids for a minute and survives a restart of the tracker', async () => {
    const world = makeWorld();
    const tracker = await serveTracker(world, world.host('10.0.0.9'));
    const { runtime } = world.host('10.0.0.1');
    await using udp = new UdpTrackers(runtime);
    const again = (): Promise<unknown> =>
      world.run(announce(runtime, tracker.udpUrl, REQUEST, { signal, udp }));
    await again();
    await again();
    expect(tracker.tiny.connects).toBe(1);
    tracker.tiny.restart();
    await again();
    expect(tracker.tiny.connects).toBe(2);
    await world.runFor(60_000);
    await again();
    expect(tracker.tiny.connects).toBe(3);
    expect(new Set(tracker.packets.map(({ from }) => from.port)).size).toBe(1);
  });

  test('fifty at once through one socket', async () => {
    const world = makeWorld();
    const tracker = await serveTracker(world, world.host('10.0.0.9'));
    const { runtime } = world.host('10.0.0.1', { jitterMs: 50 });
    await using udp = new UdpTrackers(runtime);
    const ports = Array.from({ length: 50 }, (_, at) => 7000 + at);
    await world.run(
      Promise.all(
        ports.map((port) =>
          announce(runtime, tracker.udpUrl, { ...REQUEST, port }, { signal, udp }),
        ),
      ),
    );
    expect(tracker.tiny.heard.map(({ port }) => port).toSorted((a, b) => a - b)).toEqual(ports);
  });
});

describe('disposal and cancellation', () => {
  test('an abort ends it at once and closes the socket', async () => {
    const world = makeWorld();
    const { runtime } = world.host('10.0.0.1');
    const controller = new AbortController();
    const how = { signal: controller.signal };
    const work = announce(runtime, 'udp://10.0.0.9:6969', REQUEST, how);
    runtime.clock.schedule(100, () => controller.abort(new Error('stop')));
    expect(await world.run(failureOf(work))).toMatchObject({ message: 'stop' });
    expect(world.now).toBe(100);
    world.assertClosed();
  });

  test('ends what is under way, twice and at once are fine', async () => {
    const world = makeWorld();
    const { runtime } = world.host('10.0.0.1');
    const udp = new UdpTrackers(runtime);
    const options = { signal, udp };
    const work = failureOf(announce(runtime, 'udp://10.0.0.9:6969', REQUEST, options));
    await world.runFor(10);
    expect(world.open).toHaveLength(2);
    await world.run(Promise.all([udp[Symbol.asyncDispose](), udp[Symbol.asyncDispose]()]));
    expect(await world.run(work)).toMatchObject({ code: 'BIP_TRACKER_CLOSED' });
    await world.run(udp[Symbol.asyncDispose]());
    expect(
      await world.run(failureOf(announce(runtime, 'udp://10.0.0.9:6969', REQUEST, options))),
    ).toMatchObject({ code: 'BIP_TRACKER_CLOSED' });
    world.assertClosed();
  });

  test('no listener stays on the signal', async () => {
    const world = makeWorld();
    const tracker = await serveTracker(world, world.host('10.0.0.9'));
    const { runtime } = world.host('10.0.0.1');
    const how = { signal: new AbortController().signal };
    await world.run(announce(runtime, tracker.udpUrl, REQUEST, how));
    await world.run(announce(runtime, tracker.httpUrl, REQUEST, how));
    expect(getEventListeners(how.signal, 'abort')).toEqual([]);
  });

  test('a throwing body still closes, and its error survives', async () => {
    const world = makeWorld();
    const tracker = await serveTracker(world, world.host('10.0.0.9'));
    const { runtime } = world.host('10.0.0.1');
    const body = async (): Promise<void> => {
      await using udp = new UdpTrackers(runtime);
      await announce(runtime, tracker.udpUrl, REQUEST, { signal, udp });
      throw new Error('mine');
    };
    expect(await world.run(failureOf(body()))).toMatchObject({ message: 'mine' });
    expect(world.open).toHaveLength(1);
  });
});

function outcomeOf<T>(work: Promise<T>): Promise<unknown> {
  return work.catch((error: unknown) => error);
}
