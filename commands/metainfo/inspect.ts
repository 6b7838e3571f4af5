/** `bip metainfo inspect`: what a torrent says. @module */

import { Command, Option } from 'commander';
import { UsageError } from '../../src/base/errors.ts';
import type { BencodeNode } from '../../src/bencode/index.ts';
import { action, type Invocation, tsv, type View } from '../cli/action.ts';
import type { Context } from '../cli/context.ts';
import { eachInput } from '../cli/each-input.ts';
import { ExitWith } from '../cli/exit-codes.ts';
import { inputName } from '../cli/input.ts';
import { printable } from '../cli/printable.ts';
import { loadTorrent } from '../cli/torrent-argument.ts';
import { parseWhole } from '../cli/units.ts';
import { type Cells, jsonRow, parseColumns, plainRow, type TableClass, table } from './columns.ts';
import {
  FIELD_NAMES,
  type Field,
  type FieldValue,
  jsonOf,
  needsOf,
  parseField,
  rowsOf,
  valueOf,
} from './fields.ts';
import { type Inspection, inspectionOf, torrentRoot } from './inspection.ts';
import { plainInspection, type Show, terminalInspection } from './render.ts';

interface Options {
  readonly get?: readonly string[];
  readonly columns?: readonly string[];
  readonly files: boolean;
  readonly depth?: string;
  readonly padding?: true;
  readonly pieces?: true;
  readonly reveal?: true;
}

/** A whole torrent, one field of it, some of them, or those of all torrents. */
type Result =
  | { readonly type: 'torrent'; readonly inspection: Inspection; readonly show: Show }
  | { readonly type: 'value'; readonly value: FieldValue | undefined }
  | { readonly type: 'row'; readonly columns: readonly Field[]; readonly cells: Cells }
  | {
      readonly type: 'table';
      readonly columns: readonly Field[];
      readonly rows: readonly Cells[];
      readonly Table: TableClass;
      readonly exact: boolean;
    };

const HELP = `
Passkeys and other secrets in URLs are masked, and the magnet link leaves such URLs out; --reveal
shows them. On a terminal --verbose gives sizes in bytes as well.

FIELD of --get and --columns is a name in the JSON, with dots and indices for what is in it:
  infoHash · announce · announce.0.0 · files.0.path · files.path (of each) · otherKeys.publisher
${wrapped(FIELD_NAMES, 98)}
or a key of the torrent itself, behind a slash (JSON Pointer): /comment · '/info/piece length'.
A list gives one line an item, files as length and path. Bytes that are no text are in hex. A field
that this torrent does not have gives no line, an empty column, and null in the JSON of --get; the
exit code is 0. A field that no torrent can have is a mistake, with the exit code 2.

In a pipe each line is a label and its values, separated by tabs: name, version, infoHash, …;
announce TIER URL; other KEY JSON; file|padding LENGTH PATH; symlink LENGTH PATH TARGET;
renamed RAW PATH, for a file whose name is not safe; fileOther KEY JSON PATH; piece INDEX HASH;
pieceLayer ROOT INDEX HASH; warning CODE MESSAGE. A column of several values has spaces between them.

Examples:
  $ bip metainfo inspect debian.torrent
  $ bip metainfo inspect *.torrent --json | jq -r .infoHash
  $ bip metainfo inspect debian.torrent --get infoHash
  $ bip metainfo inspect *.torrent --columns torrent,name,length,infoHash
  $ bip metainfo inspect a.torrent --get '/info/piece length'
  $ bip metainfo inspect a.torrent | awk -F'\\t' '$1 == "file" { print $3 }'`;

/** Makes the command. */
export function inspectCommand(context: Context): Command {
  return new Command('inspect')
    .description('show what torrent files say, checked by all rules')
    .argument('<torrent...>', '.torrent path, - for standard input, or http(s) URL')
    .addOption(new Option('--get <field>', 'print one field and nothing else').argParser(collect))
    .addOption(
      new Option(
        '--columns <fields>',
        'print these fields, separated by commas: a line for each torrent',
      ).argParser(collect),
    )
    .option('--no-files', 'leave out the list of files')
    .option('--depth <n>', 'levels of the tree on a terminal; folders below are summed up')
    .option('--padding', 'padding files in the tree on a terminal; elsewhere they always are')
    .option('--pieces', 'the hashes of all pieces, too')
    .option('--reveal', 'show passkeys and other secrets in URLs')
    .addHelpText('after', HELP)
    .action(action<Options, Result>(context, inspect, view));
}

const view: View<Result> = {
  terminal: (result, style) => {
    if (result.type === 'table') return table(result.columns, result.rows, { ...result, style });
    if (result.type !== 'torrent') return plain(result);
    return terminalInspection(result.inspection, style, result.show);
  },
  plain,
  jsonText: (result) => {
    if (result.type === 'value') return result.value === undefined ? 'null' : jsonOf(result.value);
    if (result.type === 'row') return jsonRow(result.columns, result.cells);
    if (result.type === 'table') return '';
    const { files: _, ...rest } = result.inspection;
    return JSON.stringify(result.show.files ? result.inspection : rest);
  },
};

