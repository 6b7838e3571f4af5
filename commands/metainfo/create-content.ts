/** What is odd about the content of a new torrent: what it is, and names that do not travel well. @module */

import type { Scan } from '../../src/content/index.ts';
import { type NameLint, nameLints, pathClashes } from '../../src/metainfo/index.ts';
import { lastName } from '../cli/paths.ts';
import { printable } from '../cli/printable.ts';
import type { Finding, LintName } from './lints.ts';

/** One finding a lint, with the first case and how many more there are. */
export function contentFindings(scan: Scan): readonly Finding[] {
  const paths = scan.files.map(({ path }) => [scan.name, ...path]);
  const clashes = pathClashes(paths).map(
    ({ message }) => ({ lint: 'path-clash', message }) as const,
  );
  const names = paths.flatMap(nameLints).map(nameFinding);
  return [...torrentItself(scan), ...firstOfEach([...names, ...clashes])];
}

function torrentItself({ isFolder, roots }: Scan): readonly Finding[] {
  const [root = ''] = roots;
  if (isFolder || !/\.torrent$/i.test(lastName(root))) return [];
  const message = `${printable(root)} is a torrent itself, not the content that it names`;
  return [{ lint: 'torrent-as-content', message }];
}

function nameFinding({ code, message }: NameLint): Finding {
  return { lint: code, message };
}

function firstOfEach(findings: readonly Finding[]): readonly Finding[] {
  const counts = new Map<LintName, number>();
  for (const { lint } of findings) counts.set(lint, (counts.get(lint) ?? 0) + 1);
  return [...counts].flatMap(([lint, count]) => {
    const first = findings.find((finding) => finding.lint === lint);
    if (first === undefined) return [];
    const more = count === 1 ? '' : ` (and ${count - 1} more like this)`;
    return [{ lint, message: `${first.message}${more}` }];
  });
}
