/** "Did you mean": the word that somebody probably had in mind. @module */

/** Mistakes beyond this share of a word make it another word. */
const MAX_SHARE = 0.4;

/** The one of `words` that is nearest to `word`; `undefined` when none is near. */
export function nearest(word: string, words: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Math.max(1, Math.floor(word.length * MAX_SHARE)) + 1;
  for (const candidate of words) {
    // A word that is right elsewhere.
    if (candidate === word) continue;
    const mistakes = distance(word.toLowerCase(), candidate.toLowerCase());
    if (mistakes < least) [best, least] = [candidate, mistakes];
  }
  return best;
}

/** `; did you mean X?`, or nothing: the end of a sentence about a wrong word. */
export function suggestion(word: string, words: Iterable<string>): string {
  const found = nearest(word, words);
  return found === undefined ? '' : `; did you mean \`${found}\`?`;
}

/** Insertions, deletions, changes, and neighbours that changed places (Damerau, Levenshtein). */
function distance(from: string, to: string): number {
  let before: readonly number[] = [];
  let row: readonly number[] = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (let at = 1; at <= from.length; at++) {
    const next = [at];
    for (let other = 1; other <= to.length; other++) {
      const isSwap = from[at - 1] === to[other - 2] && from[at - 2] === to[other - 1];
      const changed = valueAt(row, other - 1) + (from[at - 1] === to[other - 1] ? 0 : 1);
      const swapped = isSwap ? valueAt(before, other - 2) + 1 : changed;
      const shifted = Math.min(valueAt(row, other), valueAt(next, other - 1)) + 1;
      next.push(Math.min(changed, swapped, shifted));
    }
    [before, row] = [row, next];
  }
  return valueAt(row, to.length);
}

function valueAt(row: readonly number[], at: number): number {
  return row[at] ?? 0;
}
