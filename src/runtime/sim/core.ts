/** What the parts of a simulated world know of the world and its hosts. @module */

import type { Endpoint } from '../../base/endpoint.ts';
import type { ByteStream } from '../ports.ts';
import type { SimInterface } from './interfaces.ts';
import type { Nat } from './nat.ts';
import type { PathEnd, Paths } from './paths.ts';
import type { Pipe } from './pipe.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { Slab } from './slab.ts';
import type { Timeline } from './timeline.ts';
import type { TraceSubject } from './trace.ts';
import type { Uplink } from './uplink.ts';

/** Something that must be disposed before the world ends. */
export interface OpenResource {
  /** What it is, for the complaint that it was forgotten. */
  toString(): string;
}

export interface WorldCore {
  readonly timeline: Timeline;
  /** Decides about loss, jitter and the like. */
  readonly random: SeededRandom;
  readonly paths: Paths;
  readonly slab: Slab;
  /** Limits of TCP's patience. */
  readonly tcp: TcpLimits;
  /** Who has `address` as seen by `from`, for whom 127.0.0.1 and ::1 are itself. */
  hostAt(address: string, from: HostCore): HostCore | undefined;
  /** The hosts of a local network, in the order in which they came. */
  neighbours(lan: string): readonly HostCore[];
  subject(from: HostCore, to: HostCore, port: number): TraceSubject;
}

export interface TcpLimits {
  /** A connection attempt without any answer fails after so many milliseconds. */
  readonly connectMs: number;
  /** A connection whose packets do not get through breaks after so many milliseconds. */
  readonly silenceMs: number;
}

export interface HostCore extends PathEnd {
  readonly world: WorldCore;
  /** All its addresses, the first one first. */
  readonly addresses: readonly string[];
  readonly up: Pipe;
  readonly down: Pipe;
  readonly uplink: Uplink;
  readonly nat: Nat;
  /** By family and port. */
  readonly datagramSockets: Readonly<Record<4 | 6, Map<number, DatagramTarget>>>;
  readonly interfaces: readonly SimInterface[];
  /** Sockets that hear multicast groups; they may share ports. */
  readonly groupSockets: Set<GroupTarget>;
  readonly listeners: Map<number, ListenTarget>;
  readonly streams: Set<StreamTarget>;
  /** Ports of TCP in use by connections of our own. */
  readonly streamPorts: Set<number>;
  /** Counts the crashes: what began in an earlier one is dead. */
  readonly epoch: number;
  /** A port of the ephemeral range that is not in `taken`. */
  freePort(taken: { has(port: number): boolean }): number;
  /** The own address of the family of `other`. */
  addressFor(other: string): string;
  opened(resource: OpenResource): void;
  closed(resource: OpenResource): void;
}

export interface DatagramTarget {
  deliver(bytes: Uint8Array, from: Endpoint): void;
  /** The power is off. */
  close(): void;
}

export interface GroupTarget extends DatagramTarget {
  /** Whether it hears what comes for a group by this interface. */
  hears(to: Endpoint, name: string): boolean;
}

export interface ListenTarget {
  accept(stream: ByteStream): void;
  /** The power is off. */
  close(): void;
}

export interface StreamTarget {
  /** Breaks it on this side with an error of the system, e.g. `ECONNRESET`. */
  breakOff(system: string): void;
  /** The same on both sides at once. */
  breakBoth(system: string): void;
  /** The power is off: it is gone without a word, to us and to the other side. */
  vanish(): void;
}
