/** Load over UDP, by blast.py. @module */

import { join } from 'node:path';
import { Child } from '../../interop/child.ts';
import { numberAt, parseJson } from '../../interop/json.ts';
import { PYTHON } from '../../interop/require.ts';
import type { Load } from './packets.ts';
import { ADDRESSES } from './population.ts';

const SCRIPT = join(import.meta.dirname, 'blast.py');
/** Packets that are out at once; opentracker loses some of 250. */
const WINDOW = 128;
/** Beyond the seconds of a job. */
const GRACE_MS = 60_000;

export interface BlastJob extends Load {
  readonly port: number;
  /** As fast as it goes; each packet once; one by one at a `rate` a second. */
  readonly mode: 'load' | 'fill' | 'pace';
  readonly seconds: number;
  readonly rate?: number;
}

export interface BlastReport {
  readonly seconds: number;
  /** CPU of the generator. */
  readonly generatorSeconds: number;
  readonly sent: number;
  /** Answers that are right. */
  readonly answered: number;
  readonly lost: number;
  readonly wrong: number;
  /** Peers or swarms in all answers. */
  readonly entries: number;
  /** Packets of a `fill` that were answered at least once. */
  readonly filled: number;
  /** Of a `pace`, microseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

/** @throws {Error} when there is no tracker, with the log. */
export async function blast(job: BlastJob): Promise<BlastReport> {
  const whole = { ...job, sockets: ADDRESSES, window: WINDOW };
  await using child = new Child([PYTHON, SCRIPT, JSON.stringify(whole)]);
  const { code } = await child.ended(job.seconds * 1000 + GRACE_MS);
  if (code !== 0) throw new Error(`the load failed\n${child.log}`);
  const report = parseJson(child.stdout);
  return {
    seconds: numberAt(report, 'seconds'),
    generatorSeconds: numberAt(report, 'generatorSeconds'),
    sent: numberAt(report, 'sent'),
    answered: numberAt(report, 'answered'),
    lost: numberAt(report, 'lost'),
    wrong: numberAt(report, 'wrong'),
    entries: numberAt(report, 'entries'),
    filled: numberAt(report, 'filled'),
    p50: numberAt(report, 'p50'),
    p99: numberAt(report, 'p99'),
    p999: numberAt(report, 'p999'),
  };
}
