/** What `dht crawl` prints. @module */

import { formatHex } from '../../src/base/bytes.ts';
import { type Endpoint, formatEndpoint } from '../../src/base/endpoint.ts';
import { type FamilyCrawlReport, type FoundNode, versionBytes } from '../../src/dht/index.ts';
import { tsv, type View } from '../cli/action.ts';
import { roundMillis } from '../cli/units.ts';
import { clientName, clientOr, showVersion } from './client-name.ts';
import { type CrawlSum, crawlSummary } from './crawl-summary.ts';
import type { Ending } from './streamed.ts';

export type Crawled =
  /** `listing` is what lines of text are for: nodes, or the infohashes that they gave. */
  | { readonly type: 'node'; readonly node: FoundNode; readonly listing: 'nodes' | 'samples' }
  | { readonly type: 'sample'; readonly infoHash: string; readonly from: Endpoint }
  | (CrawlSum & { readonly type: 'progress' })
  | (CrawlSum & { readonly type: 'done'; readonly ending: Ending });

export const crawlView: View<Crawled> = {
  terminal(crawled, style, columns) {
    if (crawled.type === 'sample') {
      return `${crawled.infoHash}  ${style.dim(formatEndpoint(crawled.from))}\n`;
    }
    return crawled.type === 'done' ? crawlSummary(crawled, style, columns) : undefined;
  },
  plain(crawled) {
    if (crawled.type === 'sample') return tsv(crawled.infoHash, formatEndpoint(crawled.from));
    if (crawled.type !== 'node' || crawled.listing !== 'nodes') return undefined;
    const { id, endpoint, rttMs, version, isSecure, total } = crawled.node;
    return tsv(
      ...[formatEndpoint(endpoint), formatHex(id), clientOr(version), roundMillis(rttMs)],
      ...[isSecure ? 'secure' : 'insecure', total],
    );
  },
  json(crawled) {
    switch (crawled.type) {
      case 'node':
        return nodeJson(crawled.node);
      case 'sample':
        return { ...crawled, from: formatEndpoint(crawled.from) };
      case 'progress':
        return { type: 'progress', ...sumJson(crawled), families: crawled.reports.map(familyJson) };
      case 'done':
        return {
          ...{ type: 'done', ...sumJson(crawled), complete: crawled.ending === 'complete' },
          families: crawled.reports.map((report) => ({
            ...familyJson(report),
            ...censusJson(report),
          })),
        };
    }
  },
};

function nodeJson(node: FoundNode): object {
  const { family, id, endpoint, rttMs, version, isSecure, samples, total, intervalSeconds } = node;
  return {
    ...{ type: 'node', address: formatEndpoint(endpoint), family, nodeId: formatHex(id) },
    version: version && showVersion(version),
    client: version && clientName(version),
    ...{ rttMs: roundMillis(rttMs), secure: isSecure, samples: samples?.length, total },
    interval: samples && intervalSeconds,
  };
}

function sumJson({ nodes, infoHashes, elapsedMs }: CrawlSum): object {
  return { nodes, infoHashes, elapsedMs: roundMillis(elapsedMs) };
}

function familyJson({ family, zones, zonesDone, estimate, census }: FamilyCrawlReport): object {
  const { queries, answered } = census.counts;
  return { family, zones, zonesDone, queries, nodesAnswered: answered, estimate };
}

function censusJson({ census }: FamilyCrawlReport): object {
  const { silent, elsewhere, secure, sampling, samples, total, otherVersions } = census.counts;
  const versions = [...census.versions].toSorted(([, one], [, other]) => other.nodes - one.nodes);
  return {
    ...{ nodesSilent: silent, nodesElsewhere: elsewhere, nodesSecure: secure },
    ...{ nodesSampled: sampling, samples, total },
    versions: versions.map(([version, { nodes }]) => versionJson(versionBytes(version), nodes)),
    otherVersions,
  };
}

function versionJson(version: Uint8Array, nodes: number): object {
  if (version.length === 0) return { nodes };
  return { version: showVersion(version), client: clientName(version), nodes };
}
