/** A tracker with honest clients, for a minute, in which others may flood it. @module */

import type { Millis } from '../../src/runtime/ports.ts';
import type { SeededRandom, SimHost } from '../../src/runtime/sim/index.ts';
import type { ServiceNumbers } from '../../src/tracker/server/index.ts';
import { ServiceWorld } from '../tracker/server/service-world.ts';
import { IdKeeper, type Regular, type RegularAt, WholeClient } from './tracker-regulars.ts';
import { TrackerWire } from './tracker-wire.ts';

/** The limits of the tracker. */
export const PER_SECOND = 10;
export const MAX_CONNECTIONS = 64;

/** Floods begin and end in between. */
export const FLOOD: { readonly from: Millis; readonly until: Millis } = {
  from: 10_000,
  until: 50_000,
};
const END: Millis = 60_000;

/** Where those are that flood; next door to each is somebody honest. */
export const FLOODER = '198.18.0.66';
export const FLOODING_24 = '198.18.1';
export const FLOODING_64 = '2001:db8:bad:1';
/** Honest; others send in its name. */
export const DOUBLE = '20.0.200.7';

/** What became of it. */
export interface Siege {
  /** What each honest client was told. */
  readonly answers: readonly (readonly string[])[];
  readonly numbers: ServiceNumbers;
  readonly wire: TrackerWire;
  readonly trace: string;
}

/** What a flood is made of. */
export interface Battlefield {
  readonly scene: ServiceWorld;
  readonly wire: TrackerWire;
  readonly random: SeededRandom;
  host(address: string): SimHost;
}

/** Plays it. Loss would fall on other packets when there are more of them, so there is none. */
export async function besiege(
  flood: (field: Battlefield) => Promise<void>,
  options: { readonly seed?: number } = {},
): Promise<Siege> {
  const scene = new ServiceWorld(options);
  const { world } = scene;
  const wire = new TrackerWire();
  const regulars: Regular[] = REGULARS.map((at, index) => new WholeClient(scene, at, index));
  regulars.push(new IdKeeper(scene, DOUBLE));
  const field = {
    scene,
    wire,
    random: world.random.fork(FORK),
    host: (address: string) => world.host(address),
  };
  const { promise: numbers, resolve } = Promise.withResolvers<ServiceNumbers>();
  await scene.play(async () => {
    await using service = await scene.serve(
      { requestsPerSecond: PER_SECOND, http: { maxConnections: MAX_CONNECTIONS } },
      wire.tap(scene.host.runtime),
    );
    const living = regulars.map((regular) => regular.live(END));
    await scene.pass(FLOOD.from / 1000);
    await flood(field);
    await Promise.all(living);
    resolve(service.numbers);
  });
  return {
    answers: regulars.map((regular) => regular.answers),
    numbers: await numbers,
    wire,
    trace: `${world.trace.hash} ${world.trace.length}`,
  };
}

const FORK = 1_000_000;

/** 40 in networks of their own, and some neighbours. */
const REGULARS: readonly RegularAt[] = [
  ...Array.from({ length: 10 }, (_, at): readonly RegularAt[] => [
    { address: `20.0.${at}.7`, over: 'udp4' },
    { address: `20.1.${at}.7`, over: 'http4' },
    { address: `2001:db8:${at + 1}::7`, over: 'udp6' },
    { address: `2001:db8:${at + 1}:1::7`, over: 'http6' },
  ]).flat(),
  { address: '198.18.0.20', over: 'udp4' },
  { address: '198.18.0.21', over: 'http4' },
  { address: '2001:db8:bad:2::7', over: 'udp6' },
  { address: '2001:db8:bad:3::7', over: 'http6' },
];
