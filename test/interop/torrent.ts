/** Torrents made by libtorrent, so that bip does not judge its own work. @module */

import { join } from 'node:path';
import { Child } from './child.ts';
import { type Content, KiB, lengthOf, nameOf, writeContent } from './content.ts';
import { numberAt, parseJson, textAt } from './json.ts';
import { SCRIPT } from './peers/libtorrent.ts';
import { PYTHON } from './require.ts';

export interface Torrent {
  /** The .torrent file. */
  readonly path: string;
  readonly name: string;
  readonly infoHash: string;
  /** With the trackers. */
  readonly magnet: string;
  readonly pieceLength: number;
  readonly pieceCount: number;
  readonly length: number;
}

export interface TorrentOptions {
  /** The folder that gets the content; the .torrent is written beside it. */
  readonly dir: string;
  readonly content: Content;
  readonly trackers?: readonly string[];
  readonly pieceLength?: number;
}

const CREATE_MS = 30_000;

/** Writes the content below `dir` and the torrent to `dir` + `.torrent`. */
export async function makeTorrent(options: TorrentOptions): Promise<Torrent> {
  const path = `${options.dir}.torrent`;
  await writeContent(options.dir, options.content);
  await using child = new Child([
    PYTHON,
    SCRIPT,
    'create',
    join(options.dir, nameOf(options.content)),
    path,
    '--piece-length',
    String(options.pieceLength ?? 64 * KiB),
    ...(options.trackers ?? []).flatMap((url) => ['--tracker', url]),
  ]);
  const exit = await child.ended(CREATE_MS);
  if (exit.code !== 0) throw new Error(`no torrent was made\n${child.log}`);
  const made = parseJson(child.lines[0] ?? '');
  return {
    path,
    name: textAt(made, 'name'),
    infoHash: textAt(made, 'infoHash'),
    magnet: textAt(made, 'magnet'),
    pieceLength: numberAt(made, 'pieceLength'),
    pieceCount: numberAt(made, 'pieces'),
    length: lengthOf(options.content),
  };
}
