/** Links on standard input. @module */

import { decodeUtf8Lossy } from '../../src/base/bytes.ts';
import { UsageError } from '../../src/base/errors.ts';
import { MAX_MAGNET_LENGTH } from '../../src/magnet/index.ts';
import type { Context } from '../cli/context.ts';
import { readInput } from '../cli/input.ts';

/**
 * The arguments, with the lines of standard input in the place of `-`.
 *
 * @throws {UsageError} when there is none.
 * @throws {StorageError} `BIP_TOO_LARGE` for more than anybody types.
 */
export async function withLines(
  context: Context,
  args: readonly string[],
): Promise<readonly string[]> {
  if (!args.includes('-')) return args;
  const bytes = await readInput(context, '-', { maxBytes: MAX_STDIN_BYTES });
  const lines = decodeUtf8Lossy(bytes)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (lines.length === 0) throw new UsageError('standard input holds no magnet link');
  return args.flatMap((argument) => (argument === '-' ? lines : [argument]));
}

const MAX_STDIN_BYTES = 64 * MAX_MAGNET_LENGTH;
