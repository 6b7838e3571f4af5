/** The options of the bench of trackers. @module */

import { parseArgs } from 'node:util';

export interface TrackerBenchOptions {
  readonly runs: number;
  /** Of one measurement. */
  readonly seconds: number;
  readonly swarms: number;
  readonly peers: number;
  /** Names of cases and of trackers; empty for all. */
  readonly cases: readonly string[];
  readonly only: readonly string[];
  readonly what: 'compare' | 'scale' | 'store';
}

/** @throws {TypeError} for options that make no sense. */
export function trackerBenchOptions(argv: readonly string[]): TrackerBenchOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      runs: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '2' },
      swarms: { type: 'string' },
      peers: { type: 'string' },
      case: { type: 'string', multiple: true, default: [] },
      only: { type: 'string', multiple: true, default: [] },
      scale: { type: 'boolean', default: false },
      'store-only': { type: 'boolean', default: false },
    },
  });
  const { scale } = values;
  return {
    runs: whole(values.runs, '--runs'),
    seconds: whole(values.seconds, '--seconds'),
    swarms: whole(values.swarms ?? (scale ? '100000' : '1000'), '--swarms'),
    peers: whole(values.peers ?? (scale ? '1000000' : '250000'), '--peers'),
    cases: values.case.flatMap((names) => names.split(',')),
    only: values.only.flatMap((names) => names.split(',')),
    what: values['store-only'] ? 'store' : scale ? 'scale' : 'compare',
  };
}

function whole(text: string, flag: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new TypeError(`${flag}: a number above 0`);
  return value;
}
