/** Files as a tree with sizes, for terminals. @module */

import { printable } from '../cli/printable.ts';
import type { Style } from '../cli/style.ts';
import type { InspectedFile } from './inspection.ts';
import { showRawName } from './raw-name.ts';

interface Folder {
  readonly entries: Map<string, Folder | InspectedFile>;
  /** What the torrent really calls it, when that is another name. */
  readonly rawName?: string | undefined;
}

export interface TreeOptions {
  readonly style: Style;
  /** How sizes look. */
  readonly size: (bytes: number) => string;
  /** Levels that are shown; of folders below them only how much they hold. Default: all. */
  readonly depth?: number | undefined;
  /** Padding files are shown. */
  readonly padding: boolean;
}

/** One line a file or folder. */
export function fileTree(files: readonly InspectedFile[], options: TreeOptions): string {
  const root: Folder = { entries: new Map() };
  for (const file of files) if (options.padding || file.padding !== true) plant(root, file);
  const lines: string[] = [];
  draw(root, { ...options, lines, indent: '', level: 1 });
  return lines.join('');
}

function plant(root: Folder, file: InspectedFile): void {
  const parts = file.path.split('/');
  let folder = root;
  for (const [at, part] of parts.slice(0, -1).entries()) {
    const known = folder.entries.get(part);
    if (known !== undefined && 'entries' in known) {
      folder = known;
      continue;
    }
    const fresh: Folder = { entries: new Map(), rawName: rawNameAt(file, at) };
    folder.entries.set(part, fresh);
    folder = fresh;
  }
  // Padding may share its path with others.
  folder.entries.set(freeName(folder, parts.at(-1) ?? ''), file);
}

function freeName({ entries }: Folder, name: string): string {
  let free = name;
  while (entries.has(free)) free += '\0';
  return free;
}

function rawNameAt({ path, rawPath }: InspectedFile, at: number): string | undefined {
  const raw = rawPath?.at(at);
  return raw === undefined || raw === path.split('/').at(at) ? undefined : showRawName(raw);
}

interface Drawing extends TreeOptions {
  readonly lines: string[];
  readonly indent: string;
  /** Of the entries that are drawn, from 1. */
  readonly level: number;
}

/** Torrents nest at most 100 folders, so recursion is safe. */
function draw(folder: Folder, drawing: Drawing): void {
  const { lines, style, indent, level, depth = Number.POSITIVE_INFINITY } = drawing;
  const isTop = level === 1;
  let left = folder.entries.size;
  for (const [name, entry] of folder.entries) {
    left--;
    const branch = isTop ? '' : left === 0 ? '└─ ' : '├─ ';
    const below = isTop ? '' : left === 0 ? '   ' : '│  ';
    const head = style.dim(indent + branch);
    const shown = printable(name.replace(/\0+$/, ''));
    if (!('entries' in entry)) {
      lines.push(`${head}${shown}${details(entry, drawing)}\n`);
      continue;
    }
    const isClosed = level >= depth;
    const note =
      renamed(entry.rawName, style) + (isClosed ? style.dim(contents(entry, drawing)) : '');
    lines.push(`${head}${style.bold(shown)}${note}\n`);
    if (!isClosed) draw(entry, { ...drawing, indent: indent + below, level: level + 1 });
  }
}

function details(file: InspectedFile, { style, size }: TreeOptions): string {
  const was = renamed(rawNameAt(file, -1), style);
  if (file.symlink !== undefined) return style.dim(` → ${printable(file.symlink)}`) + was;
  const marks = MARKS.filter((mark) => file[mark] === true).map((mark) => `, ${mark}`);
  return style.dim(`  ${size(file.length)}${marks.join('')}`) + was;
}

const MARKS = ['executable', 'hidden', 'padding'] as const;

function renamed(rawName: string | undefined, style: Style): string {
  return rawName === undefined ? '' : style.yellow(`  in the torrent: ${rawName}`);
}

/** How much lies in a folder that is not shown. */
function contents(folder: Folder, { size }: TreeOptions): string {
  let count = 0;
  let length = 0;
  for (const file of filesIn(folder)) {
    count++;
    length += file.length;
  }
  return `  ${count} file${count === 1 ? '' : 's'}, ${size(length)}`;
}

function* filesIn(folder: Folder): Iterable<InspectedFile> {
  for (const entry of folder.entries.values()) {
    if ('entries' in entry) yield* filesIn(entry);
    else yield entry;
  }
}
