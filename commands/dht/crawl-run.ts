/** A crawl under way: what it finds becomes results, and what it keeps a file. @module */

import { formatHex } from '../../src/base/bytes.ts';
import {
  Crawl,
  type CrawlEvent,
  type CrawlFile,
  type DhtNode,
  type FoundNode,
  IdIndex,
  type Router,
} from '../../src/dht/index.ts';
import { pause } from '../../src/runtime/aborting.ts';
import type { Millis, Runtime } from '../../src/runtime/ports.ts';
import type { Reporter } from '../cli/reporter.ts';
import { formatDuration } from '../cli/units.ts';
import { type CrawlSum, coverageBar, estimateWords, number } from './crawl-summary.ts';
import type { Crawled } from './crawl-view.ts';
import type { SearchTools } from './streamed.ts';

export interface CrawlRunOptions {
  readonly node: DhtNode;
  readonly reporter: Reporter;
  readonly bootstrap: readonly Router[];
  /** Queries a second. */
  readonly rate: number;
  readonly concurrency: number;
  readonly limitAddresses: boolean;
  /** Nodes. */
  readonly limit: number;
  /** List infohashes. */
  readonly samples: boolean;
  /** Of an earlier run. */
  readonly file: CrawlFile | undefined;
}

export class CrawlRun {
  readonly #runtime: Runtime;
  readonly #options: CrawlRunOptions;
  readonly #crawl: Crawl;
  readonly #startedAt: Millis;
  readonly #infoHashes: IdIndex;
  readonly #listedBefore: number;
  #nodes = 0;
  #tools: SearchTools<Crawled> | undefined;

  constructor(runtime: Runtime, options: CrawlRunOptions) {
    const { node, bootstrap, rate, concurrency, limitAddresses, file } = options;
    this.#runtime = runtime;
    this.#options = options;
    this.#startedAt = runtime.clock.now();
    this.#infoHashes = new IdIndex(runtime.random);
    for (let at = 0; at < (file?.infoHashes.length ?? 0); at += 20) {
      this.#list(file?.infoHashes.subarray(at, at + 20) ?? new Uint8Array(20));
    }
    this.#listedBefore = this.#infoHashes.size;
    this.#crawl = new Crawl(runtime, {
      ...{ realms: node.realms, bootstrap, rate, concurrency, limitAddresses },
      state: file?.state,
      onEvent: (event) => this.#on(event),
    });
  }

  /**
   * Crawls until all was asked.
   *
   * @throws what `Crawl.run` throws.
   */
  async run(tools: SearchTools<Crawled>, signal: AbortSignal): Promise<void> {
    this.#tools = tools;
    const ending = new AbortController();
    const onAbort = (): void => ending.abort(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    const ticking = this.#tick(tools, ending.signal);
    try {
      await this.#crawl.run(ending.signal);
    } finally {
      signal.removeEventListener('abort', onAbort);
      ending.abort(new Error('the crawl ended'));
      await ticking;
    }
  }

  /** What to go on from. */
  get file(): CrawlFile {
    const infoHashes = new Uint8Array(this.#infoHashes.size * 20);
    for (let place = 0; place < this.#infoHashes.size; place++) {
      this.#infoHashes.write(place, infoHashes, place * 20);
    }
    return { state: this.#crawl.save(), infoHashes };
  }

  get sum(): CrawlSum {
    const { reports } = this.#crawl;
    // Of two families one may be out of reach.
    const asked = reports.filter(({ census }) => census.counts.queries > 0);
    return {
      reports: asked.length > 0 ? asked : reports,
      nodes: this.#nodes,
      infoHashes: this.#options.samples ? this.#infoHashes.size - this.#listedBefore : undefined,
      elapsedMs: this.#runtime.clock.now() - this.#startedAt,
    };
  }

  #on(event: CrawlEvent): void {
    if (event.type === 'silent') this.#options.reporter.explain(event.error.message);
    if (event.type !== 'node' || this.#nodes === this.#options.limit) return;
    const { samples, limit } = this.#options;
    this.#nodes++;
    this.#tools?.emit({ type: 'node', node: event.node, listing: samples ? 'samples' : 'nodes' });
    if (samples) this.#sampled(event.node);
    if (this.#nodes === limit) this.#tools?.enough();
  }

  #sampled({ samples = [], endpoint }: FoundNode): void {
    for (const infoHash of samples) {
      if (!this.#list(infoHash)) continue;
      this.#tools?.emit({ type: 'sample', infoHash: formatHex(infoHash), from: endpoint });
    }
  }

  /** Whether it is a new one, and there is room for it. */
  #list(infoHash: Uint8Array): boolean {
    if (this.#infoHashes.size >= MAX_INFO_HASHES || this.#infoHashes.find(infoHash) >= 0) {
      return false;
    }
    this.#infoHashes.add(infoHash);
    if (this.#infoHashes.size === MAX_INFO_HASHES) {
      this.#options.reporter.warn(
        `${number(MAX_INFO_HASHES)} infohashes were listed; no more are remembered, nor listed`,
      );
    }
    return true;
  }

  async #tick({ emit }: SearchTools<Crawled>, signal: AbortSignal): Promise<void> {
    for (let tick = 1; !signal.aborted; tick++) {
      if (tick % TICKS_OF_PROGRESS === 0) emit({ type: 'progress', ...this.sum });
      this.#draw();
      await pause(this.#runtime.clock, TICK_MS, signal).catch(() => undefined);
    }
  }

  #draw(): void {
    const { reporter, rate } = this.#options;
    if (!reporter.live) return;
    const { reports, elapsedMs } = this.sum;
    const lines = reports.flatMap(({ family, zones, zonesDone, estimate, coverage, census }) => {
      const { answered, silent } = census.counts;
      const far = zones === undefined ? 'looking around' : `zone ${zonesDone} of ${zones}`;
      const size = estimate === undefined ? '' : `; ${estimateWords(estimate)} in all`;
      const counts = `${number(answered)} of ${number(answered + silent)} answered`;
      const line = `IPv${family}: ${far}, ${counts}${size}`;
      const isDrawn = coverage.length > 1 && coverage.length < reporter.columns;
      return isDrawn ? [line, reporter.style.cyan(coverageBar(coverage))] : [line];
    });
    const pace = `at most ${rate} queries a second, ${this.#crawl.flying} on their way`;
    reporter.status([...lines, reporter.style.dim(`${formatDuration(elapsedMs)}; ${pace}`)]);
  }
}

const TICK_MS = 1000;
const TICKS_OF_PROGRESS = 10;
/** All of them are remembered, some 36 bytes each, so that each is listed once. */
const MAX_INFO_HASHES = 1_000_000;
