/** `bip bencode decode`: bencode to JSON. @module */

import { Command } from 'commander';
import { encodeUtf8 } from '../../src/base/bytes.ts';
import { UsageError } from '../../src/base/errors.ts';
import {
  type BencodeKind,
  type BencodeNode,
  check,
  decode,
  formatJson,
  type JsonPart,
  lookup,
} from '../../src/bencode/index.ts';
import { action, type Invocation, type View } from '../cli/action.ts';
import type { Context } from '../cli/context.ts';
import { inputName } from '../cli/input.ts';
import { checkOutput, writeOutput } from '../cli/output.ts';
import type { Reporter } from '../cli/reporter.ts';
import type { Style } from '../cli/style.ts';
import { formatSize } from '../cli/units.ts';
import { DEPTH_FLAG, type DepthOption, judged, limitsOf, readDocument } from './document.ts';

interface Options extends DepthOption {
  readonly strict?: true;
  readonly path?: string;
  readonly raw?: true;
  readonly output?: string;
  readonly force?: true;
}

/** A value to print, in one of two forms, or a file that was written. */
type Result =
  | { readonly type: 'json'; readonly node: BencodeNode }
  | { readonly type: 'raw'; readonly bytes: Uint8Array }
  | { readonly type: 'file'; readonly path: string; readonly length: number };

/** Warnings of one input; `bencode check` lists all. */
const MAX_WARNINGS = 10;

const HELP = `
What JSON cannot say is written so that \`bip bencode encode\` restores every byte:
  {"$int":"…"} a large integer, {"$hex":"…"} a string that is no text, $hex:… a key that is no text;
  a key that begins with $ gets one more.

PATH joins list indices (from 0) and keys by dots; write \\. for a dot and \\\\ for a backslash in a
key, $hex:… for a key that is no text, $$… for one that begins with $.

Examples:
  $ echo -n 'd3:agei9e4:name3:bipe' | bip bencode decode
  $ echo -n 'd4:infod6:lengthi42eee' | bip bencode decode --path info.length
  $ echo -n 'd4:infod6:lengthi42eee' | bip bencode decode --path info --raw | sha1sum
  $ echo -n 'd1:bi1e1:ai2ee' | bip bencode decode --json`;

/** Makes the command. */
export function decodeCommand(context: Context): Command {
  return new Command('decode')
    .description('print bencode as JSON, without loss')
    .argument('[file]', 'what to decode; standard input when left out or -')
    .option('--path <path>', 'print only the value at this path, e.g. info.files.0.length')
    .option('--raw', 'print the bytes of the value as they stand in the input')
    .option('--strict', 'refuse input that is not canonical instead of warning')
    .option(...DEPTH_FLAG)
    .option('-o, --output <file>', 'write there instead of to stdout (-)')
    .option('--force', 'overwrite the output file')
    .addHelpText('after', HELP)
    .action(action<Options, Result>(context, run, view));
}

async function run(invocation: Invocation<Options>): Promise<Result> {
  const { context, args, options, reporter } = invocation;
  const limits = limitsOf(options);
  await checkTarget(context, options);
  const path = args[0];
  const bytes = await readDocument(context, path);
  const strict = options.strict === true;
  const root = judged(path, () => decode(bytes, { ...limits, strict, fullDecode: strict }));
  if (!strict) warn(reporter, path, check(bytes, limits));
  const node = at(root, path, options.path);
  if (isFile(options.output)) return write(invocation, options.output, node);
  return options.raw === true ? { type: 'raw', bytes: node.raw } : { type: 'json', node };
}

function isFile(output: string | undefined): output is string {
  return output !== undefined && output !== '-';
}

/** Before anything is read. */
async function checkTarget(
  context: Context,
  options: Invocation<Options>['options'],
): Promise<void> {
  const { raw = false, output } = options;
  if (raw && options.json === true && !isFile(output)) {
    throw new UsageError('--raw and --json contradict each other; use --output FILE for the bytes');
  }
  if (raw || isFile(output)) await checkOutput(context, output, options);
}

async function write(
  { context, options, reporter }: Invocation<Options>,
  path: string,
  node: BencodeNode,
): Promise<Result> {
  const content = options.raw === true ? node.raw : encodeUtf8(`${formatJson(node)}\n`);
  await writeOutput(context, path, content, options);
  reporter.explain(`wrote ${path} (${formatSize(content.length)})`);
  return { type: 'file', path, length: content.length };
}

function at(root: BencodeNode, file: string | undefined, path = ''): BencodeNode {
  const { node, rest } = lookup(root, path);
  const step = rest[0];
  if (step === undefined) return node;
  const reason = NOWHERE[node.kind](JSON.stringify(step), node.length);
  throw new UsageError(`${inputName(file)} has nothing at --path ${path}: ${reason}`);
}

/** Why a step leads nowhere from a value. */
const NOWHERE: Readonly<Record<BencodeKind, (step: string, length: number) => string>> = {
  dictionary: (step) => `there is no key ${step}`,
  list: (step, length) => `${step} is no index of a list of ${length}`,
  integer: (step) => `${step} would lead into an integer`,
  bytes: (step) => `${step} would lead into a string`,
};

function warn(
  reporter: Reporter,
  file: string | undefined,
  faults: ReturnType<typeof check>,
): void {
  for (const { offset, path, message } of faults.slice(0, MAX_WARNINGS)) {
    const where = path === '' ? '' : ` (${path})`;
    reporter.warn(`${inputName(file)}: byte ${offset}${where}: ${message}`);
  }
  const more = faults.length - MAX_WARNINGS;
  if (more > 0) reporter.warn(`${more} more faults; \`bip bencode check\` lists all`);
}

const view: View<Result> = {
  terminal: (result, style) => render(result, (node) => pretty(node, style)),
  plain: (result) => render(result, (node) => formatJson(node)),
  jsonText: (result) =>
    result.type === 'json'
      ? formatJson(result.node)
      : JSON.stringify(result.type === 'file' ? { path: result.path, length: result.length } : {}),
};

function render(
  result: Result,
  format: (node: BencodeNode) => string,
): string | Uint8Array | undefined {
  if (result.type === 'json') return `${format(result.node)}\n`;
  return result.type === 'raw' ? result.bytes : undefined;
}

function pretty(node: BencodeNode, style: Style): string {
  const paints: Readonly<Record<JsonPart, Style>> = {
    key: style.cyan,
    text: style.green,
    bytes: style.dim,
    integer: style.yellow,
  };
  return formatJson(node, { indent: 2, paint: (part, text) => paints[part](text) });
}
