/** A torrent that would be written into its own content, and change it. @module */

import { decodeUtf8Lossy } from '../../src/base/bytes.ts';
import { UsageError } from '../../src/base/errors.ts';
import { isJunk, type Scan } from '../../src/content/index.ts';
import type { Context } from '../cli/context.ts';
import { joinPath, lastName } from '../cli/paths.ts';
import { printable } from '../cli/printable.ts';
import { placeInside } from './create-output.ts';
import type { CreateSettings } from './create-settings.ts';

/** Bytes of one ignore file. */
const MAX_IGNORE_BYTES: number = 2 ** 20;

/**
 * Refuses a `path` that a scan of the content would find.
 * @throws {UsageError} naming both.
 */
export async function refuseOutputInside(
  context: Context,
  path: string,
  { settings, scan }: { readonly settings: CreateSettings; readonly scan: Scan },
): Promise<void> {
  const place = await placeInside(context, path, scan.roots);
  if (place === undefined || (await isLeftOut(context, place, { settings, scan }))) return;
  const [output, input] = [printable(path), printable(place.input)];
  if (place.below.length === 0) {
    throw new UsageError(`the output ${output} is the content itself; name another by --output`);
  }
  const name = printable(place.below.at(-1) ?? '');
  throw new UsageError(
    `the output ${output} lies inside of the content ${input} and would be a part of it; name another by --output, or leave it out by --exclude '${name}'`,
  );
}

async function isLeftOut(
  context: Context,
  { input, below }: { readonly input: string; readonly below: readonly string[] },
  { settings, scan }: { readonly settings: CreateSettings; readonly scan: Scan },
): Promise<boolean> {
  const above = scan.roots.length > 1 ? [lastName(input)] : [];
  for (const at of below.keys()) {
    const kind = at === below.length - 1 ? 'file' : 'directory';
    const path = below.slice(0, at + 1);
    if (isSkipped([...above, ...path], kind, settings)) return true;
    if (await isIgnored(context, { input, path, kind }, settings)) return true;
  }
  return false;
}

/** By its name, or by globs and regular expressions. */
function isSkipped(
  path: readonly string[],
  kind: 'file' | 'directory',
  { scan: { hidden, junk, filter } }: CreateSettings,
): boolean {
  const name = path.at(-1) ?? '';
  if (!hidden && name.startsWith('.')) return true;
  return (!junk && isJunk(name)) || filter?.(path, kind) !== undefined;
}

/** By the ignore files of the folders on the way, the nearest first. */
async function isIgnored(
  { runtime }: Context,
  place: {
    readonly input: string;
    readonly path: readonly string[];
    readonly kind: 'file' | 'directory';
  },
  { scan: { makeIgnore, ignoreFiles = [] } }: CreateSettings,
): Promise<boolean> {
  if (makeIgnore === undefined) return false;
  const { input, path, kind } = place;
  for (let depth = path.length - 1; depth >= 0; depth--) {
    const folder = joinPath(input, path.slice(0, depth).join('/'));
    const texts: string[] = [];
    for (const name of ignoreFiles) {
      const file = joinPath(folder, name);
      if ((await runtime.files.statLink(file))?.kind !== 'file') continue;
      const maxBytes = MAX_IGNORE_BYTES;
      texts.push(decodeUtf8Lossy(await runtime.files.readFile(file, { maxBytes })));
    }
    const verdict = makeIgnore(texts.join('\n')).verdict(path.slice(depth), kind);
    if (verdict !== undefined) return verdict === 'ignored';
  }
  return false;
}
