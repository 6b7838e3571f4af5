import { describe, expect, test } from 'vitest';
import type { Datagrams, Network } from '../../src/runtime/ports.ts';
import { SharedDatagrams } from '../../src/runtime/shared-datagrams.ts';
import { makeWorld } from '../sim/world.ts';

const PROTOCOLS = [
  { name: 'numbers', owns: (bytes: Uint8Array) => (bytes[0] ?? 255) < 10 },
  { name: 'letters', owns: (bytes: Uint8Array) => (bytes[0] ?? 0) >= 0x61 },
] as const;
const signal = new AbortController().signal;
const PORT = 6881;

interface Scene {
  readonly shared: SharedDatagrams;
  readonly network: Network;
  /** Sends to the port, and lets it arrive. */
  send(...bytes: readonly number[]): Promise<void>;
}

async function story(run: (scene: Scene) => Promise<void>): Promise<void> {
  const world = makeWorld();
  const host = world.host('10.0.0.1');
  const other = world.host('10.0.0.2');
  const { network } = host.runtime;
  await world.run(
    (async () => {
      await using outside = await other.runtime.network.bindDatagrams({ signal });
      await run({
        shared: new SharedDatagrams(network, PROTOCOLS),
        network,
        async send(...bytes) {
          outside.send(Uint8Array.from(bytes), { host: host.address, port: PORT });
          await host.sleep(100);
        },
      });
    })(),
  );
  world.assertClosed();
}

function heard(datagrams: Datagrams): number[][] {
  const all: number[][] = [];
  datagrams.receive((bytes) => all.push([...bytes]));
  return all;
}

describe('two protocols on one port', () => {
  test('each hears what is its own, and nobody the rest', () =>
    story(async ({ shared, send }) => {
      await using numbers = await shared.for('numbers').bindDatagrams({ port: PORT, signal });
      await using letters = await shared.for('letters').bindDatagrams({ port: PORT, signal });
      const [ones, others] = [heard(numbers), heard(letters)];
      await send(1, 99);
      await send(0x61, 1);
      await send(50);
      await send();
      expect(ones).toEqual([[1, 99]]);
      expect(others).toEqual([[0x61, 1]]);
      expect(letters.local).toEqual(numbers.local);
    }));

  test('both bound at once share all the same', () =>
    story(async ({ shared, send }) => {
      const [numbers, letters] = await Promise.all(
        ['numbers', 'letters'].map((name) =>
          shared.for(name).bindDatagrams({ port: PORT, signal }),
        ),
      );
      if (numbers === undefined || letters === undefined) throw new Error('two are bound');
      const [ones, others] = [heard(numbers), heard(letters)];
      await send(1);
      await send(0x61);
      expect([ones.length, others.length]).toEqual([1, 1]);
      await numbers[Symbol.asyncDispose]();
      await letters[Symbol.asyncDispose]();
    }));

  test('the socket is closed with the last of them, and not before', () =>
    story(async ({ shared, network, send }) => {
      const numbers = await shared.for('numbers').bindDatagrams({ port: PORT, signal });
      const letters = await shared.for('letters').bindDatagrams({ port: PORT, signal });
      const [ones, others] = [heard(numbers), heard(letters)];
      await numbers[Symbol.asyncDispose]();
      await numbers[Symbol.asyncDispose]();
      await send(1);
      await send(0x61);
      expect([ones.length, others.length]).toEqual([0, 1]);
      await expect(network.bindDatagrams({ port: PORT, signal })).rejects.toMatchObject({
        code: 'BIP_PORT_IN_USE',
      });
      await letters[Symbol.asyncDispose]();
      await using again = await network.bindDatagrams({ port: PORT, signal });
      expect(again.local.port).toBe(PORT);
    }));

  test('who comes back gets its share again', () =>
    story(async ({ shared, send }) => {
      const first = await shared.for('numbers').bindDatagrams({ port: PORT, signal });
      await using letters = await shared.for('letters').bindDatagrams({ port: PORT, signal });
      await first[Symbol.asyncDispose]();
      await using again = await shared.for('numbers').bindDatagrams({ port: PORT, signal });
      const ones = heard(again);
      await send(2);
      expect([ones, letters.local.port]).toEqual([[[2]], PORT]);
    }));
});

test('one protocol cannot bind a port twice', () =>
  story(async ({ shared }) => {
    await using one = await shared.for('numbers').bindDatagrams({ port: PORT, signal });
    const attempt = shared.for('numbers').bindDatagrams({ port: PORT, signal });
    await expect(attempt).rejects.toMatchObject({ code: 'BIP_PORT_IN_USE' });
    expect(one.local.port).toBe(PORT);
  }));

test('any free port is a socket of its own, which others may join', () =>
  story(async ({ shared }) => {
    await using numbers = await shared.for('numbers').bindDatagrams({ port: 0, signal });
    await using apart = await shared.for('letters').bindDatagrams({ port: 0, signal });
    expect(apart.local.port).not.toBe(numbers.local.port);
    await using letters = await shared
      .for('letters')
      .bindDatagrams({ port: numbers.local.port, signal });
    expect(letters.local).toEqual(numbers.local);
  }));

test('a port that somebody else has is refused, and can be had later', () =>
  story(async ({ shared, network }) => {
    const outside = await network.bindDatagrams({ port: PORT, signal });
    const attempt = shared.for('numbers').bindDatagrams({ port: PORT, signal });
    await expect(attempt).rejects.toMatchObject({ code: 'BIP_PORT_IN_USE' });
    await outside[Symbol.asyncDispose]();
    await using later = await shared.for('numbers').bindDatagrams({ port: PORT, signal });
    expect(later.local.port).toBe(PORT);
  }));
