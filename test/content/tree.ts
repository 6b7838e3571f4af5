/** Trees of files for scans, in the simulated world. @module */

import { type Scan, type ScanOptions, scanContent } from '../../src/content/index.ts';
import type { Files } from '../../src/runtime/ports.ts';
import { makeWorld } from '../sim/world.ts';

/** By path: how many bytes a file has, or where a link leads. Folders come by themselves. */
export type Tree = Readonly<Record<string, number | { readonly link: string }>>;

const DEFAULTS: Omit<ScanOptions, 'inputs'> = {
  symlinks: 'follow',
  hidden: false,
  junk: false,
  signal: new AbortController().signal,
};

async function plant(files: Files, tree: Tree): Promise<void> {
  for (const [path, content] of Object.entries(tree)) {
    const folder = path.slice(0, path.lastIndexOf('/'));
    if (folder !== '') await files.makeDirectory(folder);
    if (typeof content === 'object') await files.makeSymlink(path, content.link);
    else if (path.endsWith('/')) await files.makeDirectory(folder);
    else await files.writeFile(path, new Uint8Array(content));
  }
}

/** Runs `story` with the files of a simulated host on which `tree` stands. */
export function withTree<T>(tree: Tree, story: (files: Files) => Promise<T>): Promise<T> {
  const world = makeWorld();
  const { files } = world.host('10.0.0.1').runtime;
  return world.run(plant(files, tree).then(() => story(files)));
}

/** Scans `inputs` of a tree. */
export function scanTree(
  tree: Tree,
  inputs: string | readonly string[],
  options: Partial<ScanOptions> = {},
): Promise<Scan> {
  return withTree(tree, (files) => scan(files, inputs, options));
}

export function scan(
  files: Files,
  inputs: string | readonly string[],
  options: Partial<ScanOptions> = {},
): Promise<Scan> {
  const list = typeof inputs === 'string' ? [inputs] : inputs;
  return scanContent(files, { ...DEFAULTS, ...options, inputs: list });
}

/** Paths in the torrent, joined. */
export function pathsOf({ files }: Scan): readonly string[] {
  return files.map(({ path }) => path.join('/'));
}

/** `why path` of all that was left out. */
export function skippedOf({ skipped }: Scan): readonly string[] {
  return skipped.map(({ path, why }) => `${why} ${path}`);
}
