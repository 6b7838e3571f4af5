/** How many connections a tracker takes, by what the system grants. */

import { expect, test } from 'vitest';
import { connectionsOf } from '../../commands/tracker/serve-connections.ts';
import { TRACKER } from '../tracker/server/service-world.ts';
import { NEVER } from '../tracker/world.ts';
import { bip } from './harness.ts';
import { eventsOf, playServe } from './serve-world.ts';

test('ten thousand, unless the system grants fewer', () => {
  expect(connectionsOf({ workers: 1 }, 1_000_000)).toBe(10_000);
  expect(connectionsOf({ workers: 1 }, undefined)).toBe(10_000);
  expect(connectionsOf({ workers: 1 }, 1000)).toBe(970);
});

test.each([
  ['a thread', { workers: 2 }, 956],
  ['an address', { workers: 1, host: ['127.0.0.1', '127.0.0.2', '::1'] }, 967],
  ['threads that talk to a store', { workers: 4, store: 'redis://127.0.0.1' }, 864],
])('%s more leaves fewer', (_, flags, most) => {
  expect(connectionsOf(flags, 1000)).toBe(most);
  expect(connectionsOf({ ...flags, maxConnections: most }, 1000)).toBe(most);
  expect(() => connectionsOf({ ...flags, maxConnections: most + 1 }, 1000)).toThrow(
    `--max-connections: the system lets bip have ${most} at most; raise the limit of open files (ulimit -n)`,
  );
});

test('one at least, however little is granted', () => {
  expect(connectionsOf({ workers: 1 }, 3)).toBe(1);
});

test.each(['0', '-1', '1.5', 'many'])('no number of connections: %s', async (text) => {
  const { code, stderr } = await bip('tracker', 'serve', `--max-connections=${text}`);
  expect([code, stderr]).toEqual([2, expect.stringContaining('--max-connections')]);
});

test.each(['pipe', 'json'])('that there are too many connections is told once (%s)', (how) =>
  playServe(async (scene) => {
    const argv = ['--max-connections', '2', ...(how === 'json' ? ['--json'] : [])];
    const serving = await scene.serve(argv);
    await using stack = new AsyncDisposableStack();
    for (let count = 1; count <= 6; count++) {
      const { network } = scene.client().host.runtime;
      const to = { host: TRACKER.four, port: TRACKER.port };
      stack.use(await network.connect(to, { signal: NEVER }));
      await scene.pass(2);
      expect(serving.stdout.includes('crowded')).toBe(how === 'json' && count > 2);
    }
    const { stdout, stderr } = await serving.stop();
    const times = how === 'json' ? eventsOf({ stdout }).map(({ type }) => type) : [stderr];
    expect(times.filter((told) => told === 'crowded')).toHaveLength(how === 'json' ? 1 : 0);
    expect(stderr.split('--max-connections')).toHaveLength(how === 'json' ? 1 : 2);
  }),
);
