/** `bip simulate dht`: its world is its own, so that it runs on the real runtime here. */

import { describe, expect, test } from 'vitest';
import { Interrupted } from '../../commands/cli/context.ts';
import { type BipResult, type DiskRun, runBipOnDisk } from './harness.ts';

const SMALL = ['--nodes', '100', '--lookups', '20'];

function simulate(args: readonly string[], options: Partial<DiskRun> = {}): Promise<BipResult> {
  return runBipOnDisk({ ...options, argv: () => ['simulate', 'dht', ...args] });
}

function json({ code, stdout, stderr }: BipResult): Record<string, unknown> {
  expect([code, stderr]).toEqual([0, '']);
  const parsed: Record<string, unknown> = JSON.parse(stdout);
  const { realTime, ...rest } = parsed;
  expect(realTime).toMatchObject({ openMs: expect.any(Number), lookupMs: expect.any(Number) });
  return rest;
}

describe('--json', () => {
  test('what searches come to, in one line', async () => {
    const result = json(await simulate([...SMALL, '--json']));
    expect(result).toMatchObject({
      ...{ nodes: 100, lookups: 20, seed: 1, churn: 0, loss: 0, nat: 0, after: 0 },
      ...{ found: 1, complete: 1 },
      events: expect.stringMatching(/^[0-9a-f]{16}$/),
      slow: { mean: 0, median: 0, p95: 0, max: 0 },
      hops: { max: expect.any(Number) },
    });
    const { byHops, queries } = result;
    expect(searchesIn(byHops)).toBe(20);
    expect(queries).toMatchObject({ median: expect.any(Number) });
  });

  test('the same again with the same seed, something else with another', async () => {
    const again = async (...more: string[]): Promise<Record<string, unknown>> =>
      json(await simulate([...SMALL, '--loss', '3', '--json', ...more]));
    const first = await again('--seed', '7');
    expect(await again('--seed', '7')).toEqual(first);
    expect((await again('--seed', '8'))['events']).not.toBe(first['events']);
  });

  test('loss costs answers and time', async () => {
    const quiet = json(await simulate([...SMALL, '--json']));
    const lossy = json(await simulate([...SMALL, '--loss', '10%', '--json']));
    expect(lossy['loss']).toBe(10);
    expect(meanOf(lossy['slow'])).toBeGreaterThan(1);
    expect(meanOf(lossy['elapsedMs'])).toBeGreaterThan(2 * meanOf(quiet['elapsedMs']));
  });

  test('few searches miss what can be reached among nodes behind NATs', async () => {
    const result = json(await simulate([...SMALL, '--nat', '50', '--json']));
    expect(result).toMatchObject({ nat: 50 });
    expect(Number(result['found'])).toBeGreaterThan(0.95);
  });

  test('nodes leave and come before the searches', async () => {
    const churn = ['--churn', '60', '--after', '2m', '--json'];
    const result = json(await simulate([...SMALL, ...churn]));
    expect(result).toMatchObject({ churn: 60, after: 120 });
    expect(Number(result['found'])).toBeGreaterThan(0.9);
    const still = json(await simulate([...SMALL, '--after', '2m', '--json']));
    expect(still).toMatchObject({ churn: 0, after: 120, found: 1 });
  });
});

test('in a pipe: a line for each measure, and for each number of hops', async () => {
  const { code, stdout, stderr } = await simulate(SMALL);
  expect([code, stderr]).toEqual([0, '']);
  const lines = stdout.trimEnd().split('\n');
  const fields = lines.map((line) => line.split('\t'));
  expect(fields.slice(0, 6).map(([name]) => name)).toEqual([
    ...['hops', 'queries', 'slow', 'elapsedMs', 'foundShare', 'completeShare'],
  ]);
  expect(fields.slice(0, 4).every((line) => line.length === 5)).toBe(true);
  expect(fields.slice(4, 6).map(([, value]) => value)).toEqual(['1', '1']);
  const hops = fields.slice(6);
  expect(hops.every(([name]) => name === 'hops')).toBe(true);
  expect(hops.reduce((sum, [, , searches]) => sum + Number(searches), 0)).toBe(20);
});

describe('on a terminal', () => {
  test('a table and a plot', async () => {
    const args = [...SMALL, '--loss', '5', '--nat', '10', '--color', 'never'];
    const { code, stdout, stderr } = await simulate(args, { tty: true });
    expect(code).toBe(0);
    const lines = stdout.split('\n');
    expect(lines[0]).toBe('A DHT of 100 nodes, 10 % behind NATs, 5 % loss, seed 1');
    expect(lines[1]).toMatch(/^20 searches found [\d.]+ % of the closest nodes; [\d.]+ % of them/);
    expect(stdout).toMatch(/^ +mean +median +95 % +most$/m);
    expect(stdout).toMatch(/^time +\d+ ms +\d+ ms +\d+ ms +\d+ ms$/m);
    expect(stdout).toMatch(/^\d hops? +[█▒]+ \d+/m);
    expect(stdout).toMatch(/^opened in .* of real time each$/m);
    expect(stderr).toContain('opening 100 nodes');
    expect(stderr).toContain('searching: 20 of 20');
  });

  test('the plot fits', async () => {
    const { stdout } = await simulate([...SMALL, '--loss', '10', '--color', 'never'], {
      tty: { stdout: true, columns: 45 },
    });
    const bars = stdout.split('\n').filter((line) => /[█▒]/.test(line));
    expect(bars.length).toBeGreaterThan(0);
    expect(bars.every((line) => line.length <= 45)).toBe(true);
  });
});

test.each([
  ['--nodes', '15'],
  ['--nodes', '200001'],
  ['--lookups', '0'],
  ['--loss', '91'],
  ['--loss', '-1'],
  ['--churn', 'half'],
  ['--nat', '96'],
  ['--after', 'soon'],
  ['--seed', '1.5'],
])('%s %s is no use', async (flag, value) => {
  const { code, stdout, stderr } = await simulate([`${flag}=${value}`]);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain(flag);
});

test('Ctrl-C ends it in the middle', async () => {
  const stop = new AbortController();
  const { code, stdout } = await simulate(['--nodes', '300', '--lookups', '1000000'], {
    tty: true,
    signal: stop.signal,
    onWrite: (_stream, text) => {
      if (text.includes('searching: 20 of')) stop.abort(new Interrupted('SIGINT'));
    },
  });
  expect([code, stdout]).toEqual([130, '']);
});

function searchesIn(byHops: unknown): number {
  if (!Array.isArray(byHops)) throw new TypeError('a list');
  return byHops.reduce((sum: number, line: unknown) => sum + numberIn(line, 'searches'), 0);
}

function meanOf(statistics: unknown): number {
  return numberIn(statistics, 'mean');
}

function numberIn(value: unknown, key: string): number {
  return Number(new Map(Object.entries(value ?? {})).get(key));
}
