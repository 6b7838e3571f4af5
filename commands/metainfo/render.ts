/** The text renderings of `metainfo inspect`. @module */

import { tsv } from '../cli/action.ts';
import { labelled } from '../cli/labelled.ts';
import { printable } from '../cli/printable.ts';
import type { Style } from '../cli/style.ts';
import { formatSize } from '../cli/units.ts';
import { fileTree } from './file-tree.ts';
import type { InspectedFile, Inspection } from './inspection.ts';

/** One line a value: label, then fields. Lists give one line an item; see `--help`. */
export function plainInspection(torrent: Inspection): string {
  const { announce, files, warnings } = torrent;
  const lines = [...singleLines(torrent), ...listLines(torrent)];
  for (const [at, tier] of announce.entries()) {
    for (const url of tier) lines.push(tsv('announce', at + 1, printable(url)));
  }
  for (const file of files) lines.push(fileLine(file));
  for (const { code, message } of warnings) lines.push(tsv('warning', code, message));
  return lines.join('');
}

const SINGLE_LABELS = [
  'name',
  'version',
  'infoHash',
  'infoHashV2',
  'length',
  'pieceLength',
  'pieceCount',
  'private',
  'comment',
  'createdBy',
  'creationDate',
  'source',
  'updateUrl',
  'magnet',
] as const;

const LIST_LABELS = [
  ['webSeeds', 'webSeed'],
  ['httpSeeds', 'httpSeed'],
  ['nodes', 'node'],
  ['similar', 'similar'],
  ['collections', 'collection'],
] as const;

function* singleLines(torrent: Inspection): Iterable<string> {
  for (const label of SINGLE_LABELS) {
    const value = torrent[label];
    if (value !== undefined) yield tsv(label, printable(String(value)));
  }
}

function* listLines(torrent: Inspection): Iterable<string> {
  for (const [key, label] of LIST_LABELS) {
    for (const value of torrent[key] ?? []) yield tsv(label, printable(value));
  }
}

/** `file`, `padding` or `symlink`, then length, path and target. */
function fileLine({ path, length, padding, symlink }: InspectedFile): string {
  if (symlink !== undefined) return tsv('symlink', length, path, symlink);
  return tsv(padding === true ? 'padding' : 'file', length, path);
}

/** Aligned labels, then the tree of files. */
export function terminalInspection(torrent: Inspection, style: Style): string {
  const head = labelled(
    [
      ['Name', [torrent.name]],
      ['Version', [torrent.version]],
      ['Infohash', valueOf(torrent.infoHash)],
      ['Infohash v2', valueOf(torrent.infoHashV2)],
      ['Size', [formatSize(torrent.length)]],
      ['Pieces', [`${torrent.pieceCount} × ${formatSize(torrent.pieceLength)}`]],
      ['Private', torrent.private ? ['yes'] : []],
      ['Source', valueOf(torrent.source)],
      ['Comment', valueOf(torrent.comment)],
      ['Created by', valueOf(torrent.createdBy)],
      ['Created', valueOf(torrent.creationDate)],
      ['Trackers', torrent.announce.map((tier) => tier.join('  '))],
      ['Web seeds', torrent.webSeeds],
      ['HTTP seeds', torrent.httpSeeds],
      ['DHT nodes', torrent.nodes],
      ['Similar', torrent.similar ?? []],
      ['Collections', torrent.collections ?? []],
      ['Updates', valueOf(torrent.updateUrl)],
      ['Magnet', [torrent.magnet]],
      ['Files', [filesLine(torrent)]],
    ],
    style,
  );
  const warnings = torrent.warnings.map(
    ({ message }) => `${style.yellow('warning:')} ${printable(message)}\n`,
  );
  return `${head}${fileTree(torrent.files, style)}${warnings.join('')}`;
}

function valueOf(value: string | undefined): readonly string[] {
  return value === undefined ? [] : [value];
}

function filesLine({ files }: Inspection): string {
  const padding = files.filter((file) => file.padding === true);
  const count = `${files.length - padding.length}`;
  if (padding.length === 0) return count;
  const bytes = padding.reduce((sum, { length }) => sum + length, 0);
  return `${count}, and ${formatSize(bytes)} of padding between them`;
}
