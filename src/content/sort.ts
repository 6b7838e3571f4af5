/** The order of files, the same on every machine and in every language. @module */

import { compareNames } from '../base/bytes.ts';

/**
 * `path` goes component by component, `name` by the last of them, both in raw bytes; `natural` as
 * `path` with numbers by their value; `size` by bytes.
 */
export const SORT_FIELDS = ['path', 'name', 'natural', 'size'] as const;

export interface SortKey {
  readonly by: (typeof SORT_FIELDS)[number];
  readonly order: 'ascending' | 'descending';
}

/** What files are sorted by. */
interface Sortable {
  readonly path: readonly string[];
  /** Bytes. */
  readonly length: number;
}

type Compare = (a: Sortable, b: Sortable) => number;

const COMPARE: Readonly<Record<SortKey['by'], Compare>> = {
  path: (a, b) => compareComponents(a.path, b.path, compareNames),
  name: (a, b) => compareNames(a.path.at(-1) ?? '', b.path.at(-1) ?? ''),
  natural: (a, b) => compareComponents(a.path, b.path, compareNatural),
  size: (a, b) => a.length - b.length,
};

/** A sorted copy: later keys break ties of the ones before, the path breaks the last. */
export function sortFiles<File extends Sortable>(
  files: readonly File[],
  keys: readonly SortKey[],
): readonly File[] {
  return files.toSorted((a, b) => {
    for (const { by, order } of keys) {
      const difference = COMPARE[by](a, b);
      if (difference !== 0) return order === 'ascending' ? difference : -difference;
    }
    return COMPARE.path(a, b);
  });
}

function compareComponents(
  a: readonly string[],
  b: readonly string[],
  compare: (a: string, b: string) => number,
): number {
  const shared = Math.min(a.length, b.length);
  for (let at = 0; at < shared; at++) {
    const difference = compare(a[at] ?? '', b[at] ?? '');
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** `2` before `10`; zeros in front count last. */
function compareNatural(a: string, b: string): number {
  const [left, right] = [runsOf(a), runsOf(b)];
  const shared = Math.min(left.length, right.length);
  for (let at = 0; at < shared; at++) {
    const difference = compareRuns(left[at] ?? '', right[at] ?? '');
    if (difference !== 0) return difference;
  }
  return left.length - right.length || compareNames(a, b);
}

/** Digits and what lies between them, by turns; text first, which may be empty. */
function runsOf(name: string): readonly string[] {
  return name.split(/(\d+)/);
}

function compareRuns(a: string, b: string): number {
  if (!/^\d/.test(a) || !/^\d/.test(b)) return compareNames(a, b);
  const [left, right] = [a.replace(/^0+/, ''), b.replace(/^0+/, '')];
  return left.length - right.length || compareNames(left, right);
}
