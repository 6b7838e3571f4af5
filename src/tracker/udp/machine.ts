/**
 * One question to one UDP tracker (BEP 15): connect, ask, retransmit, give up.
 *
 * A tracker with several addresses is tried at each in turn until one of them answers. Answers count
 * only with our transaction id and from an address that was asked, or any when a proxy knows it; everything else is ignored and
 * changes nothing.
 *
 * @module
 */

import { type Endpoint, equalEndpoints } from '../../base/endpoint.ts';
import { type BipError, InvariantError, ProtocolError, TimeoutError } from '../../base/errors.ts';
import { ipFamily } from '../../base/ip.ts';
import type { Machine, Millis, Random } from '../../runtime/ports.ts';
import { type ExchangeFacts, TrackerError, TrackerRefusal } from '../model.ts';
import { withReason } from '../words.ts';
import { decodeResponse, encodeConnect, transactionOf, type UdpResponse } from './codec.ts';
import type { ConnectionIds } from './connection-ids.ts';

/** What is asked once there is a connection id. */
export interface UdpQuestion<Answer> {
  encode(ids: { readonly connection: bigint; readonly transaction: number }): Uint8Array;
  /** The answer in a response; `undefined` when it answers something else. */
  accept(response: UdpResponse): Answer | undefined;
}

export type UdpInput =
  | { readonly type: 'start' }
  | { readonly type: 'datagram'; readonly bytes: Uint8Array; readonly from: Endpoint };

export type UdpOutput<Answer> =
  | { readonly type: 'send'; readonly bytes: Uint8Array; readonly to: Endpoint }
  | {
      readonly type: 'done';
      readonly answer: Answer;
      readonly remote: Endpoint;
      readonly rttMs: number;
      readonly exchange: ExchangeFacts;
    }
  | { readonly type: 'failed'; readonly error: BipError };

/** When to ask again and when to give up. */
export interface UdpSchedule {
  /** First wait; each one without an answer doubles it. */
  readonly baseMs: Millis;
  /** How often to ask again between two answers. */
  readonly retries: number;
  /** Give up this long after the start, whatever happened in between. */
  readonly limitMs: Millis;
}

/**
 * The schedule of BEP 15, 15·2ⁿ s with n from 0 to 8, 7665 s in all; or one of `retries` waits that
 * double and together take `timeoutMs`.
 */
export function udpSchedule(options: {
  readonly timeoutMs?: number | undefined;
  readonly retries?: number | undefined;
}): UdpSchedule {
  const retries =
    options.retries ?? (options.timeoutMs === undefined ? BEP_RETRIES : QUICK_RETRIES);
  const waits = 2 ** (retries + 1) - 1;
  const limitMs = options.timeoutMs ?? BEP_BASE * waits;
  return { baseMs: limitMs / waits, retries, limitMs };
}

type State =
  | { readonly at: 'idle' }
  | { readonly at: 'connecting'; readonly transaction: number }
  | {
      readonly at: 'asking';
      readonly transaction: number;
      readonly tracker: Endpoint;
      /** The connection id is from an earlier question; the tracker may have forgotten it. */
      readonly reused: boolean;
      readonly packet: Uint8Array;
    }
  | { readonly at: 'closed' };

export class UdpExchange<Answer> implements Machine<UdpInput, UdpOutput<Answer>> {
  readonly #trackers: readonly Endpoint[];
  readonly #name: string;
  readonly #question: UdpQuestion<Answer>;
  readonly #schedule: UdpSchedule;
  readonly #connections: ConnectionIds;
  readonly #random: Random;
  readonly #raw: { readonly sent: Uint8Array[]; readonly received: Uint8Array[] } | undefined;
  readonly #outputs: UdpOutput<Answer>[] = [];
  #state: State = { at: 'idle' };
  #started: Millis = 0;
  #sentAt: Millis = 0;
  #sent = 0;
  #waits = 0;
  #deadline: Millis | undefined;
  #retransmissions = 0;
  #connectRttMs: Millis | undefined;

