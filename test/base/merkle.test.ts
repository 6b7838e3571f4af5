import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InvariantError } from '../../src/base/errors.ts';
import { hashPair, merkleRoot, paddingHash, treeWidth } from '../../src/base/merkle.ts';
import { BLOCK_LENGTH } from '../../src/metainfo/index.ts';
import { ZERO_ROOTS } from '../metainfo/raw.ts';

function native(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest();
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function leavesOf(content: Uint8Array): Uint8Array {
  const leaves: Uint8Array[] = [];
  for (let at = 0; at < content.length; at += BLOCK_LENGTH) {
    leaves.push(native(content.subarray(at, at + BLOCK_LENGTH)));
  }
  return Buffer.concat(leaves);
}

/** The definition, without any of the shortcuts. */
function plainRoot(nodes: readonly Uint8Array[]): Uint8Array {
  const [first = new Uint8Array(32)] = nodes;
  if (nodes.length <= 1) return first;
  const parents: Uint8Array[] = [];
  for (let at = 0; at < nodes.length; at += 2) {
    parents.push(native(Buffer.concat(nodes.slice(at, at + 2))));
  }
  return plainRoot(parents);
}

describe('roots of files full of zeros', () => {
  test.each(Object.entries(ZERO_ROOTS))('%s bytes', (length, root) => {
    const leaves = leavesOf(new Uint8Array(Number(length)));
    expect(hex(merkleRoot(leaves))).toBe(root);
    expect(hex(merkleRoot(leaves, treeWidth(leaves.length / 32), { hash: native }))).toBe(root);
  });
});

test('subtrees of padding', () => {
  const levels = [
    '0000000000000000',
    'f5a5fd42d16a2030',
    'db56114e00fdd4c1',
    'c78009fdf07fc56a',
    '536d98837f2dd165',
    '9efde052aa15429f',
    'd88ddfeed400a875',
    '87eb0ddba57e35f6',
  ];
  expect(levels.map((_, level) => hex(paddingHash(level)).slice(0, 16))).toEqual(levels);
  expect(hex(merkleRoot(new Uint8Array(), 8))).toBe(hex(paddingHash(3)));
});

test('a layer of pieces gives the root of the file', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 0, max: 3 }),
      (blocks, level) => {
        const leaves = Buffer.from(
          Array.from({ length: blocks * 32 }, (_, at) => (at * 31 + blocks) & 0xff),
        );
        const perPiece = 2 ** level;
        const layer: Uint8Array[] = [];
        for (let at = 0; at < blocks; at += perPiece) {
          layer.push(merkleRoot(leaves.subarray(at * 32, (at + perPiece) * 32), perPiece));
        }
        const options = { padding: paddingHash(level) };
        const width = Math.max(1, treeWidth(blocks) / perPiece);
        const whole = merkleRoot(leaves, Math.max(perPiece, treeWidth(blocks)));
        expect(hex(merkleRoot(Buffer.concat(layer), width, options))).toBe(hex(whole));
      },
    ),
  );
});

test('any number of leaves in any tree that holds them', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 33 }), fc.integer({ min: 0, max: 6 }), (count, level) => {
      const width = 2 ** level;
      fc.pre(count <= width);
      const leaves = Array.from({ length: count }, (_, at) => native(Uint8Array.of(at)));
      const padded = Array.from({ length: width }, (_, at) => leaves[at] ?? new Uint8Array(32));
      expect(hex(merkleRoot(Buffer.concat(leaves), width))).toBe(hex(plainRoot(padded)));
    }),
  );
});

test('what cannot be a tree is a bug of the caller', () => {
  expect(() => merkleRoot(new Uint8Array(33))).toThrow(InvariantError);
  expect(() => merkleRoot(new Uint8Array(96), 2)).toThrow(InvariantError);
  expect(() => merkleRoot(new Uint8Array(32), 3)).toThrow(InvariantError);
});

test('the input is not written to', () => {
  const leaves = new Uint8Array(96).fill(7);
  merkleRoot(leaves);
  expect(leaves.every((byte) => byte === 7)).toBe(true);
});

test('a pair', () => {
  const [left, right] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
  expect(hex(hashPair(left, right))).toBe(hex(native(Buffer.concat([left, right]))));
});
