/**
 * What one write costs by its size, into a new file of 1 GiB. Prints a table; nothing fails by the
 * clock. `npx node test/bench/writes.ts [DIRECTORY]`
 *
 * @module
 */

import { closeSync, ftruncateSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const TOTAL = 2 ** 30;
const SIZES = [2 ** 20, 2 ** 18, 2 ** 16, 2 ** 15, 2 ** 14] as const;
const ROUNDS = 5;

const path = join(process.argv[2] ?? tmpdir(), `bip-bench-writes-${process.pid}`);
const source = new Uint8Array(2 ** 20).fill(7);
const results = new Map<number, number[]>();
for (let round = 0; round < ROUNDS; round++) {
  for (const size of SIZES) results.set(size, [...(results.get(size) ?? []), cpuSeconds(size)]);
}
process.stdout.write('| bytes a write | CPU s/GiB, median |\n|---:|---:|\n');
for (const [size, seconds] of results) {
  const median = seconds.toSorted((a, b) => a - b)[Math.floor(seconds.length / 2)] ?? 0;
  process.stdout.write(`| ${size} | ${median.toFixed(2)} |\n`);
}

function cpuSeconds(size: number): number {
  const file = openSync(path, 'w');
  try {
    ftruncateSync(file, TOTAL);
    const before = process.cpuUsage();
    for (let at = 0; at < TOTAL; at += size) {
      writeSync(file, source, at % source.length, size, at);
    }
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1e6;
  } finally {
    closeSync(file);
    rmSync(path, { force: true });
  }
}
