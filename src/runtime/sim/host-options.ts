/** What a simulated host and its access to the network are like. @module */

import type { Millis } from '../ports.ts';

/**
 * How a host is hidden. A host behind a NAT reaches others and is reached only by whom it wrote to:
 * `cone` shows everybody the same port, so that hole punching works; `symmetric` shows each
 * destination another one.
 */
export type NatKind = 'none' | 'cone' | 'symmetric';

export interface HostOptions {
  /** From this host to the core of the network, one way; a path has those of both ends. Default 10. */
  readonly latencyMs: Millis;
  /** Added at random to every packet of UDP, and evenly to TCP; default 0. */
  readonly jitterMs: Millis;
  /** Probability that a packet (of up to 1460 bytes) is lost on this access; default 0. */
  readonly loss: number;
  /** Probability that a datagram arrives twice; default 0. */
  readonly duplicate: number;
  /** Probability that a datagram is overtaken by later ones; default 0. */
  readonly reorder: number;
  /** Larger packets, headers of IP and UDP included, are lost; default 1500. */
  readonly mtu: number;
  /** Bytes a second; default no limit. */
  readonly upload: number;
  /** Bytes a second; default no limit. */
  readonly download: number;
  /** How much waits in front of either, in milliseconds of sending; default 250. */
  readonly queueMs: Millis;
  /** Default `none`. */
  readonly nat: NatKind;
  /** Further addresses, e.g. an IPv6 one. */
  readonly addresses: readonly string[];
  /**
   * For each address, the first one first, the local network that it is in: its hosts hear each other's
   * multicast. A host has an interface for each network, `eth0` for the first. Left out: one where nobody else is.
   */
  readonly lans: readonly string[];
}

export const DEFAULT_HOST: HostOptions = {
  latencyMs: 10,
  jitterMs: 0,
  loss: 0,
  duplicate: 0,
  reorder: 0,
  mtu: 1500,
  upload: Number.POSITIVE_INFINITY,
  download: Number.POSITIVE_INFINITY,
  queueMs: 250,
  nat: 'none',
  addresses: [],
  lans: [],
};

/** What replaces the sums of both ends on the path between two hosts, in both directions. */
export type PathOptions = Partial<
  Pick<HostOptions, 'latencyMs' | 'jitterMs' | 'loss' | 'duplicate' | 'reorder' | 'mtu'>
>;
