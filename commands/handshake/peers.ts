/** The peers that a command line, standard input or a link names, as they come. @module */

import { decodeUtf8Lossy } from '../../src/base/bytes.ts';
import { type Endpoint, formatEndpoint } from '../../src/base/endpoint.ts';
import { UsageError } from '../../src/base/errors.ts';
import type { Context } from '../cli/context.ts';
import { parseNode } from '../dht/addresses.ts';

/**
 * Each peer once, in the order of `args`; `-` stands for the first words of the lines of standard input,
 * which are given on as they arrive. Without `args` those of `others`.
 *
 * @throws {UsageError} for what is no HOST:PORT, and when there is none.
 */
export async function* namedPeers(
  context: Context,
  args: readonly string[],
  others: readonly Endpoint[],
): AsyncGenerator<Endpoint> {
  if (args.length === 0 && others.length === 0) {
    throw new UsageError('name a HOST:PORT, - for a list on stdin, or a link that names peers');
  }
  const seen = new Set<string>();
  for await (const endpoint of args.length === 0 ? others : fromWords(context, args)) {
    const name = formatEndpoint(endpoint);
    if (seen.has(name)) continue;
    if (seen.size === MAX_PEERS) {
      throw new UsageError(`there are more than ${MAX_PEERS} peers; ask in parts`);
    }
    seen.add(name);
    yield endpoint;
  }
  if (seen.size === 0) throw new UsageError('standard input names no HOST:PORT');
}

async function* fromWords(context: Context, args: readonly string[]): AsyncGenerator<Endpoint> {
  // What was misspelt on the command line is told before anything is done.
  for (const word of args) if (word !== '-') parseNode(word);
  for (const word of args) {
    if (word !== '-') yield parseNode(word);
    else for await (const line of linesOf(context)) yield* inLine(line);
  }
}

function* inLine(line: string): Generator<Endpoint> {
  const word = /^\s*([^\s#]+)/.exec(line)?.[1];
  if (word !== undefined) yield parseNode(word);
}

async function* linesOf(context: Context): AsyncGenerator<string> {
  const { stdin, signal } = context;
  let rest = new Uint8Array(0);
  for await (const chunk of stdin) {
    signal.throwIfAborted();
    const bytes = new Uint8Array(rest.length + chunk.length);
    bytes.set(rest);
    bytes.set(chunk, rest.length);
    const end = bytes.lastIndexOf(LINE_FEED) + 1;
    rest = bytes.slice(end);
    if (rest.length > MAX_LINE) throw new UsageError('standard input is no list of HOST:PORT');
    yield* decodeUtf8Lossy(bytes.subarray(0, end)).split('\n');
  }
  yield decodeUtf8Lossy(rest);
}

const LINE_FEED = 0x0a;
/** Bytes. */
const MAX_LINE = 65_536;
const MAX_PEERS = 100_000;
