/** Files that say what of their folder is to be ignored, one folder inside the other. @module */

import { decodeName } from '../base/bytes.ts';
import type { Files } from '../runtime/ports.ts';

/** Bytes of one ignore file. */
const MAX_IGNORE_BYTES: number = 2 ** 20;

/** The rules of one folder. */
export interface IgnoreRules {
  /**
   * What the last rule that matches says; `undefined` when none does, so that the folder above
   * decides. `path` is below the folder of the rules, and no folder on the way was left out.
   */
  verdict(path: readonly string[], kind: 'file' | 'directory'): 'ignored' | 'taken' | undefined;
}

/** The rules of a folder, and those of the folders above. */
export interface IgnoreChain {
  readonly rules: IgnoreRules;
  /** How many components lead to the folder. */
  readonly depth: number;
  readonly above: IgnoreChain | undefined;
}

/** True when the nearest rules that have a say ignore `path`. */
export function isIgnored(
  chain: IgnoreChain | undefined,
  path: readonly string[],
  kind: 'file' | 'directory',
): boolean {
  for (let link = chain; link !== undefined; link = link.above) {
    const verdict = link.rules.verdict(path.slice(link.depth), kind);
    if (verdict !== undefined) return verdict === 'ignored';
  }
  return false;
}

/**
 * The texts of those `ignoreFiles` that are regular files among `names` of `folder`, joined;
 * `undefined` when there is none. Links are not followed, as git does not.
 */
export async function readIgnoreFiles(
  files: Files,
  folder: { readonly source: string; readonly names: readonly string[] },
  ignoreFiles: readonly string[],
): Promise<string | undefined> {
  const texts: string[] = [];
  for (const name of ignoreFiles) {
    if (!folder.names.includes(name)) continue;
    const path = `${folder.source}/${name}`;
    if ((await files.statLink(path))?.kind !== 'file') continue;
    const text = decodeName(await files.readFile(path, { maxBytes: MAX_IGNORE_BYTES }));
    texts.push(text.replace(/^\ufeff/, ''));
  }
  return texts.length === 0 ? undefined : texts.join('\n');
}
