import { expect, test } from 'vitest';
import { countReport, readReport, sumUp, tallyLine } from '../../scripts/tally.ts';

const report = (counts: Record<string, number>, files: readonly object[] = []): string =>
  JSON.stringify({
    numPassedTests: 0,
    numFailedTests: 0,
    numPendingTests: 0,
    numTodoTests: 0,
    testResults: files,
    ...counts,
  });

test('what vitest counted is counted', () => {
  const json = report({
    numPassedTests: 5,
    numFailedTests: 2,
    numPendingTests: 3,
    numTodoTests: 1,
  });
  expect(countReport(json, false)).toEqual({ passed: 5, failed: 2, skipped: 4 });
});

test('a file that cannot be loaded is one failure', () => {
  const json = report({ numPassedTests: 5 }, [{ status: 'failed', assertionResults: [] }]);
  expect(countReport(json, false)).toEqual({ passed: 5, failed: 1, skipped: 0 });
});

test('a file with failed tests is not counted twice', () => {
  const json = report({ numPassedTests: 5, numFailedTests: 1 }, [
    { status: 'failed', assertionResults: [{ status: 'passed' }, { status: 'failed' }] },
  ]);
  expect(countReport(json, false)).toEqual({ passed: 5, failed: 1, skipped: 0 });
});

test('a bad end without a failed test (an unhandled rejection) is one failure', () => {
  expect(countReport(report({ numPassedTests: 5 }), false)).toEqual({
    passed: 5,
    failed: 1,
    skipped: 0,
  });
});

test('a run that ran nothing is a failure', () => {
  expect(countReport(report({}), true)).toEqual({ passed: 0, failed: 1, skipped: 0 });
});

test('a run that was skipped as a whole is no failure', () => {
  expect(countReport(report({ numPendingTests: 4 }), true)).toEqual({
    passed: 0,
    failed: 0,
    skipped: 4,
  });
});

test('a crashed run is one failure', () => {
  expect(countReport('{"numPassed', false)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  expect(readReport('no/such/report.json', false)).toEqual({ passed: 0, failed: 1, skipped: 0 });
});

test('the line', () => {
  expect(tallyLine({ passed: 3, failed: 0, skipped: 0 })).toBe('3 passed, 0 failed');
  const sum = sumUp([
    { passed: 3, failed: 0, skipped: 2 },
    { passed: 1, failed: 4, skipped: 0 },
  ]);
  expect(tallyLine(sum)).toBe('4 passed, 4 failed, 2 skipped');
});
