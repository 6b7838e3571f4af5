/** The text renderings of a whole torrent. @module */

import { tsv } from '../cli/action.ts';
import { labelled, type Row } from '../cli/labelled.ts';
import { printable } from '../cli/printable.ts';
import type { Style } from '../cli/style.ts';
import { tierLines } from '../cli/tier-lines.ts';
import { formatSize } from '../cli/units.ts';
import { fileTree } from './file-tree.ts';
import type { InspectedFile, Inspection } from './inspection.ts';
import { showRawName, showRawPath } from './raw-name.ts';

/** How much of a torrent is shown. */
export interface Show {
  /** The list of files. */
  readonly files: boolean;
  /** Padding files in the tree. */
  readonly padding: boolean;
  /** Levels of the tree. */
  readonly depth?: number | undefined;
  /** Sizes in bytes as well. */
  readonly exact: boolean;
}

/** One line a value: label, then fields. Lists give one line an item; see `--help`. */
export function plainInspection(torrent: Inspection, show: Show): string {
  return [...plainLines(torrent, show)].join('');
}

function* plainLines(torrent: Inspection, show: Show): Iterable<string> {
  yield* singleLines(torrent);
  yield* listLines(torrent);
  for (const [at, tier] of torrent.announce.entries()) {
    for (const url of tier) yield tsv('announce', at + 1, printable(url));
  }
  for (const [key, value] of otherKeysOf(torrent)) yield tsv('other', printable(key), value);
  if (show.files) for (const file of torrent.files) yield* fileLines(file);
  for (const [label, ...fields] of pieceFields(torrent)) yield tsv(label, ...fields);
  for (const { code, message } of torrent.warnings) yield tsv('warning', code, message);
}

const SINGLE_LABELS = [
  'name',
  'version',
  'infoHash',
  'infoHashV2',
  'length',
  'pieceLength',
  'pieceCount',
  'torrentLength',
  'private',
  'fileCount',
  'comment',
  'createdBy',
  'creationDate',
  'encoding',
  'source',
  'updateUrl',
  'magnet',
  'torrent',
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

/** `file`, `padding` or `symlink`, then length, path and target; what it was called before. */
function* fileLines(file: InspectedFile): Iterable<string> {
  const { path, length, padding, symlink, rawPath, otherKeys = {} } = file;
  if (symlink !== undefined) yield tsv('symlink', length, path, symlink);
  else yield tsv(padding === true ? 'padding' : 'file', length, path);
  if (rawPath !== undefined) yield tsv('renamed', showRawPath(rawPath), path);
  for (const [key, value] of Object.entries(otherKeys)) {
    yield tsv('fileOther', printable(key), printable(JSON.stringify(value)), path);
  }
}

/** Keys that have no field, those of the info dictionary behind `info/`, and values as JSON. */
function* otherKeysOf({
  otherKeys = {},
  otherInfoKeys = {},
}: Inspection): Iterable<readonly [string, string]> {
  for (const [key, value] of Object.entries(otherKeys)) {
    yield [key, printable(JSON.stringify(value))];
  }
  for (const [key, value] of Object.entries(otherInfoKeys)) {
    yield [`info/${key}`, printable(JSON.stringify(value))];
  }
}

function* pieceFields({
  pieces = [],
  pieceLayers = {},
}: Inspection): Iterable<readonly [string, ...(string | number)[]]> {
  for (const [index, hash] of pieces.entries()) yield ['piece', index, hash];
  for (const [root, hashes] of Object.entries(pieceLayers)) {
    for (const [index, hash] of hashes.entries()) yield ['pieceLayer', root, index, hash];
  }
}

/** Aligned labels, then the tree of files. */
export function terminalInspection(torrent: Inspection, style: Style, show: Show): string {
  const size = sizeFormat(show.exact);
  const head = labelled(headRows(torrent, size), style);
  const { depth, padding } = show;
  const tree = show.files ? fileTree(torrent.files, { style, size, depth, padding }) : '';
  const pieces = [...pieceFields(torrent)].map((fields) => `${fields.join('  ')}\n`);
  const warnings = torrent.warnings.map(
    ({ message }) => `${style.yellow('warning:')} ${printable(message)}\n`,
  );
  return [head, tree, ...pieces, ...warnings].join('');
}

/** Sizes for people; `exact`: in bytes as well. */
export function sizeFormat(exact: boolean): (bytes: number) => string {
  if (!exact) return formatSize;
  return (bytes) =>
    bytes < 1024 ? formatSize(bytes) : `${formatSize(bytes)} / ${grouped(bytes)} B`;
}

function grouped(number: number): string {
  return String(number).replace(/\B(?=(?:\d{3})+$)/g, ',');
}

function headRows(torrent: Inspection, size: (bytes: number) => string): readonly Row[] {
  const { rawName, torrentLength } = torrent;
  return [
    ['Name', [torrent.name]],
    ['In the torrent', rawName === undefined ? [] : [showRawName(rawName)]],
    ['Version', [torrent.version]],
    ['Infohash', listOf(torrent.infoHash)],
    ['Infohash v2', listOf(torrent.infoHashV2)],
    ['Size', [size(torrent.length)]],
    ['Pieces', [`${torrent.pieceCount} × ${size(torrent.pieceLength)}`]],
    ['.torrent', torrentLength === undefined ? [] : [size(torrentLength)]],
    ['Private', torrent.private ? ['yes'] : []],
    ['Source', listOf(torrent.source)],
    ['Comment', listOf(torrent.comment)],
    ['Created by', listOf(torrent.createdBy)],
    ['Created', listOf(torrent.creationDate)],
    ['Encoding', listOf(torrent.encoding)],
    ['Trackers', tierLines(torrent.announce)],
    ['Web seeds', torrent.webSeeds],
    ['HTTP seeds', torrent.httpSeeds],
    ['DHT nodes', torrent.nodes],
    ['Similar', torrent.similar ?? []],
    ['Collections', torrent.collections ?? []],
    ['Updates', listOf(torrent.updateUrl)],
    ['Other keys', [...otherKeysOf(torrent)].map(([key, value]) => `${key}: ${shortened(value)}`)],
    ['Magnet', [torrent.magnet]],
    ['Files', [filesLine(torrent, size)]],
  ];
}

function listOf(value: string | undefined): readonly string[] {
  return value === undefined ? [] : [value];
}

/** Characters of a value on a terminal; whoever wants all has JSON. */
const MAX_SHOWN = 200;

function shortened(text: string): string {
  return text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN - 1)}…`;
}

function filesLine({ files, fileCount }: Inspection, size: (bytes: number) => string): string {
  if (fileCount === files.length) return `${fileCount}`;
  const bytes = files.reduce((sum, { length, padding }) => sum + (padding ? length : 0), 0);
  return `${fileCount}, and ${size(bytes)} of padding between them`;
}
