/** How announces to the DHT look. @module */

import type { BipError } from '../../src/base/errors.ts';
import type { InfoHash } from '../../src/base/ids.ts';
import type { WriteResult } from '../../src/dht/index.ts';
import type { Millis } from '../../src/runtime/ports.ts';
import { tsv, type View } from '../cli/action.ts';
import { roundMillis } from '../cli/units.ts';
import type { Tally } from './tally.ts';
import { hashJson } from './torrents.ts';
import { countOf, tookTime } from './words.ts';
import { countWrites, writesJson, writesWords } from './writes.ts';

interface Watched {
  readonly infoHash: InfoHash;
  readonly watched: boolean;
  /** When it is announced again, from now. */
  readonly nextMs?: Millis | undefined;
}

export type Announced =
  | (Watched & {
      readonly type: 'announced';
      readonly target: Uint8Array;
      readonly port: number;
      readonly seed: boolean;
      readonly writes: readonly WriteResult[];
      readonly tally: Tally;
      /** That the nodes know. */
      readonly peers: number;
      readonly elapsedMs: Millis;
    })
  | (Watched & { readonly type: 'failure'; readonly error: BipError })
  | {
      readonly type: 'end';
      readonly announces: number;
      readonly failures: number;
      readonly elapsedMs: Millis;
    };

export const announceView: View<Announced> = {
  terminal(announced, style) {
    switch (announced.type) {
      case 'announced':
        return `${sentence(announced)}\n`;
      case 'failure':
        return `${style.red(announced.error.message)}\n`;
      case 'end': {
        const { announces, failures, elapsedMs } = announced;
        const failed = failures === 0 ? '' : `, ${countOf(failures, 'failure')}`;
        return style.dim(`${countOf(announces, 'announce')}${failed} in ${tookTime(elapsedMs)}\n`);
      }
    }
  },
  plain(announced) {
    switch (announced.type) {
      case 'announced': {
        const { stored, refused, timedOut } = countWrites(announced.writes);
        return tsv(announced.infoHash.hex, stored, refused, timedOut, announced.peers);
      }
      case 'failure': {
        const { code, message } = announced.error;
        return tsv(announced.infoHash.hex, 'error', code, message);
      }
      case 'end':
        return undefined;
    }
  },
  json(announced) {
    switch (announced.type) {
      case 'announced':
        return announcedJson(announced);
      case 'failure': {
        const { infoHash, error, nextMs } = announced;
        const { code, message } = error;
        return { type: 'failure', ...hashJson(infoHash), error: { code, message }, nextMs };
      }
      case 'end':
        return { ...announced, elapsedMs: roundMillis(announced.elapsedMs) };
    }
  },
};

type Success = Extract<Announced, { readonly type: 'announced' }>;

function sentence({ infoHash, port, seed, writes, peers, elapsedMs }: Success): string {
  const what = `port ${port} of ${infoHash.hex}${seed ? ' as a seed' : ''}`;
  const who = `${writesWords(countWrites(writes))} in ${tookTime(elapsedMs)}`;
  return `announced ${what} to ${who}; they know ${countOf(peers, 'peer')}`;
}

function announcedJson(announced: Success): object {
  const { infoHash, target, port, seed, writes, tally, peers, elapsedMs } = announced;
  return {
    ...(announced.watched ? { type: 'announced' } : {}),
    ...hashJson(infoHash),
    port,
    seed,
    ...countWrites(writes),
    peers,
    nodesQueried: tally.asked,
    nodesAnswered: tally.answered,
    elapsedMs: roundMillis(elapsedMs),
    nextMs: announced.nextMs,
    nodes: writesJson(writes, target),
  };
}
