/**
 * What SHA-1 of pieces costs by the way it is computed. Prints a table; nothing fails by the clock.
 * `npx node test/bench/hashers.ts`
 *
 * @module
 */

import { createHash, hash, subtle } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { nodeRuntime } from '../../src/runtime/node/index.ts';

const PIECE = 2 ** 20;
const PIECES = 512;
const ROUNDS = 5;
const BLOCK = 16_384;

/** Hashes the pieces it is sent: what a thread does at best, without copies. */
const THREAD = `
const { parentPort } = require('node:worker_threads');
const { hash } = require('node:crypto');
parentPort.on('message', (piece) => parentPort.postMessage(hash('sha1', piece, 'hex')));
`;

await using runtime = nodeRuntime();
const plain = new Uint8Array(PIECE).fill(7);
const shared = new Uint8Array(new SharedArrayBuffer(PIECE)).fill(7);
const own = runtime.hashers.allocate(PIECE);
const blocks = Array.from({ length: PIECE / BLOCK }, (_, at) =>
  plain.subarray(at * BLOCK, (at + 1) * BLOCK),
);
const worker = new Worker(THREAD, { eval: true });
/** Answers come in the order of the questions. */
const waiting: (() => void)[] = [];
worker.on('message', () => waiting.shift()?.());

const ways: readonly {
  readonly name: string;
  readonly digest: () => unknown;
}[] = [
  { name: 'crypto.hash, here', digest: () => hash('sha1', plain, 'buffer') },
  {
    name: 'createHash over 16 KiB blocks, here',
    digest() {
      const running = createHash('sha1');
      for (const block of blocks) running.update(block);
      return running.digest();
    },
  },
  { name: 'crypto.subtle, threadpool', digest: () => subtle.digest('SHA-1', plain) },
  { name: 'a thread, memory shared', digest: () => inThread(shared) },
  { name: 'the runtime, plain memory', digest: () => runtime.hashers.digest('sha1', [plain]) },
  { name: 'the runtime, its own memory', digest: () => runtime.hashers.digest('sha1', [own]) },
];

const results = new Map<string, { readonly wall: number; readonly cpu: number }[]>();
for (let round = 0; round < ROUNDS; round++) {
  for (const { name, digest } of ways) {
    results.set(name, [...(results.get(name) ?? []), await measured(digest)]);
  }
}
process.stdout.write('| way | wall s/GiB | CPU s/GiB |\n|---|---:|---:|\n');
for (const [name, samples] of results) {
  const wall = median(samples.map((sample) => sample.wall));
  const cpu = median(samples.map((sample) => sample.cpu));
  process.stdout.write(`| ${name} | ${wall.toFixed(2)} | ${cpu.toFixed(2)} |\n`);
}
await worker.terminate();

async function measured(
  digest: () => unknown,
): Promise<{ readonly wall: number; readonly cpu: number }> {
  const scale = 2 ** 30 / (PIECE * PIECES);
  const [start, before] = [performance.now(), process.cpuUsage()];
  // Two at a time, so that another thread need not wait for this one to look up.
  const lane = async (): Promise<void> => {
    for (let done = 0; done < PIECES / 2; done++) await digest();
  };
  await Promise.all([lane(), lane()]);
  const { user, system } = process.cpuUsage(before);
  return {
    wall: ((performance.now() - start) / 1000) * scale,
    cpu: ((user + system) / 1e6) * scale,
  };
}

function inThread(piece: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    worker.postMessage(piece);
  });
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
