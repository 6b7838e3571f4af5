/** Several sockets on one port, which only the real system can spread the traffic over. @module */

import { expect, test } from 'vitest';
import { nodeRuntime } from '../../../src/runtime/node/index.ts';
import type { Datagrams, Listener } from '../../../src/runtime/ports.ts';

const ANY_FOUR = '0.0.0.0';
const ANY_SIX = '::';

test('sockets for IPv4 and IPv6 stand side by side on one port', async () => {
  await using runtime = nodeRuntime();
  const { signal } = new AbortController();
  const { network } = runtime;
  await using four = await network.bindDatagrams({ host: ANY_FOUR, signal });
  const { port } = four.local;
  await using six = await network.bindDatagrams({ host: ANY_SIX, port, signal });
  expect(six.local).toEqual({ host: ANY_SIX, port });
  await using listener = await network.listen(() => undefined, { host: ANY_FOUR, signal });
  const at = { host: ANY_SIX, port: listener.local.port, signal };
  await using second = await network.listen(() => undefined, at);
  expect(second.local.port).toBe(listener.local.port);
});

test.each(['bindDatagrams', 'listen'] as const)('%s shares a port when asked to', async (way) => {
  await using runtime = nodeRuntime();
  const { signal } = new AbortController();
  const { network } = runtime;
  const bind = (options: { port?: number; reusePort?: boolean }): Promise<Datagrams | Listener> => {
    const where = { ...options, host: '127.0.0.1', signal };
    return way === 'listen' ? network.listen(() => undefined, where) : network.bindDatagrams(where);
  };
  await using first = await bind({ reusePort: true });
  const { port } = first.local;
  await using second = await bind({ port, reusePort: true });
  expect(second.local).toEqual(first.local);
  await expect(bind({ port })).rejects.toMatchObject({ code: 'BIP_PORT_IN_USE' });
});
