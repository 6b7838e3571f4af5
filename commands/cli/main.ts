/** The whole of bip from arguments to exit code. @module */

import { Command, CommanderError, Option } from 'commander';
import { BipError, UsageError } from '../../src/base/errors.ts';
import { registerCommands } from '../index.ts';
import { type Context, Interrupted } from './context.ts';
import { EXIT, ExitWith, exitCodeOf } from './exit-codes.ts';
import { type ColorChoice, type Style, styleFor } from './style.ts';

const REPORT_TO = 'please report it with the command line and the lines above';

/** Runs one command line; never throws, never exits by itself. */
export async function main(
  context: Context,
  argv: readonly string[],
  version: string,
): Promise<number> {
  const flags = globalFlags(argv);
  const program = createProgram(context, flags, version);
  try {
    if (!flags.version) await registerCommands(program, context, flags.command);
    inheritSettings(program);
    context.signal.throwIfAborted();
    await program.parseAsync(argv, { from: 'user' });
    // A command may end well after an interruption; the caller still has to learn of it.
    context.signal.throwIfAborted();
    return EXIT.done;
  } catch (error) {
    // An interrupted wait may surface as any error: what counts is why it was interrupted.
    const cause: unknown = context.signal.aborted ? context.signal.reason : error;
    const usage =
      cause instanceof CommanderError && cause.code === 'commander.help' && cause.exitCode !== 0
        ? new UsageError(missingCommand(program))
        : cause;
    report(context, flags, usage);
    return exitCodeOf(cause);
  }
}

/** What has to be known before the arguments are parsed, and even when they cannot be. */
interface GlobalFlags {
  /** The first word. */
  readonly command: string | undefined;
  /** Asked for before any word. */
  readonly version: boolean;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly color: ColorChoice;
}

function globalFlags(argv: readonly string[]): GlobalFlags {
  const end = argv.indexOf('--');
  const flags = end === -1 ? argv : argv.slice(0, end);
  const has = (...names: readonly string[]): boolean => names.some((name) => flags.includes(name));
  const color = (['always', 'never'] as const).find(
    (choice) =>
      has(`--color=${choice}`) ||
      (has('--color') && flags[flags.indexOf('--color') + 1] === choice),
  );
  const command = flags.find((word, at) => !word.startsWith('-') && flags[at - 1] !== '--color');
  return {
    command,
    version: command === undefined && has('-V', '--version'),
    json: has('--json'),
    quiet: has('-q', '--quiet'),
    color: color ?? 'auto',
  };
}

function createProgram(context: Context, { color }: GlobalFlags, version: string): Command {
  const style = styleFor(context.stdout, color, context.env);
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
    .configureHelp({
      showGlobalOptions: true,
      // Arguments and flags stand in the help of the command.
      subcommandTerm: (command) => command.name(),
      styleTitle: (title) => style.bold(title),
    })
    .exitOverride()
    .configureOutput({
      writeOut: (help) => context.stdout.write(help),
      // Errors of usage are reported below, like all others.
      writeErr: () => undefined,
      getOutHelpWidth: () => Math.min(context.stdout.columns, 100),
      getErrHelpWidth: () => Math.min(context.stderr.columns, 100),
      getOutHasColors: () => style.level > 0,
    });
  return program;
}

/** commander copies settings only to commands made by its own factory. */
function inheritSettings(parent: Command): void {
  for (const command of parent.commands) {
    command.copyInheritedSettings(parent);
    inheritSettings(command);
  }
}

/** commander would print the whole help instead. */
function missingCommand(program: Command): string {
  let group = program;
  for (const word of program.args) {
    const next = group.commands.find((command) => command.name() === word);
    if (next === undefined)
      return `there is no command '${program.args.at(-1)}'; see \`bip --help\``;
    group = next;
  }
  const names = group.commands.map((command) => command.name()).join(', ');
  return `\`${pathOf(group)}\` needs a command: ${names}; see \`${pathOf(group)} --help\``;
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

function report(context: Context, flags: GlobalFlags, cause: unknown): void {
  const { stderr, env } = context;
  const exitCode = exitCodeOf(cause);
  if (exitCode === EXIT.done || cause instanceof ExitWith) return;
  if (cause instanceof Interrupted) {
    if (stderr.isTTY && !flags.quiet) stderr.write(`${cause.message}\n`);
    return;
  }
  const { code, message } = sentence(cause);
  if (flags.json) stderr.write(`${JSON.stringify({ error: { code, message } })}\n`);
  else stderr.write(text(cause, message, styleFor(stderr, flags.color, env)));
}

function text(cause: unknown, message: string, style: Style): string {
  if (exitCodeOf(cause) !== EXIT.bug) return `${style.red('error:')} ${message}\n`;
  return `bip: this is a bug in bip\n${message}\n${REPORT_TO}\n`;
}

function sentence(error: unknown): { code: string; message: string } {
  if (error instanceof CommanderError) {
    const message = error.message.replace(/^error: /, '').replace(/\n/g, ' ');
    return { code: 'BIP_USAGE', message };
  }
  if (error instanceof BipError) return { code: error.code, message: error.message };
  // A bug: what helps is where it happened.
  const trace = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: 'BIP_BUG', message: trace };
}
