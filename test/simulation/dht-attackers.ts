/** Hosts that speak KRPC and keep to nothing: what they answer is up to the test. */

import type { Endpoint } from '../../src/base/endpoint.ts';
import { ProtocolError } from '../../src/base/errors.ts';
import { parseIp } from '../../src/base/ip.ts';
import { type Contact, compareDistance, makeSecureId } from '../../src/dht/index.ts';
import {
  decodeMessage,
  type KrpcMessage,
  type KrpcQuery,
  type KrpcResponse,
  KrpcWriter,
} from '../../src/dht/krpc/index.ts';
import { encodeNodes } from '../../src/dht/node-info.ts';
import type { Datagrams } from '../../src/runtime/ports.ts';
import type { SeededRandom, World } from '../../src/runtime/sim/index.ts';

export const PORT = 6881;

/** Fields of an answer; undefined for none. */
export type Answer = Partial<Omit<KrpcResponse, 'type' | 'transaction'>> | undefined;

export interface AttackerOptions {
  readonly address: string;
  /** 20 bytes. */
  readonly id: Uint8Array;
  readonly answer: (query: KrpcQuery, from: Endpoint) => Answer;
}

export class Attacker implements AsyncDisposable {
  readonly contact: Contact;
  /** Answers that it got, by the address that they came from. */
  readonly answersFrom: Map<string, number> = new Map<string, number>();
  readonly #socket: Datagrams;
  readonly #writer = new KrpcWriter();

  private constructor(socket: Datagrams, { address, id, answer }: AttackerOptions) {
    this.contact = { id, endpoint: { host: address, port: PORT } };
    this.#socket = socket;
    socket.receive((bytes, from) => {
      const message = decoded(bytes);
      if (message?.type === 'response') this.#count(from);
      if (message?.type !== 'query') return;
      const fields = answer(message, from);
      if (fields === undefined) return;
      const { transaction } = message;
      socket.send(this.#writer.encode({ id, ...fields, type: 'response', transaction }), from);
    });
  }

  static async open(world: World, options: AttackerOptions): Promise<Attacker> {
    const { runtime } = world.host(options.address, { latencyMs: 40, jitterMs: 20 });
    const { network } = runtime;
    return new Attacker(
      await network.bindDatagrams({ host: options.address, port: PORT, signal: NEVER }),
      options,
    );
  }

  ask(to: Endpoint, method: string, args: Partial<KrpcQuery['args']> = {}): void {
    const { id } = this.contact;
    const query = { transaction: TRANSACTION, method, args: { id, ...args }, readOnly: false };
    this.#socket.send(this.#writer.encode({ type: 'query', ...query }), to);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#socket[Symbol.asyncDispose]();
  }

  #count({ host }: Endpoint): void {
    this.answersFrom.set(host, (this.answersFrom.get(host) ?? 0) + 1);
  }
}

/** Somebody who is sent packets that he did not ask for; counts them. */
export class Victim implements AsyncDisposable {
  packets = 0;
  readonly #sockets: readonly Datagrams[];

  private constructor(sockets: readonly Datagrams[]) {
    this.#sockets = sockets;
    for (const socket of sockets) socket.receive(() => void this.packets++);
  }

  /** Listens on so many ports from {@link PORT} on. */
  static async open(world: World, addresses: readonly string[], ports: number): Promise<Victim> {
    const sockets: Datagrams[] = [];
    for (const host of addresses) {
      const { network } = world.host(host).runtime;
      for (let at = 0; at < ports; at++) {
        sockets.push(await network.bindDatagrams({ host, port: PORT + at, signal: NEVER }));
      }
    }
    return new Victim(sockets);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) await socket[Symbol.asyncDispose]();
  }
}

/** What a query is about. */
export function targetIn({ args }: KrpcQuery): Uint8Array {
  return args.target ?? args.infoHash ?? args.id;
}

/** An id that only its last bits tell from a target, so that nobody honest is nearer. */
export function idNear(target: Uint8Array, random: SeededRandom): Uint8Array {
  const id = target.slice();
  id.set(random.bytes(id.length - 6), 6);
  return id;
}

/** The id of those that the address may have (BEP 42) which is nearest to a target. */
export function secureIdNear(
  address: string,
  target: Uint8Array,
  random: SeededRandom,
): Uint8Array {
  const ip = parseIp(address) ?? new Uint8Array(4);
  const all = Array.from({ length: 8 }, (_, seed) => makeSecureId(ip, random, seed));
  all.sort((one, other) => compareDistance(target, one, other));
  return all[0] ?? target;
}

/** Compact nodes of IPv4. */
export function nodesOf(contacts: readonly Contact[]): Uint8Array {
  return encodeNodes(contacts, 4);
}

/** Of some contacts those that are nearest to a target. */
export function nearestOf(all: readonly Contact[], target: Uint8Array, count: number): Contact[] {
  return all.toSorted((one, other) => compareDistance(target, one.id, other.id)).slice(0, count);
}

function decoded(bytes: Uint8Array): KrpcMessage | undefined {
  try {
    return decodeMessage(bytes);
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

const TRANSACTION = Uint8Array.of(0x61, 0x74);
/** Binding is at once. */
const NEVER = new AbortController().signal;
