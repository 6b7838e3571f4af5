/**
 * Single fields of an inspection, named by their place in its JSON (`infoHash`, `files.0.path`), or
 * keys of the torrent itself, named by a JSON Pointer (`/info/source`).
 *
 * @module
 */

import { UsageError } from '../../src/base/errors.ts';
import {
  type BencodeNode,
  formatJson,
  lookup,
  splitPath,
  toJson,
} from '../../src/bencode/index.ts';
import { printable } from '../cli/printable.ts';
import { suggestion } from '../cli/suggest.ts';
import type { Inspection } from './inspection.ts';
import { maskJson } from './other-keys.ts';

/** What one field is; `bytes` are sizes. */
type Shape =
  | 'text'
  | 'number'
  | 'bytes'
  | 'anything'
  | { readonly items: Shape }
  | { readonly parts: Shapes };

type Shapes = Readonly<Record<string, Shape>>;

const TEXTS: Shape = { items: 'text' };

const FILE = {
  path: 'text',
  rawPath: { items: 'anything' },
  length: 'bytes',
  piecesRoot: 'text',
  padding: 'text',
  executable: 'text',
  hidden: 'text',
  symlink: 'text',
  otherKeys: 'anything',
} as const satisfies Shapes;

/** Every field of an inspection. */
const FIELDS = {
  torrent: 'text',
  name: 'text',
  rawName: 'anything',
  version: 'text',
  infoHash: 'text',
  infoHashV2: 'text',
  length: 'bytes',
  pieceLength: 'bytes',
  pieceCount: 'number',
  torrentLength: 'bytes',
  private: 'text',
  fileCount: 'number',
  files: { items: { parts: FILE } },
  announce: { items: TEXTS },
  webSeeds: TEXTS,
  httpSeeds: TEXTS,
  nodes: TEXTS,
  comment: 'text',
  createdBy: 'text',
  creationDate: 'text',
  encoding: 'text',
  source: 'text',
  similar: TEXTS,
  collections: TEXTS,
  updateUrl: 'text',
  magnet: 'text',
  otherKeys: 'anything',
  otherInfoKeys: 'anything',
  pieces: TEXTS,
  pieceLayers: 'anything',
  warnings: { items: { parts: { code: 'text', message: 'text' } } },
} as const satisfies Record<keyof Inspection, Shape>;

/** The names of all fields, for the help. */
export const FIELD_NAMES: readonly string[] = Object.keys(FIELDS);

/** One field, and how its values are shown. */
export interface Field {
  /** As the user wrote it. */
  readonly text: string;
  /** Keys and indices in the JSON; a key of items stands for that of each. Or: `pointer`. */
  readonly steps?: readonly string[];
  /** A place in the torrent, as `lookup` takes it. */
  readonly path?: string;
  /** `bytes`: a size. */
  readonly kind: 'text' | 'number' | 'bytes';
}

/** What an inspection has to hold for some fields, and would take time for others. */
export function needsOf(fields: readonly Field[]): {
  readonly files: boolean;
  readonly pieces: boolean;
} {
  const tops = new Set(fields.map(({ steps }) => steps?.[0]));
  return {
    files: tops.has('files'),
    pieces: tops.has('pieces') || tops.has('pieceLayers'),
  };
}

/** @throws {UsageError} for what is no field of any torrent. */
export function parseField(text: string, flag: string): Field {
  if (text.startsWith('/')) {
    return { text, path: pathOf(text), kind: 'text' };
  }
  const steps = splitPath(text);
  let shape: Shape = { parts: FIELDS };
  for (const [at, step] of steps.entries()) {
    shape = stepInto(shape, step, { flag, text, above: steps.slice(0, at).join('.') });
  }
  const kind = shape === 'bytes' || shape === 'number' ? shape : 'text';
  if (steps.length > 0) return { text, steps, kind };
  throw new UsageError(`${flag} is empty; name a field like infoHash, or a key like /info/source`);
}

interface Place {
  readonly flag: string;
  /** The whole field. */
  readonly text: string;
  /** What leads to the step. */
  readonly above: string;
}

