/** Files and bytes that commands write: `-o/--output`, and binary results on stdout. @module */

import { StorageError, UsageError } from '../../src/base/errors.ts';
import type { Context } from './context.ts';

/**
 * Writes a result to the file at `path` by a temporary name and a rename, or to stdout when `path`
 * is `-` (always) or left out (not when stdout is a terminal).
 *
 * @throws {StorageError} `BIP_EXISTS` when there is something at `path` and `force` is not set.
 * @throws {UsageError} for bytes to a terminal without `--output -`.
 */
export async function writeOutput(
  context: Context,
  path: string | undefined,
  bytes: Uint8Array,
  options: { readonly force?: boolean | undefined } = {},
): Promise<void> {
  await checkOutput(context, path, options);
  if (path === undefined || path === '-') return context.stdout.write(bytes);
  const { files } = context.runtime;
  const there = await files.stat(path);
  if (there?.kind !== 'other') return files.writeFile(path, bytes);
  // A device or a pipe is written to; a rename would put a file in its place.
  await using handle = await files.open(path, 'write');
  await handle.write(bytes, 0);
}

/**
 * Refuses what {@link writeOutput} would refuse, before long work is done.
 *
 * @throws {StorageError} `BIP_EXISTS`, `BIP_IS_DIRECTORY`.
 * @throws {UsageError} for bytes to a terminal without `--output -`.
 */
export async function checkOutput(
  context: Context,
  path: string | undefined,
  options: { readonly force?: boolean | undefined } = {},
): Promise<void> {
  if (path === '-') return;
  if (path === undefined) refuseTerminal(context);
  else await refuseOverwrite(context, path, options.force === true);
}

function refuseTerminal(context: Context): void {
  if (!context.stdout.isTTY) return;
  throw new UsageError(
    'the result is binary and stdout is a terminal: use --output FILE, or --output - to insist',
  );
}

async function refuseOverwrite(context: Context, path: string, force: boolean): Promise<void> {
  const { files } = context.runtime;
  // A symlink that leads nowhere is something, too.
  const there = (await files.stat(path)) ?? (await files.statLink(path));
  if (there?.kind === 'directory') {
    throw new StorageError(`${path} is a directory, not a file to write`, {
      code: 'BIP_IS_DIRECTORY',
    });
  }
  if (there === undefined || there.kind === 'other' || force) return;
  throw new StorageError(`${path} exists already; use --force to overwrite it`, {
    code: 'BIP_EXISTS',
  });
}
