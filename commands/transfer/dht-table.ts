/** Where the node of a session keeps what it knows of the DHT from one run to the next. @module */

import { BipError } from '../../src/base/errors.ts';
import type { DhtState } from '../../src/dht/index.ts';
import type { SessionOptions } from '../../src/session/index.ts';
import type { Context } from '../cli/context.ts';
import type { BootstrapFlags } from '../cli/dht-flags.ts';
import { homeFolder, joinPath, parentPath } from '../cli/paths.ts';
import type { Reporter } from '../cli/reporter.ts';

export interface TableFlags extends BootstrapFlags {
  /** False with `--no-dht-table`. */
  readonly dhtTable?: string | false;
}

/** What of the world decides. */
export type TableContext = Pick<Context, 'env'> & {
  readonly runtime: Pick<Context['runtime'], 'files'>;
};

type Kept = Pick<NonNullable<SessionOptions['dht']>, 'state' | 'keep'>;

/**
 * Reads the table and says how it is kept. One that nobody named and that cannot be used is told, and left
 * as it is.
 *
 * @throws {ProtocolError} {StorageError} when a table that was named cannot be used.
 */
export async function keptTable(
  { env, runtime: { files } }: TableContext,
  flags: TableFlags & { readonly isHere: boolean },
  reporter: Pick<Reporter, 'explain' | 'warn'>,
): Promise<Kept> {
  const named = namedTable(flags, env);
  const path = named ?? usualTable(flags, env);
  if (path === undefined || path === OFF) return {};
  const { readTable, shareTable } = await import('../../src/dht/index.ts');
  const { state, error } = await attempt(readTable(files, path));
  if (error !== undefined) {
    if (named !== undefined) throw error;
    reporter.warn(`${error.message}; it is not used: remove it, or name another with --dht-table`);
    return {};
  }
  const save = async (latest: DhtState): Promise<void> => {
    const failed = (await attempt(write(latest))).error;
    if (failed !== undefined) reporter.explain(`nodes of the DHT are not kept: ${failed.message}`);
  };
  const write = async (latest: DhtState): Promise<undefined> => {
    await files.makeDirectory(parentPath(path));
    await shareTable(files, path, latest);
  };
  return { ...(state && { state }), keep: { everyMs: SAVE_EVERY, save } };
}

interface Attempt {
  readonly state?: DhtState | undefined;
  readonly error?: BipError;
}

async function attempt(work: Promise<DhtState | undefined>): Promise<Attempt> {
  try {
    return { state: await work };
  } catch (error) {
    if (error instanceof BipError) return { error };
    throw error;
  }
}

/** By a flag, else by the environment. */
function namedTable({ dhtTable }: TableFlags, env: Context['env']): string | undefined {
  if (dhtTable !== undefined) return dhtTable === false ? OFF : dhtTable;
  return env['BIP_DHT_TABLE'];
}

/** None for a network of one's own: its nodes are not those of the next run. */
function usualTable(
  { bootstrap, isHere }: TableFlags & { readonly isHere: boolean },
  env: Context['env'],
): string | undefined {
  if (bootstrap !== undefined || isHere) return undefined;
  const home = homeFolder(env);
  const folder =
    env['XDG_STATE_HOME'] || (home === undefined ? undefined : joinPath(home, '.local/state'));
  return folder === undefined ? undefined : joinPath(folder, 'bip/dht.bin');
}

/** No table; what an empty variable means, too. */
const OFF = '';
const SAVE_EVERY = 5 * 60_000;
