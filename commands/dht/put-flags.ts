/** The flags of `dht put`, and which of them go together. @module */

import { UsageError } from '../../src/base/errors.ts';
import { MAX_SEQUENCE } from '../../src/dht/index.ts';
import type { PortFlags } from './flags.ts';
import { checkWatch, type WatchFlags } from './watching.ts';

export interface PutFlags extends PortFlags, WatchFlags {
  readonly jsonValue?: true;
  readonly torrent?: string;
  /** Files. */
  readonly key?: string;
  readonly newKey?: string;
  readonly salt?: string;
  readonly seq?: bigint;
  readonly cas?: bigint;
  readonly targetOnly?: true;
  readonly v2?: true;
}

/**
 * @param value the argument, if there is one.
 * @throws {UsageError} for flags that contradict each other, and when there is nothing to put.
 */
export function checkPutFlags(value: string | undefined, flags: PutFlags): void {
  checkWatch(flags, 'put');
  const wrong = RULES.find(([isBroken]) => isBroken(flags, value));
  if (wrong !== undefined) throw new UsageError(wrong[1]);
}

type Rule = readonly [(flags: PutFlags, value: string | undefined) => boolean, string];

const RULES: readonly Rule[] = [
  [
    ({ torrent }, value) => torrent !== undefined && value !== undefined,
    'a VALUE and --torrent contradict each other: one item has one value',
  ],
  [
    ({ torrent, jsonValue }) => torrent !== undefined && jsonValue === true,
    '--json-value is about a VALUE, which --torrent stands in for',
  ],
  [
    ({ v2, torrent }) => v2 === true && torrent === undefined,
    '--v2 is about the torrent of --torrent',
  ],
  [
    (flags) => lacksKey(flags) && (flags.salt ?? flags.seq ?? flags.cas) !== undefined,
    '--salt, --seq and --cas are about items with a key; name it with --key, or make one with --new-key',
  ],
  [
    (flags) => lacksKey(flags) && flags.torrent !== undefined,
    '--torrent puts an item that can be found by a key; name it with --key, or make one with --new-key',
  ],
  [
    ({ watch, targetOnly }) => watch === true && targetOnly === true,
    '--watch puts again and again, and --target-only asks nobody',
  ],
  [
    ({ watch, newKey, torrent }, value) =>
      watch === true && newKey !== undefined && value === undefined && torrent === undefined,
    '--watch is about an item, and --new-key alone puts none',
  ],
  [
    ({ torrent, newKey, targetOnly, key }, value) =>
      value === undefined &&
      torrent === undefined &&
      newKey === undefined &&
      !(targetOnly === true && key !== undefined),
    'there is no VALUE: write the text, @FILE, or - for what is on stdin',
  ],
];

function lacksKey({ key, newKey }: PutFlags): boolean {
  return key === undefined && newKey === undefined;
}

/** @throws {UsageError} for what is no whole number from 0 to the largest of 64 bits. */
export function parseSequence(text: string, flag: string): bigint {
  const value = /^\d{1,19}$/.test(text) ? BigInt(text) : undefined;
  if (value !== undefined && value <= MAX_SEQUENCE) return value;
  throw new UsageError(`${flag}: \`${text}\` is no whole number from 0 to ${MAX_SEQUENCE}`);
}
