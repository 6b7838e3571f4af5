/** The way to a real Redis: what a command costs. */

import { expect, test, vi } from 'vitest';
import { clock } from '../../src/runtime/node/clock.ts';
import { openRedis } from '../../src/runtime/node/redis.ts';
import { RedisServer } from './peers/redis.ts';
import { describeWith } from './require.ts';
import { openScratch } from './scratch.ts';

const COMMANDS = 100;

describeWith(['redis'], 'commands to Redis', () => {
  test('nothing of them waits once they are answered', async () => {
    await using scratch = await openScratch();
    await using redis = await RedisServer.start({ state: scratch.path });
    await using link = await openRedis(redis.url, { signal: new AbortController().signal, clock });
    // Signals with a time to live stay until then: at some thousand commands a second they were most
    // of the memory, and collecting them the longest waits for an answer.
    using signals = vi.spyOn(AbortSignal, 'timeout');
    using cancelled = vi.spyOn(globalThis, 'clearTimeout');
    const script = { text: 'return tonumber(ARGV[1]) + 1' };
    const answers = await Promise.all(
      Array.from({ length: COMMANDS }, (_, at) => link.evaluate(script, ['key'], [String(at)])),
    );
    expect(answers).toEqual(Array.from({ length: COMMANDS }, (_, at) => at + 1));
    expect(signals).not.toHaveBeenCalled();
    expect(cancelled.mock.calls.length).toBeGreaterThanOrEqual(COMMANDS);
  });
});
