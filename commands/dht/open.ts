/** A node of the DHT for one command: it asks, answers nobody, and is gone afterwards. @module */

import { UsageError } from '../../src/base/errors.ts';
import { ipFamily } from '../../src/base/ip.ts';
import { ipScope } from '../../src/base/ip-scope.ts';
import { DhtNode, type DhtOptions, type Router, WELL_KNOWN_ROUTERS } from '../../src/dht/index.ts';
import type { Lookup, Runtime } from '../../src/runtime/ports.ts';
import type { Context } from '../cli/context.ts';
import type { DhtFlags, PortFlags } from './flags.ts';

export interface OpenOptions {
  /** UDP port; 0 for any that is free. */
  readonly port: number;
  /** Nodes are named that may be anywhere: all families are tried that the flags leave. */
  readonly anywhere?: boolean;
  /** Nodes to begin with. */
  readonly bootstrap: readonly Router[];
  /** How long an answer is waited for, milliseconds. */
  readonly longMs?: number;
}

/**
 * Opens a node as the flags say. It is read-only (BEP 43): who is gone in a second is of no use to the
 * tables of others.
 *
 * @throws {UsageError} for an address to bind to of the family that was excluded.
 * @throws {NetworkError} `BIP_PORT_IN_USE`, or when the machine has no such address.
 */
export function openNode(
  { runtime, signal, proxy }: Context,
  flags: DhtFlags & Pick<PortFlags, 'port'>,
  { port, anywhere = false, bootstrap, longMs }: OpenOptions,
): Promise<DhtNode> {
  if (proxy !== undefined && flags.port !== undefined) {
    throw new UsageError('--port: behind a proxy the port is that of the proxy; leave it out');
  }
  return DhtNode.open(runtime, {
    signal,
    port,
    ...reachOf(runtime, flags, anywhere || isLaboratory(flags.bootstrap)),
    bootstrap,
    readOnly: true,
    limitAddresses: !isLaboratory(flags.bootstrap),
    ...(longMs === undefined ? {} : { limits: { longMs, shortMs: Math.min(longMs, SHORT_MS) } }),
  });
}

/** Whom a search begins with: those of the flags or the well-known ones, and those that a torrent names. */
export function bootstrapOf(flags: DhtFlags, named: readonly Router[]): readonly Router[] {
  return [...(flags.bootstrap ?? WELL_KNOWN_ROUTERS), ...named];
}

/** The families that the flags leave. */
export function familiesOf({
  ipv4,
  ipv6,
  bind,
}: Pick<DhtFlags, 'ipv4' | 'ipv6' | 'bind'>): readonly (4 | 6)[] {
  const bound = bind === undefined ? undefined : ipFamily(bind);
  return ([4, 6] as const).filter(
    (family) =>
      (ipv4 !== true || family === 4) &&
      (ipv6 !== true || family === 6) &&
      (bound === undefined || family === bound),
  );
}

function reachOf(
  { lookup }: Runtime,
  flags: DhtFlags,
  anywhere: boolean,
): Pick<DhtOptions, 'families' | 'hosts'> {
  const { bind } = flags;
  const families = familiesOf(flags);
  if (families.length === 0) {
    throw new UsageError(`--bind ${bind}: the address is of the family that was excluded`);
  }
  if (bind !== undefined) return { families, hosts: [bind] };
  return { families: anywhere ? families : reachable(lookup, families) };
}

/**
 * Those of `families` that can be of use: without an address of its own the machine gets no answers, and
 * would wait for them. All, when it has none at all.
 */
export function reachable(
  lookup: Pick<Lookup, 'localAddresses'>,
  families: readonly (4 | 6)[],
): readonly (4 | 6)[] {
  const own = lookup.localAddresses();
  const found = families.filter((family) => own.some((address) => reaches(address, family)));
  return found.length > 0 ? found : families;
}

/** Behind a NAT of IPv4 there is an internet, behind private addresses of IPv6 there is none. */
function reaches(address: string, family: 4 | 6): boolean {
  return ipFamily(address) === family && (family === 4 || ipScope(address) === 'global');
}

/**
 * Whether all nodes that the user names are on this machine or its network. Many nodes of one address
 * are no attack there.
 */
export function isLaboratory(bootstrap: readonly Router[] | undefined): boolean {
  return (
    bootstrap !== undefined &&
    bootstrap.every(({ host }) => {
      const scope = ipScope(host);
      return scope === 'loopback' || scope === 'local';
    })
  );
}

/** As long as the DHT waits before it asks somebody else. */
const SHORT_MS = 1000;
