/** How items that were put look. @module */

import { formatHex } from '../../src/base/bytes.ts';
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
import { tookTime } from './words.ts';
import { countWrites, writesJson, writesWords } from './writes.ts';

interface Placed {
  readonly place: ItemPlace;
  /** It points to a torrent (BEP 46). */
  readonly isPointer: boolean;
}

/** Where an item belongs, and what became of it. */
export type Put =
  | (Placed & { readonly type: 'place'; readonly value: Uint8Array | undefined })
  | (Placed & {
      readonly type: 'put';
      readonly item: DhtItem;
      readonly writes: readonly WriteResult[];
      readonly tally: Tally;
      readonly elapsedMs: Millis;
    });

export const putView: View<Put> = {
  terminal(put, style) {
    const { target } = put.place;
    const link = linkOf(put);
    const rows: Row[] = [
      ['target', [formatHex(target)]],
      ...(put.type === 'put' ? itemRows(put.item) : placeRows(put.place)),
      ['link', link === undefined ? [] : [link]],
    ];
    if (put.type === 'put') {
      const { writes, elapsedMs } = put;
      rows.push(['stored', [`by ${writesWords(countWrites(writes))} in ${tookTime(elapsedMs)}`]]);
    }
    return labelled(rows, style);
  },
  plain(put) {
    const { target, publicKey } = put.place;
    const key = publicKey && formatHex(publicKey);
    if (put.type === 'place') return line(formatHex(target), key, linkOf(put));
    const { stored } = countWrites(put.writes);
    const sequence = put.item.type === 'mutable' ? put.item.sequence : undefined;
    return line(formatHex(target), stored, sequence, key, linkOf(put));
  },
  jsonText(put) {
    const { target } = put.place;
    if (put.type === 'place') return placeJsonText(put);
    const { item, writes, tally, elapsedMs } = put;
    return itemJsonText(target, item, {
      magnet: linkOf(put),
      ...countWrites(writes),
      nodesQueried: tally.asked,
      nodesAnswered: tally.answered,
      elapsedMs: roundMillis(elapsedMs),
      nodes: writesJson(writes, target),
    });
  },
};

/** What comes last and is absent leaves no tab behind. */
function line(...fields: readonly (string | number | bigint | undefined)[]): string {
  return tsv(...fields.slice(0, fields.findLastIndex((field) => field !== undefined) + 1));
}

function linkOf({ place, isPointer }: Put): string | undefined {
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
