/** The node of `dht serve`, with its table file and its numbers. @module */

import { formatHex } from '../../src/base/bytes.ts';
import { formatEndpoint } from '../../src/base/endpoint.ts';
import { BipError, ProtocolError } from '../../src/base/errors.ts';
import { formatIsoTime } from '../../src/base/iso-time.ts';
import { METRICS_TYPE } from '../../src/base/metrics-text.ts';
import {
  countNodes,
  type DhtEvent,
  DhtNode,
  type DhtReport,
  type DhtState,
  dhtMetrics,
  hasSecureId,
  readTable,
  reportOf,
  withFamilies,
  writeTable,
} from '../../src/dht/index.ts';
import { answerPage, jsonPage, type Pages, textPage } from '../../src/runtime/http-pages.ts';
import type { Listener, Millis } from '../../src/runtime/ports.ts';
import { Repeating } from '../../src/runtime/repeating.ts';
import { Saving } from '../../src/runtime/saving.ts';
import type { Invocation } from '../cli/action.ts';
import { reachableUrls } from '../cli/places.ts';
import { portTaken } from '../cli/serving-flags.ts';
import type { FamilyRates, NodeNumbers, ServeEvent } from './serve-events.ts';
import type { ServeFlags } from './serve-flags.ts';
import {
  familyName,
  numbersOf,
  numbersWithRates,
  Rates,
  type Surroundings,
} from './serve-numbers.ts';
import { nodeOptions } from './serve-settings.ts';

export interface ServedNodeOptions {
  readonly version: string;
  readonly onEvent: (event: ServeEvent) => void;
}

interface ServedParts {
  readonly node: DhtNode;
  readonly restored: DhtState | undefined;
  readonly isFirst: boolean;
}

export class ServedNode implements AsyncDisposable {
  /** It knows of nobody to begin with, as the first node of a network does. */
  readonly isFirst: boolean;
  readonly #invocation: Invocation<ServeFlags>;
  readonly #options: ServedNodeOptions;
  readonly #node: DhtNode;
  readonly #restored: DhtState | undefined;
  readonly #began: Millis;
  readonly #repeating: Repeating;
  readonly #rates = new Rates(WINDOW_MS);
  /** From one `stats` event to the next. */
  readonly #logged: Rates;
  readonly #alone = new Set<4 | 6>();
  #saving: Saving | undefined;
  #pages: Listener | undefined;
  #disposed: Promise<void> | undefined;

  /**
   * Reads the table, opens the sockets, and sees that the table can be written. Nothing is asked yet.
   *
   * @throws {ProtocolError} the table file is damaged. {StorageError} it cannot be read or written.
   * @throws {NetworkError} a port is taken. {UsageError} flags contradict each other.
   */
  static async open(
    invocation: Invocation<ServeFlags>,
    options: ServedNodeOptions,
  ): Promise<ServedNode> {
    const { context, options: flags } = invocation;
    const { runtime, signal } = context;
    // Flags that make no sense are told before a file that is damaged.
    nodeOptions(flags, runtime.lookup, undefined);
    const restored = await readNamedTable(invocation);
    const settings = nodeOptions(flags, runtime.lookup, restored);
    const opened: { served?: ServedNode } = {};
    const node = await DhtNode.open(runtime, {
      ...settings,
      signal,
      onEvent(event) {
        // Nothing happens to a node before it joins.
        if (opened.served !== undefined) opened.served.#tell(event);
      },
    }).catch((error: unknown) => {
      throw portTaken(error, undefined) ?? error;
    });
    const isFirst = settings.bootstrap.length === 0 && countNodes(restored) === 0;
    const served = new ServedNode(invocation, options, { node, restored, isFirst });
    opened.served = served;
    try {
      await served.#prepare();
    } catch (error) {
      await served.#close();
      throw error;
    }
    return served;
  }

  private constructor(
    invocation: Invocation<ServeFlags>,
    options: ServedNodeOptions,
    { node, restored, isFirst }: ServedParts,
  ) {
    const { clock } = invocation.context.runtime;
    this.#invocation = invocation;
    this.#options = options;
    this.#node = node;
    this.#restored = restored;
    this.isFirst = isFirst;
    this.#began = clock.now();
    this.#repeating = new Repeating(clock);
    this.#logged = new Rates(invocation.options.logEvery);
    this.#sample(this.#rates);
    this.#sample(this.#logged);
    this.#repeating.every(SAMPLE_MS, () => this.#sample(this.#rates));
  }

