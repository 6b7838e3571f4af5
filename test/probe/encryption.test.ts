/** Which encryption a peer lets in: each way on a connection of its own. */

import { expect, test } from 'vitest';
import { concatBytes } from '../../src/base/bytes.ts';
import { CipherBuffers, hiddenName, type Method, MseStream } from '../../src/handshake/index.ts';
import type { Way } from '../../src/probe/index.ts';
import { hello, INFO_HASH, PEER, ProbeScene, said } from './scene.ts';

const WAYS: readonly Way[] = (['none', 'rc4', 'plaintext'] as const).map((encryption) => ({
  transport: 'tcp',
  encryption,
}));

/** A peer that knows MSE, and what it lets in. */
class Guarded extends ProbeScene {
  calls = 0;

  async guard(methods: readonly Method[], plainToo: boolean): Promise<void> {
    const { network, clock, random } = this.them.runtime;
    const onBug = (error: unknown): void => {
      throw error;
    };
    const context = { clock, random, buffers: new CipherBuffers(), onBug };
    const words = concatBytes(
      hello(['fast']),
      said((box) => box.plain('haveAll')),
    );
    const listener = await network.listen(
      (inner) => {
        this.calls++;
        const stream = MseStream.answer(inner, context, {
          find: (hidden) =>
            Buffer.compare(hidden, hiddenName(INFO_HASH)) === 0 ? INFO_HASH : undefined,
          methods,
          plainToo,
          admit: () => undefined,
        });
        this.keep(stream);
        let greeted = false;
        stream.open({
          data: () => {
            if (!greeted) stream.write(words);
            greeted = true;
          },
          drain: () => undefined,
          closed: () => void stream[Symbol.asyncDispose](),
        });
      },
      { port: PEER.port, signal: new AbortController().signal },
    );
    this.keep(listener);
  }
}

interface Guard {
  readonly lets: string;
  readonly methods: readonly Method[];
  readonly plainToo: boolean;
  /** The first way that works. */
  readonly best: string;
  readonly accepted: readonly string[];
}

const EVERYTHING = ['none', 'rc4', 'plaintext'] as const;
const GUARDS: readonly Guard[] = [
  {
    lets: 'everybody',
    methods: ['plain', 'rc4'],
    plainToo: true,
    best: 'none',
    accepted: EVERYTHING,
  },
  { lets: 'RC4 alone', methods: ['rc4'], plainToo: false, best: 'rc4', accepted: ['rc4'] },
  {
    lets: 'hidden handshakes alone',
    methods: ['plain', 'rc4'],
    plainToo: false,
    best: 'rc4',
    accepted: ['rc4', 'plaintext'],
  },
  {
    lets: 'hidden handshakes with plaintext alone',
    methods: ['plain'],
    plainToo: false,
    best: 'plaintext',
    accepted: ['plaintext'],
  },
  {
    lets: 'plain and RC4',
    methods: ['rc4'],
    plainToo: true,
    best: 'none',
    accepted: ['none', 'rc4'],
  },
];

test.each(GUARDS)('a peer that lets in $lets', async ({ methods, plainToo, best, accepted }) => {
  await using scene = new Guarded();
  await scene.guard(methods, plainToo);
  const found = await scene.probe({ ways: WAYS });
  expect(scene.calls).toBe(3);
  expect(found).toMatchObject({ way: { encryption: best }, pieces: { share: 1 } });
  expect(
    found.attempts.flatMap(({ way, error }) => (error === undefined ? [way.encryption] : [])),
  ).toEqual(accepted);
  for (const { error } of found.attempts) {
    if (error !== undefined) expect(error.message).toContain('10.0.0.2:6881');
  }
});

test('one that does not know the torrent lets nobody in, in whatever disguise', async () => {
  await using scene = new Guarded();
  await scene.guard(['plain', 'rc4'], false);
  const found = await scene.probe({ ways: WAYS, infoHash: new Uint8Array(20) });
  expect('error' in found).toBe(true);
  expect(found.attempts.map(({ error }) => error?.code)).not.toContain(undefined);
  expect(found.attempts).toHaveLength(3);
});

test('one that knows no encryption is told from one that does', async () => {
  await using scene = new ProbeScene();
  const answer = (bytes: Uint8Array): Uint8Array | undefined =>
    bytes[0] === 19 ? hello() : undefined;
  await scene.peer({ answer, hangsUp: 'later' });
  const found = await scene.probe({ ways: WAYS });
  expect(found).toMatchObject({ way: { encryption: 'none' } });
  expect(found.attempts.map(({ error }) => error?.code)).toEqual([
    undefined,
    'BIP_CLOSED',
    'BIP_CLOSED',
  ]);
});

test('no bytes at all after a hidden handshake: in time, with a code', async () => {
  await using scene = new ProbeScene();
  await scene.peer({});
  const found = await scene.probe({ ways: WAYS.slice(1) });
  expect(found.attempts.map(({ error }) => error?.code)).toEqual([
    'BIP_HANDSHAKE_TIMEOUT',
    'BIP_HANDSHAKE_TIMEOUT',
  ]);
  expect(scene.world.now).toBeLessThan(11_000);
});
