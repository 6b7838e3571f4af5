/** Hosts of a local network that take part in local discovery, in the simulated world. @module */

import { type Endpoint, formatEndpoint } from '../../src/base/endpoint.ts';
import { LPD_GROUPS } from '../../src/lpd/codec.ts';
import { type HeardAnnounce, Lpd, type LpdOptions } from '../../src/lpd/index.ts';
import type { HostOptions, SimHost, World, WorldOptions } from '../../src/runtime/sim/index.ts';
import { makeWorld } from '../sim/world.ts';

/** A member, and what it was told of. */
export interface Member {
  readonly host: SimHost;
  readonly lpd: Lpd;
  readonly heard: HeardAnnounce[];
  /** When it announced, in virtual milliseconds, and how many torrents. */
  readonly announces: { readonly at: number; readonly torrents: number }[];
  /** Peers that it was told of, by the first byte of the infohash. */
  readonly peers: Map<number, string[]>;
  join(infoHash: Uint8Array): () => void;
}

export class Lan {
  readonly world: World;
  readonly members: Member[] = [];
  #hosts = 0;

  constructor(options: Partial<WorldOptions> = {}) {
    this.world = makeWorld(options);
  }

  host(options: Partial<HostOptions> = {}): SimHost {
    return this.world.host(`10.0.0.${++this.#hosts}`, { lans: ['home'], ...options });
  }

  async open(host: SimHost = this.host(), options: Partial<LpdOptions> = {}): Promise<Member> {
    const heard: HeardAnnounce[] = [];
    const announces: { at: number; torrents: number }[] = [];
    const peers = new Map<number, string[]>();
    const lpd = await Lpd.open(host.runtime, {
      port: 6881,
      signal: new AbortController().signal,
      onHeard: (one) => heard.push(one),
      onAnnounce: (torrents) => announces.push({ at: this.world.now, torrents }),
      onBug: (error) => {
        throw error;
      },
      ...options,
    });
    const member = {
      ...{ host, lpd, heard, announces, peers },
      join: (infoHash: Uint8Array) => {
        const key = infoHash[0] ?? 0;
        const told = peers.get(key) ?? [];
        peers.set(key, told);
        return lpd.join(infoHash, (peer) => told.push(formatEndpoint(peer)));
      },
    };
    this.members.push(member);
    return member;
  }

  /** Somebody who sends whatever it likes to the group. */
  async stranger(host: SimHost = this.host()): Promise<(bytes: Uint8Array) => void> {
    const multicast = { interface: 'eth0', hops: 1 };
    const { signal } = new AbortController();
    const socket = await host.runtime.network.bindDatagrams({ multicast, signal });
    const group: Endpoint = LPD_GROUPS[4];
    return (bytes) => socket.send(bytes, group);
  }

  async close(): Promise<void> {
    const all = this.members.map(({ lpd }) => lpd[Symbol.asyncDispose]());
    await this.world.run(Promise.all(all));
    for (const { host } of this.members) {
      if (host.open.length > 0) throw new Error(`left open: ${host.open.join(', ')}`);
    }
  }
}

export function hashOf(first: number): Uint8Array {
  return new Uint8Array(20).fill(first);
}
