/** `bip tracker serve`: a tracker over HTTP and UDP. @module */

import { Command } from 'commander';
import { action } from '../cli/action.ts';
import type { Context } from '../cli/context.ts';
import type { ServeEvent } from './serve-events.ts';
import { type ServeFlags, withServeFlags } from './serve-options.ts';
import { serveView } from './serve-view.ts';

export function serveCommand(context: Context, version: string): Command {
  return withServeFlags(new Command('serve'))
    .description('run a tracker, over HTTP and UDP on one port')
    .addHelpText('after', HELP)
    .action(
      action<ServeFlags, ServeEvent>(
        context,
        async function* (invocation) {
          // Whoever asks trackers does not load one.
          const { serve } = await import('./serve-run.ts');
          yield* serve(invocation, version);
        },
        serveView,
      ),
    );
}

const HELP = `
Prints the URLs that clients announce to, and serves until Ctrl-C. With --state the swarms outlive a
restart; with --store several trackers serve the same swarms. SIGHUP reads the files of --allow, --deny
and --passkeys again. In private mode clients announce to /PASSKEY/announce.

With --json each event is one line: listening, numbers (every --log-every), announce (--log-announces),
untold, reloaded, reload-failed, saved, save-failed, store, crowded, end.

Examples:
  $ bip tracker serve
  $ bip tracker serve --port 8080 --stats 8081 --state swarms.bip
  $ bip tracker serve --allow torrents.txt --deny denied.txt --interval 10m
  $ bip tracker serve --log-announces --json | jq -c 'select(.type == "announce" and .refused)'
  $ bip tracker serve --workers 4 --store redis://127.0.0.1:6379
`;
