/** What `metainfo inspect` prints: the shape that scripts rely on. @module */

import { formatHex } from '../../src/base/bytes.ts';
import { formatEndpoint } from '../../src/base/endpoint.ts';
import { formatMagnet } from '../../src/magnet/index.ts';
import type { FileEntry, Metainfo, Version, Warning } from '../../src/metainfo/index.ts';
import { magnetOf } from '../cli/magnet-of.ts';
import { maskSecrets } from '../cli/secrets.ts';
import { formatIsoTime } from './iso-time.ts';

export interface InspectedFile {
  /** With `/`. */
  readonly path: string;
  readonly length: number;
  readonly piecesRoot?: string;
  readonly padding?: true;
  readonly executable?: true;
  readonly hidden?: true;
  readonly symlink?: string;
}

export interface Inspection {
  readonly name: string;
  readonly version: Version;
  readonly infoHash?: string;
  readonly infoHashV2?: string;
  readonly length: number;
  readonly pieceLength: number;
  readonly pieceCount: number;
  readonly private: boolean;
  readonly files: readonly InspectedFile[];
  readonly announce: readonly (readonly string[])[];
  readonly webSeeds: readonly string[];
  readonly httpSeeds: readonly string[];
  readonly nodes: readonly string[];
  readonly comment?: string;
  readonly createdBy?: string;
  /** ISO 8601 UTC. */
  readonly creationDate?: string;
  readonly source?: string;
  readonly similar?: readonly string[];
  readonly collections?: readonly string[];
  readonly updateUrl?: string;
  readonly magnet: string;
  readonly warnings: readonly Warning[];
}

/** `reveal`: with the secrets of URLs. */
export function inspectionOf(
  metainfo: Metainfo,
  { reveal }: { readonly reveal: boolean },
): Inspection {
  const mask = reveal ? (url: string): string => url : maskSecrets;
  const announce = metainfo.announce.map((tier) => tier.map(mask));
  const webSeeds = metainfo.webSeeds.map(mask);
  const magnet = magnetOf({ ...metainfo, announce, webSeeds });
  return {
    name: metainfo.name,
    version: metainfo.version,
    ...defined('infoHash', metainfo.infoHash?.hex),
    ...defined('infoHashV2', metainfo.infoHashV2?.hex),
    length: metainfo.length,
    pieceLength: metainfo.pieceLength,
    pieceCount: metainfo.pieceCount,
    private: metainfo.private,
    files: metainfo.files.map(inspectedFile),
    announce,
    webSeeds,
    httpSeeds: metainfo.httpSeeds.map(mask),
    nodes: metainfo.nodes.map(formatEndpoint),
    ...optional(metainfo, mask),
    magnet: formatMagnet(magnet),
    warnings: metainfo.warnings,
  };
}

function inspectedFile(file: FileEntry): InspectedFile {
  return {
    path: file.path.join('/'),
    length: file.length,
    ...defined('piecesRoot', file.piecesRoot && formatHex(file.piecesRoot)),
    ...defined('padding', file.padding || undefined),
    ...defined('executable', file.executable || undefined),
    ...defined('hidden', file.hidden || undefined),
    ...defined('symlink', file.symlink?.join('/')),
  };
}

type Optional =
  | 'comment'
  | 'createdBy'
  | 'creationDate'
  | 'source'
  | 'similar'
  | 'collections'
  | 'updateUrl';

function optional(metainfo: Metainfo, mask: (url: string) => string): Pick<Inspection, Optional> {
  const { comment, createdBy, creationDate, source, similar, collections, updateUrl } = metainfo;
  return {
    ...defined('comment', comment),
    ...defined('createdBy', createdBy),
    ...defined(
      'creationDate',
      creationDate === undefined ? undefined : formatIsoTime(creationDate),
    ),
    ...defined('source', source),
    ...defined('similar', similar.length === 0 ? undefined : similar.map(({ hex }) => hex)),
    ...defined('collections', collections.length === 0 ? undefined : collections),
    ...defined('updateUrl', updateUrl === undefined ? undefined : mask(updateUrl)),
  };
}

/** `{ [key]: value }`, or nothing when there is no value: absent values are left out. */
function defined<const Key extends string, Value>(
  key: Key,
  value: Value | undefined,
): { [name in Key]?: Value } {
  const entry: { [name in Key]?: Value } = {};
  if (value !== undefined) entry[key] = value;
  return entry;
}
