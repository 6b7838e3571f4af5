/** `bip magnet …`: magnet links. @module */

import type { Command } from 'commander';
import type { Context } from '../cli/context.ts';
import { createCommand } from './create.ts';
import { fetchCommand } from './fetch.ts';
import { inspectCommand } from './inspect.ts';

/** Adds the group to `program`. */
export function registerMagnet(program: Command, context: Context): void {
  program
    .command('magnet')
    .description('magnet links')
    .addCommand(createCommand(context))
    .addCommand(inspectCommand(context))
    .addCommand(fetchCommand(context));
}
