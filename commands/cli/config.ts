/** The configuration of the user: defaults of flags, and presets. @module */

import configSchema from '../schemas/config.schema.json' with { type: 'json' };
import flagsSchema from '../schemas/create-flags.schema.json' with { type: 'json' };
import type { Context } from './context.ts';
import { type DataKind, readDataFile } from './data-file.ts';
import { homeFolder, joinPath, parentPath } from './paths.ts';

/** Flags by name, as the file has them. */
export type FileFlags = Readonly<Record<string, unknown>>;

export interface Config {
  /** Where it was read from. */
  readonly path: string;
  /** Paths in the file are relative to it. */
  readonly folder: string;
  /** By command: `metainfo create`. */
  readonly defaults: Readonly<Record<string, FileFlags>>;
  readonly presets: Readonly<Record<string, FileFlags>>;
}

/** As the schema lets it pass. */
interface Document {
  readonly defaults?: Readonly<Record<string, FileFlags>>;
  readonly presets?: Readonly<Record<string, FileFlags>>;
}

const KIND: DataKind<Document> = {
  what: 'configuration',
  code: 'BIP_CONFIG',
  schema: configSchema,
  others: [flagsSchema],
};

/**
 * The configuration at `named` (`--config`), in the environment (`BIP_CONFIG`), or where it usually
 * is. `false` (`--no-config`): none. Only one that was named has to be there.
 *
 * @throws {ProtocolError} `BIP_CONFIG` for a file that is not as its schema wants it.
 * @throws {StorageError} for one that cannot be read.
 */
export async function loadConfig(
  context: Context,
  named: string | false | undefined,
): Promise<Config | undefined> {
  const path = await findConfig(context, named);
  if (path === undefined) return undefined;
  const { defaults = {}, presets = {} } = await readDataFile(context, path, KIND);
  return { path, folder: parentPath(path), defaults, presets };
}

async function findConfig(
  { runtime, env }: Context,
  named: string | false | undefined,
): Promise<string | undefined> {
  if (named === false) return undefined;
  const wanted = named ?? (env['BIP_CONFIG'] || undefined);
  if (wanted !== undefined) return wanted;
  const usual = usualConfigPath(env);
  if (usual === undefined) return undefined;
  return (await runtime.files.stat(usual)) === undefined ? undefined : usual;
}

/** Where the configuration is looked for when nobody names it. */
function usualConfigPath(env: Context['env']): string | undefined {
  const home = homeFolder(env);
  const folder =
    env['XDG_CONFIG_HOME'] || (home === undefined ? undefined : joinPath(home, '.config'));
  return folder === undefined ? undefined : joinPath(folder, 'bip/config.json');
}
