/** How items that were put look. @module */

import { formatHex } from '../../src/base/bytes.ts';
import type { BipError } from '../../src/base/errors.ts';
import { formatJson } from '../../src/bencode/index.ts';
import type { DhtItem, WriteResult } from '../../src/dht/index.ts';
import type { Millis } from '../../src/runtime/ports.ts';
import { tsv, type View } from '../cli/action.ts';
import { labelled, type Row } from '../cli/labelled.ts';
import { roundMillis } from '../cli/units.ts';
import { itemRows } from './get-view.ts';
import { type ItemPlace, itemJsonText, linkToKey } from './items.ts';
import type { Tally } from './tally.ts';
import { saltWords, valueNode } from './values.ts';
import { countOf, tookTime } from './words.ts';
import { countWrites, writesJson, writesWords } from './writes.ts';

interface Placed {
  readonly place: ItemPlace;
  /** It points to a torrent (BEP 46). */
  readonly isPointer: boolean;
}

interface Watched {
  /** One of several. */
  readonly watched?: true;
  /** When it is put again, from now. */
  readonly nextMs?: Millis | undefined;
}

/** What became of an item that was to be put. */
export type PutOnce = Placed &
  Watched &
  (
    | {
        readonly type: 'put';
        readonly item: DhtItem;
        readonly writes: readonly WriteResult[];
        readonly tally: Tally;
        readonly elapsedMs: Millis;
      }
    | { readonly type: 'failure'; readonly error: BipError }
  );

/** Where an item belongs, and what became of it. */
export type Put =
  | PutOnce
  | (Placed & { readonly type: 'place'; readonly value: Uint8Array | undefined })
  | {
      readonly type: 'end';
      readonly puts: number;
      readonly failures: number;
      readonly elapsedMs: Millis;
    };

export const putView: View<Put> = {
  terminal(put, style) {
    switch (put.type) {
      case 'failure':
        return `${style.red(put.error.message)}\n`;
      case 'end': {
        const { puts, failures, elapsedMs } = put;
        const failed = failures === 0 ? '' : `, ${countOf(failures, 'failure')}`;
        return style.dim(`${countOf(puts, 'put')}${failed} in ${tookTime(elapsedMs)}\n`);
      }
      default:
        return labelled(rowsOf(put), style);
    }
  },
  plain(put) {
    if (put.type === 'end') return undefined;
    const { target, publicKey } = put.place;
    const key = publicKey && formatHex(publicKey);
    if (put.type === 'failure') {
      return line(formatHex(target), 'error', put.error.code, put.error.message);
    }
    if (put.type === 'place') return line(formatHex(target), key, linkOf(put));
    const { stored } = countWrites(put.writes);
    const sequence = put.item.type === 'mutable' ? put.item.sequence : undefined;
    return line(formatHex(target), stored, sequence, key, linkOf(put));
  },
  jsonText(put) {
    switch (put.type) {
      case 'end':
        return JSON.stringify({ ...put, elapsedMs: roundMillis(put.elapsedMs) });
      case 'failure': {
        const { code, message } = put.error;
        const target = formatHex(put.place.target);
        const { nextMs } = put;
        return JSON.stringify({ type: 'failure', target, error: { code, message }, nextMs });
      }
      case 'place':
        return placeJsonText(put);
      default:
        return putJsonText(put);
    }
  },
};

type PlaceOrPut = Extract<Put, { readonly type: 'place' | 'put' }>;

function rowsOf(put: PlaceOrPut): readonly Row[] {
  const link = linkOf(put);
  const rows: Row[] = [
    ['target', [formatHex(put.place.target)]],
    ...(put.type === 'put' ? itemRows(put.item) : placeRows(put.place)),
    ['link', link === undefined ? [] : [link]],
  ];
  if (put.type === 'put') {
    const { writes, elapsedMs } = put;
    rows.push(['stored', [`by ${writesWords(countWrites(writes))} in ${tookTime(elapsedMs)}`]]);
  }
  return rows;
}

function putJsonText(put: Extract<Put, { readonly type: 'put' }>): string {
  const { target } = put.place;
  const { item, writes, tally, elapsedMs, watched, nextMs } = put;
  const text = itemJsonText(target, item, {
    magnet: linkOf(put),
    ...countWrites(writes),
    nodesQueried: tally.asked,
    nodesAnswered: tally.answered,
    elapsedMs: roundMillis(elapsedMs),
    nextMs,
    nodes: writesJson(writes, target),
  });
  return watched === true ? `{"type":"put",${text.slice(1)}` : text;
}

/** What comes last and is absent leaves no tab behind. */
function line(...fields: readonly (string | number | bigint | undefined)[]): string {
  return tsv(...fields.slice(0, fields.findLastIndex((field) => field !== undefined) + 1));
}

function linkOf({ place, isPointer }: Placed): string | undefined {
  if (!isPointer || place.publicKey === undefined) return undefined;
  return linkToKey(place.publicKey, place.salt);
}

function placeRows({ publicKey, salt }: ItemPlace): readonly Row[] {
  return [
    ['key', publicKey === undefined ? [] : [formatHex(publicKey)]],
    ['salt', salt.length === 0 ? [] : [saltWords(salt)]],
  ];
}

function placeJsonText(put: Extract<Put, { readonly type: 'place' }>): string {
  const { target, publicKey, salt } = put.place;
  const rest = JSON.stringify({
    publicKey: publicKey && formatHex(publicKey),
    salt: salt.length === 0 ? undefined : formatHex(salt),
    magnet: linkOf(put),
  });
  const value = put.value === undefined ? '' : `,"value":${formatJson(valueNode(put.value))}`;
  const more = rest === '{}' ? '}' : `,${rest.slice(1)}`;
  return `{"target":"${formatHex(target)}"${value}${more}`;
}
