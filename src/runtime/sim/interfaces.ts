/** The interfaces of a simulated host, and the local networks that they are in. @module */

import type { InterfaceAddress } from '../ports.ts';

/** An interface, or rather one of its addresses. */
export interface SimInterface extends InterfaceAddress {
  /** The network that it leads to; `undefined` when nobody else is there. */
  readonly lan: string | undefined;
}

/** All addresses of a host by interface; loopback comes first. */
export function interfacesOf(
  addresses: readonly string[],
  lans: readonly string[],
): readonly SimInterface[] {
  const networks = [...new Set(addresses.map((_, at) => lans[at]))];
  return [
    ...['127.0.0.1', '::1'].map((address) => ({
      ...{ interface: LOOPBACK, address, isLoopback: true, lan: undefined },
    })),
    ...addresses.map((address, at) => ({
      interface: `eth${networks.indexOf(lans[at])}`,
      address,
      isLoopback: false,
      lan: lans[at],
    })),
  ];
}

/** Its address of a family on an interface. */
export function addressOn(
  interfaces: readonly SimInterface[],
  name: string,
  family: 4 | 6,
): SimInterface | undefined {
  return interfaces.find(
    (one) => one.interface === name && one.address.includes(':') === (family === 6),
  );
}

/** Of either family. */
export function isMulticast(address: string): boolean {
  if (address.includes(':')) return /^ff/i.test(address);
  const first = Number(address.slice(0, address.indexOf('.')));
  return first >= 224 && first < 240;
}

const LOOPBACK = 'lo';
