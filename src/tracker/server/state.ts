/** Swarms to a file and back. @module */

import { ProtocolError } from '../../base/errors.ts';
import type { Runtime } from '../../runtime/ports.ts';
import { readStateFile, tryStateFile, writeStateFile } from './state-file.ts';
import { encodeSnapshot, SnapshotReader, type SwarmStore } from './store/index.ts';

/** What a state file had that is not too old. */
export interface LoadedState {
  readonly swarms: number;
  readonly peers: number;
}

type StateRuntime = Pick<Runtime, 'files' | 'wallClock'>;

/**
 * Adds what stands in the file to `store`; peers are as much older as time has passed since it was
 * written. A file that is not there yet adds nothing.
 *
 * @throws {ProtocolError} it is damaged or something else; `store` may have a part of it then.
 * @throws {StorageError} it cannot be read, or there is no place for a new one.
 */
export async function loadState(
  { files, wallClock }: StateRuntime,
  path: string,
  store: SwarmStore,
): Promise<LoadedState> {
  const reader = new SnapshotReader((view) => {
    // A calendar that was set back makes nobody younger.
    const elapsedMs = Math.max(0, wallClock.now() - reader.writtenAtMs);
    store.restore(view, Math.floor(elapsedMs / 1000));
  });
  try {
    if (await readStateFile(files, path, (bytes) => reader.feed(bytes))) reader.end();
    if (reader.storeId !== undefined) store.id = reader.storeId;
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new ProtocolError(
      `${path}: ${error.message}; move it away to begin without it, or name another file with --state`,
      { rule: error.rule, code: error.code, cause: error },
    );
  }
  await tryStateFile(files, path);
  const { swarms, peers4, peers6 } = store.totals;
  return { swarms, peers: peers4 + peers6 };
}

/** @throws {StorageError} and leaves the old file as it was. */
export async function saveState(
  { files, wallClock }: StateRuntime,
  path: string,
  store: SwarmStore,
): Promise<void> {
  await writeStateFile(files, path, encodeSnapshot(store, wallClock.now()));
}
