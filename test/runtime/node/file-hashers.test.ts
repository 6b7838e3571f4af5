/** What only threads can do: die, and be ended while others wait for them. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openFileHashers } from '../../../src/runtime/node/file-hashers.ts';
import type { FileHashers, HashRun } from '../../../src/runtime/ports.ts';
import { pattern } from '../recorder.ts';

const ORDERS = ['sequential', 'parallel'] as const;
const LENGTH = 300_000;
const RUNS = 20;

let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bip-hashers-'));
  await writeFile(join(folder, 'file'), pattern(LENGTH));
});

afterEach(() => rm(folder, { recursive: true }));

function open(order: (typeof ORDERS)[number]): FileHashers {
  return openFileHashers({ order, threads: 3, totalBytes: 2 ** 30 });
}

function run(pieceLength: number): HashRun {
  const part = { path: join(folder, 'file'), position: 0, length: LENGTH };
  return { parts: [part], pieceLength, sha1: true, sha256: false };
}

test.each(ORDERS)('%s: a disposal settles everything under way', async (order) => {
  const hashers = open(order);
  const runs = Array.from({ length: RUNS }, () => hashers.hash(run(16_384)));
  const settled = Promise.allSettled(runs);
  await hashers[Symbol.asyncDispose]();
  expect(await settled).toHaveLength(RUNS);
});

test.each(ORDERS)('%s: a thread that dies takes nobody along who waits', async (order) => {
  await using hashers = open(order);
  // Pieces of no length: the thread has no memory for so many hashes.
  const runs = Array.from({ length: RUNS }, (_, at) => hashers.hash(run(at === 4 ? 0 : 16_384)));
  const settled = await Promise.allSettled(runs);
  expect(settled[4]?.status).toBe('rejected');
  await expect(hashers.hash(run(16_384))).rejects.toThrow('disposed');
});
