/** A whole tracker service without a network: packets and requests are handed to it one by one. @module */

import type { Endpoint } from '../../../src/base/endpoint.ts';
import { InvariantError } from '../../../src/base/errors.ts';
import type {
  Clock,
  Datagrams,
  HttpHandler,
  HttpIncoming,
  HttpReply,
  Listener,
  Millis,
  Runtime,
} from '../../../src/runtime/ports.ts';
import { type ServiceOptions, TrackerService } from '../../../src/tracker/server/index.ts';
import { makeWorld } from '../../sim/world.ts';
import { NEVER } from '../world.ts';
import { ANSWERS, STATS_PORT, TRACKER } from './service-world.ts';

type Receiver = (bytes: Uint8Array, from: Endpoint) => void;

export class BareService implements AsyncDisposable {
  readonly clock: SteppedClock = new SteppedClock();
  /** What was sent by the last packet, copied; undefined for silence. */
  #sent: Uint8Array | undefined;
  #receive: Receiver = () => undefined;
  readonly #handlers = new Map<number, HttpHandler>();
  #service: TrackerService | undefined;

  static async open(options: Partial<ServiceOptions>): Promise<BareService> {
    const bare = new BareService();
    bare.#service = await TrackerService.open(bare.#runtime(), {
      signal: NEVER,
      places: { port: TRACKER.port, http: true, udp: true },
      limits: { maxSwarms: 1000, maxPeers: 10_000, maxBytes: 8 * 1024 * 1024 },
      peerLifetimeSeconds: 600,
      access: {},
      answers: ANSWERS,
      fullScrape: false,
      workers: 1,
      stats: { host: TRACKER.four, port: STATS_PORT },
      version: '1.2.3',
      logAnnounces: false,
      onEvent: () => undefined,
      ...options,
    });
    return bare;
  }

  get service(): TrackerService {
    if (this.#service === undefined) throw new InvariantError('the service is open');
    return this.#service;
  }

  /** What is answered to a datagram. */
  packet(bytes: Uint8Array, from: Endpoint): Uint8Array | undefined {
    this.#sent = undefined;
    this.#receive(bytes, from);
    return this.#sent;
  }

  /** What is answered to a request; on the port of the numbers with `stats`. */
  async request(
    request: HttpIncoming,
    where: 'tracker' | 'stats' = 'tracker',
  ): Promise<HttpReply | undefined> {
    const handler = this.#handlers.get(where === 'stats' ? STATS_PORT : TRACKER.port);
    const reply = handler?.(request);
    return reply instanceof Promise ? await reply : reply;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#service?.[Symbol.asyncDispose]();
  }

  #runtime(): Runtime {
    const { runtime } = makeWorld().host(TRACKER.four);
    const closed = async (): Promise<void> => undefined;
    const refuse = (): never => {
      throw new InvariantError('a tracker connects to nobody');
    };
    return {
      ...runtime,
      clock: this.clock,
      network: {
        connect: refuse,
        listen: refuse,
        bindDatagrams: async (): Promise<Datagrams> => ({
          local: { host: TRACKER.four, port: TRACKER.port },
          send: (bytes) => {
            this.#sent = bytes.slice();
          },
          receive: (listener) => {
            this.#receive = listener;
          },
          [Symbol.asyncDispose]: closed,
        }),
      },
      http: {
        get: refuse,
        serve: async (handler, { port = 0 }): Promise<Listener> => {
          this.#handlers.set(port, handler);
          return { local: { host: TRACKER.four, port }, [Symbol.asyncDispose]: closed };
        },
      },
    };
  }
}

/** Stands still until it is moved. What is scheduled for now runs soon. */
class SteppedClock implements Clock {
  readonly #waiting = new Set<{ readonly at: Millis; readonly wake: () => void }>();
  #now: Millis = 0;

  now(): Millis {
    return this.#now;
  }

  schedule(at: Millis, wake: () => void): () => void {
    if (at <= this.#now) {
      queueMicrotask(wake);
      return () => undefined;
    }
    const waiting = { at, wake };
    this.#waiting.add(waiting);
    return () => void this.#waiting.delete(waiting);
  }

  /** How many wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Moves on by so much; what is due wakes up, each in its time. */
  pass(ms: Millis): void {
    const end = this.#now + ms;
    for (;;) {
      let next: { readonly at: Millis; readonly wake: () => void } | undefined;
      for (const one of this.#waiting) if (one.at <= (next?.at ?? end)) next = one;
      if (next === undefined) break;
      this.#waiting.delete(next);
      this.#now = next.at;
      next.wake();
    }
    this.#now = end;
  }
}
