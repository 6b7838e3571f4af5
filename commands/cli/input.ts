/** Whole inputs of commands: a file, or standard input. @module */

import { StorageError, UsageError } from '../../src/base/errors.ts';
import type { Context } from './context.ts';
import { formatSize } from './units.ts';

/**
 * The bytes of the file at `path`, or of standard input when `path` is `-` or left out.
 *
 * @throws {UsageError} when no path was given and standard input is a terminal.
 * @throws {StorageError} `BIP_TOO_LARGE` beyond `maxBytes`, and what the Files port throws.
 */
export function readInput(
  context: Context,
  path: string | undefined,
  options: { readonly maxBytes: number },
): Promise<Uint8Array> {
  if (path !== undefined && path !== '-') return context.runtime.files.readFile(path, options);
  if (path === undefined && context.stdin.isTTY) {
    return Promise.reject(
      new UsageError('there is no input: name a FILE, pipe into bip, or type it after `-`'),
    );
  }
  return readStdin(context, options.maxBytes);
}

/** What an input is called in sentences: its path, or `standard input`. */
export function inputName(path: string | undefined): string {
  return path === undefined || path === '-' ? 'standard input' : path;
}

async function readStdin(context: Context, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of context.stdin) {
    context.signal.throwIfAborted();
    length += chunk.length;
    if (length > maxBytes) {
      throw new StorageError(`standard input is longer than the ${formatSize(maxBytes)} allowed`, {
        code: 'BIP_TOO_LARGE',
      });
    }
    // A stream may reuse its buffer for the next chunk.
    chunks.push(chunk.slice());
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
