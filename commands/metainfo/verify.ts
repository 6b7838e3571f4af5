/** `bip metainfo verify`: files on the disk against torrents. @module */

import { Command, InvalidArgumentError, Option } from 'commander';
import { UsageError } from '../../src/base/errors.ts';
import type { ArrangeMethod } from '../../src/content/index.ts';
import type { FileHashers, Hashers, ReadOrder } from '../../src/runtime/ports.ts';
import { action, type Invocation } from '../cli/action.ts';
import type { Context } from '../cli/context.ts';
import { eachInput } from '../cli/each-input.ts';
import { EXIT, ExitWith, exitCodeOf } from '../cli/exit-codes.ts';
import { parseWhole } from '../cli/units.ts';
import { type VerifyResult, type VerifyTask, verifyTorrent } from './verify-content.ts';
import { verifyView } from './verify-view.ts';

interface Options {
  readonly content?: string;
  readonly files?: readonly string[];
  readonly search?: readonly string[];
  readonly link?: true;
  readonly symlink?: true;
  readonly copy?: true;
  readonly dryRun?: true;
  readonly failFast?: true;
  readonly both?: true;
  readonly threads?: number;
  readonly readOrder: ReadOrder;
}

const HELP = `
Without --content the data is looked for beside the .torrent, and then in the current folder. With
several torrents --content is the folder that holds the data of all.

A file is good, bad, missing, or of the wrong size. Pieces of v1 may lie in several files: a piece
that reaches into a missing file says nothing about its neighbour, whose bytes in it are undecided.
v2 and hybrid torrents are judged file by file, by their v2 hashes. The exit code is 0 when every byte was proven, 5 when
not, and 4 when all that is wrong is that files cannot be read.

--search finds files under other names and in other folders, by their size and then by their hashes.
--link, --symlink and --copy lay them out where the torrent wants them; nothing is ever replaced.

--files takes numbers (1-5,8, in the order of the torrent), paths and globs, and can be repeated.

In a pipe each line is tab-separated:
  torrent complete|incomplete GOOD BAD MISSING CONTENT TORRENT   counts of pieces
  piece N bad PATH OFFSET LENGTH                                 for each file that lies in it
  file STATE GOOD LENGTH PATH UNDECIDED ERROR                    bytes
  unchecked PATH · found PATH AT · candidate PATH AT · placed HOW PATH TARGET AT · warning CODE TEXT

Examples:
  $ bip metainfo verify album.torrent
  $ bip metainfo verify album.torrent --content ~/Music --json
  $ bip metainfo verify *.torrent --content ~/Music --fail-fast
  $ bip metainfo verify album.torrent --search ~/Music --link --dry-run`;

/** Makes the command. */
export function verifyCommand(context: Context): Command {
  return new Command('verify')
    .description('compare files with torrents: bad pieces, files and bytes by name')
    .argument('<torrent...>', '.torrent path, - for standard input, or http(s) URL')
    .addOption(new Option('--content <path>', 'the data, or the folder that holds it'))
    .addOption(
      new Option(
        '--files <selection>',
        'only these: 1-5,8, a path or a glob; repeatable',
      ).argParser(collect),
    )
    .addOption(
      new Option('--search <dir>', 'look there for what is missing or bad; repeatable').argParser(
        collect,
      ),
    )
    .addOption(new Option('--link', 'lay out what was found by hard links, else symbolic ones'))
    .addOption(new Option('--symlink', 'lay out what was found by symbolic links'))
    .addOption(new Option('--copy', 'lay out copies of what was found'))
    .addOption(new Option('--dry-run', 'say what would be laid out, and change nothing'))
    .addOption(
      new Option('--both', 'a hybrid: check its v1 hashes as well, and that both versions agree'),
    )
    .addOption(new Option('--fail-fast', 'stop at the first thing that is not good'))
    .addOption(
      new Option('--threads <n>', 'threads that hash; default: one for each core').argParser(
        parseThreads,
      ),
    )
    .addOption(
      new Option('--read-order <order>', 'sequential is for disks that turn')
        .choices(['auto', 'sequential', 'parallel'])
        .default('auto'),
    )
    .addHelpText('after', HELP)
    .action(action<Options, VerifyResult>(context, run, verifyView));
}

