/** How the findings of `dht lookup` look. @module */

import { formatHex } from '../../src/base/bytes.ts';
import { formatEndpoint } from '../../src/base/endpoint.ts';
import { tsv, type View } from '../cli/action.ts';
import type { Style } from '../cli/style.ts';
import { roundMillis } from '../cli/units.ts';
import type { Found, LookupDone } from './found.ts';
import { stepJson, stepLine, stepTsv } from './steps.ts';
import { distanceBits, nodeJson } from './tally.ts';
import { hashJson } from './torrents.ts';
import { countOf, tookTime } from './words.ts';

export const lookupView: View<Found> = {
  terminal(found, style, columns) {
    switch (found.type) {
      case 'peer': {
        const address = formatEndpoint(found.peer);
        return found.traced ? `${style.bold(`${'peer'.padEnd(36)} ${address}`)}\n` : `${address}\n`;
      }
      case 'node':
        return nodeLine(found);
      case 'step':
        return stepLine(found, style);
      case 'done':
        return summary(found, style, columns);
    }
  },
  plain(found) {
    switch (found.type) {
      case 'peer':
        return tsv(...(found.traced ? ['peer'] : []), formatEndpoint(found.peer));
      case 'node':
        return tsv(...(found.traced ? ['node'] : []), ...nodeFields(found));
      case 'step':
        return stepTsv(found);
      case 'done':
        return undefined;
    }
  },
  json(found) {
    switch (found.type) {
      case 'peer':
        return { type: 'peer', address: formatEndpoint(found.peer) };
      case 'node':
        return { type: 'node', ...nodeJson(found.node, found.target) };
      case 'step':
        return stepJson(found);
      case 'done':
        return doneJson(found);
    }
  },
};

type FoundNode = Extract<Found, { readonly type: 'node' }>;

function nodeFields({ node, target }: FoundNode): readonly (string | number)[] {
  return [formatEndpoint(node.endpoint), formatHex(node.id), distanceBits(target, node.id)];
}

function nodeLine({ node, target }: FoundNode): string {
  const bits = `${distanceBits(target, node.id)} bits`.padStart(8);
  return `${formatHex(node.id)}  ${bits}  ${formatEndpoint(node.endpoint)}\n`;
}

function summary(done: LookupDone, style: Style, columns: number): string {
  const { approach, answered, asked, closest, elapsedMs, target, peers } = done;
  const [nearest] = closest;
  const picture = approach?.draw(style, columns) ?? [];
  const found = peers === undefined ? [] : [countOf(peers, 'peer')];
  const words = [
    ...found,
    `${answered} of ${countOf(asked, 'node')} answered in ${tookTime(elapsedMs)}`,
    ...(nearest === undefined
      ? []
      : [
          `the closest ${distanceBits(target, nearest.id)} bits away after ${countOf(hopsOf(done), 'hop')}`,
        ]),
  ];
  return [...picture, style.dim(words.join('; '))].map((line) => `${line}\n`).join('');
}

function doneJson(done: LookupDone): object {
  const { infoHash, target, peers, asked, answered, closest, elapsedMs, ending } = done;
  return {
    type: 'done',
    ...hashJson(infoHash),
    peers,
    nodesQueried: asked,
    nodesAnswered: answered,
    elapsedMs: roundMillis(elapsedMs),
    complete: ending === 'complete',
    hops: hopsOf(done),
    closest: closest.map((node) => nodeJson(node, target)),
  };
}

/** The most answers that led to one of the closest. */
function hopsOf({ closest }: LookupDone): number {
  return Math.max(0, ...closest.map(({ hop }) => hop));
}
