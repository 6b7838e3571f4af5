/** Clients that announce at a steady pace over UDP and HTTP, and insist on answers. @module */

import { setTimeout as pause } from 'node:timers/promises';
import { PatientAnnouncer } from './patient-announcer.ts';
import { RawClient } from './raw-client.ts';
import { until } from './until.ts';

const EVERY_MS = 25;
/** An answer that takes longer is a failure. */
const ANSWER_MS = 5_000;
/** Who takes so long to ask, on a machine under load, may be cut off for it, and asks again. */
const LATE_MS = 500;
const SWARMS = 50;

export interface HonestOptions {
  /** A loopback address to come from. */
  readonly from: string;
  /** Dial again when a connection ends before anything was said over it. Default no. */
  readonly isForbearing?: boolean;
}

/**
 * One asks over UDP, one over HTTP with a connection for each announce as most clients do, and one
 * keeps its connection.
 */
export class HonestClients implements AsyncDisposable {
  /** Answered announces over connections of their own, and over the one: how long each took, milliseconds. */
  readonly #took: Readonly<Record<'own' | 'one', number[]>> = { own: [], one: [] };
  readonly #port: number;
  readonly #options: HonestOptions;
  readonly #udp: PatientAnnouncer;
  readonly #enough = new AbortController();
  readonly #lanes: Promise<unknown>;
  #failure: Error | undefined;

  private constructor(
    port: number,
    options: HonestOptions,
    { udp, kept }: { readonly udp: PatientAnnouncer; readonly kept: RawClient },
  ) {
    this.#port = port;
    this.#options = options;
    this.#udp = udp;
    const lanes = [this.#overUdp(), this.#overHttp(), this.#overOne(kept)];
    this.#lanes = Promise.all(
      lanes.map((lane) =>
        lane.catch((error: unknown) => {
          this.#failure ??= new Error('an honest client gave up', { cause: error });
        }),
      ),
    );
  }

  /** They begin at once. */
  static async start(port: number, options: HonestOptions): Promise<HonestClients> {
    const { from } = options;
    const udp = await PatientAnnouncer.open(port, from, ANSWER_MS);
    return new HonestClients(port, options, { udp, kept: await RawClient.dial(port, { from }) });
  }

  /** Waits until each of them has had `count` more answers. @throws {Error} when one was not. */
  async serve(count: number, deadlineMs: number): Promise<void> {
    const { own, one } = this.#took;
    const all = [own, one, this.#udp.took].map((took) => ({ took, enough: took.length + count }));
    await until(() => all.every(({ took, enough }) => took.length >= enough), {
      deadlineMs,
      what: `${count} more answers for each honest client`,
      log: () => this.#log(),
      hopeless: () => this.#failure && String(this.#failure.cause),
    });
  }

  /** Ends them. @throws {Error} when an announce was not answered in time. */
  async settle(): Promise<void> {
    this.#enough.abort();
    await this.#lanes;
    if (this.#failure !== undefined) throw this.#failure;
    await this.#udp.answered(ANSWER_MS);
    const { own, one } = this.#took;
    const slowest = Math.max(...this.#udp.took, ...own, ...one);
    if (slowest > ANSWER_MS) throw new Error(`an announce took ${slowest} ms\n${this.#log()}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#enough.abort();
    await this.#lanes;
    this.#udp[Symbol.dispose]();
  }

  async #overUdp(): Promise<void> {
    for await (const swarm of this.#steadily()) this.#udp.announce(swarm);
  }

  async #overHttp(): Promise<void> {
    for await (const swarm of this.#steadily()) {
      const began = performance.now();
      await until(() => this.#askOnce(swarm), {
        deadlineMs: ANSWER_MS,
        what: 'an honest announce to be answered over a connection of its own',
      });
      this.#took.own.push(performance.now() - began);
    }
  }

  async #overOne(kept: RawClient): Promise<void> {
    using _ = kept;
    for await (const swarm of this.#steadily()) {
      const began = performance.now();
      await ask(kept, swarm, 'keep-alive');
      this.#took.one.push(performance.now() - began);
    }
  }

  /** Whether there was an answer. */
  async #askOnce(swarm: number): Promise<boolean> {
    const { from, isForbearing = false } = this.#options;
    const began = performance.now();
    using client = await RawClient.dial(this.#port, { from });
    const isLate = performance.now() - began > LATE_MS;
    try {
      await ask(client, swarm, 'close');
      return true;
    } catch (error) {
      const isSilent = !client.isOpen && client.received === '';
      if (isLate || (isForbearing && isSilent)) return false;
      throw error;
    }
  }

  async *#steadily(): AsyncGenerator<number, void, undefined> {
    for (let swarm = 0; !this.#enough.signal.aborted; swarm++) {
      yield swarm % SWARMS;
      await pause(EVERY_MS);
    }
  }

  #log(): string {
    const { took, again } = this.#udp;
    const { own, one } = this.#took;
    return `${took.length} answers over UDP (${again} packets sent again), ${own.length} and ${one.length} over HTTP`;
  }
}

async function ask(client: RawClient, swarm: number, connection: string): Promise<void> {
  const { status, body } = await client.ask(announceRequest(swarm, { connection }), ANSWER_MS);
  if (status !== 200 || !body.includes('8:interval')) {
    throw new Error(`an honest announce was answered with ${status} ${body}`);
  }
}

/** An announce to the swarm of this number as it stands on the wire, with more headers. */
export function announceRequest(
  swarm: number,
  headers: Readonly<Record<string, string>> = {},
): string {
  const query = new URLSearchParams({
    info_hash: String(swarm).padStart(20, '0'),
    peer_id: '-BP0100-honest------',
    port: '6881',
    uploaded: '0',
    downloaded: '0',
    left: '1',
  });
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET /announce?${query.toString()} HTTP/1.1\r\nhost: tracker\r\n${lines.join('')}\r\n`;
}
