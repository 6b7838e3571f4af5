/** The list of commands. @module */

import type { Command } from 'commander';
import type { Context } from './cli/context.ts';

type Register = (program: Command, context: Context) => void;

/** Each is loaded when the command line names it, and all of them for help and suggestions. */
const COMMANDS: ReadonlyMap<string, () => Promise<Register>> = new Map([
  ['bencode', async () => (await import('./bencode/index.ts')).registerBencode],
  ['metainfo', async () => (await import('./metainfo/index.ts')).registerMetainfo],
  ['magnet', async () => (await import('./magnet/index.ts')).registerMagnet],
  ['tracker', async () => (await import('./tracker/index.ts')).registerTracker],
  ['dht', async () => (await import('./dht/index.ts')).registerDht],
  ['lpd', async () => (await import('./lpd/index.ts')).registerLpd],
  ['simulate', async () => (await import('./simulate/index.ts')).registerSimulate],
  ['download', async () => adding((await import('./download.ts')).downloadCommand)],
  ['seed', async () => adding((await import('./seed.ts')).seedCommand)],
]);

/** Adds the command or group called `name` to `program`, or all when there is none of that name. */
export async function registerCommands(
  program: Command,
  context: Context,
  name: string | undefined,
): Promise<void> {
  const wanted = COMMANDS.get(name ?? '');
  const loads = wanted === undefined ? [...COMMANDS.values()] : [wanted];
  for (const register of await Promise.all(loads.map((load) => load()))) register(program, context);
}

function adding(make: (context: Context) => Command): Register {
  return (program, context) => {
    program.addCommand(make(context));
  };
}
