/** Many peers that announce to several trackers at once, and what each of them was told last. @module */

import { encodeUtf8, formatHex } from '../../src/base/bytes.ts';
import { InfoHash, PeerId } from '../../src/base/ids.ts';
import { parseIp } from '../../src/base/ip.ts';
import { nodeRuntime } from '../../src/runtime/node/index.ts';
import { SeededRandom } from '../../src/runtime/sim/index.ts';
import { type AnnounceEvent, announce, UdpTrackers } from '../../src/tracker/index.ts';
import type { BipTracker } from './peers/bip-tracker.ts';
import type { Loopback } from './peers/peer.ts';
import { until } from './until.ts';

/** Announces under way at once. */
export const LANES = 24;
/** The system gives every socket, and every connection, to one of a tracker's threads. */
const UDP_SOCKETS = 8;
const SWARMS = 11;
const FIRST_PORT = 1024;
/** One lane goes on with new peers until it has so many. */
const CROWD = 20;

type Peerage = 'leecher' | 'seed' | 'gone';

interface LoadPeer {
  readonly number: number;
  /** What a tracker has acknowledged; `unknown` when the last announce failed. */
  state: Peerage | 'unknown' | 'new';
  /** All pieces, once and for all: trackers take it that nobody loses some within seconds. */
  isWhole: boolean;
}

export interface LoadOptions {
  /** A peer announces to one of them only. They may be replaced meanwhile. */
  readonly trackers: () => readonly BipTracker[];
  readonly hosts: readonly Loopback[];
  readonly seed: number;
  /** How long an announce may take, all that is sent again over UDP included. */
  readonly timeoutMs: number;
  /** How often announces are sent again over UDP. */
  readonly retries: number;
}

export class AnnounceLoad implements AsyncDisposable {
  readonly infoHashes: readonly InfoHash[] = Array.from(
    { length: SWARMS },
    (_, swarm) => new InfoHash(new Uint8Array(20).fill(swarm + 1)),
  );
  /** Announces that were answered with peers. */
  acknowledged = 0;
  /** Announces of downloads among them. */
  completed = 0;
  readonly failures: unknown[] = [];
  readonly #options: LoadOptions;
  readonly #random: SeededRandom;
  readonly #runtime = nodeRuntime();
  readonly #udp = Array.from({ length: UDP_SOCKETS }, () => new UdpTrackers(this.#runtime));
  readonly #peers: LoadPeer[] = [];
  readonly #enough = new AbortController();
  readonly #lanes: Promise<unknown>;

  /** Begins at once. */
  constructor(options: LoadOptions) {
    this.#options = options;
    this.#random = new SeededRandom(options.seed);
    this.#lanes = Promise.all(Array.from({ length: LANES }, () => this.#lane()));
  }

  /** Waits until `count` more announces are acknowledged. */
  async reach(count: number, deadlineMs: number): Promise<void> {
    const enough = this.acknowledged + count;
    await until(() => this.acknowledged >= enough, {
      deadlineMs,
      what: `${count} more announces, ${this.failures.length} failed`,
      log: () => this.failures.slice(-3).map(String).join('\n'),
    });
  }

  /** Ends the load; then every peer is in a state that a tracker has acknowledged. */
  async settle(deadlineMs: number): Promise<void> {
    this.#enough.abort();
    await this.#lanes;
    for (const peer of this.#peers.filter(({ state }) => state === 'unknown')) {
      const settled = async (): Promise<boolean> => {
        await this.#tell(peer, peer.isWhole ? 'seed' : 'leecher');
        return peer.state !== 'unknown';
      };
      await until(settled, {
        deadlineMs,
        what: `a tracker to acknowledge peer ${peer.number}`,
        log: () => String(this.failures.at(-1)),
      });
    }
  }

