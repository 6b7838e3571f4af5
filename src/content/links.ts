/**
 * Symbolic links that stay links (BEP 47): they may lead to what is in the torrent and to nothing
 * else, and say it by a path from the torrent's folder.
 *
 * @module
 */

import { UsageError } from '../base/errors.ts';
import { isWithin } from './inputs.ts';
import type { ScannedFile } from './scanned.ts';

/** Links on the way to one target, as systems limit them. */
const MAX_HOPS = 40;

/** Where the folders of the torrent lie on disk. */
export interface LinkBounds {
  /** Absolute paths without symlinks, and what they are in the torrent. */
  readonly roots: readonly { readonly real: string; readonly path: readonly string[] }[];
  /**
   * How few components are left when a relative link climbs as far as it may: 0 for the torrent's
   * folder, 1 when the inputs come from different places, so that one cannot climb to the other.
   */
  readonly floor: number;
}

/**
 * The files with the `symlink` of each link set.
 *
 * @param texts what each link says, as the system gives it
 * @throws {UsageError} for a link that leads to what is not in the torrent, or in a circle.
 */
export function resolveLinks(
  files: readonly ScannedFile[],
  texts: ReadonlyMap<ScannedFile, string>,
  bounds: LinkBounds,
): readonly ScannedFile[] {
  if (texts.size === 0) return files;
  const places = new Places(files, texts, bounds);
  return files.map((file) => {
    const text = texts.get(file);
    return text === undefined ? file : { ...file, symlink: places.targetOf(file, text) };
  });
}

class Places {
  /** Every file, folder and link, as joined paths. */
  readonly #known = new Set<string>();
  /** What the links say, by joined path. */
  readonly #texts = new Map<string, string>();
  readonly #bounds: LinkBounds;

  constructor(
    files: readonly ScannedFile[],
    texts: ReadonlyMap<ScannedFile, string>,
    bounds: LinkBounds,
  ) {
    this.#bounds = bounds;
    for (const file of files) {
      const text = texts.get(file);
      if (text !== undefined) this.#texts.set(file.path.join('/'), text);
      this.#addWithFolders(file.path);
    }
  }

  targetOf(link: ScannedFile, text: string): readonly string[] {
    const end = this.#follow(link.path);
    if (end === 'circle') throw inCircle(link, text);
    if (end === 'outside' || !this.#known.has(end.join('/'))) throw outside(link, text);
    const written = this.#asWritten(link, text);
    // `a/..` is not here when `a` is a link itself.
    const same = this.#follow(written);
    return typeof same !== 'string' && same.join('/') === end.join('/') ? written : end;
  }

  #addWithFolders(path: readonly string[]): void {
    for (let depth = path.length; depth > 0; depth--) {
      const key = path.slice(0, depth).join('/');
      if (this.#known.has(key)) return;
      this.#known.add(key);
    }
  }

  /** The target by the words of the link, so that links on the way to it stay on the way. */
  #asWritten(link: ScannedFile, text: string): readonly string[] {
    const start = this.#startOf(link.path.slice(0, -1), text);
    if (start === undefined) return [];
    const path = [...start.path];
    for (const step of start.steps) {
      if (step === '..') path.pop();
      else path.push(step);
    }
    return path;
  }

  /** Where a path ends up, all links on it followed. */
  #follow(path: readonly string[]): readonly string[] | 'outside' | 'circle' {
    const here: string[] = [];
    const steps = path.toReversed();
    let hops = 0;
    for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
      if (step === '..') {
        if (here.length <= this.#bounds.floor) return 'outside';
        here.pop();
        continue;
      }
      here.push(step);
      const text = this.#texts.get(here.join('/'));
      if (text === undefined) continue;
      if (++hops > MAX_HOPS) return 'circle';
      const next = this.#startOf(here.slice(0, -1), text);
      if (next === undefined) return 'outside';
      here.splice(0, here.length, ...next.path);
      steps.push(...next.steps.toReversed());
    }
    return here;
  }

  /** Where the steps of a link in `folder` begin; `undefined` when it is absolute and leads elsewhere. */
  #startOf(
    folder: readonly string[],
    text: string,
  ): { readonly path: readonly string[]; readonly steps: readonly string[] } | undefined {
    if (!text.startsWith('/')) return { path: folder, steps: stepsOf(text) };
    const root = this.#bounds.roots.find(({ real }) => isWithin(text, real));
    return root && { path: root.path, steps: stepsOf(text.slice(root.real.length)) };
  }
}

function stepsOf(text: string): readonly string[] {
  return text.split('/').filter((step) => step !== '' && step !== '.');
}

function outside({ source }: ScannedFile, text: string): UsageError {
  return new UsageError(
    `the symbolic link ${source} leads to ${text}, which is not in the torrent; pass --symlinks follow or --symlinks skip`,
    { code: 'BIP_SYMLINK' },
  );
}

function inCircle({ source }: ScannedFile, text: string): UsageError {
  return new UsageError(
    `the symbolic link ${source} leads to ${text} and in a circle; remove it or pass --symlinks skip`,
    { code: 'BIP_SYMLINK' },
  );
}
