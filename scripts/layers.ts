/**
 * `npm run layers`: the rules of .dependency-cruiser.ts over every file, and proof that every file
 * was looked at.
 *
 * @module
 */

import { globSync } from 'node:fs';
import { cruise } from 'dependency-cruiser';
import { options, rules } from '../.dependency-cruiser.ts';

/** What a cruise found. */
export interface Layers {
  readonly violations: readonly { rule: string; from: string; to: string }[];
  /** Files that exist and that the cruise passed by. */
  readonly unseen: readonly string[];
  /** How many files exist. */
  readonly files: number;
}

/** A package of its own: what bip is raced against. */
const APART = 'test/bench/peers';
const FOLDERS = ['bin', 'commands', 'scripts', 'src', 'test'] as const;

/** Cruises the project that stands in `baseDir`. */
export async function checkLayers(baseDir: string): Promise<Layers> {
  const files = globSync(`{${FOLDERS.join(',')}}/**/*.{ts,mjs}`, {
    cwd: baseDir,
    exclude: ['**/node_modules/**', `${APART}/**`],
  });
  const folders = FOLDERS.filter((folder) => files.some((path) => path.startsWith(`${folder}/`)));
  const { output } = await cruise(
    folders,
    { ...options, baseDir, exclude: APART, validate: true, ruleSet: { forbidden: [...rules] } },
    options.enhancedResolveOptions,
  );
  if (typeof output === 'string') throw new Error(`dependency-cruiser: ${output}`);
  const sources = new Set(output.modules.map(({ source }) => source));
  return {
    violations: output.summary.violations.map(({ rule, from, to }) => ({
      rule: rule.name,
      from,
      to,
    })),
    unseen: files.filter((path) => !sources.has(path)),
    files: files.length,
  };
}

if (import.meta.main) {
  const { violations, unseen, files } = await checkLayers(`${import.meta.dirname}/..`);
  const comments = new Map(rules.map(({ name, comment }) => [name, comment]));
  for (const { rule, from, to } of violations) {
    process.stdout.write(`${from} -> ${to}\n  ${rule}: ${comments.get(rule)}\n`);
  }
  for (const path of unseen) process.stdout.write(`${path}: not looked at\n`);
  process.stdout.write(`${files} files looked at, ${violations.length} violations\n`);
  process.exitCode = violations.length > 0 || unseen.length > 0 || files === 0 ? 1 : 0;
}