function stepInto(shape: Shape, step: string, place: Place): Shape {
  if (shape === 'anything') return shape;
  if (typeof shape === 'object' && 'items' in shape) {
    return /^\d+$/.test(step) ? shape.items : stepInto(shape.items, step, place);
  }
  const { flag, text, above } = place;
  if (typeof shape !== 'object') {
    throw new UsageError(`${flag}: \`${printable(text)}\` is no field: \`${above}\` has no parts`);
  }
  const part = new Map(Object.entries(shape.parts)).get(step);
  if (part !== undefined) return part;
  const of = above === '' ? '' : ` of \`${above}\``;
  const hint = suggestion(step, Object.keys(shape.parts));
  throw new UsageError(
    `${flag}: \`${printable(step)}\` is no field${of}${hint || '; --help lists them'}`,
  );
}

/** A JSON Pointer (RFC 6901) as a path of `lookup`. */
function pathOf(pointer: string): string {
  return pointer
    .slice(1)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((step) => (step === '' ? '$hex:' : step.replace(/[.\\]/g, '\\$&')))
    .join('.');
}

/** What a field is in one torrent: JSON, or a key of the torrent itself. */
export type FieldValue =
  | { readonly json: unknown; readonly node?: undefined }
  | { readonly node: BencodeNode; readonly reveal: boolean };

/** What the field is here; `undefined` when this torrent does not have it. */
export function valueOf(
  { steps = [], path }: Field,
  torrent: {
    readonly inspection: Inspection;
    readonly root: BencodeNode;
    readonly reveal: boolean;
  },
): FieldValue | undefined {
  if (path !== undefined) {
    const { node, rest } = lookup(torrent.root, path);
    return rest.length > 0 ? undefined : { node, reveal: torrent.reveal };
  }
  const json = follow(torrent.inspection, steps);
  return json === undefined ? undefined : { json };
}

function follow(value: unknown, steps: readonly string[]): unknown {
  const [step, ...rest] = steps;
  if (step === undefined) return value;
  if (isList(value) && !/^\d+$/.test(step)) {
    return value.map((item) => follow(item, steps)).filter((item) => item !== undefined);
  }
  const inner = childOf(value, step);
  return inner === undefined ? undefined : follow(inner, rest);
}

function childOf(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  const own: unknown = Object.getOwnPropertyDescriptor(value, key)?.value;
  return own;
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

/** The JSON text of a value. */
export function jsonOf(value: FieldValue): string {
  if (value.node === undefined) return JSON.stringify(value.json);
  return value.reveal ? formatJson(value.node) : JSON.stringify(maskJson(toJson(value.node)));
}

/**
 * A value as text, one row an item, each with its fields: a list gives one row for each of its
 * items, a dictionary one for each key; files are length and path, warnings code and message.
 */
export function rowsOf(value: FieldValue): readonly (readonly string[])[] {
  if (value.node === undefined) return jsonRows(value.json);
  const json = toJson(value.node);
  return jsonRows(value.reveal ? json : maskJson(json));
}

function jsonRows(json: unknown): readonly (readonly string[])[] {
  if (isList(json)) return json.flatMap((item) => itemRows(item));
  if (typeof json !== 'object' || json === null || isTagged(json)) return [[scalar(json)]];
  return Object.entries(json).map(([key, item]) => [key, scalar(item)]);
}

/** Trackers of a tier are a row each. */
function itemRows(item: unknown): readonly (readonly string[])[] {
  if (isList(item) && item.every((url) => typeof url === 'string')) return item.map((url) => [url]);
  if (typeof item !== 'object' || item === null) return [[scalar(item)]];
  const keys = new Map<string, unknown>(Object.entries(item));
  const [length, path] = [keys.get('length'), keys.get('path')];
  if (typeof path === 'string') return [[String(length), path]];
  const [code, message] = [keys.get('code'), keys.get('message')];
  if (typeof code === 'string') return [[code, String(message)]];
  return [[scalar(item)]];
}

/** Bytes that are no text, and great integers. */
function isTagged(value: object): boolean {
  const keys = Object.keys(value);
  return keys.length === 1 && (keys[0] === '$hex' || keys[0] === '$int');
}

/** Text as it is, strings that are no text in hex, what has parts in JSON. */
function scalar(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'object' && value !== null) {
    const inner = new Map<string, unknown>(Object.entries(value));
    const bytes = inner.get('$hex') ?? inner.get('$int');
    return isTagged(value) ? String(bytes) : JSON.stringify(value);
  }
  return String(value);
}
