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
  /** Further builds of bip, by their names: paths of their `bip.mjs`. */
  readonly bundles: ReadonlyMap<string, string>;
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
      bundle: { type: 'string', multiple: true, default: [] },
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
    bundles: new Map(values.bundle.map(namedPath)),
    what: values['store-only'] ? 'store' : scale ? 'scale' : 'compare',
  };
}

/** `NAME=PATH`. */
function namedPath(text: string): [string, string] {
  const mark = text.indexOf('=');
  if (mark < 1) throw new TypeError('--bundle: NAME=PATH');
  return [text.slice(0, mark), text.slice(mark + 1)];
}

function whole(text: string, flag: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new TypeError(`${flag}: a number above 0`);
  return value;
}
