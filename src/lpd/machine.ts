/**
 * Announces our torrents to the local network and hears those of others (BEP 14 "Usage"): each every
 * five minutes, in one announce a minute at most. Whoever is heard for the first time is answered by the
 * next one, so that who comes later need not wait for the others.
 *
 * @module
 */

import { formatHex } from '../base/bytes.ts';
import type { Endpoint } from '../base/endpoint.ts';
import { ProtocolError } from '../base/errors.ts';
import { type IpScope, ipScope } from '../base/ip-scope.ts';
import type { Machine, Millis, Random } from '../runtime/ports.ts';
import { decodeAnnounce, encodeAnnounce, type LpdAnnounce, MAX_INFO_HASHES } from './codec.ts';
import { FloodGate } from './flood-gate.ts';
import { Neighbours } from './neighbours.ts';

/** "It should send a LSD announce every 5 minutes" (BEP 14). */
const ANNOUNCE_INTERVAL: Millis = 5 * 60_000;
/** "A client should send no more than 1 announce per minute" (BEP 14). */
const MIN_ANNOUNCE_PAUSE: Millis = 60_000;
/** Torrents that are added together are announced together. */
const GATHERING: Millis = 100;
/** An answer is given after a while, up to this one, so that not all are given at once. */
const MAX_ANSWER_DELAY: Millis = 1_000;

export interface LpdMachineOptions {
  /** Where we listen. */
  readonly port: number;
  /** By which we know our own announces. */
  readonly cookie: string;
  readonly families: readonly (4 | 6)[];
  /** Whose announces are believed: those from addresses of these scopes. */
  readonly scopes: Readonly<Record<4 | 6, ReadonlySet<IpScope>>>;
  readonly random: Random;
}

export type LpdInput =
  | { readonly type: 'join' | 'leave'; readonly infoHash: Uint8Array }
  /** `bytes` need not last. */
  | { readonly type: 'datagram'; readonly bytes: Uint8Array; readonly from: Endpoint };

export type LpdOutput =
  /** To be sent to the group of the family on all interfaces. */
  | { readonly type: 'send'; readonly family: 4 | 6; readonly bytes: Uint8Array }
  /** What was sent was all of one announce. */
  | { readonly type: 'announced'; readonly torrents: number }
  /** Somebody announces something; `own` when it is us. */
  | {
      readonly type: 'heard';
      readonly from: Endpoint;
      readonly announce: LpdAnnounce;
      readonly own: boolean;
    }
  /** A peer of a torrent of ours; told again whenever it announces itself again. */
  | { readonly type: 'peer'; readonly infoHash: Uint8Array; readonly peer: Endpoint };

interface OwnTorrent {
  readonly infoHash: Uint8Array;
  readonly neighbours: Neighbours;
  dueAt: Millis;
}

export class LpdMachine implements Machine<LpdInput, LpdOutput> {
  readonly #options: LpdMachineOptions;
  readonly #torrents = new Map<string, OwnTorrent>();
  readonly #gate = new FloodGate();
  #outputs: LpdOutput[] = [];
  /** No announce before. */
  #quietUntil: Millis = 0;
  #invalid = 0;

  constructor(options: LpdMachineOptions) {
    this.#options = options;
  }

  /** Datagrams that were not looked at, since there were too many. */
  get dropped(): number {
    return this.#gate.dropped;
  }

  /** Datagrams that were no announce. */
  get invalid(): number {
    return this.#invalid;
  }

  handle(input: LpdInput | { readonly type: 'timeout' }, now: Millis): void {
    switch (input.type) {
      case 'join':
        this.#join(input.infoHash, now);
        return;
      case 'leave':
        this.#torrents.delete(formatHex(input.infoHash));
        return;
      case 'datagram':
        this.#hear(input.bytes, input.from, now);
        return;
      case 'timeout':
        if (now >= (this.deadline() ?? Number.POSITIVE_INFINITY)) this.#announce(now);
    }
  }

  *drain(): Iterable<LpdOutput> {
    const outputs = this.#outputs;
    this.#outputs = [];
    yield* outputs;
  }

  deadline(): Millis | undefined {
    let due: Millis | undefined;
    for (const { dueAt } of this.#torrents.values()) {
      if (due === undefined || dueAt < due) due = dueAt;
    }
    return due === undefined ? undefined : Math.max(due, this.#quietUntil);
  }

  #join(infoHash: Uint8Array, now: Millis): void {
    const key = formatHex(infoHash);
    if (this.#torrents.has(key)) return;
    const torrent = { infoHash: infoHash.slice(), neighbours: new Neighbours() };
    this.#torrents.set(key, { ...torrent, dueAt: now + GATHERING });
  }

  /** What is due goes first; there may be room for what would be due later. */
  #announce(now: Millis): void {
    const chosen = [...this.#torrents.values()]
      .toSorted((a, b) => a.dueAt - b.dueAt)
      .slice(0, MAX_INFO_HASHES);
    for (const torrent of chosen) torrent.dueAt = now + ANNOUNCE_INTERVAL;
    this.#quietUntil = now + MIN_ANNOUNCE_PAUSE;
    const { port, cookie, families } = this.#options;
    const infoHashes = chosen.map(({ infoHash }) => infoHash);
    for (const family of families) {
      const bytes = encodeAnnounce({ port, infoHashes, cookie }, family);
      this.#outputs.push({ type: 'send', family, bytes });
    }
    this.#outputs.push({ type: 'announced', torrents: chosen.length });
  }

  #hear(bytes: Uint8Array, from: Endpoint, now: Millis): void {
    if (!this.#gate.admits(from.host, now)) return;
    const announce = read(bytes);
    if (announce === undefined) {
      this.#invalid++;
      return;
    }
    const own = announce.cookie === this.#options.cookie;
    this.#outputs.push({ type: 'heard', from, announce, own });
    if (own || !this.#isNear(from.host)) return;
    // BEP 14: the address is that of the datagram.
    const peer = { host: from.host, port: announce.port };
    for (const infoHash of announce.infoHashes) this.#meet(infoHash, peer, now);
  }

  #meet(infoHash: Uint8Array, peer: Endpoint, now: Millis): void {
    const torrent = this.#torrents.get(formatHex(infoHash));
    const how = torrent?.neighbours.hear(peer, now);
    if (torrent === undefined || how === 'full') return;
    this.#outputs.push({ type: 'peer', infoHash: torrent.infoHash, peer });
    if (how === 'known') return;
    const delay = this.#options.random.uint32() % MAX_ANSWER_DELAY;
    torrent.dueAt = Math.min(torrent.dueAt, now + delay);
  }

  #isNear(host: string): boolean {
    const zone = host.indexOf('%');
    const scope = ipScope(zone === -1 ? host : host.slice(0, zone));
    const { scopes } = this.#options;
    return scope !== undefined && !isNobody(host) && scopes[host.includes(':') ? 6 : 4].has(scope);
  }
}

/** Addresses that a socket without one of its own sends from. */
function isNobody(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

function read(bytes: Uint8Array): LpdAnnounce | undefined {
  try {
    return decodeAnnounce(bytes);
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}
