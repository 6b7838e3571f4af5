/** "Did you mean": the word that somebody probably had in mind. @module */

/** Mistakes beyond this share of a word make it another word. */
const MAX_SHARE = 0.4;

/** The one of `words` that is nearest to `word`; `undefined` when none is near. */
export function nearest(word: string, words: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Math.max(1, Math.floor(word.length * MAX_SHARE)) + 1;
  for (const candidate of words) {
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

/** Insertions, deletions and changes between two words (Levenshtein). */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (let at = 1; at <= from.length; at++) {
    const next = [at];
    for (let other = 1; other <= to.length; other++) {
      const change = (row[other - 1] ?? 0) + (from[at - 1] === to[other - 1] ? 0 : 1);
      next.push(Math.min(change, (row[other] ?? 0) + 1, (next[other - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
