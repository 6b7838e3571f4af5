/**
 * A crawl of the Mainline DHT (BEP 5, 51): who is there, what are they like, how many are there.
 *
 * - `zone.ts`, `zone-order.ts`, `estimate.ts`, `census.ts`, `networks.ts`: pure parts.
 * - `pacer.ts`: the rate. `sweep.ts`: one zone. `family-crawl.ts`: all zones of one family, one after the other.
 * - `crawl.ts`: the families, joined. `state-codec.ts`: what lets it go on later.
 *
 * @module
 */

export { type CensusState, type Counts, versionBytes } from './census.ts';
export { Crawl } from './crawl.ts';
export type { SizeEstimate } from './estimate.ts';
export type { CrawlEvent, FamilyCrawlReport, FoundNode } from './events.ts';
export type { CrawlState } from './state.ts';
export { type CrawlFile, decodeCrawl, encodeCrawl, MAX_CRAWL_BYTES } from './state-codec.ts';
