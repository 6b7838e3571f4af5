/** How samples of infohashes look. @module */

import { formatHex } from '../../src/base/bytes.ts';
import { type Endpoint, formatEndpoint } from '../../src/base/endpoint.ts';
import type { SampleResult } from '../../src/dht/index.ts';
import type { Millis } from '../../src/runtime/ports.ts';
import { tsv, type View } from '../cli/action.ts';
import { roundMillis } from '../cli/units.ts';
import type { Ending } from './streamed.ts';
import { countOf, tookTime } from './words.ts';

export type Sampled =
  | { readonly type: 'node'; readonly from: Endpoint; readonly answer: SampleResult }
  | { readonly type: 'sample'; readonly infoHash: string; readonly from: Endpoint }
  | {
      readonly type: 'done';
      readonly samples: number;
      readonly ending: Ending;
      readonly asked: number;
      readonly answered: number;
      /** Nodes that gave samples. */
      readonly sampled: number;
      readonly elapsedMs: Millis;
    };

export const sampleView: View<Sampled> = {
  terminal(sampled, style) {
    switch (sampled.type) {
      case 'node':
        return undefined;
      case 'sample':
        return `${sampled.infoHash}  ${style.dim(formatEndpoint(sampled.from))}\n`;
      case 'done':
        return style.dim(`${summary(sampled)}\n`);
    }
  },
  plain: (sampled) =>
    sampled.type === 'sample' ? tsv(sampled.infoHash, formatEndpoint(sampled.from)) : undefined,
  json(sampled) {
    switch (sampled.type) {
      case 'node':
        return nodeJson(sampled.from, sampled.answer);
      case 'sample':
        return { ...sampled, from: formatEndpoint(sampled.from) };
      case 'done': {
        const { samples, asked, answered, sampled: nodesSampled, elapsedMs, ending } = sampled;
        return {
          ...{ type: 'done', samples, nodesQueried: asked, nodesAnswered: answered, nodesSampled },
          elapsedMs: roundMillis(elapsedMs),
          complete: ending === 'complete',
        };
      }
    }
  },
};

type Done = Extract<Sampled, { readonly type: 'done' }>;

function summary({ samples, asked, answered, sampled, elapsedMs }: Done): string {
  const nodes = `${answered} of ${countOf(asked, 'node')} answered, ${sampled} gave samples`;
  return `${samples} infohashes; ${nodes}, in ${tookTime(elapsedMs)}`;
}

function nodeJson(from: Endpoint, answer: SampleResult): object {
  const { id, rttMs, samples, total, intervalSeconds } = answer;
  return {
    ...{ type: 'node', address: formatEndpoint(from), nodeId: formatHex(id) },
    rttMs: roundMillis(rttMs),
    samples: samples?.length,
    total,
    interval: intervalSeconds,
  };
}
