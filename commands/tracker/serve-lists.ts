/** The list files of `tracker serve`. @module */

import { decodeUtf8Lossy } from '../../src/base/bytes.ts';
import { ProtocolError } from '../../src/base/errors.ts';
import type { Files } from '../../src/runtime/ports.ts';
import {
  type AccessLists,
  parseAllowList,
  parseDenyList,
  parsePasskeys,
} from '../../src/tracker/server/index.ts';
import type { ServeFlags } from './serve-options.ts';

export type ListFlags = Pick<ServeFlags, 'allow' | 'deny' | 'passkeys'>;

/**
 * Reads all of them.
 *
 * @throws {StorageError} one cannot be read. {ProtocolError} a line makes no sense; it names file and line.
 */
export async function readLists(
  files: Files,
  { allow, deny, passkeys }: ListFlags,
): Promise<AccessLists> {
  const allowed = await parsed(files, allow, parseAllowList);
  const denied = await parsed(files, deny, parseDenyList);
  const keys = await parsed(files, passkeys, parsePasskeys);
  return {
    ...(allowed === undefined ? {} : { allow: allowed.handle }),
    ...(denied === undefined
      ? {}
      : { deny: denied.infoHashes.handle, denyNetworks: denied.networks.handle }),
    ...(keys === undefined ? {} : { passkeys: keys }),
  };
}

async function parsed<List>(
  files: Files,
  path: string | undefined,
  parse: (text: string) => List,
): Promise<List | undefined> {
  if (path === undefined) return undefined;
  const text = decodeUtf8Lossy(await files.readFile(path, { maxBytes: MAX_LIST_BYTES }));
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new ProtocolError(`${path}: ${error.message}`, {
      rule: error.rule,
      code: error.code,
      cause: error,
    });
  }
}

/** Some millions of infohashes. */
const MAX_LIST_BYTES = 256 * 1024 * 1024;
