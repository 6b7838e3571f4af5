/** Which addresses of nodes can be right. @module */

import type { Endpoint } from '../base/endpoint.ts';
import { parseIp } from '../base/ip.ts';
import { type IpScope, scopeOfIp } from '../base/ip-scope.ts';

/** Whether a host can have the address, 4 or 16 bytes, and answer at the port. */
export function isPlausible(ip: Uint8Array, port: number): boolean {
  if (!(port >= 1 && port <= 65_535)) return false;
  // 224.0.0.0 and above: multicast, reserved, broadcast (RFC 6890); 0.0.0.0/8: this host.
  if (ip.length === 4) return ip[0] !== 0 && (ip[0] ?? 0) < 224;
  return ip[0] !== 0xff && ip.some((byte) => byte !== 0) && !carriesIpv4(ip);
}

/**
 * Whether a node at `from` can know one at `named`: nobody on the internet has business with hosts of
 * our private network or of this machine, and whoever names them wants us to send them packets.
 */
export function mayName(from: Endpoint, named: Endpoint): boolean {
  return reach(named) >= reach(from);
}

function reach({ host }: Endpoint): number {
  const ip = parseIp(host);
  return ip === undefined ? 0 : REACH[scopeOfIp(ip)];
}

const REACH: Readonly<Record<IpScope, number>> = { loopback: 0, local: 1, global: 2 };

/** `::ffff:0:0/96`: no address of the DHT over IPv6. */
function carriesIpv4(ip: Uint8Array): boolean {
  return ip[10] === 0xff && ip[11] === 0xff && ip.subarray(0, 10).every((byte) => byte === 0);
}
