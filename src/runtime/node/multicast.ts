/** Multicast groups of UDP sockets. @module */

import type { Socket } from 'node:dgram';
import { networkInterfaces, platform } from 'node:os';
import type { DatagramOptions, MulticastGroup, MulticastSending } from '../ports.ts';

/**
 * Prepares a bound socket to hear and send as asked.
 *
 * @throws what the system says.
 */
export function joinGroups(
  socket: Socket,
  type: 'udp4' | 'udp6',
  { group, multicast }: Pick<DatagramOptions, 'group' | 'multicast'>,
): void {
  if (group !== undefined) hearGroup(socket, group);
  if (multicast !== undefined) sendBy(socket, type, multicast);
}

/**
 * Joins the group on all of its interfaces that let it: a cable may be pulled.
 *
 * @throws what the system says of the last one when none does.
 */
function hearGroup(socket: Socket, { address, interfaces }: MulticastGroup): void {
  let joined = 0;
  let failure: unknown = noSuchInterface('none');
  for (const name of interfaces) {
    try {
      socket.addMembership(address, handleOf(name, address.includes(':') ? 6 : 4));
      joined++;
    } catch (error) {
      failure = error;
    }
  }
  if (joined === 0) throw failure;
}

/** @throws what the system says when the interface cannot be used. */
function sendBy(
  socket: Socket,
  type: 'udp4' | 'udp6',
  { interface: name, hops }: MulticastSending,
): void {
  socket.setMulticastInterface(handleOf(name, type === 'udp6' ? 6 : 4));
  socket.setMulticastTTL(hops);
  socket.setMulticastLoopback(true);
}

/** What the system is to be told of an interface: an own address of IPv4, or for IPv6 its name as a zone. */
function handleOf(name: string, family: 4 | 6): string {
  const addresses = networkInterfaces()[name] ?? [];
  const own = addresses.find((one) => one.family === `IPv${family}`);
  if (own === undefined) throw noSuchInterface(name);
  return family === 4 ? own.address : `::%${platform() === 'win32' ? own.scopeid : name}`;
}

function noSuchInterface(name: string): Error {
  return Object.assign(new Error(`there is no interface ${name}`), { code: 'ENODEV' });
}
