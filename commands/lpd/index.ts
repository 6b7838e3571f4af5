/** `bip lpd`: local peer discovery (BEP 14), heard and spoken. @module */

import { Command } from 'commander';
import type { Context } from '../cli/context.ts';
import { announceCommand } from './announce.ts';
import { listenCommand } from './listen.ts';

export function registerLpd(program: Command, context: Context): void {
  program.addCommand(
    new Command('lpd')
      .description('find peers on the local network, and tell it of one')
      .addCommand(listenCommand(context))
      .addCommand(announceCommand(context)),
  );
}
