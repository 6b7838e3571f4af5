import { describe, expect, test } from 'vitest';
import { Pacer, type PacerOptions } from '../../../src/dht/crawl/pacer.ts';
import type { Clock } from '../../../src/runtime/ports.ts';
import type { World } from '../../../src/runtime/sim/index.ts';
import { makeWorld } from '../../sim/world.ts';

interface Scene {
  readonly world: World;
  readonly pacer: Pacer;
  /** When what was sent. */
  readonly sent: (readonly [number, string])[];
  readonly done: (() => void)[];
  ask(host: string): void;
}

function scene(options: Partial<PacerOptions> = {}): Scene {
  const world = makeWorld();
  const { clock } = world.host('81.0.0.1').runtime;
  const placeOf = ({ host }: { readonly host: string }): string => host;
  const pacer = new Pacer({ clock, rate: 10, concurrency: 100, placeOf, ...options });
  const sent: (readonly [number, string])[] = [];
  const done: (() => void)[] = [];
  const ask = (host: string): void =>
    pacer.ask({ host, port: 1 }, (end) => {
      sent.push([world.now, host]);
      done.push(end);
    });
  return { world, pacer, sent, done, ask };
}

describe('the pace', () => {
  test('the first at once, then evenly', async () => {
    const { world, sent, ask } = scene();
    for (const host of ['a', 'b', 'c', 'd']) ask(host);
    await world.runFor(1000);
    expect(sent.map(([at]) => at)).toEqual([0, 100, 200, 300]);
  });

  test('no burst after a rest', async () => {
    const { world, sent, ask } = scene();
    ask('a');
    await world.runFor(5000);
    for (const host of ['b', 'c']) ask(host);
    await world.runFor(1000);
    expect(sent.map(([at]) => at)).toEqual([0, 5000, 5100]);
  });

  test('one place is asked once a second, others meanwhile', async () => {
    const { world, sent, ask } = scene();
    for (const host of ['a', 'a', 'a', 'b', 'c']) ask(host);
    await world.runFor(5000);
    expect(sent).toEqual([
      ...[[0, 'a'] as const, [100, 'b'] as const, [200, 'c'] as const],
      ...[[1000, 'a'] as const, [2000, 'a'] as const],
    ]);
  });

  test('so many wait for an answer at once', async () => {
    const { world, pacer, sent, done, ask } = scene({ concurrency: 2 });
    for (const host of ['a', 'b', 'c', 'd']) ask(host);
    await world.runFor(5000);
    expect([sent.length, pacer.flying, pacer.waiting]).toEqual([2, 2, 2]);
    done[0]?.();
    await world.runFor(5000);
    expect([sent.length, pacer.flying, pacer.waiting]).toEqual([3, 2, 1]);
  });

  test('what a late timer lost is made up for, up to 50 ms of it', () => {
    let now = 0;
    let wake = (): void => undefined;
    const clock: Clock = {
      now: () => now,
      schedule: (_, call) => {
        wake = call;
        return () => undefined;
      },
    };
    const placeOf = ({ host }: { readonly host: string }): string => host;
    const pacer = new Pacer({ clock, rate: 100, concurrency: 100, placeOf });
    const sent: number[] = [];
    for (let at = 0; at < 100; at++) {
      pacer.ask({ host: `h${at}`, port: 1 }, () => sent.push(now));
    }
    expect(sent).toHaveLength(1);
    now = 25;
    wake();
    // Due at 10 and 20.
    expect(sent).toHaveLength(3);
    now = 5000;
    wake();
    expect(sent).toHaveLength(3 + 6);
  });

  test('nothing after the end, and no timer is left', async () => {
    const { world, pacer, sent, ask } = scene();
    for (const host of ['a', 'b', 'c']) ask(host);
    pacer.stop();
    ask('d');
    await world.runFor(5000);
    expect(sent).toEqual([[0, 'a']]);
    expect(pacer.waiting).toBe(0);
  });
});
