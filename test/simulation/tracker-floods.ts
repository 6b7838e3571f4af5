/** Who sends a tracker more than it should. @module */

import type { Endpoint } from '../../src/base/endpoint.ts';
import { BipError } from '../../src/base/errors.ts';
import type { Datagrams, Millis } from '../../src/runtime/ports.ts';
import type { SeededRandom, SimHost } from '../../src/runtime/sim/index.ts';
import { decodeAnnounce } from '../../src/tracker/http/codec.ts';
import { announceTarget } from '../tracker/server/desk.ts';
import { type Over, type ServiceWorld, TRACKER, urlOf } from '../tracker/server/service-world.ts';
import { announcePacket, connectPacket, scrapePacket } from '../tracker/server/udp-desk.ts';
import { NEVER } from '../tracker/world.ts';
import type { TrackerWire } from './tracker-wire.ts';

/** Between two volleys. */
const TICK: Millis = 10;

/** Calls `volley` every {@link TICK} until `end`. */
async function fire(scene: ServiceWorld, end: Millis, volley: () => void): Promise<void> {
  while (scene.world.now < end) {
    volley();
    await scene.pass(TICK / 1000);
  }
}

interface Machine {
  readonly socket: Datagrams;
  /** The connection id that it got last. */
  id: Uint8Array;
}

/** Machines that are there and hear the answers: they have connection ids. */
export class HostFlood {
  sent = 0;
  readonly #scene: ServiceWorld;
  readonly #hosts: readonly SimHost[];
  readonly #random: SeededRandom;

  constructor(scene: ServiceWorld, hosts: readonly SimHost[], random: SeededRandom) {
    this.#scene = scene;
    this.#hosts = hosts;
    this.#random = random;
  }

  async run(end: Millis, perTick: number): Promise<void> {
    const machines = await Promise.all(this.#hosts.map(openMachine));
    let turn = 0;
    await fire(this.#scene, end, () => {
      for (let count = 0; count < perTick; count++) {
        const machine = machines[turn++ % machines.length];
        if (machine !== undefined) this.#send(machine);
      }
    });
    // The last answers are still to come.
    await this.#scene.pass(1);
    await Promise.all(machines.map(({ socket }) => socket[Symbol.asyncDispose]()));
  }

  #send({ socket, id }: Machine): void {
    this.sent++;
    const host = socket.local.host.includes(':') ? TRACKER.six : TRACKER.four;
    socket.send(this.#packet(id), { host, port: TRACKER.port });
  }

  #packet(id: Uint8Array): Uint8Array {
    const random = this.#random;
    const kind = random.below(10);
    if (kind < 2) return connectPacket();
    if (kind < 4) return scrapePacket(id, [random.bytes(20), random.bytes(20)]);
    const port = 1 + random.below(65_535);
    return announcePacket(kind < 5 ? random.bytes(8) : id, { infoHash: random.bytes(20), port });
  }
}

async function openMachine({ address, runtime }: SimHost): Promise<Machine> {
  const socket = await runtime.network.bindDatagrams({ host: address, signal: NEVER });
  const machine: Machine = { socket, id: new Uint8Array(8) };
  socket.receive((bytes) => {
    const isConnect = bytes.length === 16 && bytes[3] === 0;
    if (isConnect) machine.id = bytes.slice(8);
  });
  return machine;
}

/** Requests over HTTP, a connection for each, and as many connections on which nothing is asked. */
export class HttpFlood {
  /** Answers by what they were; `failed` are connections that broke. */
  readonly answers = { taken: 0, refused: 0, failed: 0 };
  idle = 0;
  readonly #scene: ServiceWorld;
  readonly #host: SimHost;
  readonly #random: SeededRandom;

  constructor(scene: ServiceWorld, host: SimHost, random: SeededRandom) {
    this.#scene = scene;
    this.#host = host;
    this.#random = random;
  }

  async run(end: Millis): Promise<void> {
    const under: Promise<void>[] = [];
    const over: Over = this.#host.address.includes(':') ? 'http6' : 'http4';
    let asks = false;
    await fire(this.#scene, end, () => {
      asks = !asks;
      under.push(asks ? this.#ask(over) : this.#hold(over));
    });
    await Promise.all(under);
  }

