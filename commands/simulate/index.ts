/** `bip simulate`: whole networks in virtual time. @module */

import { Command } from 'commander';
import type { Context } from '../cli/context.ts';
import { dhtCommand } from './dht.ts';

export function registerSimulate(program: Command, context: Context): void {
  program.addCommand(
    new Command('simulate')
      .description('try networks of thousands of nodes, in virtual time')
      .addCommand(dhtCommand(context)),
  );
}
