/** From parsed arguments to a result on stdout: the frame around every command. @module */

import type { Command } from 'commander';
import { UsageError } from '../../src/base/errors.ts';
import { type BindFlags, boundAddress } from './bind.ts';
import type { Context } from './context.ts';
import { type ProxyFlags, reachThrough } from './proxy.ts';
import { Reporter } from './reporter.ts';
import { type ColorChoice, type Style, styleFor } from './style.ts';

/** The flags that every command has. */
export interface GlobalOptions {
  readonly json?: true;
  readonly quiet?: true;
  readonly verbose?: true;
  readonly color: ColorChoice;
}

/** One call of a command. */
export interface Invocation<Options> {
  readonly context: Context;
  /** Positional arguments, all of them, in their order. */
  readonly args: readonly string[];
  readonly options: Options & GlobalOptions;
  /** Steps, warnings and progress, on stderr. */
  readonly reporter: Reporter;
}

/**
 * How one result looks: the same model, three renderings. Text ends with a newline of its own;
 * `undefined` prints nothing for this result.
 */
export interface View<Result> {
  /** On a terminal: aligned text or a table, with colour. */
  terminal(result: Result, style: Style, columns: number): string | Uint8Array | undefined;
  /** In a pipe: tab-separated lines, raw numbers, no heading, no colour. */
  plain(result: Result): string | Uint8Array | undefined;
  /** With `--json`: what becomes one line; the result itself by default. */
  json?(result: Result): unknown;
  /**
   * With `--json`, instead of `json`: the line itself, for documents that `JSON.stringify` cannot
   * write (it moves keys that look like numbers to the front).
   */
  jsonText?(result: Result): string;
}

/**
 * Wraps a command. `run` computes and never prints; each result that it yields is printed at once,
 * so that several inputs and streams of events need nothing special.
 */
export function action<Options extends object, Result>(
  context: Context,
  run: (invocation: Invocation<Options>) => AsyncIterable<Result> | Promise<Result>,
  view: View<Result>,
): (this: Command) => Promise<void> {
  return async function (this: Command): Promise<void> {
    const options = this.optsWithGlobals<Options & GlobalOptions & ProxyFlags & BindFlags>();
    const { stdout } = context;
    if (options.quiet === true && options.verbose === true) {
      throw new UsageError('--quiet and --verbose contradict each other');
    }
    const reporter = new Reporter(context, options);
    const style = styleFor(stdout, options.color, context.env);
    const print = (result: Result): void => {
      const text =
        options.json === true
          ? `${jsonLine(view, result)}\n`
          : stdout.isTTY
            ? view.terminal(result, style, stdout.columns)
            : view.plain(result);
      if (text !== undefined && text.length > 0) reporter.above(() => stdout.write(text));
    };
    try {
      const bind = boundAddress(context.runtime.lookup, options);
      const bound = bind === undefined ? options : { ...options, bind };
      const within = await reachThrough(context, bound);
      const results = run({ context: within, args: this.args, options: bound, reporter });
      if (Symbol.asyncIterator in results) for await (const result of results) print(result);
      else print(await results);
    } finally {
      reporter.close();
    }
  };
}

function jsonLine<Result>(view: View<Result>, result: Result): string {
  if (view.jsonText !== undefined) return view.jsonText(result);
  return JSON.stringify(view.json === undefined ? result : view.json(result));
}

/** Tab-separated fields, one line; tabs and line ends inside a field become spaces. */
export function tsv(...fields: readonly (string | number | bigint | undefined)[]): string {
  return `${fields.map((field) => String(field ?? '').replace(/[\t\r\n]/g, ' ')).join('\t')}\n`;
}
