/** `bip tracker`: ask trackers, and be one. @module */

import { Command } from 'commander';
import type { Context } from '../cli/context.ts';
import { announceCommand } from './announce.ts';
import { scrapeCommand } from './scrape.ts';
import { serveCommand } from './serve.ts';

export function registerTracker(program: Command, context: Context): void {
  program.addCommand(
    new Command('tracker')
      .description('ask trackers, or run one')
      .addCommand(announceCommand(context))
      .addCommand(scrapeCommand(context))
      .addCommand(serveCommand(context, program.version() ?? '')),
  );
}