  /** `name` is how sentences call the tracker; `trackers` are its literal addresses, at least one. */
  constructor(options: {
    readonly name: string;
    readonly trackers: readonly Endpoint[];
    readonly question: UdpQuestion<Answer>;
    readonly schedule: UdpSchedule;
    readonly connections: ConnectionIds;
    readonly random: Random;
    /** Keep the packets for the facts. */
    readonly keepRaw?: boolean | undefined;
  }) {
    this.#name = options.name;
    this.#trackers = options.trackers;
    this.#question = options.question;
    this.#schedule = options.schedule;
    this.#connections = options.connections;
    this.#random = options.random;
    this.#raw = options.keepRaw === true ? { sent: [], received: [] } : undefined;
  }

  handle(input: UdpInput | { readonly type: 'timeout' }, now: Millis): void {
    switch (input.type) {
      case 'start':
        if (this.#state.at !== 'idle') return;
        this.#started = now;
        return this.#begin(now);
      case 'datagram':
        return this.#receive(input.bytes, input.from, now);
      case 'timeout':
        return this.#timeout(now);
    }
  }

  *drain(): Generator<UdpOutput<Answer>, void, undefined> {
    for (let out = this.#outputs.shift(); out !== undefined; out = this.#outputs.shift()) yield out;
  }

  deadline(): Millis | undefined {
    return this.#deadline;
  }

  #begin(now: Millis): void {
    for (const tracker of this.#trackers) {
      const connection = this.#connections.fresh(tracker, now);
      if (connection !== undefined) return this.#ask(tracker, { connection, reused: true }, now);
    }
    this.#connect(now);
  }

  #connect(now: Millis): void {
    const transaction = this.#random.uint32();
    this.#state = { at: 'connecting', transaction };
    this.#send(encodeConnect(transaction), this.#nextTracker(), now);
  }

