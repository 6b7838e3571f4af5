/** The group `bip bencode`. @module */

import type { Command } from 'commander';
import type { Context } from '../cli/context.ts';
import { checkCommand } from './check.ts';
import { decodeCommand } from './decode.ts';
import { encodeCommand } from './encode.ts';

/** Adds `bencode decode`, `bencode encode` and `bencode check`. */
export function registerBencode(program: Command, context: Context): void {
  program
    .command('bencode')
    .description('translate between bencode and JSON, and judge bencode')
    .addCommand(decodeCommand(context))
    .addCommand(encodeCommand(context))
    .addCommand(checkCommand(context));
}
