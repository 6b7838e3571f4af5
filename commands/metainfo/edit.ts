/** `bip metainfo edit`: other trackers, comments and keys in torrents that there are. @module */

import { Command } from 'commander';
import { BipError, ProtocolError, UsageError } from '../../src/base/errors.ts';
import {
  editTorrent,
  MAX_LOCAL_TORRENT_BYTES,
  type TorrentEdits,
} from '../../src/metainfo/index.ts';
import { action, type Invocation } from '../cli/action.ts';
import type { Context } from '../cli/context.ts';
import { eachInput } from '../cli/each-input.ts';
import { inputName, readInput } from '../cli/input.ts';
import { printable } from '../cli/printable.ts';
import { parseOptions } from '../cli/torrent-argument.ts';
import { addEditFlags, type EditFlags } from './edit-flags.ts';
import { type OutputFlags, refuseMixed, targetOf, writeTarget } from './edit-output.ts';
import { planEdits } from './edit-plan.ts';
import { changedHashes, type EditResult, editView, resultOf } from './edit-result.ts';

interface Options extends EditFlags, OutputFlags {
  readonly reveal?: true;
}

/** What one call does with each torrent. */
interface Task {
  readonly invocation: Invocation<Options>;
  readonly edits: () => TorrentEdits;
  /** Paths that were written, or would be. */
  readonly taken: Set<string>;
}

const HELP = `
Files are changed in place, by a new file and a rename. All that no flag names keeps its bytes and its
place, keys that bip does not know as well; the infohash changes only with what is inside of info.
Of one list, --remove-… comes first, then --replace, then --add-…. What is there already is not added.
URLs to remove may be as \`bip metainfo inspect\` shows them: *** stands for what it hides.

--replace takes a regular expression of JavaScript, all of whose matches become TEXT; $1 is what the
first parentheses matched. KEY joins keys by dots, as in \`bip bencode decode --path\`; write \\. for a
dot in a key and \\= for an equals sign. JSON is that of \`bip bencode encode\`: text has quotes.
--set wins over --merge.

In a pipe each change is a line: path, key, before, after (as JSON), with tabs between; the last ones
are infoHash and infoHashV2, when they changed. From standard input the torrent goes to stdout.

Examples:
  $ bip metainfo edit a.torrent --add-tracker udp://tracker.example:6969 --comment 'a few songs'
  $ bip metainfo edit a.torrent --tracker https://one.example/announce,https://two.example/announce
  $ bip metainfo edit *.torrent --replace '^http://=>https://' --dry-run
  $ bip metainfo edit a.torrent --replace '//old[.]example(:[0-9]+)?/=>//new.example$1/' --dry-run
  $ bip metainfo edit a.torrent --remove-tracker '*tracker.example*' --no-comment --no-date
  $ bip metainfo edit a.torrent --private --source ABC --output '{name}-{infoHash}.torrent' --force
  $ bip metainfo edit a.torrent --entropy --set 'info.note="for us"' --unset publisher --json
  $ bip metainfo edit - --no-trackers < debian.torrent | bip metainfo inspect -`;

/** Makes the command. */
export function editCommand(context: Context): Command {
  const command = new Command('edit')
    .description('change trackers, comments and any other key of torrents')
    .argument('<torrent...>', '.torrent path, or - for standard input');
  const given = addEditFlags(command, context);
  return command
    .addHelpText('after', HELP)
    .action(
      action<Options, EditResult>(context, (invocation) => edit(invocation, given), editView),
    );
}

async function* edit(
  invocation: Invocation<Options>,
  given: ReadonlySet<string>,
): AsyncGenerator<EditResult, void, undefined> {
  const { context, args, options } = invocation;
  const readers = [...args, ...(options.merge ?? [])].filter((argument) => argument === '-');
  if (readers.length > 1) throw new UsageError('standard input (-) can be read once only');
  await refuseMixed(context, args, options);
  const edits = await planEdits(context, options, given);
  const task: Task = { invocation, edits, taken: new Set() };
  yield* eachInput(invocation, args, (argument) => editOne(task, argument));
}

async function editOne({ invocation, edits, taken }: Task, argument: string): Promise<EditResult> {
  const { context, options } = invocation;
  const { dryRun = false, reveal = false, force = false } = options;
  refuseLinks(argument);
  const bytes = await readInput(context, argument, { maxBytes: MAX_LOCAL_TORRENT_BYTES });
  const edited = named(argument, () => editTorrent(bytes, edits(), parseOptions(context)));
  const details = { flags: options, metainfo: edited.after, taken };
  const target = await targetOf(context, argument, details);
  const isChanged = edited.changed.length > 0;
  if (!dryRun) await writeTarget(context, target, { bytes: edited.bytes, isChanged, force });
  taken.add(target.path);
  const toStdout = target.to === 'stdout' && !dryRun;
  const result = resultOf(edited, {
    path: target.path,
    dryRun,
    reveal,
    ...(toStdout ? { bytes: edited.bytes } : {}),
  });
  warn(invocation, argument, result);
  return result;
}

/** Whoever shares the old one has other peers than whoever shares the new one. */
function warn({ reporter }: Invocation<Options>, argument: string, result: EditResult): void {
  const hashes = changedHashes(result).map(([, before, after]) => `${before} → ${after}`);
  if (hashes.length === 0) return;
  const verb = result.dryRun ? 'would be' : 'is now';
  const name = printable(result.path === '-' ? inputName(argument) : result.path);
  reporter.warn(`${name} ${verb} another torrent, with other peers: ${hashes.join(', ')}`);
}

function refuseLinks(argument: string): void {
  if (argument === '') throw new UsageError('a TORRENT is empty');
  if (!/^(?:magnet:|[a-z][a-z0-9+.-]*:\/\/)/i.test(argument)) return;
  throw new UsageError(
    `\`${printable(argument.slice(0, 100))}\` is no file: only .torrent files can be edited, and standard input (-)`,
  );
}

/** The result of `work`; its complaints begin with the torrent. */
function named<Result>(argument: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof BipError)) throw error;
    const message = `${printable(inputName(argument))}: ${error.message}`;
    if (error instanceof ProtocolError) {
      const { code, rule, offset } = error;
      const place = offset === undefined ? {} : { offset };
      throw new ProtocolError(message, { code, rule, ...place, cause: error });
    }
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(message, { code: error.code, cause: error });
  }
}
