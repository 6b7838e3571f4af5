/** Thousands of clients and their tracker for hours, in bad networks and with bad luck. */

import { describe, expect, test } from 'vitest';
import { TEST_SEED } from '../sim/world.ts';
import { type StoryOptions, TrackerStory } from './tracker-story.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** What happens to the tracker, and after how many minutes. */
type Plot = readonly (readonly [minute: number, happen: (story: TrackerStory) => unknown])[];

const WITH_STATE: Plot = [
  // The calendar is set: of no account as long as the tracker runs.
  [50, (story) => story.setCalendar(72 * HOUR)],
  [65, (story) => story.halt(420, 'where-it-was')],
  // It begins again on a day before the one on which it ended.
  [90, (story) => story.restart(60, () => story.setCalendar(-96 * HOUR))],
  [120, (story) => story.halt(600, 'where-the-world-is')],
  [152, (story) => story.crash(180)],
  [175, (story) => story.setCalendar(-2 * HOUR)],
  // For the tracker half an hour more has passed than for everybody else.
  [200, (story) => story.restart(30, () => story.setCalendar(HOUR / 2))],
];

const WITHOUT_STATE: Plot = [
  [70, (story) => story.restart(60)],
  [110, (story) => story.halt(300, 'where-the-world-is')],
  [140, (story) => story.crash(240)],
];

/** Lets it all happen, compares tracker and model every ten minutes and after each blow, then calms it. */
async function play(story: TrackerStory, plot: Plot, options: StoryOptions): Promise<void> {
  const { scene, crowd } = story;
  const until = async (ms: number): Promise<void> =>
    scene.pass(Math.max(0, ms - scene.world.now) / SECOND);
  await scene.play(async () => {
    await story.open();
    const living = crowd.live();
    let compared = 0;
    for (let minute = 1; minute * MINUTE <= options.calmFrom; minute++) {
      await until(minute * MINUTE);
      const [, happen] = plot.find(([at]) => at === minute) ?? [];
      await happen?.(story);
      if (happen === undefined && scene.world.now < compared + 10 * MINUTE) continue;
      compared = scene.world.now;
      await story.compare();
    }
    await living;
    // Whoever vanished is forgotten an hour later, and whoever is there has announced itself.
    crowd.mendLines();
    await scene.pass(HOUR / SECOND);
    const ranges = await story.compare();
    expect(ranges.every(({ seeders, leechers }) => isExact(seeders) && isExact(leechers))).toBe(
      true,
    );
    await crowd.leave();
    await scene.pass(60);
    await story.compare();
    await story.close();
  });
  expect(story.faults).toEqual([]);
  expect(crowd.faults).toEqual([]);
}

function isExact([low, high]: readonly [number, number]): boolean {
  return low === high;
}

describe(`seed ${TEST_SEED}`, () => {
  test('10,000 clients: the counts are right at all times, over restarts with a state file', async () => {
    const options = {
      clients: 10_000,
      swarms: 300,
      arrivalsMs: 2.5 * HOUR,
      calmFrom: 4 * HOUR,
      keepsState: true,
    };
    const story = new TrackerStory(options);
    await play(story, WITH_STATE, options);
    const { tally } = story.crowd;
    // Enough of everything has happened, and the model seldom left the tracker a choice.
    expect(tally.announced).toBeGreaterThan(40_000);
    expect(tally.peersGiven).toBeGreaterThan(200_000);
    expect(tally.failed).toBeGreaterThan(5000);
    expect(tally.retransmissions).toBeGreaterThan(3000);
    for (const times of [tally.completed, tally.left, tally.vanished]) {
      expect(times).toBeGreaterThan(3000);
    }
    expect(tally.restarted).toBeGreaterThan(1000);
    expect(tally.slept).toBeGreaterThan(300);
    expect(story.compared.all).toBeGreaterThan(40_000);
    expect(story.compared.exact).toBeGreaterThan(0.8 * story.compared.all);
  }, 180_000);

  test('without a state file: a tracker that begins anew counts those that come to it', async () => {
    const options = {
      clients: 1500,
      swarms: 80,
      arrivalsMs: 1.5 * HOUR,
      calmFrom: 2.75 * HOUR,
      keepsState: false,
    };
    const story = new TrackerStory(options);
    await play(story, WITHOUT_STATE, options);
    expect(story.compared.exact).toBeGreaterThan(0.8 * story.compared.all);
  }, 180_000);

  test('the same seed gives the same trace, another seed another', async () => {
    const run = async (seed: number): Promise<string> => {
      const options = {
        seed,
        clients: 150,
        swarms: 20,
        arrivalsMs: HOUR / 3,
        calmFrom: (2 * HOUR) / 3,
        keepsState: true,
      };
      const story = new TrackerStory(options);
      await play(story, [[25, (one) => one.crash(60)]], options);
      const { trace } = story.scene.world;
      return `${trace.hash} ${trace.length} ${JSON.stringify(story.crowd.tally)}`;
    };
    const first = await run(TEST_SEED);
    expect(await run(TEST_SEED)).toBe(first);
    expect(await run(TEST_SEED + 1)).not.toBe(first);
  }, 180_000);
});
