/** `bip dht serve`: a node of the DHT that stays. @module */

import { Command } from 'commander';
import { action } from '../cli/action.ts';
import type { Context } from '../cli/context.ts';
import type { ServeEvent } from './serve-events.ts';
import { type ServeFlags, withServeFlags } from './serve-flags.ts';
import { serveView } from './serve-view.ts';

export function serveCommand(context: Context, version: string): Command {
  return withServeFlags(new Command('serve'))
    .description('be a node of the DHT that stays, and answers others')
    .addHelpText('after', HELP)
    .action(
      action<ServeFlags, ServeEvent>(
        context,
        async function* (invocation) {
          const { serve } = await import('./serve-run.ts');
          yield* serve(invocation, version);
        },
        serveView,
      ),
    );
}

const HELP = `
Prints where others can begin with this node, one HOST:PORT a line, and serves until Ctrl-C. With --table
id and nodes outlive a restart, and a node that has some begins with them. A node on loopback, and one
with --no-bootstrap, begins with nobody but those.

With --json each event is one line: listening, joined, alone, address, stats (every --log-every), saved,
save-failed, end.

Examples:
  $ bip dht serve
  $ bip dht serve --port 6882 --table dht.bin --stats 6970
  $ bip dht serve --host 127.0.0.1 --no-bootstrap
  $ bip dht serve --read-only --json | jq -c 'select(.type == "stats") | .families[] | {family, nodes}'
`;
