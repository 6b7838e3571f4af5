/** `bip handshake`: the first words between peers. @module */

import { Command } from 'commander';
import type { Context } from '../cli/context.ts';
import { probeCommand } from './probe.ts';

export function registerHandshake(program: Command, context: Context): void {
  program.addCommand(
    new Command('handshake')
      .description('shake hands with peers, to see who they are and what they can do')
      .addCommand(probeCommand(context)),
  );
}
