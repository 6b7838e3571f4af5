/** Clients that are started by the scripts of ../shared/peers, where that folder is at hand. @module */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Child } from '../child.ts';
import { isRecord, parseJson, textAt } from '../json.ts';
import { PYTHON } from '../require.ts';

const FOLDER = join(import.meta.dirname, '../../../../shared/peers');
const READY_MS = 60_000;

export const KIT_IS_THERE: boolean = existsSync(FOLDER);

/** For the names of tests that need it. */
export const KIT_NOTE: string = KIT_IS_THERE ? '' : ' (skipped: ../shared/peers is not there)';

export interface KitOptions {
  readonly program: 'qbittorrent' | 'rtorrent';
  readonly torrent: string;
  /** The folder that holds the torrent's file or folder. */
  readonly dir: string;
  /** Where the client keeps its state; without blanks, which rtorrent does not understand. */
  readonly state: string;
}

/**
 * Lets the client check the data and begin to seed, and ends it. Resolves to what it calls the torrent.
 *
 * @throws {Error} when it does not take the torrent or finds the data incomplete, with its log.
 */
export async function seedsByKit(options: KitOptions): Promise<Readonly<Record<string, unknown>>> {
  const script = join(FOLDER, `${options.program}-up`);
  const argv = [PYTHON, script, 'seed', options.torrent, options.dir, '--until-eof'];
  await using child = new Child(argv, { stopBy: 'eof', env: { PEERKIT_WORK: options.state } });
  const events = (): readonly Readonly<Record<string, unknown>>[] =>
    child.lines.map(parseJson).filter(isRecord);
  await child.until(
    () => {
      const failure = events().find((line) => line['event'] === 'error');
      if (failure !== undefined) throw new Error(textAt(failure, 'message'));
      return events().some((line) => line['event'] === 'ready');
    },
    { deadlineMs: READY_MS, what: `${options.program} to seed` },
  );
  const added = events().find((line) => line['event'] === 'added');
  if (added === undefined) throw new Error(`nothing was added\n${child.log}`);
  return added;
}
