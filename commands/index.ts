/** The list of commands. @module */

import type { Command } from 'commander';
import { registerBencode } from './bencode/index.ts';
import type { Context } from './cli/context.ts';
import { downloadCommand } from './download.ts';
import { registerMagnet } from './magnet/index.ts';
import { registerMetainfo } from './metainfo/index.ts';
import { seedCommand } from './seed.ts';
import { registerTracker } from './tracker/index.ts';

/** Adds every command and group to `program`. */
export function registerCommands(program: Command, context: Context): void {
  registerBencode(program, context);
  registerMetainfo(program, context);
  registerMagnet(program, context);
  registerTracker(program, context);
  program.addCommand(downloadCommand(context));
  program.addCommand(seedCommand(context));
}
