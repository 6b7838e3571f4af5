/** Which transports a peer takes, found out with few connections. */

import { expect, test } from 'vitest';
import { concatBytes } from '../../src/base/bytes.ts';
import type { Way } from '../../src/probe/index.ts';
import { hello, ProbeScene, said } from './scene.ts';

const WAYS: readonly Way[] = (['tcp', 'utp'] as const).flatMap((transport) =>
  (['none', 'rc4', 'plaintext'] as const).map((encryption) => ({ transport, encryption })),
);
const WORDS = concatBytes(
  hello(['fast']),
  said((box) => box.plain('haveAll')),
);
/** Lets in who comes plain, and hangs up on all others. */
const PLAIN = {
  answer: (bytes: Uint8Array): Uint8Array | undefined => (bytes[0] === 19 ? WORDS : undefined),
  hangsUp: 'later',
} as const;

type Attempts = Awaited<ReturnType<ProbeScene['probe']>>['attempts'];

function told(attempts: Attempts): readonly string[] {
  return attempts.map(
    ({ way, error }) => `${way.transport} ${way.encryption} ${error?.code ?? 'ok'}`,
  );
}

test('both: once one let us in, the other is tried once', async () => {
  await using scene = new ProbeScene();
  await scene.peer(PLAIN);
  await scene.peer(PLAIN, 'utp');
  const found = await scene.probe({ ways: WAYS });
  expect(found).toMatchObject({ way: WAYS[0], pieces: { share: 1 } });
  expect(told(found.attempts)).toEqual([
    'tcp none ok',
    'tcp rc4 BIP_CLOSED',
    'tcp plaintext BIP_CLOSED',
    'utp none ok',
  ]);
  expect(scene.heard).toHaveLength(4);
  expect(scene.world.now).toBeLessThan(4000);
  for (const { connectMs } of found.attempts) expect(connectMs).toBeGreaterThan(0);
});

test('TCP alone: uTP is waited for as long as for any connection', async () => {
  await using scene = new ProbeScene();
  await scene.peer(PLAIN);
  const found = await scene.probe({ ways: WAYS });
  expect(found).toMatchObject({ way: { transport: 'tcp' } });
  expect(told(found.attempts).slice(3)).toEqual(['utp none BIP_CONNECT_TIMEOUT']);
  expect(found.attempts[3]).not.toHaveProperty('connectMs');
  expect(scene.world.now).toBeLessThan(6000);
});

test('uTP alone: all is found out over it, disguises included', async () => {
  await using scene = new ProbeScene();
  await scene.peer(PLAIN, 'utp');
  const found = await scene.probe({ ways: WAYS });
  expect(found).toMatchObject({ way: WAYS[3], client: { name: 'Transmission' } });
  expect(told(found.attempts)).toEqual([
    'tcp none BIP_REFUSED',
    'utp none ok',
    'utp rc4 BIP_CLOSED',
    'utp plaintext BIP_CLOSED',
  ]);
  // The end of a connection over uTP is given time to come through.
  expect(scene.world.now).toBeGreaterThan(6000);
});

test('TCP that connects and lets nobody in does not keep us from uTP', async () => {
  await using scene = new ProbeScene();
  await scene.peer({ hangsUp: 'at once' });
  await scene.peer(PLAIN, 'utp');
  const found = await scene.probe({ ways: WAYS });
  expect(found).toMatchObject({ way: { transport: 'utp', encryption: 'none' } });
  expect(found.attempts).toHaveLength(6);
});

test('neither lets us in: the error of that which connected', async () => {
  await using scene = new ProbeScene();
  await scene.peer({ hangsUp: 'later' }, 'utp');
  const found = await scene.probe({ ways: WAYS });
  expect(found).toMatchObject({ error: { code: 'BIP_CLOSED' } });
  expect(told(found.attempts)[0]).toBe('tcp none BIP_REFUSED');
});

test('nobody there: one try by each transport, in time', async () => {
  await using scene = new ProbeScene();
  await scene.peer(PLAIN);
  scene.world.partition([scene.us], [scene.them]);
  const found = await scene.probe({ ways: WAYS });
  expect(found).toMatchObject({ error: { code: 'BIP_CONNECT_TIMEOUT' } });
  expect(told(found.attempts)).toEqual([
    'tcp none BIP_CONNECT_TIMEOUT',
    'utp none BIP_CONNECT_TIMEOUT',
  ]);
  expect(scene.world.now).toBeLessThan(10_500);
});

test('an abort while uTP calls closes everything and is thrown', async () => {
  await using scene = new ProbeScene();
  const controller = new AbortController();
  const { clock } = scene.us.runtime;
  clock.schedule(clock.now() + 1000, () => controller.abort(new Error('enough')));
  const ways = WAYS.slice(3);
  await expect(scene.probe({ ways, signal: controller.signal })).rejects.toThrow('enough');
  expect(scene.world.now).toBeLessThan(2000);
});
