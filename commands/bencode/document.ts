/** What the commands of the group share: reading a document, and naming it in errors. @module */

import { ProtocolError } from '../../src/base/errors.ts';
import type { Context } from '../cli/context.ts';
import { inputName, readInput } from '../cli/input.ts';
import { parseWhole } from '../cli/units.ts';

/** Whole documents are held in memory. */
const MAX_DOCUMENT_BYTES = 256 * 2 ** 20;
/** More than a library should take from strangers: it is the user's own file. */
const MAX_DOCUMENT_TOKENS = 16_000_000;
/** Nothing recurses, so that only memory sets a bound. */
const MAX_MAX_DEPTH = 10_000_000;

/** Options that `decode` and `check` have in common. */
export interface DepthOption {
  readonly maxDepth?: string;
}

/** The words of `--max-depth`. */
export const DEPTH_FLAG = [
  '--max-depth <n>',
  'levels of lists and dictionaries to accept (default: 50)',
] as const;

/** The limits that the options ask for. */
export function limitsOf(options: DepthOption): {
  readonly maxDepth: number | undefined;
  readonly maxTokens: number;
  readonly maxBytes: number;
} {
  const { maxDepth } = options;
  return {
    maxDepth:
      maxDepth === undefined ? undefined : parseWhole(maxDepth, '--max-depth', 1, MAX_MAX_DEPTH),
    maxTokens: MAX_DOCUMENT_TOKENS,
    maxBytes: MAX_DOCUMENT_BYTES,
  };
}

/** The bytes of FILE or standard input. */
export function readDocument(context: Context, path: string | undefined): Promise<Uint8Array> {
  return readInput(context, path, { maxBytes: MAX_DOCUMENT_BYTES });
}

/** The result of `judge`; what it finds wrong with the input names the input and the flag that helps. */
export function judged<Result>(path: string | undefined, judge: () => Result): Result {
  try {
    return judge();
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    const hint = error.rule === 'limit of nesting' ? '; --max-depth permits more' : '';
    throw new ProtocolError(`${inputName(path)}: ${error.message}${hint}`, {
      rule: error.rule,
      code: error.code,
      cause: error,
      ...(error.offset === undefined ? {} : { offset: error.offset }),
    });
  }
}
