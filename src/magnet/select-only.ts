/** File selections of magnet links: `so=0,2,4,6-8` (BEP 53). @module */

/** The highest index that is taken; a short text must not ask for more memory than this. */
const MAX_INDEX = 999_999;

/**
 * Indices ascending, each once; ranges may overlap. Parts that make no sense are left out, and
 * `undefined` means that none did.
 */
export function parseSelectOnly(text: string): number[] | undefined {
  const ranges = text
    .split(',')
    .map(parseRange)
    .filter((range) => range !== undefined)
    .toSorted((a, b) => a.first - b.first);
  const indices: number[] = [];
  let next = 0;
  for (const { first, last } of ranges) {
    for (let index = Math.max(first, next); index <= last; index++) indices.push(index);
    next = Math.max(next, last + 1);
  }
  return indices.length === 0 ? undefined : indices;
}

/** Runs of three and more as ranges. `indices` ascend. */
export function formatSelectOnly(indices: readonly number[]): string {
  const parts: string[] = [];
  for (let at = 0; at < indices.length; ) {
    const first = indices[at] ?? 0;
    let run = 1;
    while (indices[at + run] === first + run) run++;
    if (run < 3) run = 1;
    parts.push(run === 1 ? `${first}` : `${first}-${first + run - 1}`);
    at += run;
  }
  return parts.join(',');
}

function parseRange(text: string): { first: number; last: number } | undefined {
  const match = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(text);
  if (match === null) return undefined;
  const first = Number(match[1]);
  const last = Number(match[2] ?? match[1]);
  return first <= last && last <= MAX_INDEX ? { first, last } : undefined;
}
