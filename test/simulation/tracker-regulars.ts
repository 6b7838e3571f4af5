/** Honest clients that come to a tracker at a steady rate, and note what they are told. @module */

import { formatEndpoint } from '../../src/base/endpoint.ts';
import { BipError } from '../../src/base/errors.ts';
import type { Datagrams, Millis } from '../../src/runtime/ports.ts';
import type { SimHost } from '../../src/runtime/sim/index.ts';
import { decodeResponse } from '../../src/tracker/udp/codec.ts';
import {
  type Client,
  infoHashOf,
  type Over,
  peersOf,
  type ServiceWorld,
  TRACKER,
} from '../tracker/server/service-world.ts';
import { announcePacket, connectPacket, hashOf } from '../tracker/server/udp-desk.ts';
import { NEVER } from '../tracker/world.ts';

/** In a network of its own, or next door to somebody who is not honest. */
export interface RegularAt {
  readonly address: string;
  readonly over: Over;
}

/** One after the other, as long as they are there. */
export interface Regular {
  /** When it was told something, and what: peers and numbers, or why it failed. */
  readonly answers: readonly string[];
  live(end: Millis): Promise<void>;
}

const EVERY: Millis = 5000;
const SWARMS = 4;

/** bip's own client, which asks for a connection id each time over UDP. */
export class WholeClient implements Regular {
  readonly answers: string[] = [];
  readonly #scene: ServiceWorld;
  readonly #client: Client;
  readonly #over: Over;
  readonly #index: number;

  constructor(scene: ServiceWorld, { address, over }: RegularAt, index: number) {
    this.#scene = scene;
    this.#client = scene.client(address);
    this.#over = over;
    this.#index = index;
  }

  async live(end: Millis): Promise<void> {
    const { world } = this.#scene;
    await this.#scene.pass(0.1 * this.#index);
    for (let next = world.now; next < end; next += EVERY) {
      await this.#scene.pass(Math.max(0, next - world.now) / 1000);
      this.answers.push(`${await this.#announce()} at ${Math.round(world.now)} ms`);
    }
  }

  async #announce(): Promise<string> {
    const left = this.#index % 3;
    const infoHash = infoHashOf(this.#index % SWARMS);
    try {
      const answer = await this.#client.announce(this.#over, { infoHash, left });
      const { seeders, leechers, intervalSeconds } = answer;
      return `${seeders}, ${leechers}, ${intervalSeconds} s: ${peersOf(answer).join(' ')}`;
    } catch (error) {
      if (error instanceof BipError) return error.message;
      throw error;
    }
  }
}

/** Keeps the connection id that it got at the beginning, for as long as trackers take it. */
export class IdKeeper implements Regular {
  readonly answers: string[] = [];
  readonly #scene: ServiceWorld;
  readonly #host: SimHost;
  /** Of what it asked last. */
  #action: number | undefined;
  #heard: Uint8Array | undefined;

  constructor(scene: ServiceWorld, address: string) {
    this.#scene = scene;
    this.#host = scene.world.host(address);
  }

  async live(end: Millis): Promise<void> {
    const { world } = this.#scene;
    await using socket = await this.#host.runtime.network.bindDatagrams({ signal: NEVER });
    socket.receive((bytes) => {
      // What others ask in its name is answered, too.
      if (bytes[ACTION_AT] === this.#action) this.#heard = bytes.slice();
    });
    const id = (await this.#ask(socket, connectPacket()))?.slice(8, 16) ?? new Uint8Array(8);
    while (world.now < end) {
      const answer = await this.#ask(socket, announcePacket(id, { infoHash: hashOf(99) }));
      const told = answer === undefined ? undefined : decodeResponse(answer, 4);
      this.answers.push(
        told?.action === 'announce'
          ? `${told.seeders}, ${told.leechers}: ${told.peers.map(formatEndpoint).join(' ')}`
          : (told?.action ?? 'nothing'),
      );
      await this.#scene.pass(EVERY / 1000);
    }
  }

  async #ask(socket: Datagrams, packet: Uint8Array): Promise<Uint8Array | undefined> {
    this.#action = packet[8 + ACTION_AT];
    this.#heard = undefined;
    socket.send(packet, { host: TRACKER.four, port: TRACKER.port });
    await this.#scene.pass(PATIENCE_SECONDS);
    return this.#heard;
  }
}

/** Where answers have the low byte of their action; requests have it behind the connection id. */
const ACTION_AT = 3;
const PATIENCE_SECONDS = 0.5;
