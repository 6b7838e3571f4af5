/**
 * `npm test`: every gate and every test, cheap ones first. A failure does not stop the rest, so that
 * one run shows all. The last line counts: a gate is one, a runner of tests is as many as it ran.
 *
 * @module
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readReport, sumUp, type Tally, tallyLine } from './tally.ts';

interface Step {
  /** The npm script. */
  readonly script: string;
  /** Its tests are counted one by one. */
  readonly counted?: true;
}

const STEPS: readonly Step[] = [
  { script: 'format' },
  { script: 'forbid' },
  { script: 'lint' },
  { script: 'layers' },
  { script: 'types' },
  { script: 'unused' },
  { script: 'build' },
  { script: 'smoke' },
  { script: 'unit', counted: true },
  { script: 'interop', counted: true },
];

const ROOT = join(import.meta.dirname, '..');
const reports = mkdtempSync(join(tmpdir(), 'bip-reports-'));

function run({ script, counted }: Step): Tally {
  process.stdout.write(`\n=== ${script}\n`);
  const report = join(reports, `${script}.json`);
  const flags =
    counted === true
      ? ['--', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
      : [];
  const started = performance.now();
  const { status } = spawnSync('npm', ['run', '--silent', script, ...flags], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const ok = status === 0;
  const tally =
    counted === true
      ? readReport(report, ok)
      : { passed: 0, failed: 0, skipped: 0, [gateOutcome(status)]: 1 };
  process.stdout.write(`${script}: ${tallyLine(tally)} (${seconds} s)\n`);
  return tally;
}

/** A script that cannot do its work here, through no fault of the project, says so by 75. */
function gateOutcome(status: number | null): keyof Tally {
  if (status === 0) return 'passed';
  return status === 75 ? 'skipped' : 'failed';
}

try {
  const tallies = STEPS.map((step) => ({ script: step.script, ...run(step) }));
  const total = sumUp(tallies);
  const failed = tallies.filter((tally) => tally.failed > 0).map(({ script }) => script);
  if (failed.length > 0) process.stdout.write(`\nfailed: ${failed.join(', ')}\n`);
  process.stdout.write(`\n${tallyLine(total)}\n`);
  process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
} finally {
  rmSync(reports, { recursive: true, force: true });
}
