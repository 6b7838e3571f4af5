/** How announces of ours, and the peers that hear them, look. @module */

import { formatEndpoint } from '../../src/base/endpoint.ts';
import type { Door } from '../../src/lpd/index.ts';
import type { Millis } from '../../src/runtime/ports.ts';
import { tsv, type View } from '../cli/action.ts';
import { roundMillis } from '../cli/units.ts';
import { countOf, tookTime } from '../dht/words.ts';
import { doorWords } from './words.ts';

export type Announced =
  | {
      readonly type: 'announced';
      readonly infoHashes: readonly string[];
      readonly port: number;
      readonly doors: readonly Door[];
    }
  | { readonly type: 'peer'; readonly address: string; readonly infoHash: string }
  | {
      readonly type: 'done';
      readonly announces: number;
      /** Each counted once for each torrent. */
      readonly peers: number;
      readonly elapsedMs: Millis;
    };

export const announceView: View<Announced> = {
  terminal(announced, style) {
    switch (announced.type) {
      case 'announced': {
        const { infoHashes, port, doors } = announced;
        const what = `${countOf(infoHashes.length, 'torrent')} at port ${port}`;
        return style.dim(`announced ${what} on ${doorWords(doors)}\n`);
      }
      case 'peer':
        return `${announced.infoHash}  ${style.bold(announced.address)}\n`;
      case 'done': {
        const { announces, peers, elapsedMs } = announced;
        const said = `${countOf(announces, 'announce')}, ${countOf(peers, 'peer')}`;
        return style.dim(`${said} in ${tookTime(elapsedMs)}\n`);
      }
    }
  },
  plain: (announced) =>
    announced.type === 'peer' ? tsv(announced.address, announced.infoHash) : undefined,
  json(announced) {
    switch (announced.type) {
      case 'announced': {
        const { infoHashes, port, doors } = announced;
        return {
          ...{ type: 'announced', infoHashes, port },
          addresses: doors.map(({ address: host }) => formatEndpoint({ host, port })),
        };
      }
      case 'peer':
        return announced;
      case 'done':
        return { ...announced, elapsedMs: roundMillis(announced.elapsedMs) };
    }
  },
};
