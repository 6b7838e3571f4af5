/** From the flags of `dht serve` to how its node is opened. @module */

import { UsageError } from '../../src/base/errors.ts';
import { ipFamily } from '../../src/base/ip.ts';
import {
  type DhtOptions,
  type DhtState,
  type Router,
  WELL_KNOWN_ROUTERS,
} from '../../src/dht/index.ts';
import type { Lookup } from '../../src/runtime/ports.ts';
import { isLoopback } from '../cli/dht-flags.ts';
import { familiesOf, isLaboratory, reachable } from './open.ts';
import type { ServeFlags } from './serve-flags.ts';

type Settings = Omit<DhtOptions, 'signal' | 'onEvent'>;

/** @throws {UsageError} when flags contradict each other, or one has nothing to work on. */
export function nodeOptions(
  flags: ServeFlags,
  lookup: Pick<Lookup, 'localAddresses'>,
  state: DhtState | undefined,
): Settings {
  const { host, rateLimit, maxTorrents, maxPeers, maxItems } = flags;
  if (flags.saveEvery !== undefined && flags.table === undefined) {
    throw new UsageError('--save-every needs --table, the file to save to');
  }
  const isHere = host?.every(isLoopback) === true;
  const bootstrap = bootstrapOf(flags, isHere);
  const isLab = isHere || isLaboratory(bootstrap);
  return {
    port: flags.port,
    ...placesOf(flags, isLab ? undefined : lookup),
    bootstrap,
    readOnly: flags.readOnly === true,
    // Many nodes of one address are no attack there.
    limitAddresses: !isLab,
    limits: { queriesPerSecond: rateLimit === false ? NO_LIMIT : rateLimit },
    stores: { maxTorrents, maxPeers, maxItems },
    ...(state && { state }),
  };
}

/** The well-known nodes when nothing was said, unless the node is on this machine alone. */
function bootstrapOf({ bootstrap }: ServeFlags, isHere: boolean): readonly Router[] {
  if (bootstrap === false) return [];
  return bootstrap ?? (isHere ? [] : WELL_KNOWN_ROUTERS);
}

/** `lookup`: where to look for addresses of the machine; families without one are left out then. */
function placesOf(
  flags: ServeFlags,
  lookup: Pick<Lookup, 'localAddresses'> | undefined,
): Pick<Settings, 'hosts' | 'families'> {
  const { host: hosts } = flags;
  const families = familiesOf(flags);
  if (hosts === undefined) {
    return { families: lookup === undefined ? families : reachable(lookup, families) };
  }
  const named = hosts.flatMap((host) => ipFamily(host) ?? []);
  const excluded = hosts.find((host) => families.every((family) => family !== ipFamily(host)));
  if (excluded !== undefined) {
    throw new UsageError(`--host ${excluded}: the address is of the family that was excluded`);
  }
  if (new Set(named).size < named.length) {
    throw new UsageError('--host: a node has one address of each family');
  }
  return { hosts };
}

/** Queries a second: more than there can be. */
const NO_LIMIT = 1_000_000;
