/** What a process has used, as Linux tells it. @module */

import { readdir, readFile } from 'node:fs/promises';

/** Clock ticks a second, on every Linux there is (`getconf CLK_TCK`). */
const TICKS = 100;

export interface Usage {
  /** User and system, of all threads, those that ended among them. */
  readonly cpuSeconds: number;
  /** Of each thread by its id, in nanoseconds. */
  readonly threads: ReadonlyMap<string, number>;
}

/** Of all processes together. */
export async function usageOf(pids: readonly number[]): Promise<Usage> {
  const usages = await Promise.all(pids.map(usageOfOne));
  return {
    cpuSeconds: usages.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
    threads: new Map(usages.flatMap(({ threads }) => [...threads])),
  };
}

async function usageOfOne(pid: number): Promise<Usage> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
  // The name may hold anything, and ends with the last parenthesis.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const threads = new Map<string, number>();
  for (const task of await readdir(`/proc/${pid}/task`)) {
    const text = await readFile(`/proc/${pid}/task/${task}/schedstat`, 'latin1').catch(() => '0');
    threads.set(task, Number(text.split(' ')[0]));
  }
  return { cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS, threads };
}

/** Seconds of the thread that worked most between the two. */
export function busiest(before: Usage, after: Usage): number {
  const spent = [...after.threads].map(([task, now]) => now - (before.threads.get(task) ?? 0));
  return Math.max(0, ...spent) / 1e9;
}

/** Resident memory, bytes. */
export async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'latin1');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
}
