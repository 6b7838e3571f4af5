import { expect, test } from 'vitest';
import { inOrder } from '../../commands/handshake/in-order.ts';
import { settler } from '../../src/runtime/node/settle.ts';

const never = new AbortController().signal;

async function* of<Item>(...items: readonly Item[]): AsyncGenerator<Item> {
  yield* items;
}

async function all<Item>(items: AsyncIterable<Item>): Promise<readonly Item[]> {
  const found: Item[] = [];
  for await (const item of items) found.push(item);
  return found;
}

test('results keep the order of the items, whichever ends first, and so many run at once', async () => {
  const ends = new Map<number, () => void>();
  const work = (item: number): Promise<string> =>
    new Promise((resolve) => {
      ends.set(item, () => resolve(`done ${item}`));
    });
  const settle = settler();
  const results = all(inOrder(of(1, 2, 3), { concurrency: 2, signal: never }, work));
  await settle();
  expect([...ends.keys()]).toEqual([1, 2]);
  ends.get(2)?.();
  await settle();
  expect([...ends.keys()]).toEqual([1, 2, 3]);
  ends.get(3)?.();
  ends.get(1)?.();
  expect(await results).toEqual(['done 1', 'done 2', 'done 3']);
});

test('a result is given on although the source is not at its end', async () => {
  let more: () => void = () => undefined;
  const source = async function* (): AsyncGenerator<number> {
    yield 1;
    await new Promise<void>((resolve) => {
      more = resolve;
    });
    yield 2;
  };
  const options = { concurrency: 9, signal: never };
  const results = inOrder(source(), options, (item) => Promise.resolve(item * 10));
  expect(await results.next()).toEqual({ done: false, value: 10 });
  more();
  expect(await results.next()).toEqual({ done: false, value: 20 });
  expect(await results.next()).toEqual({ done: true, value: undefined });
});

test('an abort ends the wait for a source that is silent', async () => {
  const controller = new AbortController();
  const silent = async function* (): AsyncGenerator<number> {
    yield 1;
    await new Promise(() => undefined);
  };
  const options = { concurrency: 9, signal: controller.signal };
  const results = inOrder(silent(), options, (item) => Promise.resolve(item));
  expect((await results.next()).value).toBe(1);
  const next = results.next();
  controller.abort(new Error('stopped'));
  await expect(next).rejects.toThrow('stopped');
});

test('what the source throws comes behind the results of what it gave before', async () => {
  const broken = async function* (): AsyncGenerator<number> {
    yield 1;
    throw new Error('no HOST:PORT');
  };
  const options = { concurrency: 9, signal: never };
  const results = inOrder(broken(), options, (item) => Promise.resolve(item));
  expect((await results.next()).value).toBe(1);
  await expect(results.next()).rejects.toThrow('no HOST:PORT');
});
