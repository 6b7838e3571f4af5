/** Sends many inputs to a service and judges each answer. @module */

import { formatHex } from '../../../src/base/bytes.ts';
import { decode } from '../../../src/bencode/index.ts';
import type { HttpReply } from '../../../src/runtime/ports.ts';
import { SeededRandom } from '../../../src/runtime/sim/index.ts';
import type { BareService } from './bare-service.ts';
import { FuzzPackets, FuzzRequests, type Packet } from './fuzz-inputs.ts';

export class FuzzRun {
  /** The first answers that are wrong, with what they were given to. */
  readonly faults: string[] = [];
  readonly #bare: BareService;
  readonly #packets: FuzzPackets;
  readonly #requests: FuzzRequests;

  constructor(bare: BareService, seed: number) {
    this.#bare = bare;
    const random = new SeededRandom(seed);
    this.#packets = new FuzzPackets(random.fork(1));
    this.#requests = new FuzzRequests(random.fork(2));
  }

  packets(count: number): void {
    for (let at = 0; at < count; at++) {
      const packet = this.#packets.next();
      const known = this.#packets.isKnown(packet);
      const sent = packet.bytes.slice();
      const fault = faultIn(() => {
        const answer = this.#bare.packet(packet.bytes, packet.from);
        if (answer === undefined) return undefined;
        if (answer[3] === 0 && answer.length === 16) this.#packets.connected(packet, answer);
        return faultOf(sent, answer, known);
      });
      if (fault !== undefined) this.#fault(`${describe(packet, sent)}: ${fault}`);
      this.#pass(at);
    }
  }

  async requests(count: number): Promise<void> {
    for (let at = 0; at < count; at++) {
      const request = this.#requests.next();
      const where = at % 50 === 0 ? 'stats' : 'tracker';
      try {
        const reply = await this.#bare.request(request, where);
        const fault = where === 'stats' ? faultOfStats(reply) : faultOfReply(reply);
        if (fault !== undefined) this.#fault(`${JSON.stringify(request)}: ${fault}`);
      } catch (error) {
        this.#fault(`${JSON.stringify(request)}: ${String(error)}`);
      }
      this.#pass(at);
    }
  }

  #pass(at: number): void {
    if (at % 50 === 0) this.#bare.clock.pass(100);
  }

  #fault(text: string): void {
    if (this.faults.length < 10) this.faults.push(text);
  }
}

function faultIn(ask: () => string | undefined): string | undefined {
  try {
    return ask();
  } catch (error) {
    return String(error);
  }
}

function describe({ from }: Packet, bytes: Uint8Array): string {
  return `${formatHex(bytes)} of ${from.host}`;
}

/** What must not be, as words; undefined when the answer is right. */
function faultOf(bytes: Uint8Array, answer: Uint8Array, known: boolean): string | undefined {
  if (!known && answer.length > bytes.length) return 'longer than the question of a stranger';
  if (answer.length < 8 || answer.length > LONGEST_PACKET) return `${answer.length} bytes long`;
  const isSame = answer.subarray(4, 8).every((byte, at) => bytes[12 + at] === byte);
  if (!isSame) return 'of another transaction';
  return answer.subarray(0, 3).some((byte) => byte !== 0) || (answer[3] ?? 9) > 3
    ? 'of no known action'
    : undefined;
}

function faultOfReply(reply: HttpReply | undefined): string | undefined {
  if (reply === undefined) return 'no answer';
  const { status = 200, body, headers } = reply;
  if (status !== 200 && status !== 404) return `status ${status}`;
  if (typeof body === 'string') return undefined;
  if (headers?.['content-type']?.startsWith('text/plain') !== true) return 'of another type';
  // It throws when this is no bencode.
  return decode(body).kind === 'dictionary' ? undefined : 'no dictionary';
}

function faultOfStats(reply: HttpReply | undefined): string | undefined {
  const status = reply?.status ?? 200;
  return reply !== undefined && status < 500 ? undefined : `status ${status}`;
}

/** 20 bytes and what fits into 1,400. */
const LONGEST_PACKET = 1420;