function plain(result: Result): string {
  switch (result.type) {
    case 'torrent':
      return plainInspection(result.inspection, result.show);
    case 'row':
      return plainRow(result.cells);
    case 'value':
      return result.value === undefined ? '' : lines(result.value);
    case 'table':
      return result.rows.map(plainRow).join('');
  }
}

function lines(value: FieldValue): string {
  return rowsOf(value)
    .map((fields) => tsv(...fields.map(printable)))
    .join('');
}

function inspect(invocation: Invocation<Options>): AsyncIterable<Result> {
  const { options } = invocation;
  refuseContradictions(options);
  const [get] = options.get ?? [];
  const [columns] = options.columns ?? [];
  if (get !== undefined) return values(invocation, parseField(get, '--get'));
  if (columns !== undefined) return rows(invocation, parseColumns(columns));
  return torrents(invocation);
}

function torrents(invocation: Invocation<Options>): AsyncIterable<Result> {
  const { depth, files, padding, pieces, verbose } = invocation.options;
  const show: Show = {
    files,
    padding: padding === true,
    exact: verbose === true,
    depth: depth === undefined ? undefined : parseWhole(depth, '--depth', 1, 1000),
  };
  return eachTorrent(invocation, { files: true, pieces: pieces === true }, ({ inspection }) => ({
    type: 'torrent',
    inspection,
    show,
  }));
}

function values(invocation: Invocation<Options>, field: Field): AsyncIterable<Result> {
  return eachTorrent(invocation, needsOf([field]), (torrent) => ({
    type: 'value',
    value: valueOf(field, torrent),
  }));
}

/** On a terminal the widths of columns are known only after the last row. */
async function* rows(
  invocation: Invocation<Options>,
  columns: readonly Field[],
): AsyncGenerator<Result> {
  const { context, options } = invocation;
  const each = eachTorrent(invocation, needsOf(columns), (torrent) =>
    columns.map((field) => valueOf(field, torrent)),
  );
  if (!context.stdout.isTTY || options.json === true) {
    for await (const cells of each) yield { type: 'row', columns, cells };
    return;
  }
  const all: Cells[] = [];
  let failure: ExitWith | undefined;
  try {
    for await (const cells of each) all.push(cells);
  } catch (error) {
    // Some torrents could not be read: their errors are on stderr already.
    if (!(error instanceof ExitWith)) throw error;
    failure = error;
  }
  const { default: Table } = await import('cli-table3');
  if (all.length > 0) {
    yield { type: 'table', columns, rows: all, Table, exact: options.verbose === true };
  }
  if (failure !== undefined) throw failure;
}

/** A torrent, and the same as it was decoded. */
interface Inspected {
  readonly inspection: Inspection;
  readonly root: BencodeNode;
  readonly reveal: boolean;
}

function eachTorrent<Value>(
  invocation: Invocation<Options>,
  needs: { readonly files: boolean; readonly pieces: boolean },
  use: (torrent: Inspected) => Value,
): AsyncGenerator<Value, void, undefined> {
  const { context, args, options } = invocation;
  const reveal = options.reveal === true;
  return eachInput(invocation, args, async (argument) => {
    const source = await loadTorrent(context, argument, { signal: context.signal });
    if (source.type === 'magnet') {
      throw new UsageError(
        'a magnet link or infohash only names a torrent and has no files to show; try `bip magnet inspect`',
      );
    }
    const { metainfo, bytes } = source;
    const torrent = inputName(argument);
    const inspection = inspectionOf(metainfo, { ...needs, reveal, bytes, torrent });
    return use({ inspection, root: torrentRoot(bytes), reveal });
  });
}

/** @throws {UsageError} for flags that are about what others leave out. */
function refuseContradictions(options: Options): void {
  const { get = [], columns = [] } = options;
  if (get.length > 1) {
    throw new UsageError('--get prints one field; for several there is --columns FIELD,FIELD');
  }
  if (columns.length > 1) {
    throw new UsageError('--columns can be given once; separate the fields by commas');
  }
  const [chosen, other] = [...get.map(() => '--get'), ...columns.map(() => '--columns')];
  if (other !== undefined) {
    throw new UsageError('--get and --columns contradict each other: one field, or several');
  }
  if (chosen === undefined) return refuseTreeFlags(options);
  const [odd] = wholeFlags(options).filter(([, isSet]) => isSet);
  if (odd === undefined) return;
  throw new UsageError(`${odd[0]} is about whole torrents; leave out it or ${chosen}`);
}

function refuseTreeFlags({ files, depth, padding }: Options): void {
  if (files) return;
  if (depth !== undefined) throw new UsageError('--no-files and --depth contradict each other');
  if (padding === true) throw new UsageError('--no-files and --padding contradict each other');
}

function wholeFlags(options: Options): readonly (readonly [string, boolean])[] {
  return [
    ['--no-files', !options.files],
    ['--depth', options.depth !== undefined],
    ['--padding', options.padding === true],
    ['--pieces', options.pieces === true],
  ];
}

function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

/** Words in lines of at most `width` characters, indented. */
function wrapped(words: readonly string[], width: number): string {
  const found: string[] = [];
  for (const word of words) {
    const last = found.at(-1);
    const longer = `${last} · ${word}`;
    if (last === undefined || longer.length > width) found.push(`  ${word}`);
    else found[found.length - 1] = longer;
  }
  return found.join('\n');
}
