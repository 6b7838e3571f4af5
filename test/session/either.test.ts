/** Which of two ways to a peer is taken. */

import { expect, test } from 'vitest';
import { NetworkError } from '../../src/base/errors.ts';
import type { ByteStream, Clock, Network } from '../../src/runtime/ports.ts';
import { either } from '../../src/session/either.ts';
import { makeWorld } from '../sim/world.ts';

const TO = { host: '10.0.0.2', port: 6881 };

interface Way {
  readonly connect: Network['connect'];
  /** When it was called, milliseconds. */
  readonly calledAt: () => number | undefined;
  readonly aborted: () => boolean;
  readonly disposed: () => boolean;
}

/** Answers after `ms`, or fails then; as deaf as the port allows when it never does. */
function way(clock: Clock, ms: number, outcome: 'stream' | 'failure', isDeaf = false): Way {
  let calledAt: number | undefined;
  let aborted = false;
  let disposed = false;
  const stream: ByteStream = {
    local: TO,
    remote: TO,
    queuedBytes: 0,
    open: () => undefined,
    write: () => undefined,
    pause: () => undefined,
    resume: () => undefined,
    [Symbol.asyncDispose]() {
      disposed = true;
      return Promise.resolve();
    },
  };
  return {
    calledAt: () => calledAt,
    aborted: () => aborted,
    disposed: () => disposed,
    connect: (_to, { signal }) => {
      calledAt = clock.now();
      const { promise, resolve, reject } = Promise.withResolvers<ByteStream>();
      clock.schedule(clock.now() + ms, () => {
        if (outcome === 'stream') resolve(stream);
        else reject(new NetworkError(`failed after ${ms}`));
      });
      signal.addEventListener('abort', () => {
        aborted = true;
        if (!isDeaf) reject(signal.reason);
      });
      return promise;
    },
  };
}

async function story(run: (clock: Clock) => Promise<void>): Promise<void> {
  const world = makeWorld();
  const host = world.host('10.0.0.1');
  await world.run(run(host.runtime.clock));
  await world.runToRest();
  world.assertClosed();
}

const signal = new AbortController().signal;

test('the first one, when it answers soon: the second is never called', () =>
  story(async (clock) => {
    const [one, other] = [way(clock, 200, 'stream'), way(clock, 10, 'stream')];
    await either(one.connect, other.connect, clock)(TO, { signal });
    expect(clock.now()).toBe(200);
    expect([one.aborted(), one.disposed(), other.calledAt()]).toEqual([true, false, undefined]);
  }));

test('the second one, when it overtakes the first', () =>
  story(async (clock) => {
    const [one, other] = [way(clock, 5000, 'stream'), way(clock, 100, 'stream')];
    await either(one.connect, other.connect, clock)(TO, { signal });
    expect([clock.now(), other.calledAt()]).toEqual([350, 250]);
    expect([one.aborted(), other.disposed()]).toEqual([true, false]);
  }));

test('the second one at once, when the first has failed', () =>
  story(async (clock) => {
    const [one, other] = [way(clock, 30, 'failure'), way(clock, 100, 'stream')];
    await either(one.connect, other.connect, clock)(TO, { signal });
    expect(clock.now()).toBe(130);
  }));

test('who comes second although it was stopped is disposed', () =>
  story(async (clock) => {
    const [one, other] = [way(clock, 400, 'stream', true), way(clock, 100, 'stream')];
    await either(one.connect, other.connect, clock)(TO, { signal });
    expect(one.disposed()).toBe(false);
    await new Promise<void>((resolve) => {
      clock.schedule(500, resolve);
    });
    expect([one.disposed(), other.disposed()]).toEqual([true, false]);
  }));

test('both fail: the reason of the first', () =>
  story(async (clock) => {
    const [one, other] = [way(clock, 700, 'failure'), way(clock, 100, 'failure')];
    const attempt = either(one.connect, other.connect, clock)(TO, { signal });
    await expect(attempt).rejects.toThrow('failed after 700');
  }));

test('a bug of one does not hide behind a failure of the other', () =>
  story(async (clock) => {
    const one = way(clock, 30, 'failure');
    const broken = (): Promise<ByteStream> => Promise.reject(new TypeError('a bug'));
    await expect(either(one.connect, broken, clock)(TO, { signal })).rejects.toThrow('a bug');
  }));

test.for([10, 300])('a signal after %d ms stops all that is under way', (ms) =>
  story(async (clock) => {
    const [one, other] = [way(clock, 5000, 'stream'), way(clock, 5000, 'stream')];
    const stop = new AbortController();
    clock.schedule(ms, () => stop.abort(new Error('enough')));
    const attempt = either(one.connect, other.connect, clock)(TO, { signal: stop.signal });
    await expect(attempt).rejects.toThrow('enough');
    expect(clock.now()).toBe(ms);
    expect([one.aborted(), other.aborted()]).toEqual([true, ms > 250]);
  }),
);
