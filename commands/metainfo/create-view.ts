/** The renderings of `metainfo create`. @module */

import { tsv, type View } from '../cli/action.ts';
import { labelled, type Row } from '../cli/labelled.ts';
import { printable } from '../cli/printable.ts';
import type { Style } from '../cli/style.ts';
import { formatDuration, formatSize } from '../cli/units.ts';
import type { Created, CreateResult, PieceTable, Planned } from './create-result.ts';

/** The renderings. */
export const createView: View<CreateResult> = {
  terminal: (result, style, columns) => {
    if (result.type === 'bytes') return result.bytes;
    if (result.type === 'pieces') return table(result, style);
    if (result.show === 'line') return briefLine(result, style, columns);
    if (result.type === 'planned') return labelled(plannedRows(result), style);
    return result.show === 'magnet' ? `${result.magnet}\n` : labelled(createdRows(result), style);
  },
  plain: (result) => {
    if (result.type === 'bytes') return result.bytes;
    if (result.type === 'pieces') {
      return result.rows.map((row) => tsv(row.maxLength, row.pieceLength)).join('');
    }
    if (result.type === 'planned') {
      const { path, length } = result;
      return result.show === 'line' ? tsv(printable(path), length) : plainLines(result, PLANNED);
    }
    const { path, infoHash, infoHashV2, length, magnet } = result;
    if (result.show === 'magnet') return `${magnet}\n`;
    return result.show === 'line'
      ? tsv(printable(path), infoHash, infoHashV2, length, magnet)
      : plainLines(result, CREATED);
  },
  json: (result) => {
    if (result.type === 'bytes') return {};
    if (result.type === 'pieces') return result.rows;
    const { type: _, show: __, ...rest } = result;
    return rest;
  },
};

const PLANNED = [
  'path',
  'name',
  'version',
  'length',
  'pieceLength',
  'pieceCount',
  'torrentLength',
] as const;

const CREATED = [
  'path',
  'name',
  'version',
  'infoHash',
  'infoHashV2',
  'length',
  'pieceLength',
  'pieceCount',
  'torrentLength',
  'magnet',
  'reused',
  'elapsedMs',
] as const;

/** Label and value, then a line a file that was left out. */
function plainLines<Key extends string>(
  result: { readonly [Name in Key]?: string | number } & Pick<Planned, 'skipped'>,
  labels: readonly Key[],
): string {
  const lines = labels.flatMap((label) => {
    const value = result[label];
    return value === undefined ? [] : [tsv(label, printable(String(value)))];
  });
  const skipped = result.skipped.map(({ path, why }) => tsv('skipped', why, printable(path)));
  return [...lines, ...skipped].join('');
}

function plannedRows(planned: Planned): readonly Row[] {
  return [
    ['Would write', [planned.path]],
    ...commonRows(planned),
    ['.torrent', [formatSize(planned.torrentLength)]],
    ['Private', planned.private ? ['yes'] : []],
    ['Source', planned.source === undefined ? [] : [planned.source]],
  ];
}

/** Shorter work has no rate that means anything. */
const RATE_FROM_MS = 100;

function createdRows(created: Created): readonly Row[] {
  const { path, infoHash, infoHashV2, magnet, reused, elapsedMs, length } = created;
  const rate = formatSize(Math.round((length / elapsedMs) * 1000));
  const took = `${formatDuration(elapsedMs)}${elapsedMs < RATE_FROM_MS ? '' : `, ${rate}/s`}`;
  return [
    ['Written', [path]],
    ...commonRows(created),
    ['Infohash', infoHash === undefined ? [] : [infoHash]],
    ['Infohash v2', infoHashV2 === undefined ? [] : [infoHashV2]],
    ['Magnet', [magnet]],
    ['Hashes of', reused === undefined ? [] : [reused]],
    ['Took', [took]],
  ];
}

function commonRows(torrent: Created | Planned): readonly Row[] {
  const { name, version, length, files, pieceCount, pieceLength } = torrent;
  const count = files.filter(({ padding }) => padding !== true).length;
  return [
    ['Name', [name]],
    ['Version', [version]],
    ['Size', [`${formatSize(length)} in ${count} file${count === 1 ? '' : 's'}`]],
    ['Pieces', [`${pieceCount} × ${formatSize(pieceLength)}`]],
  ];
}

/** One line of a batch. */
function briefLine(result: Created | Planned, style: Style, columns: number): string {
  const hash = result.type === 'created' ? (result.infoHash ?? result.infoHashV2 ?? '') : '';
  const rest = `  ${formatSize(result.length)}  ${hash}`.trimEnd();
  const path = printable(result.path);
  const room = Math.max(16, columns - rest.length - 1);
  const shown = path.length <= room ? path : `…${path.slice(1 - room)}`;
  return `${style.bold(shown)}${style.dim(rest)}\n`;
}

function table({ rows }: PieceTable, style: Style): string {
  return labelled(
    rows.map(({ maxLength, pieceLength }) => [
      `up to ${formatSize(maxLength)}`,
      [`pieces of ${formatSize(pieceLength)}`],
    ]),
    style,
  );
}
