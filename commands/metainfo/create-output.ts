/** Where a new torrent goes: judged before anything is hashed. @module */

import { formatHex } from '../../src/base/bytes.ts';
import { StorageError, UsageError } from '../../src/base/errors.ts';
import type { Metainfo } from '../../src/metainfo/index.ts';
import type { Context } from '../cli/context.ts';
import { checkOutput, writeOutput } from '../cli/output.ts';
import { joinPath, lastName, parentPath } from '../cli/paths.ts';

/** Placeholders of `--output`. */
const PLACEHOLDERS = ['{name}', '{infoHash}', '{infoHashV2}'] as const;

export interface OutputWish {
  /** `--output`; here, by the name of the torrent, when left out. */
  readonly output: string | undefined;
  readonly force: boolean;
  /** The torrent's name. */
  readonly name: string;
  /** Paths that were written by this run already. */
  readonly taken: ReadonlySet<string>;
}

/**
 * The path to write, `{name}` filled in; it may hold `{infoHash}` until that is known.
 *
 * @throws {UsageError} for a placeholder that there is not.
 * @throws {StorageError} when something is there, or the folder is not.
 */
export async function planOutput(context: Context, wish: OutputWish): Promise<string> {
  const { output = '.', name, force, taken } = wish;
  if (output === '-') return output;
  refuseUnknown(output);
  const path = await pathOf(context, output.replaceAll('{name}', name), name);
  const folder = parentPath(path);
  const isKnown = !hasPlaceholder(path);
  if (!hasPlaceholder(folder)) await needFolder(context, folder);
  if (!isKnown) return path;
  if (taken.has(path)) {
    throw new UsageError(`${path} was written by this run already; give each job its own output`);
  }
  await checkOutput(context, path, { force });
  return path;
}

/**
 * Sees whether a file can be made in the folder of `path`, and leaves nothing there.
 * @throws {StorageError} when it cannot.
 */
export async function probeOutput({ runtime }: Context, path: string): Promise<void> {
  const { files, random } = runtime;
  if (path === '-' || hasPlaceholder(parentPath(path))) return;
  if ((await files.stat(path))?.kind === 'other') return;
  const probe = joinPath(parentPath(path), `.bip-${formatHex(random.bytes(8))}.tmp`);
  await using handle = await files.open(probe, 'create');
  await handle[Symbol.asyncDispose]();
  await files.remove(probe);
}

/** Writes `bytes` to what {@link planOutput} gave, and says where that was. */
export async function writeTorrent(
  context: Context,
  planned: string,
  torrent: { readonly metainfo: Metainfo; readonly bytes: Uint8Array; readonly force: boolean },
): Promise<string> {
  const { metainfo, bytes, force } = torrent;
  const { infoHash, infoHashV2 } = metainfo;
  const path = planned
    .replaceAll('{infoHash}', (infoHash ?? infoHashV2)?.hex ?? '')
    .replaceAll('{infoHashV2}', (infoHashV2 ?? infoHash)?.hex ?? '');
  if (path !== planned) await needFolder(context, parentPath(path));
  await writeOutput(context, path, bytes, { force });
  return path;
}

/**
 * Where `path` lies inside one of the `inputs`: components below it; `undefined` when it does not.
 * The folder of `path` has to be there.
 */
export async function placeInside(
  { runtime }: Context,
  path: string,
  inputs: readonly string[],
): Promise<{ readonly input: string; readonly below: readonly string[] } | undefined> {
  const { files } = runtime;
  if (path === '-' || hasPlaceholder(parentPath(path))) return undefined;
  const target = joinPath(await files.realPath(parentPath(path)), lastName(path));
  for (const input of inputs) {
    const real = (await files.realPath(input)).replace(/\/+$/, '');
    if (target === real) return { input, below: [] };
    if (target.startsWith(`${real}/`)) {
      return { input, below: target.slice(real.length + 1).split('/') };
    }
  }
  return undefined;
}

function refuseUnknown(output: string): void {
  for (const [word] of output.matchAll(/\{\w*\}/g)) {
    if (PLACEHOLDERS.some((known) => known === word)) continue;
    throw new UsageError(
      `--output: \`${word}\` is no placeholder; there are ${PLACEHOLDERS.join(', ')}`,
    );
  }
}

function hasPlaceholder(path: string): boolean {
  return path.includes('{infoHash}') || path.includes('{infoHashV2}');
}

async function pathOf({ runtime }: Context, output: string, name: string): Promise<string> {
  const file = `${name}.torrent`;
  if (output.endsWith('/')) return joinPath(output, file);
  const there = await runtime.files.stat(output);
  return there?.kind === 'directory' ? joinPath(output, file) : output;
}

async function needFolder({ runtime }: Context, folder: string): Promise<void> {
  const there = await runtime.files.stat(folder);
  if (there?.kind === 'directory') return;
  const what = there === undefined ? 'does not exist' : 'is no folder';
  throw new StorageError(`the folder of --output, ${folder}, ${what}`, {
    code: there === undefined ? 'BIP_NOT_FOUND' : 'BIP_NOT_DIRECTORY',
  });
}
