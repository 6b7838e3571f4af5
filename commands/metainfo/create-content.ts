/** What is odd about the content of a new torrent: names that do not travel well. @module */

import { encodeName, isPlainName } from '../../src/base/bytes.ts';
import type { Scan } from '../../src/content/index.ts';
import { sanitizeComponent } from '../../src/metainfo/index.ts';
import { lastName } from '../cli/paths.ts';
import { printable } from '../cli/printable.ts';
import type { Finding } from './lints.ts';

/** Of names and paths, and of what the content is; one finding a lint, with the first case. */
export function contentFindings(scan: Scan): readonly Finding[] {
  const paths = scan.files.map(({ path }) => [scan.name, ...path]);
  return [
    ...torrentItself(scan),
    ...first(
      paths.filter((path) => !path.every(isPlainName)),
      (shown) => ({
        lint: 'name-not-utf-8',
        message: `${shown} is not UTF-8, and programs will look for another name; rename it`,
      }),
    ),
    ...first(
      paths.filter((path) => path.every(isPlainName) && !path.every(isPortable)),
      (shown) => ({
        lint: 'name-not-portable',
        message: `${shown} has a name that some systems cannot write`,
      }),
    ),
    ...first(clashing(paths), (shown) => ({
      lint: 'path-clash',
      message: `${shown} and another path differ in case or composition only; on many systems they are one file`,
    })),
  ];
}

function torrentItself({ isFolder, roots }: Scan): readonly Finding[] {
  const [root = ''] = roots;
  if (isFolder || !/\.torrent$/i.test(lastName(root))) return [];
  const message = `${printable(root)} is a torrent itself, not the content that it names`;
  return [{ lint: 'torrent-as-content', message }];
}

function first(
  paths: readonly (readonly string[])[],
  finding: (shown: string) => Finding,
): readonly Finding[] {
  const [path] = paths;
  if (path === undefined) return [];
  const more = paths.length === 1 ? '' : ` (and ${paths.length - 1} more like this)`;
  const { lint, message } = finding(printable(path.join('/')));
  return [{ lint, message: `${message}${more}` }];
}

function isPortable(component: string): boolean {
  const bytes = encodeName(component);
  return [true, false].every(
    (windows) => sanitizeComponent(bytes, { force: true, windows }) === component,
  );
}

/** Paths that are the same as one before where case and composition do not count. */
function clashing(paths: readonly (readonly string[])[]): readonly (readonly string[])[] {
  const seen = new Map<string, string>();
  return paths.filter((path) =>
    path.some((_, at) => {
      const exact = path.slice(0, at + 1).join('/');
      const folded = exact.normalize('NFC').toLowerCase();
      const known = seen.get(folded);
      if (known === undefined) seen.set(folded, exact);
      return known !== undefined && known !== exact;
    }),
  );
}
