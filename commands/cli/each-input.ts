/** Commands that take several inputs: one result each, and one bad input does not stop the rest. @module */

import { BipError } from '../../src/base/errors.ts';
import type { GlobalOptions } from './action.ts';
import type { Context } from './context.ts';
import { ExitWith, exitCodeOf } from './exit-codes.ts';
import { styleFor } from './style.ts';

/**
 * The results of `load` for each of `inputs`, in their order. The failure of a single input is
 * thrown. Among several, each failure is reported on stderr at once; after the last input the exit
 * code of the first failure is thrown.
 */
export async function* eachInput<Input, Result>(
  invocation: { readonly context: Context; readonly options: GlobalOptions },
  inputs: readonly Input[],
  load: (input: Input) => Promise<Result>,
): AsyncGenerator<Result, void, undefined> {
  const { context, options } = invocation;
  let exitCode: number | undefined;
  for (const input of inputs) {
    context.signal.throwIfAborted();
    try {
      yield await load(input);
    } catch (error) {
      if (inputs.length === 1 || context.signal.aborted || !(error instanceof BipError))
        throw error;
      reportFailure(context, options, error);
      exitCode ??= exitCodeOf(error);
    }
  }
  if (exitCode !== undefined) throw new ExitWith(exitCode);
}

/** As the frame reports the failure of a whole command. */
function reportFailure(context: Context, options: GlobalOptions, error: BipError): void {
  const { code, message } = error;
  if (options.json === true) {
    context.stderr.write(`${JSON.stringify({ error: { code, message } })}\n`);
    return;
  }
  const style = styleFor(context.stderr, options.color, context.env);
  context.stderr.write(`${style.red('error:')} ${message}\n`);
}
