/** How many passed, failed and were skipped, read from what vitest wrote. @module */

import { existsSync, readFileSync } from 'node:fs';

export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** What of vitest's JSON report is read. */
interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

/**
 * The true numbers of one run of vitest. A file that could not be loaded counts as one failure, and
 * so does a run that crashed, wrote no report, ran nothing, or ended badly without saying why.
 */
export function readReport(path: string, exitedWell: boolean): Tally {
  if (!existsSync(path)) return { passed: 0, failed: 1, skipped: 0 };
  return countReport(readFileSync(path, 'utf8'), exitedWell);
}

/** @see readReport */
export function countReport(json: string, exitedWell: boolean): Tally {
  const report = parse(json);
  if (report === undefined) return { passed: 0, failed: 1, skipped: 0 };
  const passed = report.numPassedTests;
  const skipped = report.numPendingTests + report.numTodoTests;
  const brokenFiles = report.testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  ).length;
  const failed = report.numFailedTests + brokenFiles;
  const silent = failed === 0 && (!exitedWell || passed + skipped === 0);
  return { passed, failed: silent ? 1 : failed, skipped };
}

export function sumUp(tallies: readonly Tally[]): Tally {
  return tallies.reduce((sum, { passed, failed, skipped }) => ({
    passed: sum.passed + passed,
    failed: sum.failed + failed,
    skipped: sum.skipped + skipped,
  }));
}

/** `N passed, N failed`, and `, N skipped` when there are any. */
export function tallyLine({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

function parse(json: string): Report | undefined {
  try {
    // oxlint-disable-next-line typescript/no-unsafe-return -- vitest's own format, pinned by version
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
