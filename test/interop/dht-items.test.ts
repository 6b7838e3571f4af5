/** Items that bip and libtorrent keep for each other (BEP 44). */

import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeUtf8, formatHex, parseHex } from '../../src/base/bytes.ts';
import { formatEndpoint } from '../../src/base/endpoint.ts';
import { immutableTarget, type MutableItem, mutableTarget, signItem } from '../../src/dht/index.ts';
import { bipJson } from './bip.ts';
import { SEARCH_MS } from './dht-crowd.ts';
import { DhtPair } from './dht-pair.ts';
import type { LibtorrentAnswer } from './peers/libtorrent-dht.ts';
import { describeWith } from './require.ts';
import { openScratch } from './scratch.ts';

/** Of the examples of BEP 44: scalar and prefix, the only form that libtorrent takes. */
const SECRET_KEY = hex(
  'e06d3183d14159228433ed599221b80bd0a5ce8352e4bdf0262f76786ef1c74db7e7a9fea2c0eb269d61e3b38e450a22e754941ac78479d6c54e1faf6037881d',
);
const PUBLIC_KEY = hex('77ff84905a91936367c01360803104f92432fcd904a43511876df5cdf3e7e548');

describeWith(['libtorrent'], 'items of bip and libtorrent', () => {
  let pair: DhtPair;
  beforeAll(async () => {
    pair = await DhtPair.open();
  });
  afterAll(async () => {
    await pair[Symbol.asyncDispose]();
  });

  test('libtorrent gets the immutable item that bip put', async () => {
    const value = encodeUtf8('5:hello');
    expect(await pair.put(0, { type: 'immutable', value })).toEqual(pair.all('stored'));
    expect(await libtorrentGets(0, immutableTarget(value))).toMatchObject({
      value: formatHex(value),
    });
  });

  test('libtorrent reads a value with all types in it as bip wrote it', async () => {
    const value = encodeUtf8('d4:listl1:a1:bi-7ee4:text5:hello4:tinyi0ee');
    expect(await pair.put(1, { type: 'immutable', value })).toEqual(pair.all('stored'));
    expect(await libtorrentGets(1, immutableTarget(value))).toMatchObject({
      shown: "{ 'list': [ 'a', 'b', -7 ], 'text': 'hello', 'tiny': 0 }",
    });
  });

  test('bip gets the immutable item that libtorrent put', async () => {
    const value = encodeUtf8('13:by libtorrent');
    const target = immutableTarget(value);
    const args = { value: encodeUtf8('by libtorrent') };
    // It counts itself.
    const stored = { event: 'put', target: formatHex(target), stored: pair.others + 1 };
    await pair.libtorrent.node(1).ask('put', args, stored);
    const { item, copies } = await pair.get(2, target);
    expect(item).toEqual({ type: 'immutable', value });
    expect(copies).toBe(pair.others);
  });

  test.each([
    { name: 'without salt', salt: new Uint8Array(0) },
    { name: 'with salt', salt: encodeUtf8('foobar') },
  ])('each replaces the mutable item of the other, $name', async ({ salt }) => {
    const first = signed(salt, 1n, '5:first');
    expect(await pair.put(0, first)).toEqual(pair.all('stored'));
    expect(await libtorrentFetches(0, salt)).toMatchObject(shown(first));

    const second = signed(salt, 2n, '6:second');
    const { value: _, ...written } = shown(second);
    await pair.libtorrent.node(1).ask(
      'sign',
      {
        publicKey: PUBLIC_KEY,
        secretKey: SECRET_KEY,
        salt,
        value: encodeUtf8('second'),
      },
      { event: 'put', ...written, stored: pair.others + 1 },
    );
    const { item, copies } = await pair.get(2, mutableTarget(PUBLIC_KEY, salt), salt);
    expect(item).toEqual(second);
    expect(copies).toBe(pair.others);

    const third = signed(salt, 3n, '5:third');
    expect(await pair.put(1, third, 2n)).toEqual(pair.all('stored'));
    expect(await libtorrentFetches(0, salt)).toMatchObject(shown(third));
  });

  test('both refuse what is not to be stored, with the same codes', async () => {
    const salt = encodeUtf8('refused');
    const item = signed(salt, 5n, '4:five');
    expect(await pair.put(0, item)).toEqual(pair.all('stored'));
    expect(await pair.put(0, { ...item, sequence: 6n })).toEqual(pair.all(206));
    expect(await pair.put(0, signed(salt, 7n, '5:seven'), 4n)).toEqual(pair.all(301));
    expect(await pair.put(0, signed(salt, 4n, '4:four'))).toEqual(pair.all(302));
    expect(await pair.put(0, signed(salt, 8n, `1001:${'x'.repeat(1001)}`))).toEqual(pair.all(205));
    expect((await pair.get(2, mutableTarget(PUBLIC_KEY, salt), salt)).item).toEqual(item);
  });

  test('bip dht get reads what libtorrent wrote, and bip dht put replaces it', async () => {
    await using scratch = await openScratch();
    const salt = encodeUtf8('commands');
    const key = formatHex(PUBLIC_KEY);
    const entry = ['--bootstrap', formatEndpoint(pair.libtorrent.node(0).endpoint)];
    const words = ['--salt', 'commands', ...entry];
    const { value: _, ...written } = shown(signed(salt, 1n, '13:by libtorrent'));
    await pair.libtorrent.node(1).ask(
      'sign',
      {
        publicKey: PUBLIC_KEY,
        secretKey: SECRET_KEY,
        salt,
        value: encodeUtf8('by libtorrent'),
      },
      { event: 'put', ...written },
    );
    const [got] = await bipJson(['dht', 'get', key, ...words], SEARCH_MS);
    expect(got).toMatchObject({ publicKey: key, sequence: 1, value: 'by libtorrent' });
    // The only form that libtorrent has, too.
    const file = scratch.to('key');
    await writeFile(file, SECRET_KEY, { mode: 0o600 });
    const [put] = await bipJson(['dht', 'put', 'by bip', '--key', file, ...words], SEARCH_MS);
    expect(put).toMatchObject({ publicKey: key, sequence: 2, stored: pair.others + 1 });
    // libtorrent takes the command for a node, and says its final word only when that was silent for long.
    const second = shown(signed(salt, 2n, '6:by bip'));
    await pair.libtorrent
      .node(1)
      .ask('fetch', { publicKey: PUBLIC_KEY, salt }, { event: 'item', ...second });
  });

  async function libtorrentGets(node: number, target: Uint8Array): Promise<LibtorrentAnswer> {
    const answer = { event: 'item', target: formatHex(target) };
    return await pair.libtorrent.node(node).ask('get', { target }, answer);
  }

  async function libtorrentFetches(node: number, salt: Uint8Array): Promise<LibtorrentAnswer> {
    const answer = { event: 'item', salt: formatHex(salt), final: true };
    return await pair.libtorrent.node(node).ask('fetch', { publicKey: PUBLIC_KEY, salt }, answer);
  }
});

function signed(salt: Uint8Array, sequence: bigint, value: string): MutableItem {
  return signItem({ secretKey: SECRET_KEY, salt, sequence, value: encodeUtf8(value) });
}

/** How the script of libtorrent tells of an item. */
function shown(item: MutableItem): Readonly<Record<string, unknown>> {
  const { publicKey, salt, sequence, signature, value } = item;
  const hexed = Object.entries({ publicKey, salt, signature, value });
  return {
    ...Object.fromEntries(hexed.map(([key, bytes]) => [key, formatHex(bytes)])),
    sequence: Number(sequence),
  };
}

function hex(text: string): Uint8Array {
  const bytes = parseHex(text);
  if (bytes === undefined) throw new Error(`no hex: ${text}`);
  return bytes;
}
