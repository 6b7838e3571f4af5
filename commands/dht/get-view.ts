/** How an item of the DHT looks. @module */

import { formatHex } from '../../src/base/bytes.ts';
import type { DhtItem } from '../../src/dht/index.ts';
import type { Millis } from '../../src/runtime/ports.ts';
import type { View } from '../cli/action.ts';
import { labelled, type Row } from '../cli/labelled.ts';
import { roundMillis } from '../cli/units.ts';
import { itemJsonText, torrentOf } from './items.ts';
import type { Tally } from './tally.ts';
import { saltWords, valueLines, valueText } from './values.ts';
import { tookTime } from './words.ts';

export interface Got {
  readonly target: Uint8Array;
  readonly item: DhtItem;
  readonly tally: Tally;
  readonly elapsedMs: Millis;
  /** What is printed of it without `--json`. */
  readonly only: 'all' | 'torrent' | 'nothing';
}

export const getView: View<Got> = {
  terminal({ target, item, tally, elapsedMs, only }, style) {
    if (only === 'nothing') return undefined;
    if (only === 'torrent') return `${torrentOf(item)?.magnet}\n`;
    const torrent = torrentOf(item);
    return labelled(
      [
        ['target', [formatHex(target)]],
        ...itemRows(item),
        ['torrent', torrent === undefined ? [] : [torrent.infoHash]],
        ['value', valueLines(item.value)],
        ['asked', [`${tally.answered} of ${tally.asked} nodes answered in ${tookTime(elapsedMs)}`]],
      ],
      style,
    );
  },
  plain({ item, only }) {
    if (only === 'nothing') return undefined;
    return only === 'torrent' ? `${torrentOf(item)?.infoHash}\n` : valueText(item.value);
  },
  jsonText: ({ target, item, tally, elapsedMs }) =>
    itemJsonText(target, item, {
      nodesQueried: tally.asked,
      nodesAnswered: tally.answered,
      elapsedMs: roundMillis(elapsedMs),
    }),
};

/** What a mutable item has. */
export function itemRows(item: DhtItem): readonly Row[] {
  if (item.type === 'immutable') return [];
  const { publicKey, salt, sequence } = item;
  return [
    ['key', [formatHex(publicKey)]],
    ['salt', salt.length === 0 ? [] : [saltWords(salt)]],
    ['sequence', [String(sequence)]],
  ];
}
