/** What `metainfo inspect` prints: the shape that scripts rely on. @module */

import { formatHex } from '../../src/base/bytes.ts';
import { formatEndpoint } from '../../src/base/endpoint.ts';
import { type BencodeNode, decode } from '../../src/bencode/index.ts';
import { formatMagnet } from '../../src/magnet/index.ts';
import {
  type FileEntry,
  MAX_NESTING,
  type Metainfo,
  type Version,
  type Warning,
} from '../../src/metainfo/index.ts';
import { magnetOf, withoutSecrets } from '../cli/magnet-of.ts';
import { maskSecrets } from '../cli/secrets.ts';
import { formatIsoTime } from './iso-time.ts';
import { type OtherKeys, otherFileKeys, otherInfoKeys, otherRootKeys } from './other-keys.ts';
import { type JsonName, nameToJson } from './raw-name.ts';

export interface InspectedFile {
  /** With `/`. */
  readonly path: string;
  /** What the torrent really calls it, when that is not `path`. */
  readonly rawPath?: readonly JsonName[];
  readonly length: number;
  readonly piecesRoot?: string;
  readonly padding?: true;
  readonly executable?: true;
  readonly hidden?: true;
  readonly symlink?: string;
  /** Keys that bip has no name for: checksums and the like. */
  readonly otherKeys?: OtherKeys;
}

export interface Inspection {
  /** Where it came from: the argument. */
  readonly torrent?: string;
  readonly name: string;
  /** What the torrent really calls itself, when that is not `name`. */
  readonly rawName?: JsonName;
  readonly version: Version;
  readonly infoHash?: string;
  readonly infoHashV2?: string;
  readonly length: number;
  readonly pieceLength: number;
  readonly pieceCount: number;
  /** Bytes of the .torrent. */
  readonly torrentLength?: number;
  readonly private: boolean;
  /** Without padding. */
  readonly fileCount: number;
  readonly files: readonly InspectedFile[];
  readonly announce: readonly (readonly string[])[];
  readonly webSeeds: readonly string[];
  readonly httpSeeds: readonly string[];
  readonly nodes: readonly string[];
  readonly comment?: string;
  readonly createdBy?: string;
  /** ISO 8601 UTC. */
  readonly creationDate?: string;
  readonly encoding?: string;
  readonly source?: string;
  readonly similar?: readonly string[];
  readonly collections?: readonly string[];
  readonly updateUrl?: string;
  readonly magnet: string;
  /** Keys beside the info dictionary that no other field shows, as bencode in JSON. */
  readonly otherKeys?: OtherKeys;
  /** Keys of the info dictionary, likewise. */
  readonly otherInfoKeys?: OtherKeys;
  /** SHA-1 of each piece, on request. */
  readonly pieces?: readonly string[];
  /** Hashes of the pieces of files by pieces root (BEP 52), on request. */
  readonly pieceLayers?: Readonly<Record<string, readonly string[]>>;
  readonly warnings: readonly Warning[];
}

export interface InspectionOptions {
  /** With the secrets of URLs. */
  readonly reveal: boolean;
  /** The whole .torrent, for what is not in a `Metainfo`. */
  readonly bytes?: Uint8Array;
  /** Where it came from. */
  readonly torrent?: string;
  /** With what is said of each file; default: yes. For callers that show nothing of it. */
  readonly files?: boolean;
  /** With the hashes of pieces. */
  readonly pieces?: boolean;
}

/** All that can be said of `metainfo`. */
export function inspectionOf(metainfo: Metainfo, options: InspectionOptions): Inspection {
  const { reveal, bytes, torrent, files = true, pieces = false } = options;
  const mask = reveal ? (url: string): string => url : maskSecrets;
  const root = bytes === undefined ? undefined : torrentRoot(bytes);
  return {
    ...defined('torrent', torrent === undefined ? undefined : mask(torrent)),
    ...head(metainfo),
    ...defined('torrentLength', bytes?.length),
    private: metainfo.private,
    fileCount: metainfo.files.filter(({ padding }) => !padding).length,
    files: files ? inspectedFiles(metainfo, root, reveal) : [],
    ...surroundings(metainfo, mask),
    ...optional(metainfo, mask),
    magnet: magnetText(metainfo, reveal),
    ...besides(metainfo, root, reveal),
    ...(pieces ? pieceHashes(metainfo) : {}),
    warnings: metainfo.warnings,
  };
}

