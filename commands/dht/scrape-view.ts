/** How counts of the DHT look. @module */

import type { InfoHash } from '../../src/base/ids.ts';
import type { Millis } from '../../src/runtime/ports.ts';
import { tsv, type View } from '../cli/action.ts';
import { printable } from '../cli/printable.ts';
import { roundMillis } from '../cli/units.ts';
import type { Tally } from './tally.ts';
import { hashJson } from './torrents.ts';
import { countOf, tookTime } from './words.ts';

export interface Scraped {
  readonly infoHash: InfoHash;
  readonly name: string | undefined;
  readonly seeders: number;
  readonly leechers: number;
  /** That gave filters. */
  readonly nodes: number;
  readonly tally: Tally;
  readonly elapsedMs: Millis;
}

export const scrapeView: View<Scraped> = {
  terminal({ infoHash, name, seeders, leechers, nodes, tally, elapsedMs }, style) {
    const title = name === undefined ? infoHash.hex : `${infoHash.hex}  ${printable(name)}`;
    const counts = `${countOf(seeders, 'seeder')}, ${countOf(leechers, 'leecher')}`;
    const how = `by filters of ${countOf(nodes, 'node')}; ${tally.answered} of ${tally.asked} answered in ${tookTime(elapsedMs)}`;
    return `${style.bold(title)}\n  ${counts}  ${style.dim(how)}\n`;
  },
  plain: ({ infoHash, seeders, leechers, nodes }) => tsv(infoHash.hex, seeders, leechers, nodes),
  json: ({ infoHash, name, seeders, leechers, nodes, tally, elapsedMs }) => ({
    ...hashJson(infoHash),
    name,
    seeders,
    leechers,
    nodes,
    nodesQueried: tally.asked,
    nodesAnswered: tally.answered,
    elapsedMs: roundMillis(elapsedMs),
  }),
};
