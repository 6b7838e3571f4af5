/** UDP of the simulated world. @module */

import { type Endpoint, formatEndpoint } from '../../base/endpoint.ts';
import { networkFailure } from '../failures.ts';
import type { Datagrams, Millis } from '../ports.ts';
import type { HostCore } from './core.ts';
import { addressOn, isMulticast, type SimInterface } from './interfaces.ts';
import type { Path } from './paths.ts';

/** Header bytes of IP and UDP in front of the payload. */
const HEADERS = { 4: 28, 6: 48 } as const;

/** Largest payload of UDP over IPv4. */
const LARGEST = 65_507;

/** How much later than others an overtaken datagram comes, at most, in latencies of its path. */
const OVERTAKEN = 2;

type Receiver = (bytes: Uint8Array, from: Endpoint) => void;

export interface SimDatagramsOptions {
  /** It takes what comes for it by one of these. */
  readonly families: readonly (4 | 6)[];
  /** The interface by which multicast leaves. */
  readonly by?: string | undefined;
}

export class SimDatagrams implements Datagrams {
  readonly local: Endpoint;
  readonly #host: HostCore;
  readonly #options: SimDatagramsOptions;
  #receiver: Receiver | undefined;
  #open = true;

  /** @throws {NetworkError} when there is no such interface. */
  constructor(host: HostCore, local: Endpoint, options: SimDatagramsOptions) {
    const { families, by } = options;
    if (by !== undefined && !families.some((one) => addressOn(host.interfaces, by, one))) {
      throw networkFailure(`cannot bind UDP ${formatEndpoint(local)}`, 'ENODEV');
    }
    this.#host = host;
    this.local = local;
    this.#options = options;
    for (const family of families) host.datagramSockets[family].set(local.port, this);
    host.opened(this);
  }

  toString(): string {
    return `UDP socket ${formatEndpoint(this.local)}`;
  }

