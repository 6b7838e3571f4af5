/** The JSON Lines of `download` and `seed`, judged by the contract of cli.md. @module */

import { isRecord, parseJson } from './json.ts';

interface FileOfTorrent {
  readonly path: string;
  readonly length: number;
}

export type BipEvent =
  | {
      readonly type: 'metadata';
      readonly infoHash: string;
      readonly name: string;
      readonly length: number;
      readonly pieceLength: number;
      readonly pieceCount: number;
      readonly files: readonly FileOfTorrent[];
    }
  | {
      readonly type: 'progress';
      readonly done: number;
      readonly total: number;
      readonly downloadBytesPerSecond: number;
      readonly uploadBytesPerSecond: number;
      readonly peers: number;
      readonly seeds: number;
      readonly etaSeconds?: number;
    }
  /** `seed` serves from now on. */
  | { readonly type: 'seeding'; readonly infoHash: string; readonly magnet: string }
  | { readonly type: 'piece'; readonly piece: number; readonly ok: boolean }
  | { readonly type: 'file'; readonly path: string }
  | { readonly type: 'warning'; readonly code: string; readonly message: string }
  | {
      readonly type: 'end';
      readonly complete: boolean;
      readonly path: string;
      readonly done: number;
      readonly total: number;
      readonly downloaded: number;
      readonly uploaded: number;
      readonly wasted: number;
      readonly elapsedMs: number;
    };

type Kind = (value: unknown) => boolean;

const count: Kind = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
const rate: Kind = (value) => typeof value === 'number' && value >= 0;
const text: Kind = (value) => typeof value === 'string' && value !== '';
const truth: Kind = (value) => typeof value === 'boolean';
const hash: Kind = (value) => typeof value === 'string' && /^[0-9a-f]{40}$/.test(value);
const code: Kind = (value) => typeof value === 'string' && /^BIP_[A-Z0-9_]+$/.test(value);
const files: Kind = (value) =>
  Array.isArray(value) &&
  value.every((file) => isRecord(file) && text(file['path']) && count(file['length']));
const optional =
  (kind: Kind): Kind =>
  (value) =>
    value === undefined || kind(value);

/** Fields may be added, never renamed: others than these are allowed. */
const SHAPES: Readonly<Record<BipEvent['type'], Readonly<Record<string, Kind>>>> = {
  metadata: {
    infoHash: hash,
    name: text,
    length: count,
    pieceLength: count,
    pieceCount: count,
    files,
  },
  progress: {
    done: count,
    total: count,
    downloadBytesPerSecond: rate,
    uploadBytesPerSecond: rate,
    peers: count,
    seeds: count,
    etaSeconds: optional(rate),
  },
  seeding: { infoHash: hash, magnet: text },
  piece: { piece: count, ok: truth },
  file: { path: text },
  warning: { code, message: text },
  end: {
    complete: truth,
    path: text,
    done: count,
    total: count,
    downloaded: count,
    uploaded: count,
    wasted: count,
    elapsedMs: rate,
  },
};

/** @throws {Error} when the line is not an event as promised. */
export function readEvent(line: string): BipEvent {
  const value = parseJson(line);
  if (!isEvent(value)) throw new Error(`not an event of cli.md: ${faultOf(value)} in ${line}`);
  return value;
}

function isEvent(value: unknown): value is BipEvent {
  return faultOf(value) === undefined;
}

function faultOf(value: unknown): string | undefined {
  if (!isRecord(value)) return 'no object';
  const shape = Object.entries(SHAPES).find(([type]) => type === value['type'])?.[1];
  if (shape === undefined) return 'unknown type';
  const wrong = Object.entries(shape).find(([field, kind]) => !kind(value[field]));
  if (wrong !== undefined) return `wrong or missing \`${wrong[0]}\``;
  // "Absent values are left out."
  const nothing = Object.entries(value).find(([, field]) => field === null);
  return nothing === undefined ? undefined : `null in \`${nothing[0]}\``;
}