  /** Who is there by what was acknowledged: compact addresses in hex with the swarm, seed or leecher. */
  get present(): ReadonlyMap<string, 'seed' | 'leecher'> {
    const present = new Map<string, 'seed' | 'leecher'>();
    for (const peer of this.#peers) {
      const { state } = peer;
      if (state === 'seed' || state === 'leecher') present.set(this.#nameOf(peer), state);
    }
    return present;
  }

  /** Seeds and leechers of each swarm, in the order of {@link infoHashes}. */
  get counts(): readonly (readonly [seeders: number, leechers: number])[] {
    const of = (swarm: number, state: Peerage): number =>
      this.#peers.filter((peer) => peer.number % SWARMS === swarm && peer.state === state).length;
    return this.infoHashes.map((_, swarm) => [of(swarm, 'seed'), of(swarm, 'leecher')]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#enough.abort();
    await this.#lanes;
    await Promise.all(this.#udp.map((udp) => udp[Symbol.asyncDispose]()));
    await this.#runtime[Symbol.asyncDispose]();
  }

  /** The announces of a peer follow each other, whatever they are sent over. */
  async #lane(): Promise<void> {
    const own: LoadPeer[] = [];
    while (!this.#enough.signal.aborted) {
      const peer = this.#choose(own);
      await this.#tell(peer, this.#nextOf(peer));
    }
  }

  #choose(own: LoadPeer[]): LoadPeer {
    const known = own[this.#random.below(own.length)];
    if (known !== undefined && own.length >= CROWD && this.#random.chance(0.6)) return known;
    const peer: LoadPeer = { number: this.#peers.length, state: 'new', isWhole: false };
    own.push(peer);
    this.#peers.push(peer);
    return peer;
  }

  #nextOf({ state, isWhole }: LoadPeer): Peerage {
    const chance = this.#random.fraction();
    if ((state === 'leecher' || state === 'seed') && chance < 0.3) return 'gone';
    return isWhole || chance > 0.6 ? 'seed' : 'leecher';
  }

  async #tell(peer: LoadPeer, next: Peerage): Promise<void> {
    const { number, state } = peer;
    const { trackers, timeoutMs, retries } = this.#options;
    const all = trackers();
    const tracker = all[(number >>> 1) % all.length];
    const infoHash = this.infoHashes[number % SWARMS];
    const udp = this.#udp[number % UDP_SOCKETS];
    if (tracker === undefined || infoHash === undefined || udp === undefined) return;
    const event = eventOf(state, next);
    const request = {
      infoHash,
      peerId: new PeerId(encodeUtf8(`-BP0100-${number}`.padEnd(20, 'x'))),
      port: this.#portOf(peer),
      uploaded: 0,
      downloaded: 0,
      left: next === 'seed' ? 0 : 1,
      numWant: 3,
      ...(event === undefined ? {} : { event }),
    };
    const url = tracker.url(this.#random.chance(0.5) ? 'udp' : 'http', this.#hostOf(peer));
    const options = { signal: NEVER, trusted: true, timeoutMs, retries, udp };
    peer.isWhole ||= next === 'seed';
    try {
      await announce(this.#runtime, url, request, options);
      peer.state = next;
      this.acknowledged++;
      if (event === 'completed') this.completed++;
    } catch (error) {
      peer.state = 'unknown';
      this.failures.push(error);
    }
  }

  #hostOf({ number }: LoadPeer): Loopback {
    const { hosts } = this.#options;
    return hosts[number % hosts.length] ?? '127.0.0.1';
  }

  #portOf({ number }: LoadPeer): number {
    return FIRST_PORT + Math.floor(number / this.#options.hosts.length);
  }

  #nameOf(peer: LoadPeer): string {
    const port = this.#portOf(peer);
    const address = parseIp(this.#hostOf(peer)) ?? new Uint8Array(0);
    const member = formatHex(Uint8Array.of(...address, port >>> 8, port & 0xff));
    return `${this.infoHashes[peer.number % SWARMS]?.hex ?? ''} ${member}`;
  }
}

function eventOf(before: LoadPeer['state'], next: Peerage): AnnounceEvent | undefined {
  if (next === 'gone') return 'stopped';
  if (before === 'leecher') return next === 'seed' ? 'completed' : undefined;
  return before === 'seed' ? undefined : 'started';
}

const NEVER = new AbortController().signal;
