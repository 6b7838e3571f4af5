/** The whole of bip from arguments to exit code. @module */

import { Command, CommanderError, Option } from 'commander';
import { BipError } from '../../src/base/errors.ts';
import { registerCommands } from '../index.ts';
import type { GlobalOptions } from './action.ts';
import { type Context, Interrupted } from './context.ts';
import { EXIT, ExitWith, exitCodeOf } from './exit-codes.ts';
import { styleFor } from './style.ts';

const REPORT_TO = 'please report it with the command line and the lines above';

/** Runs one command line; never throws, never exits by itself. */
export async function main(
  context: Context,
  argv: readonly string[],
  version: string,
): Promise<number> {
  const program = new Command('bip')
    .description('BitTorrent from the command line: inspect, probe, download, seed')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'explain the command')
    .addOption(new Option('--json', 'print JSON: one document a line'))
    .addOption(new Option('-q, --quiet', 'say nothing on stderr but errors'))
    .addOption(new Option('-v, --verbose', 'explain on stderr what happens'))
    .addOption(
      new Option('--color <when>', 'colour the output')
        .choices(['auto', 'always', 'never'])
        .default('auto'),
    )
    .showSuggestionAfterError(true)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      // Errors of usage are reported below, like all others.
      writeErr: () => undefined,
      getOutHelpWidth: () => Math.min(context.stdout.columns, 100),
      getErrHelpWidth: () => Math.min(context.stderr.columns, 100),
    });
  registerCommands(program, context);
  inheritSettings(program);
  try {
    context.signal.throwIfAborted();
    await program.parseAsync(argv, { from: 'user' });
    return EXIT.done;
  } catch (error) {
    return report(context, program.opts<GlobalOptions>(), error);
  }
}

/** commander copies settings only to commands made by its own factory. */
function inheritSettings(parent: Command): void {
  for (const command of parent.commands) {
    command.copyInheritedSettings(parent);
    inheritSettings(command);
  }
}

function report(context: Context, options: GlobalOptions, error: unknown): number {
  // An interrupted wait may surface as any error: what counts is that the user asked to stop.
  const reason: unknown = context.signal.aborted ? context.signal.reason : undefined;
  const cause = reason instanceof Interrupted ? reason : error;
  const exitCode = exitCodeOf(cause);
  if (exitCode === EXIT.done || cause instanceof ExitWith) return exitCode;
  if (cause instanceof Interrupted) {
    if (context.stderr.isTTY && options.quiet !== true) context.stderr.write(`${cause.message}\n`);
    return exitCode;
  }
  if (exitCode === EXIT.bug) {
    const trace = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    context.stderr.write(`bip: this is a bug in bip\n${trace}\n${REPORT_TO}\n`);
    return exitCode;
  }
  const { code, message } = sentence(cause);
  if (options.json === true) {
    context.stderr.write(`${JSON.stringify({ error: { code, message } })}\n`);
  } else {
    const style = styleFor(context.stderr, options.color, context.env);
    context.stderr.write(`${style.red('error:')} ${message}\n`);
  }
  return exitCode;
}

function sentence(error: unknown): { code: string; message: string } {
  if (error instanceof CommanderError) {
    const message =
      error.code === 'commander.help' ? 'a command is missing; try --help' : error.message;
    return { code: 'BIP_USAGE', message: message.replace(/^error: /, '').replace(/\n/g, ' ') };
  }
  if (error instanceof BipError) return { code: error.code, message: error.message };
  return { code: 'BIP_BUG', message: String(error) };
}
