/** UDP trackers of one session: joins {@link UdpExchange} to sockets and names (BEP 15). @module */

import type { Endpoint } from '../../base/endpoint.ts';
import { NetworkError, TimeoutError } from '../../base/errors.ts';
import type { InfoHash } from '../../base/ids.ts';
import { formatIp, ipFamily, parseIp } from '../../base/ip.ts';
import { bounded } from '../../runtime/aborting.ts';
import { drive } from '../../runtime/drive.ts';
import type { Datagrams } from '../../runtime/ports.ts';
import {
  type AnnounceOptions,
  type AnnounceRequest,
  type AnnounceResponse,
  type ExchangeOptions,
  type ScrapeResponse,
  TrackerError,
  type TrackerRuntime,
} from '../model.ts';
import { inTurns } from '../scraping.ts';
import { type TrackerUrl, trackerName } from '../url.ts';
import { encodeAnnounce, encodeScrape, MAX_SCRAPED, type UdpResponse } from './codec.ts';
import { ConnectionIds } from './connection-ids.ts';
import {
  UdpExchange,
  type UdpInput,
  type UdpOutput,
  type UdpQuestion,
  udpSchedule,
} from './machine.ts';

type Announced = Extract<UdpResponse, { action: 'announce' }>;
type Scraped = Extract<UdpResponse, { action: 'scrape' }>;
type Listener = (bytes: Uint8Array, from: Endpoint) => void;
type Answered<Answer> = Extract<UdpOutput<Answer>, { type: 'done' }>;

/**
 * The sockets, one for each family and made when first needed, and the connection ids that announces
 * and scrapes of one session share.
 */
export class UdpTrackers implements AsyncDisposable {
  readonly #runtime: TrackerRuntime;
  readonly #sockets = new Map<4 | 6, Promise<Datagrams>>();
  readonly #listeners = new Set<Listener>();
  readonly #connections = new ConnectionIds();
  readonly #closing = new AbortController();

  constructor(runtime: TrackerRuntime) {
    this.#runtime = runtime;
  }

  /**
   * Announces once.
   *
   * @throws {TrackerRefusal} the tracker says no; {RemoteError} its answer is broken;
   *   {TimeoutError} there is none; {NetworkError} its name has no address or there is no socket.
   * @throws `signal.reason` when aborted.
   */
  async announce(
    url: TrackerUrl,
    request: AnnounceRequest,
    options: AnnounceOptions,
  ): Promise<AnnounceResponse> {
    const question: UdpQuestion<Announced> = {
      encode: (ids) => encodeAnnounce(ids, request, url.target),
      accept: (response) => (response.action === 'announce' ? response : undefined),
    };
    const { answer, remote, rttMs, exchange } = await this.#ask(url, question, options);
    const { intervalSeconds, seeders, leechers, peers } = answer;
    return { intervalSeconds, seeders, leechers, peers, remote, rttMs, exchange };
  }

  /** Scrapes, {@link MAX_SCRAPED} torrents a packet. @throws as {@link announce} does. */
  async scrape(
    url: TrackerUrl,
    infoHashes: readonly InfoHash[],
    options: ExchangeOptions,
  ): Promise<ScrapeResponse> {
    const { clock } = this.#runtime;
    return inTurns(infoHashes, { ...options, clock, most: MAX_SCRAPED }, async (some, left) => {
      const question: UdpQuestion<Scraped> = {
        encode: (ids) => encodeScrape(ids, some),
        accept: (response) => (response.action === 'scrape' ? response : undefined),
      };
      const { answer, remote, rttMs, exchange } = await this.#ask(url, question, left);
      if (answer.swarms.length === 0 && some.length > 0) {
        throw new TrackerError(`${trackerName(url)} answered the scrape with nothing`, {
          code: 'BIP_TRACKER_ANSWER',
          exchange,
        });
      }
      const files = some.flatMap((infoHash, at) => {
        const figures = answer.swarms[at];
        return figures === undefined ? [] : [{ infoHash, ...figures }];
      });
      return { files, remote, rttMs, exchange };
    });
  }

