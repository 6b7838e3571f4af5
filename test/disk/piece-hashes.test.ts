import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { concatBytes, formatHex, parseHex } from '../../src/base/bytes.ts';
import { v1Hashes, v2Hashes } from '../../src/disk/index.ts';
import { makeTorrent, testHashers } from './torrents.ts';

const LEAF = 16 * 1024;

/** Roots of files of zeros, made by libtorrent. */
const ZERO_ROOTS: readonly (readonly [number, string])[] = [
  [1, '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d'],
  [512, '076a27c79e5ace2a3d47f9dd2e83e4ff6ea8872b3c2218f66c92b89b55f36560'],
  [16383, '3202cc6a8c4ac4b66337a899428e1bc94f2ab7695c2ac7271c91324010f1c452'],
  [16384, '4fe7b59af6de3b665b67788cc2f99892ab827efae3a467342b3bb4e3bc8e5bfe'],
  [16385, '477e14ff3453ec4ec3855f8753cb07288aade5618a473ccc2ab1208886e460ec'],
  [49152, '1cb5a249f6e721060aae623d21d3eca23056bda8c19e4e89f9a086151553713d'],
  [51200, '7ef5620b6d19f93242af6d9fb69c15c3ea9a0a224b79665964c7a85422c1650d'],
  [65537, '5237ab44f83ac2e214b8c1e1627f18e5d50caed1c8ead9b66770c15b7ee609c7'],
  [1048576, '515ea9181744b817744ded9d2e8e9dc6a8450c0b0c52e24b5077f302ffbd9008'],
];

describe('v1 hashes', () => {
  test('accept the piece and nothing else', async () => {
    const { pieces, hashes } = makeTorrent([{ length: 100 }], 30);
    for (const [piece, data] of pieces.entries()) {
      expect(await hashes.check(testHashers, piece, data)).toBe(true);
      const flipped = data.slice();
      flipped[piece] = (flipped[piece] ?? 0) ^ 1;
      expect(await hashes.check(testHashers, piece, flipped)).toBe(false);
      expect(await hashes.check(testHashers, piece, data.subarray(1))).toBe(false);
      expect(await hashes.check(testHashers, (piece + 1) % 4, data)).toBe(false);
    }
  });

  test('have none beyond the last piece', async () => {
    const hashes = v1Hashes(new Uint8Array(40));
    await expect(hashes.check(testHashers, 2, new Uint8Array(1))).rejects.toThrow('piece 2');
  });
});

describe('v2 hashes', () => {
  test.each(ZERO_ROOTS)('a file of %i zeros in one piece has its root', async (length, root) => {
    const layout = oneFile(length, 2 ** 20, hex(root));
    const hashes = v2Hashes({ layout, pieceLayers: new Map() });
    expect(await hashes.check(testHashers, 0, new Uint8Array(length))).toBe(true);
    expect(await hashes.check(testHashers, 0, new Uint8Array(length).fill(1, 0, 1))).toBe(false);
  });

  test.each(ZERO_ROOTS.filter(([length]) => length > LEAF))(
    'the layer of %i zeros in pieces of 16 KiB are the leaves',
    async (length, root) => {
      const layout = oneFile(length, LEAF, hex(root));
      const pieces = Array.from(
        { length: layout.pieceCount },
        (_, piece) => new Uint8Array(Math.min(LEAF, length - piece * LEAF)),
      );
      const layer = concatBytes(...pieces.map((data) => sha256(data)));
      const hashes = v2Hashes({ layout, pieceLayers: new Map([[root, layer]]) });
      for (const [piece, data] of pieces.entries()) {
        expect(await hashes.check(testHashers, piece, data)).toBe(true);
      }
      const wrong = new Uint8Array(LEAF).fill(1);
      expect(await hashes.check(testHashers, 0, wrong)).toBe(false);
    },
  );

  test('the last piece of a file is filled up with zero hashes, not with zero bytes', async () => {
    const length = 5 * LEAF + 1;
    const data = new Uint8Array(length).fill(7);
    const zero = new Uint8Array(32);
    const whole = sha256(new Uint8Array(LEAF).fill(7));
    const pair = node(whole, whole);
    const first = node(pair, pair);
    const last = node(node(whole, sha256(Uint8Array.of(7))), node(zero, zero));
    const root = node(first, last);
    const layout = oneFile(length, 4 * LEAF, root);
    const pieceLayers = new Map([[formatHex(root), concatBytes(first, last)]]);
    const hashes = v2Hashes({ layout, pieceLayers });
    expect(await hashes.check(testHashers, 0, data.subarray(0, 4 * LEAF))).toBe(true);
    expect(await hashes.check(testHashers, 1, data.subarray(4 * LEAF))).toBe(true);
    expect(await hashes.check(testHashers, 1, data.subarray(4 * LEAF + 1))).toBe(false);
  });

  test('finds the file of a piece among several', async () => {
    const lengths = [LEAF, 2 * LEAF, 5];
    const contents = lengths.map((length, at) => new Uint8Array(length).fill(at + 1));
    const leaf = sha256(new Uint8Array(LEAF).fill(2));
    const roots = [sha256(contents[0]), node(leaf, leaf), sha256(contents[2])];
    const { layout } = makeTorrent(
      [{ length: 0 }, ...lengths.map((length) => ({ length }))],
      LEAF,
      'v2',
    );
    const files = layout.files.map((file, at) => {
      const piecesRoot = roots[at - 1];
      return piecesRoot === undefined ? file : { ...file, piecesRoot };
    });
    const pieceLayers = new Map([[formatHex(roots[1] ?? leaf), concatBytes(leaf, leaf)]]);
    const hashes = v2Hashes({ layout: { ...layout, files }, pieceLayers });
    const pieces = [1, 2, 2, 3].map((value) => new Uint8Array(value === 3 ? 5 : LEAF).fill(value));
    for (const [piece, data] of pieces.entries()) {
      expect(await hashes.check(testHashers, piece, data)).toBe(true);
    }
    expect(await hashes.check(testHashers, 0, pieces[1] ?? leaf)).toBe(false);
  });

  test('say so while the layer of a file is not known', async () => {
    const layout = oneFile(2 * LEAF, LEAF, new Uint8Array(32));
    const hashes = v2Hashes({ layout, pieceLayers: new Map() });
    await expect(hashes.check(testHashers, 0, new Uint8Array(LEAF))).rejects.toMatchObject({
      name: 'IntegrityError',
      code: 'BIP_HASH_UNKNOWN',
    });
  });
});

function oneFile(length: number, pieceLength: number, piecesRoot: Uint8Array) {
  const { layout } = makeTorrent([{ length }], pieceLength, 'v2');
  return { ...layout, files: layout.files.map((file) => ({ ...file, piecesRoot })) };
}

function hex(text: string): Uint8Array {
  return parseHex(text) ?? new Uint8Array();
}

function sha256(bytes: Uint8Array = new Uint8Array()): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest());
}

function node(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(concatBytes(left, right));
}
