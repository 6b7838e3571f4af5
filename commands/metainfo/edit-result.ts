/** What `metainfo edit` tells of one torrent, and its renderings. @module */

import { decode, type JsonValue, toJson } from '../../src/bencode/index.ts';
import type { EditedTorrent, KeyChange } from '../../src/metainfo/index.ts';
import { tsv, type View } from '../cli/action.ts';
import { printable } from '../cli/printable.ts';
import { maskSecrets } from '../cli/secrets.ts';
import type { Style } from '../cli/style.ts';

/** One key that changed; values are bencode as JSON. */
export interface ShownChange {
  readonly key: string;
  readonly before?: JsonValue;
  readonly after?: JsonValue;
}

export interface EditResult {
  /** What was written, or would be; `-` for stdout. */
  readonly path: string;
  readonly infoHashBefore?: string;
  readonly infoHashAfter?: string;
  readonly infoHashV2Before?: string;
  readonly infoHashV2After?: string;
  readonly changes: readonly ShownChange[];
  readonly dryRun: boolean;
  /** The torrent itself, when stdout is for it. */
  readonly bytes?: Uint8Array;
}

/** Levels of nesting that a torrent may have. */
const MAX_DEPTH = 100;
/** Characters of a value on a terminal. */
const MAX_SHOWN = 200;

export function resultOf(
  edited: EditedTorrent,
  { reveal, ...rest }: Pick<EditResult, 'path' | 'dryRun' | 'bytes'> & { readonly reveal: boolean },
): EditResult {
  const { before, after, changes } = edited;
  return {
    ...rest,
    ...(before.infoHash === undefined ? {} : { infoHashBefore: before.infoHash.hex }),
    ...(after.infoHash === undefined ? {} : { infoHashAfter: after.infoHash.hex }),
    ...(before.infoHashV2 === undefined ? {} : { infoHashV2Before: before.infoHashV2.hex }),
    ...(after.infoHashV2 === undefined ? {} : { infoHashV2After: after.infoHashV2.hex }),
    changes: changes.map((change) => shownChange(change, reveal)),
  };
}

/** Old and new infohashes, v1 first; nothing when they are the same. */
export function changedHashes(
  result: EditResult,
): readonly (readonly [label: string, before: string, after: string])[] {
  const { infoHashBefore, infoHashAfter, infoHashV2Before, infoHashV2After } = result;
  return [
    ['infoHash', infoHashBefore ?? '', infoHashAfter ?? ''] as const,
    ['infoHashV2', infoHashV2Before ?? '', infoHashV2After ?? ''] as const,
  ].filter(([, before, after]) => before !== after);
}

/** The renderings. */
export const editView: View<EditResult> = {
  terminal: (result, style) => result.bytes ?? terminalText(result, style),
  plain: (result) => result.bytes ?? plainText(result),
  json: (result) => {
    const { bytes: _, dryRun, changes, ...rest } = result;
    const changed = changes.map(({ key }) => key);
    return { ...rest, changed, ...(dryRun ? { changes } : {}) };
  },
};

function terminalText(result: EditResult, style: Style): string {
  const { path, changes, dryRun } = result;
  const name = style.bold(printable(path));
  if (changes.length === 0) return `${name}: ${style.dim('nothing to change')}\n`;
  const lines = changes.map(({ key, before, after }) => {
    const values = `${shown(before, style.red)} → ${shown(after, style.green)}`;
    return `  ${style.cyan(printable(key))}: ${values}\n`;
  });
  const hashes = changedHashes(result).map(
    ([label, before, after]) => `  ${style.cyan(label)}: ${before} → ${style.yellow(after)}\n`,
  );
  const head = `${name}${dryRun ? style.dim(' (dry run: nothing is written)') : ''}\n`;
  return `${head}${lines.join('')}${hashes.join('')}`;
}

function shown(value: JsonValue | undefined, paint: (text: string) => string): string {
  if (value === undefined) return 'nothing';
  const text = printable(JSON.stringify(value));
  if (text.length <= MAX_SHOWN) return paint(text);
  return paint(`${text.slice(0, MAX_SHOWN)}… (${text.length} characters)`);
}

function plainText(result: EditResult): string {
  const path = printable(result.path);
  const lines = result.changes.map(({ key, before, after }) =>
    tsv(path, printable(key), json(before), json(after)),
  );
  const hashes = changedHashes(result).map((fields) => tsv(path, ...fields));
  return [...lines, ...hashes].join('');
}

function json(value: JsonValue | undefined): string | undefined {
  return value === undefined ? undefined : printable(JSON.stringify(value));
}

function shownChange({ key, before, after }: KeyChange, reveal: boolean): ShownChange {
  const value = (bencode: Uint8Array): JsonValue => {
    const plain = toJson(decode(bencode, { maxDepth: MAX_DEPTH }));
    return reveal ? plain : masked(plain);
  };
  return {
    key,
    ...(before === undefined ? {} : { before: value(before) }),
    ...(after === undefined ? {} : { after: value(after) }),
  };
}

/** Torrents nest at most 100 levels, so recursion is safe. */
function masked(value: JsonValue): JsonValue {
  if (typeof value === 'string') return maskSecrets(value);
  if (typeof value === 'number') return value;
  if (isArray(value)) return value.map(masked);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, masked(item)]));
}

function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
