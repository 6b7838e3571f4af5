/** Binds the sockets of a node, of each family one, all to the same port. @module */

import { NetworkError } from '../base/errors.ts';
import { ipFamily } from '../base/ip.ts';
import type { Datagrams } from '../runtime/ports.ts';
import type { Family } from './contact.ts';
import type { DhtOptions, DhtRuntime } from './options.ts';
import { Realm } from './realm.ts';
import type { DhtState } from './state.ts';
import type { Stores } from './stores.ts';

/**
 * A realm for each family that the machine has.
 *
 * @throws {NetworkError} `BIP_PORT_IN_USE` when somebody else has the port; or when there is none.
 */
export async function bindRealms(
  runtime: DhtRuntime,
  options: DhtOptions,
  stores: Stores,
): Promise<readonly Realm[]> {
  for (let attempt = 1; ; attempt++) {
    const sockets: Datagrams[] = [];
    try {
      await bindAll(runtime, options, sockets);
      return realmsOf(sockets, { runtime, options, stores });
    } catch (error) {
      await Promise.all(sockets.map((socket) => socket[Symbol.asyncDispose]()));
      // A free port of the one family may be taken in the other.
      if (!isTaken(error) || options.port !== 0 || attempt === ATTEMPTS) throw error;
    }
  }
}

async function bindAll(
  { network }: DhtRuntime,
  options: DhtOptions,
  sockets: Datagrams[],
): Promise<void> {
  const { signal, families = BOTH, hosts } = options;
  const failures: unknown[] = [];
  for (const host of hosts ?? families.map((family) => ANY[family])) {
    const port = sockets[0]?.local.port ?? options.port;
    try {
      sockets.push(await network.bindDatagrams({ host, port, signal }));
    } catch (error) {
      if (hosts !== undefined || isTaken(error)) throw error;
      failures.push(error);
    }
  }
  // A machine may lack one of the families.
  if (sockets.length === 0) throw failures[0];
}

function isTaken(error: unknown): boolean {
  return error instanceof NetworkError && error.code === 'BIP_PORT_IN_USE';
}

interface Parts {
  readonly runtime: DhtRuntime;
  readonly options: DhtOptions;
  readonly stores: Stores;
}

function realmsOf(
  sockets: readonly Datagrams[],
  { runtime, options, stores }: Parts,
): readonly Realm[] {
  const { clock, random } = runtime;
  const { readOnly, limitAddresses = true, limits, state, onEvent } = options;
  const realms: Realm[] = [];
  const tables = () => Object.fromEntries(realms.map(({ family, table }) => [family, table]));
  for (const socket of sockets) {
    const family = ipFamily(socket.local.host) ?? 4;
    const realm = new Realm(socket, {
      ...{ family, clock, random, stores, readOnly, limitAddresses, tables },
      id: options.id,
      savedId: isForPort(state, socket.local.port) ? state?.[family]?.id : undefined,
      version: VERSION,
      limits: { queriesPerSecond: DEFAULT_QUERIES_PER_SECOND, ...limits },
      onAddress: (host) => onEvent?.({ type: 'address', family, host }),
    });
    realm.restore(state?.[family]?.nodes);
    realms.push(realm);
  }
  return realms;
}

/** An id of one port would be, at another one, a second node of the same id. */
function isForPort(state: DhtState | undefined, port: number): boolean {
  return state?.port === undefined || state.port === port;
}

const BOTH: readonly Family[] = [4, 6];
const ANY: Readonly<Record<Family, string>> = { 4: '0.0.0.0', 6: '::' };
const ATTEMPTS = 10;

/** `v`: two letters and two bytes of version, as all clients have them. */
const VERSION = Uint8Array.of(0x42, 0x50, 0, 1);

/** Of one address; busy clients behind one NAT send a few. */
const DEFAULT_QUERIES_PER_SECOND = 20;