  async #ask(over: Over): Promise<void> {
    const { http } = this.#host.runtime;
    const url = urlOf(over, announceTarget({ info_hash: this.#random.bytes(20) }));
    try {
      const { body } = await http.get({ url, maxBytes: 10_000 }, { signal: NEVER });
      if (decodeAnnounce(body).type === 'failure') this.answers.refused++;
      else this.answers.taken++;
    } catch (error) {
      if (!(error instanceof BipError)) throw error;
      this.answers.failed++;
    }
  }

  /** Stays until the tracker has enough of it. */
  async #hold(over: Over): Promise<void> {
    const to = { host: over === 'http4' ? TRACKER.four : TRACKER.six, port: TRACKER.port };
    const stream = await this.#host.runtime.network.connect(to, { signal: NEVER });
    this.idle++;
    const { promise, resolve } = Promise.withResolvers<void>();
    stream.open({ data: () => undefined, drain: () => undefined, closed: () => resolve() });
    await promise;
    await stream[Symbol.asyncDispose]();
  }
}

/** What a {@link ForgedFlood} has sent. */
export interface Forged {
  connects: number;
  /** With connection ids that are invented, or given to somebody else. */
  wrongIds: number;
  /** Too short for anything. */
  junk: number;
}

export interface ForgedAims {
  /** Nobody answers for these addresses; each is to be hit by answers. */
  readonly targets: readonly string[];
  /** It is there, and honest. */
  readonly double: string;
}

/** Datagrams of senders that are not there, or somebody else. Nobody hears an answer. */
export class ForgedFlood {
  readonly told: Forged = { connects: 0, wrongIds: 0, junk: 0 };
  /** Addresses that were pretended. */
  readonly pretended: Set<string> = new Set();
  readonly #scene: ServiceWorld;
  readonly #wire: TrackerWire;
  readonly #random: SeededRandom;
  readonly #aims: ForgedAims;
  #turn = 0;

  constructor(
    { scene, wire }: { readonly scene: ServiceWorld; readonly wire: TrackerWire },
    random: SeededRandom,
    aims: ForgedAims,
  ) {
    this.#scene = scene;
    this.#wire = wire;
    this.#random = random;
    this.#aims = aims;
  }

  /** `own` is a connection id that the one behind it was given. */
  async run(end: Millis, perTick: number, own: Uint8Array): Promise<void> {
    await fire(this.#scene, end, () => {
      for (let count = 0; count < perTick; count++) {
        const from = this.#sender();
        this.pretended.add(from.host);
        this.#wire.forge(this.#packet(own), from);
      }
    });
  }

  /** Of everywhere, or of those that are aimed at. */
  #sender(): Endpoint {
    const { targets, double } = this.#aims;
    const random = this.#random;
    const port = 1 + random.below(65_535);
    const kind = random.below(20);
    if (kind === 0) return { host: double, port };
    if (kind < 4) return { host: targets[this.#turn++ % targets.length] ?? double, port };
    const [high, low] = [random.uint32(), random.uint32()];
    if (kind < 7) {
      const groups = [high >>> 16, high & 0xffff, low >>> 16, low & 0xffff];
      return { host: `2a00:${groups.map((group) => group.toString(16)).join(':')}::1`, port };
    }
    return { host: `${24 + (high % 96)}.${low >>> 24}.${(low >>> 16) & 255}.${low & 255}`, port };
  }

  #packet(own: Uint8Array): Uint8Array {
    const random = this.#random;
    const kind = random.below(20);
    if (kind < 8) {
      this.told.connects++;
      return connectPacket();
    }
    if (kind === 8) {
      this.told.junk++;
      return random.bytes(random.below(16));
    }
    this.told.wrongIds++;
    const id = kind < 14 ? own : random.bytes(8);
    const infoHash = random.bytes(20);
    if (kind % 3 > 0) return announcePacket(id, { infoHash });
    return scrapePacket(
      id,
      Array.from({ length: 1 + random.below(10) }, () => infoHash),
    );
  }
}
