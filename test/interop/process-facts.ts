/** What Linux knows of a running program: memory, time on the CPU, open descriptors. @module */

import { readdirSync, readFileSync } from 'node:fs';

/** In how many parts a second is counted for programs to read, on every Linux. */
const TICKS_PER_SECOND = 100;

/** The most memory that it ever had at once, bytes. */
export function peakMemoryOf(pid: number): number {
  const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
  return Number(kib) * 1024;
}

/** How long it ran so far, all threads together, milliseconds. */
export function cpuTimeOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // Its name, in brackets, may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND;
}

/** Files, sockets and all else that it has open. */
export function descriptorsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}
