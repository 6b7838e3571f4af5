/** `bip dht put --watch` in the simulated world: items that stay. */

import { describe, expect, test } from 'vitest';
import { Interrupted } from '../../commands/cli/context.ts';
import { encodeUtf8, parseHex } from '../../src/base/bytes.ts';
import { encode } from '../../src/bencode/index.ts';
import { signItem } from '../../src/dht/index.ts';
import { DhtScene, printedError, printedLines } from './dht-scene.ts';

const HELLO = 'e5f96f6f38320f0f33959cb4d3d656452117aadb';
/** The key of BEP 44's test vectors, and where its items are. */
const KEY =
  'e06d3183d14159228433ed599221b80bd0a5ce8352e4bdf0262f76786ef1c74d' +
  'b7e7a9fea2c0eb269d61e3b38e450a22e754941ac78479d6c54e1faf6037881d';
const TARGET = '4a533d47ec9c7d95b1ad75f576cffc641853b750';
const HOUR = 3_600_000;
const WATCH = ['put', 'Hello World!', '--watch', '--json'];

class Scene extends DhtScene {
  static async of(count: number): Promise<Scene> {
    const scene = new Scene();
    await scene.populate(count);
    return scene;
  }
  /** Items that members hold of a target. */
  copies(target: string): number {
    const key = bytesOf(target);
    return this.members.filter(({ node }) => node.stores.items.get(key, this.world.now)).length;
  }
}

function bytesOf(hex: string): Uint8Array {
  return parseHex(hex) ?? new Uint8Array();
}

describe('put --watch', () => {
  test('keeps an item that nodes would have forgotten, and once is not enough', async () => {
    await using scene = await Scene.of(10);
    const started = scene.world.now;
    const result = await scene.ask([...WATCH, '--limit', '4']);
    expect([result.code, result.stderr]).toEqual([0, '']);
    const lines = printedLines(result);
    expect(lines.map(({ type }) => type)).toEqual([...Array(4).fill('put'), 'end']);
    expect(lines[0]).toMatchObject({ target: HELLO, stored: 8, nextMs: HOUR });
    expect(lines[3]).not.toHaveProperty('nextMs');
    expect(lines[4]).toMatchObject({ puts: 4, failures: 0 });
    expect(scene.world.now - started).toBeGreaterThan(3 * HOUR);
    expect(scene.copies(HELLO)).toBe(8);
    await scene.world.runFor(3 * HOUR);
    expect(scene.copies(HELLO)).toBe(0);
  });

  test('a signed item keeps its sequence, and makes room for a newer one with exit code 1', async () => {
    await using scene = await Scene.of(10);
    const argv = ['put', 'one', '--key', 'my.key', '--watch', '--json'];
    await scene.us.runtime.files.writeFile('my.key', encodeUtf8(KEY));
    const kept = await scene.ask([...argv, '--limit', '2']);
    expect(printedLines(kept).slice(0, 2)).toMatchObject([{ sequence: 1 }, { sequence: 1 }]);
    const [member] = scene.members;
    const replacing = async (): Promise<void> => {
      const secretKey = bytesOf(KEY);
      const parts = { value: encode('two'), salt: new Uint8Array(), secretKey, sequence: 2n };
      const [put] =
        (await member?.node.putItem(bytesOf(TARGET), {
          signal: new AbortController().signal,
          make: () => signItem(parts),
        })) ?? [];
      expect(put?.writes.filter(({ outcome }) => outcome === 'stored')).toHaveLength(8);
    };
    const replaced: Promise<void>[] = [];
    scene.world.timeline.after(HOUR / 2, () => replaced.push(replacing()));
    const result = await scene.ask(argv);
    await Promise.all(replaced);
    expect(replaced).toHaveLength(1);
    expect(result.code).toBe(1);
    expect(printedError(result)).toMatchObject({ code: 'BIP_DHT_SEQUENCE' });
    expect(printedLines(result).map(({ type }) => type)).toEqual(['put']);
  });

  test('goes on after failures, sooner; exit code 1 when the last one failed, 130 after Ctrl-C', async () => {
    await using scene = await Scene.of(10);
    const hosts = scene.members.map(({ host }) => host);
    const heal = scene.world.partition([scene.us], hosts);
    scene.world.timeline.after(60_000, heal);
    const result = await scene.ask([...WATCH, '--limit', '4']);
    expect(result.code).toBe(0);
    const lines = printedLines(result);
    expect(lines.slice(0, 2)).toMatchObject([
      { type: 'failure', target: HELLO, error: { code: 'BIP_DHT_SILENT' }, nextMs: 30_000 },
      { type: 'failure', nextMs: 60_000 },
    ]);
    expect(lines.at(-1)).toMatchObject({ type: 'end', puts: 2, failures: 2 });

    const interrupt = new AbortController();
    const onWrite = (): void => {
      scene.world.timeline.after(1000, () => interrupt.abort(new Interrupted('SIGINT')));
    };
    const stopped = await scene.ask(WATCH, { signal: interrupt.signal, onWrite });
    expect(stopped.code).toBe(130);
    expect(printedLines(stopped).map(({ type }) => type)).toEqual(['put', 'end']);

    scene.world.partition([scene.us], hosts);
    const failed = await scene.ask([...WATCH, '--limit', '1']);
    expect(failed.code).toBe(1);
    expect(printedLines(failed).map(({ type }) => type)).toEqual(['failure', 'end']);
  });

  test('on a terminal: what it waits for, and a sum', async () => {
    await using scene = await Scene.of(10);
    const argv = ['put', 'Hello World!', '--watch', '--interval', '30m', '--limit', '2'];
    const { stdout, stderr } = await scene.ask(argv, { tty: true });
    expect(stderr).toContain('next in 30m 00s; Ctrl-C ends\n');
    expect(stdout).toContain('2 puts in 30m');
  });

  test.each([
    [['put', 'x', '--limit', '2'], '--limit is about --watch'],
    [['put', 'x', '--interval', '2h'], '--interval is about --watch'],
    [['put', 'x', '--watch', '--interval', '5s'], 'shorter than 1m 00s'],
    [['put', 'x', '--watch', '--target-only'], '--target-only asks nobody'],
    [['put', '--watch', '--new-key', 'k'], '--new-key alone puts none'],
  ])('usage: %j', async (argv, message) => {
    await using scene = new Scene();
    const { code, stdout, stderr } = await scene.run(argv);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
  });
});
