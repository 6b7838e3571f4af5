/** Which connection has to go when there are too many. @module */

import { parseIp } from '../base/ip.ts';

/**
 * Members by the network that they come from (an IPv4 /24, an IPv6 /48) and how long nothing was heard
 * of them. Who is one too many takes the place of the one that was quiet for longest in the network
 * with the most members: whoever comes in thousands pushes itself out, and nobody else. Every call
 * takes the same time, however many there are.
 */
export class Crowd<Member> {
  readonly #limit: number;
  readonly #networks = new Map<string, Set<Member>>();
  /** The key of each member's network. */
  readonly #keys = new Map<Member, string>();
  /** Networks by their number of members. */
  readonly #bySize: Set<Set<Member>>[] = [];

  /** At most `limit` members, at least one. */
  constructor(limit: number) {
    this.#limit = Math.max(1, limit);
  }

  get size(): number {
    return this.#keys.size;
  }

  /** Takes in a member that comes from the address `host`. Returns who had to leave for it. */
  enter(member: Member, host: string): Member | undefined {
    const leaver = this.#keys.size < this.#limit ? undefined : this.#quietest();
    if (leaver !== undefined) this.leave(leaver);
    const key = networkOf(host);
    const network = this.#networks.get(key) ?? new Set();
    this.#networks.set(key, network);
    this.#keys.set(member, key);
    network.add(member);
    this.#resized(network, network.size - 1);
    return leaver;
  }

  /** Something was heard of the member. */
  heard(member: Member): void {
    const network = this.#networkOf(member);
    // Sets keep their order: it stands behind all others now.
    if (network?.delete(member) === true) network.add(member);
  }

  /** Fine when it is gone. */
  leave(member: Member): void {
    const network = this.#networkOf(member);
    if (network?.delete(member) !== true) return;
    const key = this.#keys.get(member);
    this.#keys.delete(member);
    this.#resized(network, network.size + 1);
    if (network.size === 0 && key !== undefined) this.#networks.delete(key);
  }

  #networkOf(member: Member): Set<Member> | undefined {
    const key = this.#keys.get(member);
    return key === undefined ? undefined : this.#networks.get(key);
  }

  #resized(network: Set<Member>, before: number): void {
    this.#bySize[before]?.delete(network);
    if (network.size === 0) return;
    const same = this.#bySize[network.size] ?? new Set();
    this.#bySize[network.size] = same;
    same.add(network);
  }

  #quietest(): Member | undefined {
    while (this.#bySize.at(-1)?.size === 0) this.#bySize.pop();
    for (const largest of this.#bySize.at(-1) ?? []) {
      for (const member of largest) return member;
    }
    return undefined;
  }
}

function networkOf(host: string): string {
  const dot = host.lastIndexOf('.');
  if (dot >= 0 && !host.includes(':')) return host.slice(0, dot);
  const percent = host.indexOf('%');
  const bytes = parseIp(percent < 0 ? host : host.slice(0, percent));
  return bytes === undefined ? host : bytes.subarray(0, 6).join(':');
}
