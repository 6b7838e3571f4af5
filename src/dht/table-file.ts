/** The file in which a node keeps its id and its nodes. @module */

import { ProtocolError } from '../base/errors.ts';
import type { Files } from '../runtime/ports.ts';
import {
  countNodes,
  type DhtState,
  decodeState,
  encodeState,
  MAX_STATE_BYTES,
  withNodes,
} from './state.ts';

/**
 * What stands in the file; `undefined` when there is none.
 *
 * @throws {ProtocolError} it is damaged or something else; the sentence names it.
 * @throws {StorageError} it cannot be read.
 */
export async function readTable(files: Files, path: string): Promise<DhtState | undefined> {
  if ((await files.stat(path)) === undefined) return undefined;
  const bytes = await files.readFile(path, { maxBytes: MAX_STATE_BYTES });
  try {
    return decodeState(bytes);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    const { rule, code, message } = error;
    throw new ProtocolError(`${path}: ${message}`, { rule, code, cause: error });
  }
}

/**
 * Whatever happens meanwhile, a whole file stands there: the old one or the new one.
 *
 * @throws {StorageError} and leaves the old file as it was.
 */
export async function writeTable(files: Files, path: string, state: DhtState): Promise<void> {
  await files.writeFile(path, encodeState(state));
}

/**
 * Writes to a file that other processes write to, too: what they know stays where there is room, and
 * nothing is written when there are no nodes at all.
 *
 * @throws {ProtocolError} something else stands there, which is left alone.
 * @throws {StorageError} and leaves the old file as it was.
 */
export async function shareTable(files: Files, path: string, state: DhtState): Promise<void> {
  const before = await readTable(files, path);
  const shared = withNodes(state, before);
  if (countNodes(shared) > 0) await writeTable(files, path, shared);
}
