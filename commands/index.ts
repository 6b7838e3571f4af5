/** The list of commands. @module */

import type { Command } from 'commander';
import type { Context } from './cli/context.ts';

/** Adds every command and group to `program`. */
export function registerCommands(_program: Command, _context: Context): void {}
