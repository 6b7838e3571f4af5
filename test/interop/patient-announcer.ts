/** A client over UDP that asks until it is answered, and sooner again than BEP 15 says. @module */

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { encodeUtf8 } from '../../src/base/bytes.ts';
import { InfoHash, PeerId } from '../../src/base/ids.ts';
import {
  decodeResponse,
  encodeAnnounce,
  encodeConnect,
  type UdpResponse,
} from '../../src/tracker/udp/codec.ts';
import { until } from './until.ts';

const SEND_AGAIN_MS = 100;

/** A packet that waits for its answer. */
interface Question {
  readonly packet: Uint8Array;
  readonly askedAt: number;
  sentAt: number;
}

export class PatientAnnouncer implements Disposable {
  /** Answered announces: how long each took, milliseconds. */
  readonly took: number[] = [];
  /** Packets that had to be sent again. */
  again = 0;
  readonly #socket: Socket;
  readonly #port: number;
  readonly #open = new Map<number, Question>();
  readonly #timer: NodeJS.Timeout;
  #transaction = 0;
  #connection: bigint | undefined;

  private constructor(socket: Socket, port: number) {
    this.#socket = socket;
    this.#port = port;
    socket.on('error', () => undefined).on('message', (bytes) => this.#heard(bytes));
    this.#timer = setInterval(() => this.#sendAgain(), SEND_AGAIN_MS / 2);
  }

  /** Sends from the loopback address `from` to a tracker at 127.0.0.1, connected already. */
  static async open(port: number, from: string, deadlineMs: number): Promise<PatientAnnouncer> {
    const socket = createSocket('udp4').bind(0, from);
    await once(socket, 'listening');
    const announcer = new PatientAnnouncer(socket, port);
    announcer.#ask(encodeConnect);
    await until(() => announcer.#connection !== undefined, { deadlineMs, what: 'a connection id' });
    return announcer;
  }

  /** Announces to the swarm of this number; the answer is counted in {@link took}. */
  announce(swarm: number): void {
    const connection = this.#connection ?? 0n;
    this.#ask((transaction) => encodeAnnounce({ connection, transaction }, requestTo(swarm), ''));
  }

  /** Waits until all is answered. */
  async answered(deadlineMs: number): Promise<void> {
    await until(() => this.#open.size === 0, {
      deadlineMs,
      what: 'answers to all announces',
      log: () => `${this.#open.size} are not answered, ${this.took.length} are`,
    });
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#socket.close();
  }

  #ask(encode: (transaction: number) => Uint8Array): void {
    const transaction = this.#transaction++;
    const now = performance.now();
    const question = { packet: encode(transaction), askedAt: now, sentAt: now };
    this.#open.set(transaction, question);
    this.#socket.send(question.packet, this.#port, '127.0.0.1');
  }

  #sendAgain(): void {
    const now = performance.now();
    for (const question of this.#open.values()) {
      if (now - question.sentAt < SEND_AGAIN_MS) continue;
      question.sentAt = now;
      this.again++;
      this.#socket.send(question.packet, this.#port, '127.0.0.1');
    }
  }

  #heard(bytes: Uint8Array): void {
    const answer = decodeResponse(bytes, 4);
    const question = this.#open.get(answer.transaction);
    if (question === undefined) return;
    this.#open.delete(answer.transaction);
    this.#take(answer, question);
  }

  /** @throws {Error} for a refusal, which nobody here has to expect. */
  #take(answer: UdpResponse, { askedAt }: Question): void {
    if (answer.action === 'connect') this.#connection = answer.connection;
    else if (answer.action === 'announce') this.took.push(performance.now() - askedAt);
    else throw new Error(`the tracker answered with ${JSON.stringify(answer)}`);
  }
}

const PEER_ID = new PeerId(encodeUtf8('-BP0100-patient-----'));

function requestTo(swarm: number): Parameters<typeof encodeAnnounce>[1] {
  const infoHash = new Uint8Array(20);
  new DataView(infoHash.buffer).setUint32(0, swarm + 1);
  return {
    infoHash: new InfoHash(infoHash),
    peerId: PEER_ID,
    port: 6881,
    uploaded: 0,
    downloaded: 0,
    left: 1,
    numWant: 1,
  };
}
