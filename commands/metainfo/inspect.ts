/** `bip metainfo inspect`: what a torrent says. @module */

import { Command } from 'commander';
import { UsageError } from '../../src/base/errors.ts';
import { action, type Invocation } from '../cli/action.ts';
import type { Context } from '../cli/context.ts';
import { eachInput } from '../cli/each-input.ts';
import { loadTorrent } from '../cli/torrent-argument.ts';
import { type Inspection, inspectionOf } from './inspection.ts';
import { plainInspection, terminalInspection } from './render.ts';

interface Options {
  readonly reveal?: true;
}

const EXAMPLES = `
In a pipe each line is a label and its values, separated by tabs: name, version, infoHash, …;
announce TIER URL; file|padding LENGTH PATH; symlink LENGTH PATH TARGET; warning CODE MESSAGE.

Examples:
  $ bip metainfo inspect debian.torrent
  $ bip metainfo inspect --json *.torrent | jq -r .infoHash
  $ bip metainfo inspect https://example.org/a.torrent
  $ bip metainfo inspect a.torrent | awk -F'\\t' '$1 == "file" { print $3 }'`;

export function inspectCommand(context: Context): Command {
  return new Command('inspect')
    .description('show what torrent files say, checked by all rules')
    .argument('<torrent...>', '.torrent path, - for standard input, or http(s) URL')
    .option('--reveal', 'show passkeys and other secrets in URLs')
    .addHelpText('after', EXAMPLES)
    .action(
      action<Options, Inspection>(context, inspect, {
        terminal: terminalInspection,
        plain: plainInspection,
      }),
    );
}

function inspect(invocation: Invocation<Options>): AsyncIterable<Inspection> {
  const { context, args, options } = invocation;
  return eachInput(invocation, args, async (argument) => {
    const source = await loadTorrent(context, argument, { signal: context.signal });
    if (source.type === 'metainfo') {
      return inspectionOf(source.metainfo, { reveal: options.reveal === true });
    }
    throw new UsageError(
      'a magnet link or infohash only names a torrent and has no files to show; try `bip magnet inspect`',
    );
  });
}
