/** By which interfaces and addresses a machine takes part in local discovery. @module */

import { NetworkError } from '../base/errors.ts';
import { type IpScope, ipScope } from '../base/ip-scope.ts';
import type { InterfaceAddress } from '../runtime/ports.ts';

/** One interface, and the address that announces come from. */
export interface Door {
  readonly interface: string;
  readonly family: 4 | 6;
  readonly address: string;
}

export interface DoorOptions {
  /** The one address to announce from: its interface and its family alone. Unspecified ones are none. */
  readonly address?: string | undefined;
  /** Interfaces by name. Default: all that lead to others, and where there are none those that lead to us. */
  readonly interfaces?: readonly string[] | undefined;
  /** Default both. */
  readonly families?: readonly (4 | 6)[] | undefined;
}

/** @throws {NetworkError} with code `BIP_ADDRESS` for an address or a name that the machine has not. */
export function doorsOf(own: readonly InterfaceAddress[], options: DoorOptions): readonly Door[] {
  const { address, interfaces, families = [4, 6] } = options;
  if (address !== undefined && !isAny(address)) return [doorOf(own, address)];
  const names = [...new Set(interfaces ?? usual(own))];
  // Sockets on `::` take IPv4, too.
  const left = address === '0.0.0.0' ? families.filter((family) => family === 4) : families;
  return names.flatMap((name) => doorsOn(own, name, left));
}

function doorsOn(
  own: readonly InterfaceAddress[],
  name: string,
  families: readonly (4 | 6)[],
): readonly Door[] {
  const there = own.filter((one) => one.interface === name);
  if (there.length === 0) throw unknown(`interface ${name}`);
  return families.flatMap((family) => {
    const mine = there.filter((one) => familyOf(one.address) === family);
    const best = mine.find((one) => !one.address.includes('%')) ?? mine[0];
    return best === undefined ? [] : [{ interface: name, family, address: best.address }];
  });
}

function isAny(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}

/**
 * From where announces are believed: addresses as near as our own ones on these interfaces, or nearer; of
 * this machine only where we are on no network. Nobody who is far away speaks to the group.
 */
export function scopesOf(
  own: readonly InterfaceAddress[],
  doors: readonly Door[],
): Readonly<Record<4 | 6, ReadonlySet<IpScope>>> {
  const scopes = { 4: new Set<IpScope>(), 6: new Set<IpScope>() };
  for (const door of doors) {
    const found = scopes[door.family];
    found.add(scopeOf(door.address));
    if (scopeOf(door.address) === 'loopback') continue;
    for (const one of own) {
      if (one.interface !== door.interface || familyOf(one.address) !== door.family) continue;
      if (scopeOf(one.address) !== 'loopback') found.add(scopeOf(one.address));
    }
    found.add('local');
  }
  return scopes;
}

function familyOf(address: string): 4 | 6 {
  return address.includes(':') ? 6 : 4;
}

function doorOf(own: readonly InterfaceAddress[], address: string): Door {
  const family = familyOf(address);
  const found =
    own.find((one) => withoutZone(one.address) === withoutZone(address)) ??
    // All of 127.0.0.0/8 is here, and 127.0.0.1 alone is listed.
    own.find(({ isLoopback, address: listed }) =>
      [isLoopback, scopeOf(address) === 'loopback', familyOf(listed) === family].every(Boolean),
    );
  if (found === undefined) throw unknown(`address ${address}`);
  return { interface: found.interface, family, address };
}

function usual(own: readonly InterfaceAddress[]): readonly string[] {
  const others = own.filter(({ isLoopback }) => !isLoopback);
  return (others.length > 0 ? others : own).map((one) => one.interface);
}

function scopeOf(address: string): IpScope {
  return ipScope(withoutZone(address)) ?? 'global';
}

function withoutZone(address: string): string {
  const [bare = address] = address.split('%');
  return bare;
}

function unknown(what: string): NetworkError {
  return new NetworkError(`this machine has no ${what}`, { code: 'BIP_ADDRESS' });
}
