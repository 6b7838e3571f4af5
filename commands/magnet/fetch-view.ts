/** The renderings of `magnet fetch`. @module */

import type { Metainfo } from '../../src/metainfo/index.ts';
import { tsv, type View } from '../cli/action.ts';
import { labelled } from '../cli/labelled.ts';
import { printable } from '../cli/printable.ts';
import { maskSecrets } from '../cli/secrets.ts';
import { formatDuration, formatSize } from '../cli/units.ts';
import { inspectionOf } from '../metainfo/inspection.ts';

/** A torrent that was fetched. */
export interface Fetched {
  readonly metainfo: Metainfo;
  /** Of the .torrent. */
  readonly bytes: Uint8Array;
  /** Where it was written; `-` for stdout. */
  readonly path: string;
  /** With the secrets of URLs. */
  readonly reveal: boolean;
  readonly elapsedMs: number;
}

/** The renderings. */
export const fetchView: View<Fetched> = {
  terminal: (fetched, style) =>
    fetched.path === '-' ? fetched.bytes : labelled(rowsOf(fetched), style),
  plain: ({ path, bytes, metainfo }) => {
    if (path === '-') return bytes;
    const { infoHash, infoHashV2, name, length } = metainfo;
    return tsv(printable(path), (infoHash ?? infoHashV2)?.hex, printable(name), length);
  },
  json: ({ path, metainfo, bytes, reveal, elapsedMs }) => ({
    path,
    ...inspectionOf(metainfo, { reveal, bytes }),
    elapsedMs: Math.round(elapsedMs),
  }),
};

function rowsOf({
  path,
  metainfo,
  reveal,
  elapsedMs,
}: Fetched): readonly (readonly [string, readonly string[]])[] {
  const { name, version, infoHash, infoHashV2, length, files, announce, webSeeds } = metainfo;
  const mask = reveal ? (url: string): string => url : maskSecrets;
  const count = files.filter(({ padding }) => !padding).length;
  return [
    ['Written', [path]],
    ['Name', [name]],
    ['Version', [version]],
    ['Size', [`${formatSize(length)} in ${count} file${count === 1 ? '' : 's'}`]],
    ['Infohash', infoHash === undefined ? [] : [infoHash.hex]],
    ['Infohash v2', infoHashV2 === undefined ? [] : [infoHashV2.hex]],
    ['Trackers', announce.flat().map(mask)],
    ['Web seeds', webSeeds.map(mask)],
    ['Private', metainfo.private ? ['yes'] : []],
    ['Took', [formatDuration(elapsedMs)]],
  ];
}
