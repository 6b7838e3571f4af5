/**
 * Paths below the output folder. The names come from strangers: the metainfo module makes them
 * safe, and this one refuses whatever is not, so that no mistake elsewhere lets a torrent write
 * outside of the folder.
 *
 * @module
 */

import { StorageError } from '../base/errors.ts';

/** The folder below the root that holds bip's own state. */
export const STATE_FOLDER = '.bip';

/** `root` and the components, joined by `/`, which every system takes. */
export function joinPath(root: string, components: readonly string[]): string {
  const base = root.replace(/(?<=.)[/\\]+$/, '');
  return base === '/' ? `/${components.join('/')}` : `${base}/${components.join('/')}`;
}

/**
 * @throws {StorageError} `BIP_UNSAFE_PATH` when there is no component, or one is empty, `.`, `..`
 * or holds a separator or NUL.
 */
export function assertSafePath(components: readonly string[]): void {
  const safe = components.length > 0 && components.every(isSafeComponent);
  if (safe) return;
  throw new StorageError(
    `the path ${JSON.stringify(components.join('/'))} could lead out of the output folder; bip does not use it`,
    { code: 'BIP_UNSAFE_PATH' },
  );
}

/**
 * The text of a relative link at `link` that leads to `target`, both components below one root;
 * `undefined` when it would lead to itself.
 */
export function linkTarget(link: readonly string[], target: readonly string[]): string | undefined {
  let shared = 0;
  const folder = link.slice(0, -1);
  while (shared < folder.length && folder[shared] === target[shared]) shared++;
  const down = target.slice(shared);
  const up = folder.slice(shared).map(() => '..');
  const isSelf = up.length === 0 && down.length === 1 && down[0] === link.at(-1);
  if (isSelf) return undefined;
  const steps = [...up, ...down];
  return steps.length === 0 ? '.' : steps.join('/');
}

function isSafeComponent(name: string): boolean {
  // oxlint-disable-next-line no-control-regex -- NUL ends a name in the system's calls
  return name !== '' && name !== '.' && name !== '..' && !/[/\\\u0000]/.test(name);
}
