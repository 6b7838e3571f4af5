/** How `metainfo verify` looks: text for terminals, lines for pipes, JSON. @module */

import type { BadPiece, Placement, VerifiedFile } from '../../src/content/index.ts';
import type { Metainfo } from '../../src/metainfo/index.ts';
import { tsv, type View } from '../cli/action.ts';
import { printable } from '../cli/printable.ts';
import type { Style } from '../cli/style.ts';
import { formatSize } from '../cli/units.ts';
import type { VerifyResult } from './verify-content.ts';

/** Lines of one kind on a terminal; whoever wants all has pipes and JSON. */
const MAX_LINES = 100;

export const verifyView: View<VerifyResult> = {
  terminal: (result, style) =>
    terminalLines(result, style)
      .map((line) => `${line}\n`)
      .join(''),
  plain: (result) => [...plainLines(result)].join(''),
  json: jsonOf,
};

function jsonOf(result: VerifyResult): unknown {
  const { metainfo, search, placed, unchecked } = result;
  const listed = <At>(map: ReadonlyMap<number, At>): { path: string; at: At }[] =>
    [...map].map(([index, at]) => ({ path: pathOf(metainfo, index), at }));
  return {
    torrent: result.torrent,
    name: metainfo.name,
    infoHash: metainfo.infoHash?.hex,
    infoHashV2: metainfo.infoHashV2?.hex,
    content: result.content,
    complete: result.complete,
    piecesGood: result.piecesGood,
    piecesBad: result.piecesBad,
    piecesMissing: result.piecesMissing,
    ...(unchecked.length > 0 || result.piecesUnchecked > 0
      ? { piecesUnchecked: result.piecesUnchecked, unchecked }
      : {}),
    bad: result.bad,
    // Indices count padding, which nobody else sees.
    files: result.files.map((file) => ({ ...file, index: undefined })),
    ...(search === undefined
      ? {}
      : { found: listed(search.found), candidates: listed(search.candidates) }),
    ...(placed === undefined
      ? {}
      : { placed: placed.map(({ path, target, at, as }) => ({ path, as, target, at })) }),
    warnings: result.warnings,
  };
}

function* plainLines(result: VerifyResult): Iterable<string> {
  const { complete, piecesGood, piecesBad, piecesMissing, content, torrent } = result;
  const verdict = complete ? 'complete' : 'incomplete';
  yield tsv('torrent', verdict, piecesGood, piecesBad, piecesMissing, content, torrent);
  for (const { piece, files } of result.bad) {
    for (const { path, offset, length } of files) {
      yield tsv('piece', piece, 'bad', path, offset, length);
    }
  }
  for (const { state, goodBytes, length, path, undecidedBytes = 0, error } of result.files) {
    yield tsv('file', state, goodBytes, length, path, undecidedBytes, error?.message);
  }
  for (const path of result.unchecked) yield tsv('unchecked', path);
  yield* plainSearch(result);
  for (const { code, message } of result.warnings) yield tsv('warning', code, message);
}

function* plainSearch({ metainfo, search, placed = [] }: VerifyResult): Iterable<string> {
  for (const [index, at] of search?.found ?? []) yield tsv('found', pathOf(metainfo, index), at);
  for (const [index, paths] of search?.candidates ?? []) {
    for (const at of paths) yield tsv('candidate', pathOf(metainfo, index), at);
  }
  for (const { as, path, target, at } of placed) yield tsv('placed', as, path, target, at);
}

function pathOf({ files }: Metainfo, index: number): string {
  return (files[index]?.path ?? []).join('/');
}

function terminalLines(result: VerifyResult, style: Style): readonly string[] {
  const { metainfo, content, complete, files, warnings } = result;
  const name = style.bold(printable(metainfo.name));
  const verdict = complete ? style.green('complete') : style.red('not complete');
  const good = files.reduce((sum, { goodBytes }) => sum + goodBytes, 0);
  const all = files.reduce((sum, { length }) => sum + length, 0);
  const count = `${files.length} file${files.length === 1 ? '' : 's'}`;
  const bytes = complete ? formatSize(all) : `${formatSize(good)} of ${formatSize(all)} good`;
  return [
    `${name}: ${verdict}, ${bytes} in ${count}, ${pieceCounts(result)}`,
    ...(complete ? [] : [style.dim(`  looked at ${printable(content)}`)]),
    ...capped(fileLines(result, style), style),
    ...capped(searchLines(result, style), style),
    ...uncheckedLines(result),
    ...warnings.map(({ message }) => `${style.yellow('warning:')} ${printable(message)}`),
  ];
}

