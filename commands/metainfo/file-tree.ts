/** Files as a tree with sizes, for terminals. @module */

import { printable } from '../cli/printable.ts';
import type { Style } from '../cli/style.ts';
import { formatSize } from '../cli/units.ts';
import type { InspectedFile } from './inspection.ts';

interface Folder {
  readonly entries: Map<string, Folder | InspectedFile>;
}

/** One line a file or folder, padding left out. */
export function fileTree(files: readonly InspectedFile[], style: Style): string {
  const root: Folder = { entries: new Map() };
  for (const file of files) if (file.padding !== true) plant(root, file);
  const lines: string[] = [];
  draw(root, '', { lines, style, top: true });
  return lines.join('');
}

function plant(root: Folder, file: InspectedFile): void {
  const parts = file.path.split('/');
  let folder = root;
  for (const part of parts.slice(0, -1)) {
    const known = folder.entries.get(part);
    if (known !== undefined && 'entries' in known) {
      folder = known;
      continue;
    }
    const fresh: Folder = { entries: new Map() };
    folder.entries.set(part, fresh);
    folder = fresh;
  }
  folder.entries.set(parts.at(-1) ?? '', file);
}

/** Torrents nest at most 100 folders, so recursion is safe. */
function draw(
  folder: Folder,
  indent: string,
  options: { readonly lines: string[]; readonly style: Style; readonly top?: boolean },
): void {
  const { lines, style, top = false } = options;
  let left = folder.entries.size;
  for (const [name, entry] of folder.entries) {
    left--;
    const branch = top ? '' : left === 0 ? '└─ ' : '├─ ';
    const below = top ? '' : left === 0 ? '   ' : '│  ';
    const head = style.dim(indent + branch);
    if ('entries' in entry) {
      lines.push(`${head}${style.bold(printable(name))}\n`);
      draw(entry, indent + below, { lines, style });
    } else {
      lines.push(`${head}${printable(name)}${details(entry, style)}\n`);
    }
  }
}

function details(file: InspectedFile, style: Style): string {
  if (file.symlink !== undefined) return style.dim(` → ${printable(file.symlink)}`);
  const marks = `${file.executable === true ? ', executable' : ''}${file.hidden === true ? ', hidden' : ''}`;
  return style.dim(`  ${formatSize(file.length)}${marks}`);
}
