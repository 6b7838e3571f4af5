/**
 * `npm test`: every gate and every test, cheap ones first. A failure does not stop the rest, so that
 * one run shows all. The last line counts: a gate is one, a runner of tests is as many as it ran.
 *
 * @module
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readReport, sumUp, type Tally, tallyLine } from './tally.ts';

interface Step {
  /** The npm script. */
  readonly script: string;
  /** Its tests are counted one by one. */
  readonly counted?: boolean;
  /** A step that runs longer hangs: it is ended, and has failed. */
  readonly limitMinutes: number;
}

const STEPS: readonly Step[] = [
  { script: 'format', limitMinutes: 2 },
  { script: 'forbid', limitMinutes: 2 },
  { script: 'lint', limitMinutes: 3 },
  { script: 'layers', limitMinutes: 3 },
  { script: 'types', limitMinutes: 5 },
  { script: 'unused', limitMinutes: 3 },
  { script: 'build', limitMinutes: 2 },
  { script: 'smoke', limitMinutes: 6 },
  { script: 'unit', counted: true, limitMinutes: 10 },
  { script: 'interop', counted: true, limitMinutes: 15 },
];

const ROOT = join(import.meta.dirname, '..');
const reports = mkdtempSync(join(tmpdir(), 'bip-reports-'));

let running: ChildProcess | undefined;
for (const [name, exitCode] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.once(name, () => {
    end(running);
    rmSync(reports, { recursive: true, force: true });
    process.exit(exitCode);
  });
}

async function run({ script, counted = false, limitMinutes }: Step): Promise<Tally> {
  process.stdout.write(`\n=== ${script}\n`);
  const report = join(reports, `${script}.json`);
  const flags = ['--', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const started = performance.now();
  const status = await npmRun([script, ...(counted ? flags : [])], limitMinutes);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const tally = counted
    ? readReport(report, status === 0)
    : { passed: 0, failed: 0, skipped: 0, [gateOutcome(status)]: 1 };
  process.stdout.write(`${script}: ${tallyLine(tally)} (${seconds} s)\n`);
  return tally;
}

/** In a process group of its own, so that all of it ends when it has to. */
async function npmRun(args: readonly string[], limitMinutes: number): Promise<number | null> {
  const child = spawn('npm', ['run', '--silent', ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: true,
  });
  running = child;
  const limit = setTimeout(() => {
    process.stdout.write(`no end after ${limitMinutes} minutes: ended\n`);
    end(child);
  }, limitMinutes * 60_000);
  await once(child, 'exit');
  clearTimeout(limit);
  running = undefined;
  return child.exitCode;
}

function end(child: ChildProcess | undefined): void {
  if (child?.pid === undefined || child.exitCode !== null) return;
  process.kill(-child.pid, 'SIGKILL');
}

/** A script that cannot do its work here, through no fault of the project, says so by 75. */
function gateOutcome(status: number | null): keyof Tally {
  if (status === 0) return 'passed';
  return status === 75 ? 'skipped' : 'failed';
}

try {
  const tallies: (Tally & { readonly script: string })[] = [];
  for (const step of STEPS) tallies.push({ script: step.script, ...(await run(step)) });
  const total = sumUp(tallies);
  const failed = tallies.filter((tally) => tally.failed > 0).map(({ script }) => script);
  if (failed.length > 0) process.stdout.write(`\nfailed: ${failed.join(', ')}\n`);
  process.stdout.write(`\n${tallyLine(total)}\n`);
  process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
} finally {
  rmSync(reports, { recursive: true, force: true });
}