type Head =
  | 'name'
  | 'rawName'
  | 'version'
  | 'infoHash'
  | 'infoHashV2'
  | 'length'
  | 'pieceLength'
  | 'pieceCount';

function head(metainfo: Metainfo): Pick<Inspection, Head> {
  return {
    name: metainfo.name,
    ...defined('rawName', rawNameOf(metainfo)),
    version: metainfo.version,
    ...defined('infoHash', metainfo.infoHash?.hex),
    ...defined('infoHashV2', metainfo.infoHashV2?.hex),
    length: metainfo.length,
    pieceLength: metainfo.pieceLength,
    pieceCount: metainfo.pieceCount,
  };
}

function surroundings(
  { announce, webSeeds, httpSeeds, nodes }: Metainfo,
  mask: (url: string) => string,
): Pick<Inspection, 'announce' | 'webSeeds' | 'httpSeeds' | 'nodes'> {
  return {
    announce: announce.map((tier) => tier.map(mask)),
    webSeeds: webSeeds.map(mask),
    httpSeeds: httpSeeds.map(mask),
    nodes: nodes.map(formatEndpoint),
  };
}

function magnetText(metainfo: Metainfo, reveal: boolean): string {
  const magnet = magnetOf(metainfo);
  return formatMagnet(reveal ? magnet : withoutSecrets(magnet).magnet);
}

/** `bytes` were parsed as a torrent before: its limits hold. */
export function torrentRoot(bytes: Uint8Array): BencodeNode {
  return decode(bytes, { fullDecode: false, maxDepth: MAX_NESTING });
}

/** The first component is the torrent's name in all paths. */
function rawNameOf({ name, files }: Metainfo): JsonName | undefined {
  const raw = files.find(({ rawPath }) => rawPath !== undefined)?.rawPath?.[0] ?? name;
  return raw === name ? undefined : nameToJson(raw);
}

function inspectedFiles(
  metainfo: Metainfo,
  root: BencodeNode | undefined,
  reveal: boolean,
): readonly InspectedFile[] {
  const info = root?.get('info');
  const others = info === undefined ? new Map() : otherFileKeys(info, metainfo, reveal);
  return metainfo.files.map((file, index) => ({
    ...inspectedFile(file),
    ...defined('otherKeys', others.get(index)),
  }));
}

function inspectedFile(file: FileEntry): InspectedFile {
  return {
    path: file.path.join('/'),
    ...defined('rawPath', file.rawPath?.map(nameToJson)),
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

/** What only the whole .torrent says. */
function besides(
  metainfo: Metainfo,
  root: BencodeNode | undefined,
  reveal: boolean,
): Pick<Inspection, 'encoding' | 'otherKeys' | 'otherInfoKeys'> {
  const info = root?.get('info');
  if (root === undefined || info === undefined) return {};
  return {
    ...defined('encoding', root.get('encoding')?.asText() || undefined),
    ...defined('otherKeys', someOf(otherRootKeys(root, metainfo, reveal))),
    ...defined('otherInfoKeys', someOf(otherInfoKeys(info, reveal))),
  };
}

function someOf(keys: OtherKeys): OtherKeys | undefined {
  return Object.keys(keys).length === 0 ? undefined : keys;
}

const SHA1_LENGTH = 20;
const SHA256_LENGTH = 32;

function pieceHashes({
  pieces,
  pieceLayers,
}: Metainfo): Pick<Inspection, 'pieces' | 'pieceLayers'> {
  const layers = [...pieceLayers].map(
    ([root, layer]) => [root, hashesOf(layer, SHA256_LENGTH)] as const,
  );
  return {
    ...defined('pieces', pieces === undefined ? undefined : hashesOf(pieces, SHA1_LENGTH)),
    ...defined('pieceLayers', layers.length === 0 ? undefined : Object.fromEntries(layers)),
  };
}

function hashesOf(bytes: Uint8Array, length: number): readonly string[] {
  return Array.from({ length: bytes.length / length }, (_, at) =>
    formatHex(bytes.subarray(at * length, (at + 1) * length)),
  );
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