  #ask(
    tracker: Endpoint,
    { connection, reused }: { readonly connection: bigint; readonly reused: boolean },
    now: Millis,
  ): void {
    const transaction = this.#random.uint32();
    const packet = this.#question.encode({ connection, transaction });
    this.#state = { at: 'asking', transaction, tracker, reused, packet };
    this.#send(packet, tracker, now);
  }

  #receive(bytes: Uint8Array, from: Endpoint, now: Millis): void {
    const state = this.#state;
    if (state.at !== 'connecting' && state.at !== 'asking') return;
    const asked = state.at === 'asking' ? [state.tracker] : this.#trackers;
    if (!asked.some((tracker) => isFrom(from, tracker))) return;
    if (transactionOf(bytes) !== state.transaction) return;
    this.#raw?.received.push(bytes.slice());
    let response: UdpResponse;
    try {
      response = decodeResponse(bytes, ipFamily(from.host) ?? 4);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      return this.#fail(
        new TrackerError(`${this.#name} sent a broken answer: ${error.message}`, {
          code: 'BIP_TRACKER_ANSWER',
          exchange: this.#factsOf(from),
          cause: error,
        }),
      );
    }
    this.#answered(response, from, now);
  }

  #answered(response: UdpResponse, from: Endpoint, now: Millis): void {
    const state = this.#state;
    if (response.action === 'error') return this.#refused(response.reason, from, now);
    if (state.at === 'connecting') {
      if (response.action !== 'connect') return;
      this.#waits = 0;
      this.#connectRttMs = now - this.#sentAt;
      this.#connections.keep(from, response.connection, now);
      return this.#ask(from, { connection: response.connection, reused: false }, now);
    }
    if (response.action === 'announce-cut') {
      return this.#fail(
        new TrackerRefusal(
          `${this.#name} refused without a reason, by an answer cut to ${CUT_LENGTH} bytes; most likely it does not serve this torrent`,
          { reason: 'answer without content', exchange: this.#factsOf(from) },
        ),
      );
    }
    const answer = this.#question.accept(response);
    if (answer === undefined) return;
    const rttMs = now - this.#sentAt;
    this.#close({ type: 'done', answer, remote: from, rttMs, exchange: this.#factsOf(from) });
  }

  #factsOf(from: Endpoint): ExchangeFacts {
    const connectRttMs = this.#connectRttMs;
    return {
      transport: 'udp',
      family: ipFamily(from.host) ?? 4,
      redirects: [],
      retransmissions: this.#retransmissions,
      ...(connectRttMs === undefined ? {} : { connectRttMs }),
      ...(this.#raw === undefined ? {} : { raw: this.#raw }),
    };
  }

  #refused(reason: string, from: Endpoint, now: Millis): void {
    if (this.#state.at === 'asking' && this.#state.reused) {
      // What was refused may be the old connection id: a restarted tracker does not know it.
      this.#connections.forget(from);
      return this.#connect(now);
    }
    const details = { reason, exchange: this.#factsOf(from) };
    this.#fail(new TrackerRefusal(`${this.#name} refused ${withReason(reason)}`, details));
  }

  #timeout(now: Millis): void {
    if (this.#deadline === undefined || now < this.#deadline) return;
    if (now >= this.#started + this.#schedule.limitMs) return this.#giveUp(now);
    this.#waits++;
    this.#retransmissions++;
    const state = this.#state;
    if (state.at === 'asking' && this.#connections.fresh(state.tracker, now) !== undefined) {
      return this.#send(state.packet, state.tracker, now);
    }
    if (state.at === 'connecting' && this.#trackers.length > 0) {
      return this.#send(encodeConnect(state.transaction), this.#nextTracker(), now);
    }
    this.#connect(now);
  }

  #giveUp(now: Millis): void {
    const waited = now - this.#started;
    const what =
      this.#state.at === 'asking'
        ? 'accepted the connection and then did not answer the question'
        : 'did not answer';
    const packets = this.#sent === 1 ? 'one packet' : `${this.#sent} packets`;
    this.#fail(
      new TimeoutError(
        `${this.#name} ${what} within ${seconds(waited)} (${packets} sent)`,
        waited,
        { code: 'BIP_TRACKER_TIMEOUT' },
      ),
    );
  }

  #nextTracker(): Endpoint {
    const tracker = this.#trackers[this.#sent % this.#trackers.length];
    if (tracker === undefined) throw new InvariantError('a UDP exchange has an address to ask');
    return tracker;
  }

  #send(bytes: Uint8Array, to: Endpoint, now: Millis): void {
    const { baseMs, retries, limitMs } = this.#schedule;
    const end = this.#started + limitMs;
    // The last wait takes what is left.
    this.#deadline = this.#waits >= retries ? end : Math.min(now + baseMs * 2 ** this.#waits, end);
    this.#sentAt = now;
    this.#sent++;
    this.#raw?.sent.push(bytes);
    this.#outputs.push({ type: 'send', bytes, to });
  }

  #fail(error: BipError): void {
    this.#close({ type: 'failed', error });
  }

  #close(output: UdpOutput<Answer>): void {
    this.#state = { at: 'closed' };
    this.#deadline = undefined;
    this.#outputs.push(output);
  }
}

/** A name was looked up by a proxy, so that nobody here knows its address: the transaction has to do. */
function isFrom(from: Endpoint, tracker: Endpoint): boolean {
  return equalEndpoints(tracker, from) || ipFamily(tracker.host) === undefined;
}

function seconds(ms: number): string {
  return `${Number((ms / 1000).toFixed(1))} s`;
}

/** BEP 15 "Time outs". */
const BEP_BASE: Millis = 15_000;
const BEP_RETRIES = 8;
/** With a limit of the caller's own: three packets, so that one that is lost does not decide. */
const QUICK_RETRIES = 2;
const CUT_LENGTH = 8;
