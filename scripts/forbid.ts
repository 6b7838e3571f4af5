/**
 * `npm run forbid`: words, names and strings that have no place in the tree. Looks at what git
 * tracks, so that what others are still writing does not matter.
 *
 * @module
 */

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

interface Rule {
  readonly name: string;
  /** Paths that it looks at. */
  readonly files: RegExp;
  readonly pattern: RegExp;
  readonly why: string;
}

const TEXT = /\.(?:ts|mjs|js|cjs|json|py|sh|md)$|^\.ci\//;
const SOURCE = /^(?:src|commands|bin|scripts|test)\/.*\.(?:ts|mjs|py)$/;

/** Last letters stand in brackets, so that no pattern finds itself. */
const RULES: readonly Rule[] = [
  {
    name: 'unfinished',
    files: SOURCE,
    pattern: /\b(?:TOD[O]|FIXM[E]|XX[X]|HAC[K])\b/,
    why: 'finish it, or open an issue',
  },
  {
    name: 'debugging',
    files: SOURCE,
    pattern: /\bdebugge[r];|\bconsole\.lo[g]\(|\bdb[g]!/,
    why: 'left over from debugging',
  },
  {
    name: 'machine-path',
    files: TEXT,
    pattern: /(?<![\w.:/$}-])\/(?:work|home|root|Users)\/\w/,
    why: 'an absolute path holds on one machine only',
  },
  {
    name: 'registry-host',
    files: /./,
    pattern: /registry\.(?:npmj[s]|yarnpk[g])|npmmirro[r]\.com/,
    why: 'which registry is the business of the user',
  },
  {
    name: 'locked-registry',
    files: /^package-lock\.json$/,
    pattern: /"resolved": "https?:/,
    why: 'a lock file that names no registry works with every one',
  },
];

/** Names that say nothing about what is inside. */
const EMPTY_NAMES = /(?:^|\/)(?:utils?|helpers?|common|misc)(?:\.[^/]*)?(?:\/|$)/;

/** The faults of one file, each as a line to print. */
export function faultsOf(path: string, text: string): readonly string[] {
  const faults = EMPTY_NAMES.test(path) ? [`${path}: empty-name: say what is inside`] : [];
  const rules = RULES.filter(({ files }) => files.test(path));
  for (const [index, line] of text.split('\n').entries()) {
    for (const { name, pattern, why } of rules) {
      const found = pattern.exec(line)?.[0];
      if (found !== undefined) faults.push(`${path}:${index + 1}: ${name}: \`${found}\`: ${why}`);
    }
  }
  return faults;
}

if (import.meta.main) {
  const listed = execFileSync('git', ['ls-files', '-z'], { encoding: 'utf8' });
  const paths = listed.split('\0').filter((path) => path !== '' && existsSync(path));
  const faults = paths.flatMap((path) => faultsOf(path, readFileSync(path, 'latin1')));
  for (const fault of faults) process.stdout.write(`${fault}\n`);
  process.stdout.write(`${paths.length} files looked at, ${faults.length} faults\n`);
  process.exitCode = faults.length > 0 || paths.length === 0 ? 1 : 0;
}