  send(bytes: Uint8Array, to: Endpoint): void {
    if (!this.#open || bytes.length > LARGEST || !(to.port > 0 && to.port < 65_536)) return;
    if (isMulticast(to.host)) {
      spread(this.#host, { bytes, local: this.local, to, by: this.#options.by });
    } else transmit(this.#host, this.local.port, this.#host.world.slab.copy(bytes), to);
  }

  receive(listener: Receiver): void {
    this.#receiver = listener;
  }

  /** `bytes` is spoiled afterwards: whoever kept the view is found out. */
  deliver(bytes: Uint8Array, from: Endpoint): void {
    if (this.#open) this.#receiver?.(bytes, from);
    bytes.fill(0xdd);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    for (const family of this.#options.families) {
      this.#host.datagramSockets[family].delete(this.local.port);
    }
    this.#host.closed(this);
  }
}

/** One datagram under way. */
interface Packet {
  readonly from: HostCore;
  readonly target: HostCore;
  readonly source: Endpoint;
  readonly to: Endpoint;
  readonly path: Path;
  readonly bytes: Uint8Array;
  /** With the headers. */
  readonly size: number;
  /** Of a packet to a group: the interface of `target` that it comes in by. */
  readonly by?: string | undefined;
}

/** A datagram to a group, as the socket gives it away. */
interface Call {
  readonly bytes: Uint8Array;
  readonly local: Endpoint;
  readonly to: Endpoint;
  readonly by: string | undefined;
}

/** To all of a network, ourselves too; each gets a packet of its own, or loses it. NATs do not come into it. */
function spread(from: HostCore, { bytes, local, to, by }: Call): void {
  const { world } = from;
  const own = outgoing(from, { local, to, by });
  if (own === undefined) return;
  const { lan } = own;
  const source = { host: own.address, port: local.port };
  for (const target of lan === undefined ? [from] : world.neighbours(lan)) {
    // Switches know who listens (RFC 4541).
    if (target.groupSockets.size === 0) continue;
    const door = target === from ? own : target.interfaces.find((one) => one.lan === lan);
    const path = world.paths.between(from, target);
    const size = sizeOf(bytes, to);
    const copy = world.slab.copy(bytes);
    send({ from, target, source, to, path, bytes: copy, size, by: door?.interface });
  }
}

/** The own address that it comes from: the one that the socket is bound to, where it is of that interface. */
function outgoing(
  { interfaces }: HostCore,
  { local, to, by }: Omit<Call, 'bytes'>,
): SimInterface | undefined {
  const wanted = by ?? interfaces.find(({ isLoopback }) => !isLoopback)?.interface;
  const fitting = interfaces.filter(
    (one) => one.interface === wanted && one.address.includes(':') === to.host.includes(':'),
  );
  return fitting.find(({ address }) => address === local.host) ?? fitting[0];
}

function sizeOf(bytes: Uint8Array, to: Endpoint): number {
  return bytes.length + (to.host.includes(':') ? HEADERS[6] : HEADERS[4]);
}

function send(packet: Packet): void {
  const out = leave(packet);
  if (out === undefined) lose(packet);
  else travel(packet, out);
}

function transmit(from: HostCore, port: number, bytes: Uint8Array, to: Endpoint): void {
  const { world } = from;
  const target = world.hostAt(to.host, from);
  if (target === undefined) return;
  const outer = target === from ? port : from.nat.outgoing(port, to, world.timeline.now);
  const source = { host: from.addressFor(to.host), port: outer };
  const path = world.paths.between(from, target);
  send({ from, target, source, to, path, bytes, size: sizeOf(bytes, to) });
}

/** When it is out of its host, if it gets so far. */
function leave({ from, target, path, size }: Packet): Millis | undefined {
  const { timeline, paths, random } = from.world;
  if (size > path.mtu || random.chance(path.loss) || !paths.isOpen(from, target)) return undefined;
  return target === from ? timeline.now : from.up.tryAdmit(timeline.now, size);
}

function travel(packet: Packet, out: Millis): void {
  const { timeline, random } = packet.from.world;
  const { path } = packet;
  const copies = random.chance(path.duplicate) ? 2 : 1;
  for (let copy = 0; copy < copies; copy++) {
    const late = random.chance(path.reorder) ? random.fraction() * OVERTAKEN * path.latencyMs : 0;
    const jitter = path.jitterMs === 0 ? 0 : random.fraction() * path.jitterMs;
    // Each copy is spoiled after delivery, so each needs bytes of its own.
    const own =
      copy === 0 ? packet : { ...packet, bytes: packet.from.world.slab.copy(packet.bytes) };
    timeline.at(out + path.latencyMs + jitter + late, () => arrive(own));
  }
}

function arrive(packet: Packet): void {
  const { from, target, source, to, size } = packet;
  const { timeline, paths } = target.world;
  const own = target === from;
  const isDirect = own || packet.by !== undefined;
  const port = isDirect ? to.port : target.nat.incoming(to.port, source, timeline.now);
  const open = port !== undefined && paths.isOpen(from, target);
  const done = own || !open ? timeline.now : target.down.tryAdmit(timeline.now, size);
  if (!open || done === undefined) lose(packet);
  else if (done > timeline.now) timeline.at(done, () => deliver(packet, port));
  else deliver(packet, port);
}

function deliver({ from, target, source, to, bytes, by }: Packet, port: number): void {
  const { timeline } = target.world;
  timeline.trace.add('datagram', timeline.now, target.world.subject(from, target, to.port), bytes);
  if (by !== undefined) {
    const sockets = [...target.groupSockets].filter((socket) => socket.hears(to, by));
    for (const socket of sockets) socket.deliver(target.world.slab.copy(bytes), source);
    return;
  }
  const family = to.host.includes(':') ? 6 : 4;
  target.datagramSockets[family].get(port)?.deliver(bytes, source);
}

function lose({ from, target, to, bytes }: Packet): void {
  const { timeline } = from.world;
  timeline.trace.add('lost', timeline.now, from.world.subject(from, target, to.port), bytes);
}
