/** `bip tracker`: ask trackers. @module */

import { Command } from 'commander';
import type { Context } from '../cli/context.ts';
import { announceCommand } from './announce.ts';

export function registerTracker(program: Command, context: Context): void {
  program.addCommand(
    new Command('tracker').description('ask trackers').addCommand(announceCommand(context)),
  );
}
