/** From node to node, asking each for a sample of its infohashes (BEP 51). @module */

import { formatHex } from '../../src/base/bytes.ts';
import { type Endpoint, formatEndpoint } from '../../src/base/endpoint.ts';
import { BipError, RemoteError } from '../../src/base/errors.ts';
import type { DhtNode, SampleResult } from '../../src/dht/index.ts';
import { pause } from '../../src/runtime/aborting.ts';
import type { Millis, Runtime } from '../../src/runtime/ports.ts';
import type { Reporter } from '../cli/reporter.ts';
import type { Sampled } from './sample-view.ts';
import type { Ending, SearchTools } from './streamed.ts';
import { Tally } from './tally.ts';

export interface WalkOptions {
  readonly node: DhtNode;
  readonly reporter: Reporter;
  /** Infohashes. */
  readonly limit: number;
  /** Nodes a second. */
  readonly rate: number;
}

type Tools = SearchTools<Sampled>;

export class SampleWalk {
  readonly #runtime: Pick<Runtime, 'clock' | 'random'>;
  readonly #options: WalkOptions;
  readonly #startedAt: Millis;
  readonly #hashes = new Set<string>();
  /** Nodes that are to be asked, in no order. */
  readonly #waiting: Endpoint[] = [];
  /** Every address that was ever waiting. */
  readonly #known = new Set<string>();
  readonly #flying = new Set<Promise<void>>();
  #asked = 0;
  #answered = 0;
  #sampled = 0;

  constructor(runtime: Pick<Runtime, 'clock' | 'random'>, options: WalkOptions) {
    this.#runtime = runtime;
    this.#options = options;
    this.#startedAt = runtime.clock.now();
  }

  get asked(): number {
    return this.#asked;
  }

  /** Nodes that answered, those that give no samples among them. */
  get answered(): number {
    return this.#answered;
  }

  /** Nodes that gave samples, were they empty. */
  get sampled(): number {
    return this.#sampled;
  }

  /**
   * Asks one node.
   *
   * @throws what `DhtNode.sample` throws.
   */
  async askOne(endpoint: Endpoint, tools: Tools): Promise<void> {
    await this.#ask(endpoint, tools);
  }

  /**
   * Walks until there are enough samples, or all nodes were asked.
   *
   * @throws {NetworkError} when no node answers the search that it begins with.
   */
  async run(tools: Tools): Promise<void> {
    await this.#begin(tools);
    const broken = Promise.withResolvers<never>();
    for (;;) {
      const next = this.#take();
      if (next !== undefined) this.#launch(next, tools, broken.reject);
      const wait = this.#untilNext(next !== undefined, tools.signal);
      if (wait === undefined) return;
      await Promise.race([wait, broken.promise]);
    }
  }

  done(ending: Ending): Sampled {
    return {
      ...{ type: 'done', samples: this.#hashes.size, ending },
      ...{ asked: this.#asked, answered: this.#answered, sampled: this.#sampled },
      elapsedMs: this.#runtime.clock.now() - this.#startedAt,
    };
  }

  /** Those that answer a search for any place are asked first. */
  async #begin({ signal }: Tools): Promise<void> {
    const tally = new Tally();
    const target = this.#runtime.random.bytes(20);
    await this.#options.node.findNodes(target, {
      signal,
      onEvent: (event) => {
        tally.add(event);
        if (event.type === 'answered') this.#add(event.node.endpoint);
      },
    });
    tally.check();
  }

  /** Until it is time to ask again, or there may be somebody to ask; `undefined` when nobody will be. */
  #untilNext(hasAsked: boolean, signal: AbortSignal): Promise<void> | undefined {
    if (hasAsked && this.#flying.size < MAX_FLYING) {
      return pause(this.#runtime.clock, 1000 / this.#options.rate, signal);
    }
    return this.#flying.size > 0 ? Promise.race(this.#flying) : undefined;
  }

  #launch(endpoint: Endpoint, tools: Tools, broken: (bug: unknown) => void): void {
    const flight = this.#ask(endpoint, tools)
      .catch((error: unknown) => {
        if (error instanceof RemoteError) this.#answered++;
        if (!tools.signal.aborted && !(error instanceof BipError)) broken(error);
      })
      .finally(() => this.#flying.delete(flight));
    this.#flying.add(flight);
  }

  async #ask(endpoint: Endpoint, tools: Tools): Promise<void> {
    const { node } = this.#options;
    this.#asked++;
    this.#draw();
    // Nodes name those that are close to the target: another one each time leads everywhere.
    const target = this.#runtime.random.bytes(20);
    const answer = await node.sample(endpoint, { target, signal: tools.signal });
    this.#answered++;
    for (const { endpoint: named } of answer.nodes) this.#add(named);
    if (answer.samples !== undefined) this.#tell(endpoint, answer, answer.samples, tools);
    this.#draw();
  }

  #tell(
    from: Endpoint,
    answer: SampleResult,
    samples: readonly Uint8Array[],
    { emit, enough }: Tools,
  ): void {
    this.#sampled++;
    emit({ type: 'node', from, answer });
    for (const bytes of samples) {
      if (this.#hashes.size === this.#options.limit) break;
      const infoHash = formatHex(bytes);
      if (this.#hashes.has(infoHash)) continue;
      this.#hashes.add(infoHash);
      emit({ type: 'sample', infoHash, from });
    }
    if (this.#hashes.size === this.#options.limit) enough();
  }

  #add(endpoint: Endpoint): void {
    const key = formatEndpoint(endpoint);
    if (this.#known.size === MAX_KNOWN || this.#known.has(key)) return;
    this.#known.add(key);
    this.#waiting.push(endpoint);
  }

  #take(): Endpoint | undefined {
    const { length } = this.#waiting;
    if (length === 0) return undefined;
    const at = this.#runtime.random.uint32() % length;
    const taken = this.#waiting[at];
    const last = this.#waiting.pop();
    if (last !== undefined && at < length - 1) this.#waiting[at] = last;
    return taken;
  }

  #draw(): void {
    const { reporter } = this.#options;
    const counts = `${this.#hashes.size} infohashes; ${this.#answered} of ${this.#asked} nodes answered`;
    reporter.status([`${counts}, ${this.#waiting.length} are to be asked`]);
  }
}

/** Answers that are waited for at once. */
const MAX_FLYING = 64;
/** Nodes that a walk remembers; the DHT has some millions, a walk ends sooner. */
const MAX_KNOWN = 100_000;
