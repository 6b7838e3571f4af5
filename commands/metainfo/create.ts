/** `bip metainfo create`: torrents of files. @module */

import { Command, Option } from 'commander';
import { UsageError } from '../../src/base/errors.ts';
import { action, type GlobalOptions, type Invocation } from '../cli/action.ts';
import { type Config, loadConfig } from '../cli/config.ts';
import type { Context } from '../cli/context.ts';
import { eachInput } from '../cli/each-input.ts';
import { loadBatch } from './batch.ts';
import { addCreateFlags, FLAG_NAMES, type FlagValues } from './create-flags.ts';
import { pieceTable } from './create-pieces.ts';
import type { CreateResult } from './create-result.ts';
import { createOne } from './create-run.ts';
import { type CreateSettings, readSettings } from './create-settings.ts';
import { createView } from './create-view.ts';
import { LINT_HELP } from './lints.ts';
import { configLayers, environmentLayers, type Layer, layered } from './presets.ts';
import { SELECTION_HELP } from './selection.ts';

interface RunFlags {
  readonly config?: string | false;
  readonly batch?: string;
  readonly dryRun?: true;
}

type Options = FlagValues & RunFlags;

const HELP = `
Which version:
  --hybrid  for everybody who has a client of today: it has the hashes of v1 and v2.
  --v1      when Transmission up to 3.00 has to take it, which refuses hybrids, or aria2, which
            computes a wrong infohash of them, or rtorrent, which wants their padding as files.
  --v2      when all peers know v2: nobody else can read it.

Files begin in the order of their paths, whatever the file system says, so that the same content and
the same flags give the same infohash everywhere. Left out are hidden files, junk, and what is
neither file nor folder; they are listed on stderr and as \`skipped\` in JSON.
${SELECTION_HELP}
${LINT_HELP}

--no-FLAG takes back what the configuration says of FLAG. It is JSON, in
$XDG_CONFIG_HOME/bip/config.json or ~/.config/bip/config.json:
  { "defaults": { "metainfo create": { "threads": 4 } },
    "presets": { "home": { "v1": true, "tracker": ["udp://tracker.example:6969"] } } }
A batch file is a list of jobs in YAML or JSON: \`path\` or \`paths\`, and flags by the same names.
Flags win over the environment (BIP_PIECE_LENGTH is --piece-length), that over jobs, jobs over presets,
presets over defaults; exclude, excludeRegex and allow add up. Paths in a file are relative to it.

In a pipe each line is a label and its value, separated by tabs: path, name, version, infoHash, …;
skipped WHY PATH. With --batch each torrent is one line: path, infoHash, infoHashV2, length, magnet.

Examples:
  $ bip metainfo create album --tracker udp://tracker.example:6969 --comment 'a few songs'
  $ bip metainfo create album --v1 --private --tracker https://tracker.example/announce --source ABC
  $ bip metainfo create album --include '*.flac' --dry-run --force
  $ bip metainfo create album --output '{name}-{infoHash}.torrent' --no-date --json
  $ tar -c album | bip metainfo create - --name album.tar --force
  $ bip metainfo create --batch jobs.yaml
  $ bip metainfo create --piece-length help`;

/** Makes the command. */
export function createCommand(context: Context): Command {
  const command = new Command('create')
    .description('make torrents of files and folders')
    .argument('[path...]', 'files and folders, several with --name; - for standard input');
  return addCreateFlags(command)
    .addOption(new Option('--config <file>', 'the configuration; default: see below; BIP_CONFIG'))
    .addOption(new Option('--no-config', 'read no configuration').default(undefined))
    .addOption(new Option('--batch <file>', 'many torrents: a list of jobs in YAML or JSON, or -'))
    .addOption(new Option('--dry-run', 'work out everything but hashes, and write nothing'))
    .addHelpText('after', HELP)
    .action(
      action<Options, CreateResult>(
        context,
        (invocation) => create(invocation, `bip/${versionOf(command)}`),
        createView,
      ),
    );
}

async function* create(
  invocation: Invocation<Options>,
  createdBy: string,
): AsyncGenerator<CreateResult, void, undefined> {
  const { context, options } = invocation;
  if (options.pieceLength === 'help') {
    yield pieceTable();
    return;
  }
  const config = await loadConfig(context, options.config);
  if (config !== undefined) invocation.reporter.explain(`configuration: ${config.path}`);
  const jobs = await settingsOfJobs(invocation, config, createdBy);
  refuseStdout(options, jobs);
  const taken = new Set<string>();
  const run = { dryRun: options.dryRun === true, brief: options.batch !== undefined, taken };
  yield* eachInput(invocation, jobs, (settings) => createOne(invocation, settings, run));
}

/** All of them are read before the first is begun. */
async function settingsOfJobs(
  { context, args, options }: Invocation<Options>,
  config: Config | undefined,
  createdBy: string,
): Promise<readonly CreateSettings[]> {
  const circumstances = { context, createdBy };
  const above: readonly Layer[] = [...environmentLayers(context), { values: flagsOf(options) }];
  const settings = (
    inputs: readonly string[],
    layers: readonly Layer[],
  ): Promise<CreateSettings> => {
    const preset = layers.findLast(({ values }) => values.preset !== undefined)?.values.preset;
    const below = configLayers(context, config, preset);
    return readSettings(inputs, layered([...below, ...layers]), circumstances);
  };
  if (options.batch === undefined) return [await settings(args, above)];
  if (args.length > 0) {
    throw new UsageError('--batch names the content of each job; leave out PATH');
  }
  const jobs = await loadBatch(context, options.batch);
  const read: CreateSettings[] = [];
  for (const { inputs, layer } of jobs) read.push(await settings(inputs, [layer, ...above]));
  return read;
}

/** @throws {UsageError} when stdout cannot be the torrent. */
function refuseStdout(options: Options & GlobalOptions, jobs: readonly CreateSettings[]): void {
  if (!jobs.some(({ output }) => output === '-')) return;
  if (options.batch !== undefined) {
    throw new UsageError('--output - is for a single torrent; with --batch each has its own file');
  }
  if (options.json === true) {
    throw new UsageError('the result is a torrent, not JSON: use --json with --output FILE only');
  }
}

function flagsOf(options: Options): FlagValues {
  return Object.fromEntries(
    FLAG_NAMES.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]),
  );
}

function versionOf(command: Command): string {
  let top = command;
  while (top.parent !== null) top = top.parent;
  return top.version() ?? '';
}
