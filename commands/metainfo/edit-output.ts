/** Where edited torrents go: in place, to another file, or to stdout. @module */

import { StorageError, UsageError } from '../../src/base/errors.ts';
import type { Metainfo } from '../../src/metainfo/index.ts';
import type { Context } from '../cli/context.ts';
import { checkOutput, writeOutput } from '../cli/output.ts';
import { joinPath, lastName } from '../cli/paths.ts';
import { printable } from '../cli/printable.ts';
import { planOutput } from './create-output.ts';

/** What the flags say. */
export interface OutputFlags {
  readonly output?: string;
  readonly force?: true;
  readonly dryRun?: true;
  readonly json?: true;
}

/** Where one torrent goes. */
export interface Target {
  readonly to: 'place' | 'file' | 'stdout';
  /** `-` for stdout. */
  readonly path: string;
}

/** @throws {UsageError} when results would get into each other's way. */
export async function refuseMixed(
  { runtime }: Context,
  inputs: readonly string[],
  flags: OutputFlags,
): Promise<void> {
  const { output } = flags;
  if (output === '-' || (output === undefined && inputs.includes('-'))) {
    return refuseStdout(inputs, flags);
  }
  if (inputs.length === 1 || output === undefined || /\{|\/$/.test(output)) return;
  if ((await runtime.files.stat(output))?.kind === 'directory') return;
  throw new UsageError(
    `--output ${printable(output)} is one file for ${inputs.length} torrents; name a folder, or use {name} or {infoHash}`,
  );
}

function refuseStdout(inputs: readonly string[], { json, dryRun }: OutputFlags): void {
  if (inputs.length > 1) {
    throw new UsageError('stdout is for a single torrent; pass --output FOLDER/ for several');
  }
  if (json === true && dryRun !== true) {
    throw new UsageError('the result is a torrent, not JSON: use --json with --output FILE only');
  }
}

/**
 * Where the edited torrent of `input` goes.
 *
 * @param taken paths of torrents before it
 * @throws {StorageError} {UsageError} when it cannot go there.
 */
export async function targetOf(
  context: Context,
  input: string,
  details: {
    readonly flags: OutputFlags;
    readonly metainfo: Metainfo;
    readonly taken: ReadonlySet<string>;
  },
): Promise<Target> {
  const { flags, metainfo, taken } = details;
  const { output, force = false, dryRun = false } = flags;
  if (output === '-' || (output === undefined && input === '-')) {
    if (!dryRun) await checkOutput(context, output);
    return { to: 'stdout', path: '-' };
  }
  if (output === undefined) return { to: 'place', path: await placeOf(context, input) };
  const wanted = await insideFolder(context, withHashes(output, metainfo), input);
  const path = await planOutput(context, { output: wanted, force, name: metainfo.name, taken });
  return { to: 'file', path };
}

/** Writes to what {@link targetOf} gave; stdout is written by the view. */
export async function writeTarget(
  context: Context,
  { to, path }: Target,
  torrent: { readonly bytes: Uint8Array; readonly isChanged: boolean; readonly force: boolean },
): Promise<void> {
  const { bytes, isChanged, force } = torrent;
  if (to === 'file') await writeOutput(context, path, bytes, { force });
  if (to !== 'place' || !isChanged) return;
  const { files } = context.runtime;
  // The file changes, and not the symlink that leads to it.
  await files.writeFile(await files.realPath(path), bytes);
}

async function placeOf({ runtime }: Context, input: string): Promise<string> {
  if ((await runtime.files.stat(input))?.kind === 'file') return input;
  throw new StorageError(
    `${printable(input)} is no file that could be replaced; pass --output, or - for standard input`,
  );
}

function withHashes(output: string, { infoHash, infoHashV2 }: Metainfo): string {
  return output
    .replaceAll('{infoHash}', (infoHash ?? infoHashV2)?.hex ?? '')
    .replaceAll('{infoHashV2}', (infoHashV2 ?? infoHash)?.hex ?? '');
}

/** In a folder the file keeps its name; what comes from standard input has none. */
async function insideFolder({ runtime }: Context, output: string, input: string): Promise<string> {
  if (input === '-') return output;
  const isFolder = output.endsWith('/') || (await runtime.files.stat(output))?.kind === 'directory';
  return isFolder ? joinPath(output, lastName(input)) : output;
}
