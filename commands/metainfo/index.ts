/** `bip metainfo …`: torrent files. @module */

import type { Command } from 'commander';
import type { Context } from '../cli/context.ts';
import { createCommand } from './create.ts';
import { editCommand } from './edit.ts';
import { inspectCommand } from './inspect.ts';
import { verifyCommand } from './verify.ts';

/** Adds the group to `program`. */
export function registerMetainfo(program: Command, context: Context): void {
  program
    .command('metainfo')
    .description('torrent files')
    .addCommand(createCommand(context))
    .addCommand(inspectCommand(context))
    .addCommand(editCommand(context))
    .addCommand(verifyCommand(context));
}