  /** Ends what is under way and closes the sockets. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(
      new NetworkError('the UDP trackers were closed', { code: 'BIP_TRACKER_CLOSED' }),
    );
    const sockets = await Promise.allSettled(this.#sockets.values());
    this.#sockets.clear();
    for (const socket of sockets) {
      if (socket.status === 'fulfilled') await socket.value[Symbol.asyncDispose]();
    }
  }

  async #ask<Answer>(
    url: TrackerUrl,
    question: UdpQuestion<Answer>,
    options: ExchangeOptions,
  ): Promise<Answered<Answer>> {
    const { clock, random } = this.#runtime;
    const { signal } = options;
    return bounded({ signal, also: this.#closing.signal, clock }, async (either) => {
      const started = clock.now();
      const trackers = await this.#addresses(url, { ...options, signal: either });
      const sockets = await this.#open(new Set(trackers.map(({ host }) => familyOf(host))));
      const left = (options.timeoutMs ?? 0) - (clock.now() - started);
      const machine = new UdpExchange({
        name: trackerName(url),
        trackers: trackers.filter(({ host }) => sockets.has(familyOf(host))),
        question,
        schedule: udpSchedule(
          options.timeoutMs === undefined ? options : { ...options, timeoutMs: Math.max(left, 0) },
        ),
        connections: this.#connections,
        random,
        keepRaw: options.keepRaw,
      });
      return this.#run(machine, sockets, either);
    });
  }

  /** Addresses of the tracker, in the order in which to try them; its name behind a proxy. */
  async #addresses(url: TrackerUrl, options: ExchangeOptions): Promise<Endpoint[]> {
    const { clock, lookup } = this.#runtime;
    const { signal, family } = options;
    const { limitMs } = udpSchedule(options);
    const error = (): Error =>
      new TimeoutError(`the name ${url.host} was not found within ${limitMs} ms`, limitMs, {
        code: 'BIP_TRACKER_TIMEOUT',
      });
    const hosts = await bounded({ signal, clock, limit: { ms: limitMs, error } }, (inTime) =>
      lookup.addresses(url.host, {
        signal: inTime,
        ...(family === undefined ? {} : { family }),
      }),
    );
    const endpoints = hosts.flatMap((host) => {
      const bytes = parseIp(host);
      return [{ host: bytes === undefined ? host : formatIp(bytes), port: url.port }];
    });
    if (endpoints.length === 0) {
      throw new NetworkError(`the tracker's name ${url.host} has no address`, { code: 'BIP_DNS' });
    }
    return endpoints.slice(0, MAX_ADDRESSES);
  }

  /** Sockets of the families that this machine has. @throws when it has none of them. */
  async #open(families: ReadonlySet<4 | 6>): Promise<ReadonlyMap<4 | 6, Datagrams>> {
    const sockets = new Map<4 | 6, Datagrams>();
    const failures: unknown[] = [];
    for (const family of families) {
      try {
        sockets.set(family, await this.#socket(family));
      } catch (error) {
        failures.push(error);
      }
    }
    if (sockets.size === 0) throw failures[0];
    return sockets;
  }

  #socket(family: 4 | 6): Promise<Datagrams> {
    const open = this.#sockets.get(family);
    if (open !== undefined) return open;
    const opening = this.#bind(family);
    this.#sockets.set(family, opening);
    opening.catch(() => this.#sockets.delete(family));
    return opening;
  }

  async #bind(family: 4 | 6): Promise<Datagrams> {
    const socket = await this.#runtime.network.bindDatagrams({
      host: ANY_ADDRESS[family],
      signal: this.#closing.signal,
    });
    socket.receive((bytes, from) => {
      for (const listener of this.#listeners) listener(bytes, from);
    });
    return socket;
  }

  async #run<Answer>(
    machine: UdpExchange<Answer>,
    sockets: ReadonlyMap<4 | 6, Datagrams>,
    signal: AbortSignal,
  ): Promise<Answered<Answer>> {
    let listener: Listener | undefined;
    try {
      return await drive<UdpInput, UdpOutput<Answer>, Answered<Answer>>({
        machine,
        clock: this.#runtime.clock,
        signal,
        connect: (feed) => {
          listener = (bytes, from) => feed({ type: 'datagram', bytes, from });
          this.#listeners.add(listener);
          feed({ type: 'start' });
        },
        effect: (output) => {
          if (output.type === 'done') return { do: 'return', result: output };
          if (output.type === 'failed') return { do: 'throw', error: output.error };
          const { bytes, to } = output;
          return {
            do: 'perform',
            perform: () => sockets.get(familyOf(to.host))?.send(bytes, to),
          };
        },
      });
    } finally {
      if (listener !== undefined) this.#listeners.delete(listener);
    }
  }
}

function familyOf(host: string): 4 | 6 {
  return ipFamily(host) ?? 4;
}

const ANY_ADDRESS = { 4: '0.0.0.0', 6: '::' } as const;
/** Each retransmission goes to the next address: more than this would never all be asked. */
const MAX_ADDRESSES = 4;