function pieceCounts(result: VerifyResult): string {
  const { piecesGood, piecesBad, piecesMissing, piecesUnchecked } = result;
  const counts = [
    [piecesGood, 'good'],
    [piecesBad, 'bad'],
    [piecesMissing, 'missing'],
    [piecesUnchecked, 'not looked at'],
  ] as const;
  const shown = counts.filter(([count], at) => count > 0 || at === 0);
  return `pieces: ${shown.map(([count, what]) => `${count} ${what}`).join(', ')}`;
}

/** What is wrong with each file; good ones have no line. */
function* fileLines({ files, bad }: VerifyResult, style: Style): Iterable<string> {
  const ranges = mergedRanges(bad);
  for (const file of files) {
    const path = printable(file.path);
    const undecided = file.undecidedBytes ?? 0;
    if (file.state !== 'good') {
      const details = detailsOf(file);
      const tail = details === '' ? '' : style.dim(`  ${details}`);
      yield `  ${style.red(LABELS[file.state])}  ${path}${tail}`;
      for (const { from, to } of ranges.get(file.path) ?? []) {
        yield style.dim(`                bytes ${from}-${to - 1} (${formatSize(to - from)})`);
      }
    } else if (undecided > 0) {
      const share = `${formatSize(undecided)} share pieces with files that are not as they should be`;
      yield `  ${style.yellow(LABELS.undecided)}  ${path}${style.dim(`  ${share}`)}`;
    }
  }
}

/** Of one width. */
const LABELS = {
  good: 'good      ',
  bad: 'bad       ',
  missing: 'missing   ',
  'wrong-size': 'wrong size',
  undecided: 'undecided ',
} as const;

function detailsOf({
  state,
  size,
  length,
  goodBytes,
  symlink,
  error,
  whole,
}: VerifiedFile): string {
  if (error !== undefined) return printable(error.message);
  if (symlink !== undefined) return `symbolic link to ${printable(symlink)}`;
  if (state === 'missing') return formatSize(length);
  const good = `${formatSize(goodBytes)} of ${formatSize(length)} good`;
  if (state === 'wrong-size') return `${size} bytes instead of ${length}, ${good}`;
  return whole === true ? 'which pieces is not known' : good;
}

interface ByteRange {
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
}

/** Bytes in bad pieces, by path; what touches is one range. */
function mergedRanges(bad: readonly BadPiece[]): ReadonlyMap<string, readonly ByteRange[]> {
  const ranges = new Map<string, ByteRange[]>();
  for (const { path, offset, length } of bad.flatMap(({ files }) => files)) {
    const known = ranges.get(path) ?? [];
    ranges.set(path, known);
    const last = known.at(-1);
    if (last?.to === offset) known[known.length - 1] = { from: last.from, to: offset + length };
    else known.push({ from: offset, to: offset + length });
  }
  return ranges;
}

/** What was laid out is not told twice. */
function* searchLines(result: VerifyResult, style: Style): Iterable<string> {
  const { metainfo, search, placed } = result;
  const shown = (index: number): string => printable(pathOf(metainfo, index));
  if (placed !== undefined) yield* placedLines(placed, style);
  else {
    for (const [index, at] of search?.found ?? []) {
      yield `  ${style.green('found     ')}  ${shown(index)}${style.dim(`  at ${printable(at)}`)}`;
    }
  }
  for (const [index, paths] of search?.candidates ?? []) {
    const where = `at ${paths.map(printable).join(', ')}: nothing proves it`;
    yield `  ${style.yellow('perhaps   ')}  ${shown(index)}${style.dim(`  ${where}`)}`;
  }
}

function* placedLines(placed: readonly Placement[], style: Style): Iterable<string> {
  for (const { as, target, at } of placed) {
    const from = at === undefined ? PLACED[as] : `${PLACED[as]} ${printable(at)}`;
    yield `  ${style.green('placed    ')}  ${printable(target)}${style.dim(`  ${from}`)}`;
  }
}

const PLACED = {
  'hard-link': 'hard link to',
  symlink: 'symbolic link to',
  copy: 'copy of',
  empty: 'empty',
  'torrent-link': 'symbolic link to',
} as const;

function uncheckedLines({ unchecked }: VerifyResult): readonly string[] {
  if (unchecked.length === 0) return [];
  const [first = ''] = unchecked;
  const more = unchecked.length > 1 ? ` and ${unchecked.length - 1} more` : '';
  return [`  stopped at the first fault; not looked at: ${printable(first)}${more}`];
}

function capped(lines: Iterable<string>, style: Style): readonly string[] {
  const all = [...lines];
  if (all.length <= MAX_LINES) return all;
  const more = `  … and ${all.length - MAX_LINES} lines more; --json has everything`;
  return [...all.slice(0, MAX_LINES), style.dim(more)];
}