async function* run(invocation: Invocation<Options>): AsyncGenerator<VerifyResult> {
  const { context, args, options, reporter } = invocation;
  const { content, files, search = [] } = options;
  const method = methodOf(options);
  refuseContradictions(args, options, method);
  await using shared = new SharedHashers(context.runtime.hashers, options);
  const task: VerifyTask = {
    context,
    reporter,
    isOneOfMany: args.length > 1,
    search,
    dryRun: options.dryRun === true,
    failFast: options.failFast === true,
    both: options.both === true,
    ...(content === undefined ? {} : { content }),
    ...(files === undefined ? {} : { files }),
    ...(method === undefined ? {} : { method }),
    hashersFor: (totalBytes) => shared.open(totalBytes),
  };
  // Torrents that cannot be read and data that is no good count alike: the first one decides.
  let exitCode: number | undefined;
  try {
    yield* eachInput(invocation, args, async (torrent) => {
      try {
        const result = await verifyTorrent(task, torrent);
        if (!result.complete) exitCode ??= codeOf(result);
        return result;
      } catch (error) {
        exitCode ??= exitCodeOf(error);
        throw error;
      }
    });
  } catch (error) {
    if (!(error instanceof ExitWith)) throw error;
  }
  if (exitCode !== undefined) throw new ExitWith(exitCode);
}

/** The data may be good where it cannot be read: that is another trouble than data that is not. */
function codeOf({ files, piecesBad }: VerifyResult): number {
  const wrong = files.filter(({ state }) => state !== 'good');
  const isUnreadable = wrong.length > 0 && wrong.every(({ error }) => error !== undefined);
  return isUnreadable && piecesBad === 0 ? EXIT.storage : EXIT.integrity;
}

function methodOf({ link, symlink, copy }: Options): ArrangeMethod | undefined {
  const given = [
    ...(link === true ? (['link'] as const) : []),
    ...(symlink === true ? (['symlink'] as const) : []),
    ...(copy === true ? (['copy'] as const) : []),
  ];
  if (given.length > 1) {
    throw new UsageError(`--${given[0]} and --${given[1]} contradict each other`);
  }
  return given[0];
}

function refuseContradictions(
  args: readonly string[],
  options: Options,
  method: ArrangeMethod | undefined,
): void {
  const { content, search, dryRun, failFast } = options;
  if (content === '') throw new UsageError('--content is empty');
  if (method !== undefined && search === undefined) {
    throw new UsageError(`--${method} lays out what --search DIR finds; there is no --search`);
  }
  if (dryRun === true && method === undefined) {
    throw new UsageError(
      '--dry-run goes with --link, --symlink or --copy; nothing else is changed',
    );
  }
  if (failFast === true && search !== undefined) {
    throw new UsageError('--fail-fast stops before --search could begin; leave out one of them');
  }
  if (args.filter((arg) => arg === '-').length > 1) {
    throw new UsageError('standard input can be read once only: there is more than one -');
  }
}

/** Threads are kept from torrent to torrent. */
class SharedHashers implements AsyncDisposable {
  readonly #hashers: Hashers;
  readonly #options: Pick<Options, 'threads' | 'readOrder'>;
  #open: FileHashers | undefined;
  #enough = 0;

  constructor(hashers: Hashers, options: Pick<Options, 'threads' | 'readOrder'>) {
    this.#hashers = hashers;
    this.#options = options;
  }

  /** As many threads as are worth it; the second time that more are needed, as many as there may be. */
  async open(totalBytes: number): Promise<FileHashers> {
    if (this.#open !== undefined && totalBytes <= this.#enough) return this.#open;
    const isFirst = this.#open === undefined;
    await this.#open?.[Symbol.asyncDispose]();
    this.#enough = isFirst ? totalBytes : Number.MAX_SAFE_INTEGER;
    const { threads, readOrder } = this.#options;
    this.#open = this.#hashers.openFileHashers({
      order: readOrder,
      totalBytes: this.#enough,
      ...(threads === undefined ? {} : { threads }),
    });
    return this.#open;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#open?.[Symbol.asyncDispose]();
  }
}

function collect(text: string, before: readonly string[] = []): readonly string[] {
  if (text === '') throw new InvalidArgumentError('It is empty.');
  return [...before, text];
}

function parseThreads(text: string): number {
  return parseWhole(text, '--threads', 1, 1024);
}
