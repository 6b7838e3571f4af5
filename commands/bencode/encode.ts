/** `bip bencode encode`: JSON to bencode. @module */

import { Command } from 'commander';
import { UsageError } from '../../src/base/errors.ts';
import { encode, parseJson } from '../../src/bencode/index.ts';
import { action, type Invocation, type View } from '../cli/action.ts';
import type { Context } from '../cli/context.ts';
import { checkOutput, writeOutput } from '../cli/output.ts';
import { formatSize } from '../cli/units.ts';
import { judged, readDocument } from './document.ts';

interface Options {
  readonly output?: string;
  readonly force?: true;
}

/** Bytes to print, or a file that was written. */
type Result =
  | { readonly type: 'bytes'; readonly bytes: Uint8Array }
  | { readonly type: 'file'; readonly path: string; readonly length: number };

const HELP = `
The input is one JSON document: whole numbers of any size, strings, arrays, objects. Besides:
  {"$int":"…"} an integer, {"$hex":"…"} or {"$base64":"…"} a string that is no text,
  $hex:… a key that is no text, $$… a key that begins with $.
Keys are sorted by their bytes. null, true, false and fractions have no bencode and are refused.

Examples:
  $ echo '{"name":"bip","age":9}' | bip bencode encode
  $ echo '{"pieces":{"$hex":"00ff"}}' | bip bencode encode --output pieces.benc --force
  $ echo '[1,{"$base64":"AP8="}]' | bip bencode encode | bip bencode decode`;

/** Makes the command. */
export function encodeCommand(context: Context): Command {
  return new Command('encode')
    .description('write JSON as canonical bencode')
    .argument('[file]', 'JSON to encode; standard input when left out or -')
    .option('-o, --output <file>', 'write there instead of to stdout (-)')
    .option('--force', 'overwrite the output file')
    .addHelpText('after', HELP)
    .action(action<Options, Result>(context, run, view));
}

async function run(invocation: Invocation<Options>): Promise<Result> {
  const { context, args, options, reporter } = invocation;
  const { output } = options;
  const toFile = output !== undefined && output !== '-';
  if (options.json === true && !toFile) {
    throw new UsageError('the result is bencode, not JSON: use --json with --output FILE only');
  }
  await checkOutput(context, output, options);
  const text = await readDocument(context, args[0]);
  const bytes = judged(args[0], () => encode(parseJson(text)));
  if (!toFile) return { type: 'bytes', bytes };
  await writeOutput(context, output, bytes, options);
  reporter.explain(`wrote ${output} (${formatSize(bytes.length)})`);
  return { type: 'file', path: output, length: bytes.length };
}

const view: View<Result> = {
  terminal: (result) => (result.type === 'bytes' ? result.bytes : undefined),
  plain: (result) => (result.type === 'bytes' ? result.bytes : undefined),
  json: (result) => (result.type === 'file' ? { path: result.path, length: result.length } : {}),
};