  /** What is told first. */
  listening(): ServeEvent {
    const { lookup } = this.#invocation.context.runtime;
    const own = lookup.localAddresses();
    const { realms } = this.#node;
    const urls = realms.map(({ local }) => `udp://${formatEndpoint(local)}/`);
    const stats = this.#pages && `http://${formatEndpoint(this.#pages.local)}/stats`;
    const ids = realms.map(
      ({ family, table }) => [familyName(family), formatHex(table.ownId)] as const,
    );
    return {
      type: 'listening',
      addresses: reachableUrls(urls, own).map((url) => new URL(url).host),
      nodeIds: Object.fromEntries(ids),
      readOnly: this.#invocation.options.readOnly === true,
      ...(stats === undefined ? {} : { stats: reachableUrls([stats], own)[0] ?? stats }),
      ...(this.#invocation.options.table === undefined
        ? {}
        : { restored: { nodes: countNodes(this.#restored) } }),
    };
  }

  /** Joins the DHT. Rejects for a bug only; to be called once. */
  async run(): Promise<void> {
    const { logEvery } = this.#invocation.options;
    this.#repeating.every(logEvery, () => {
      this.#sample(this.#logged);
      this.#options.onEvent({ type: 'stats', ...this.#numbers(this.#logged) });
    });
    await this.#node.join();
  }

  /** As they are now; rates are of the last few seconds. */
  get numbers(): NodeNumbers<FamilyRates> {
    return this.#numbers(this.#rates);
  }

  /** What is told last. */
  end(): ServeEvent {
    return { type: 'end', ...numbersOf(this.#report(), this.#surroundings()) };
  }

  /** Saves the table and closes the sockets. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#disposed ??= this.#dispose();
    return this.#disposed;
  }

  async #dispose(): Promise<void> {
    this.#repeating.stop();
    await this.#saving?.[Symbol.asyncDispose]();
    await this.#close();
  }

  async #close(): Promise<void> {
    this.#repeating.stop();
    await this.#pages?.[Symbol.asyncDispose]();
    await this.#node[Symbol.asyncDispose]();
  }

  async #prepare(): Promise<void> {
    const { context, options } = this.#invocation;
    const { table, saveEvery = SAVE_EVERY, stats } = options;
    const { clock, http } = context.runtime;
    if (stats !== undefined) {
      const { signal } = context;
      const pages = this.#makePages();
      const handle = (request: { readonly target: string }) => answerPage(pages, request);
      this.#pages = await http
        .serve(handle, { ...stats, signal, maxConnections: MAX_READERS })
        .catch((error: unknown) => {
          throw portTaken(error, stats) ?? error;
        });
    }
    if (table === undefined) return;
    // Better now than in five minutes.
    await this.#write(table);
    this.#saving = new Saving(clock, saveEvery, () => this.#save(table));
  }

  /** A table that cannot be written is told, and tried again the next time. */
  async #save(path: string): Promise<void> {
    const { onEvent } = this.#options;
    try {
      onEvent({ type: 'saved', path, nodes: await this.#write(path) });
    } catch (error) {
      if (!(error instanceof BipError)) throw error;
      const { code, message } = error;
      onEvent({ type: 'save-failed', code, message });
    }
  }

  /** Returns how many nodes were written. */
  async #write(path: string): Promise<number> {
    const state = withFamilies(this.#node.save(), this.#restored);
    await writeTable(this.#invocation.context.runtime.files, path, state);
    return countNodes(state);
  }

  #tell(event: DhtEvent): void {
    const { onEvent } = this.#options;
    const { family } = event;
    const nodeId = formatHex(this.#node.idOf(family) ?? new Uint8Array(0));
    const named = { family: familyName(family), nodeId };
    switch (event.type) {
      case 'joined':
        this.#alone.delete(family);
        return onEvent({ type: 'joined', ...named, nodes: event.nodes });
      case 'alone': {
        const isNews = !this.#alone.has(family);
        this.#alone.add(family);
        return isNews ? onEvent({ type: 'alone', family: named.family }) : undefined;
      }
      case 'address': {
        const realm = this.#node.realms.find((one) => one.family === family);
        const secure = (realm && hasSecureId(realm)) === true;
        return onEvent({ type: 'address', ...named, externalIp: event.host, secure });
      }
    }
  }

  #makePages(): Pages {
    return new Map([
      ['/stats', () => jsonPage(this.#document())],
      ['/metrics', () => textPage(this.#metrics(), METRICS_TYPE)],
      ['/healthz', () => textPage('ok\n')],
    ]);
  }

  /** The JSON of `/stats`. */
  #document(): object {
    const { wallClock } = this.#invocation.context.runtime;
    const { elapsedMs, ...numbers } = this.numbers;
    return {
      version: this.#options.version,
      readOnly: this.#invocation.options.readOnly === true,
      startedAt: formatIsoTime(wallClock.now() - elapsedMs),
      uptimeSeconds: Math.floor(elapsedMs / 1000),
      ...numbers,
    };
  }

  #metrics(): string {
    const { elapsedMs, memoryBytes } = this.#surroundings();
    return dhtMetrics(this.#report(), {
      version: this.#options.version,
      readOnly: this.#invocation.options.readOnly === true,
      uptimeSeconds: Math.floor(elapsedMs / 1000),
      memoryBytes,
    });
  }

  #numbers(rates: Rates): NodeNumbers<FamilyRates> {
    return numbersWithRates(this.#report(), rates, this.#surroundings());
  }

  #sample(rates: Rates): void {
    rates.add(this.#report(), this.#now);
  }

  #report(): DhtReport {
    return reportOf(this.#node, this.#now);
  }

  #surroundings(): Surroundings {
    const { host } = this.#invocation.context;
    return { elapsedMs: this.#now - this.#began, memoryBytes: host?.memoryBytes() };
  }

  get #now(): Millis {
    return this.#invocation.context.runtime.clock.now();
  }
}

/** The table of `--table`; a sentence about one that is damaged says what helps. */
async function readNamedTable({
  context,
  options: { table },
}: Invocation<ServeFlags>): Promise<DhtState | undefined> {
  if (table === undefined) return undefined;
  try {
    return await readTable(context.runtime.files, table);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    const { rule, code, message } = error;
    const help = 'move it away to begin without it, or name another file with --table';
    throw new ProtocolError(`${message}; ${help}`, { rule, code, cause: error });
  }
}

const SAVE_EVERY: Millis = 5 * 60_000;
const SAMPLE_MS: Millis = 1000;
/** Rates jump about less when they are of a while. */
const WINDOW_MS: Millis = 10_000;
/** Connections to the numbers. */
const MAX_READERS = 64;
