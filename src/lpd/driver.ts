/** Local discovery on the interfaces of a machine: joins {@link LpdMachine} to sockets. @module */

import { formatHex } from '../base/bytes.ts';
import type { Endpoint } from '../base/endpoint.ts';
import { NetworkError } from '../base/errors.ts';
import { drive } from '../runtime/drive.ts';
import type { Datagrams, Runtime } from '../runtime/ports.ts';
import { LPD_GROUPS, type LpdAnnounce } from './codec.ts';
import { type Door, type DoorOptions, doorsOf, scopesOf } from './doors.ts';
import { type LpdInput, LpdMachine } from './machine.ts';

/** How many networks an announce may cross: the groups are wider than one (BEP 14 "Implementation note"). */
const HOPS = 4;

type World = Pick<Runtime, 'clock' | 'lookup' | 'network' | 'random'>;

/** An announce that came in. */
export interface HeardAnnounce {
  readonly from: Endpoint;
  readonly announce: LpdAnnounce;
  /** It is our own, come back. */
  readonly own: boolean;
}

export interface LpdOptions extends DoorOptions {
  /** Where we listen; what others are told. */
  readonly port: number;
  readonly signal: AbortSignal;
  readonly onHeard?: (heard: HeardAnnounce) => void;
  /** An announce of so many torrents went out. */
  readonly onAnnounce?: (torrents: number) => void;
  readonly onBug: (error: unknown) => void;
}

export class Lpd implements AsyncDisposable {
  readonly doors: readonly Door[];
  readonly #options: LpdOptions;
  readonly #machine: LpdMachine;
  readonly #listeners: readonly Datagrams[];
  readonly #senders: ReadonlyMap<Datagrams, Door>;
  readonly #stopping = new AbortController();
  readonly #peers = new Map<string, Set<(peer: Endpoint) => void>>();
  readonly #running: Promise<void>;
  #feed: ((input: LpdInput) => void) | undefined;
  #disposed: Promise<void> | undefined;

  /** @throws {NetworkError} when no interface can be used, or one that was named is not there. */
  static async open(world: World, options: LpdOptions): Promise<Lpd> {
    const own = world.lookup.interfaces();
    const opened = await openSockets(world, doorsOf(own, options), options.signal);
    const machine = new LpdMachine({
      port: options.port,
      cookie: `bip-${formatHex(world.random.bytes(8))}`,
      families: opened.families,
      scopes: scopesOf(own, opened.doors),
      random: world.random,
    });
    return new Lpd(world, options, { ...opened, machine });
  }

  private constructor(
    world: World,
    options: LpdOptions,
    { machine, listeners, senders, doors }: Opened & { readonly machine: LpdMachine },
  ) {
    this.#options = options;
    this.#machine = machine;
    this.#listeners = listeners;
    this.#senders = senders;
    this.doors = doors;
    this.#running = this.#run(world).catch((error: unknown) => {
      if (!this.#stopping.signal.aborted) options.onBug(error);
    });
  }

  /** Datagrams that were kept out because there were too many, and those that were no announces. */
  get counters(): { readonly dropped: number; readonly invalid: number } {
    const { dropped, invalid } = this.#machine;
    return { dropped, invalid };
  }

  /**
   * Announces a torrent (20 bytes), and tells of its peers, of each whenever it is heard.
   *
   * @returns what ends that.
   */
  join(infoHash: Uint8Array, onPeer: (peer: Endpoint) => void): () => void {
    const key = formatHex(infoHash);
    const listeners = this.#peers.get(key) ?? new Set();
    // Each call counts for itself.
    const listener = (peer: Endpoint): void => onPeer(peer);
    listeners.add(listener);
    this.#peers.set(key, listeners);
    this.#feed?.({ type: 'join', infoHash });
    return () => {
      listeners.delete(listener);
      if (listeners.size > 0 || this.#peers.get(key) !== listeners) return;
      this.#peers.delete(key);
      this.#feed?.({ type: 'leave', infoHash });
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposed ??= this.#dispose();
    return this.#disposed;
  }

  async #dispose(): Promise<void> {
    this.#stopping.abort(new Error('local discovery was stopped'));
    await this.#running;
    await close([...this.#listeners, ...this.#senders.keys()]);
  }

  #run({ clock }: World): Promise<void> {
    return drive({
      machine: this.#machine,
      clock,
      signal: this.#stopping.signal,
      connect: (feed) => {
        this.#feed = feed;
        for (const socket of this.#listeners) {
          socket.receive((bytes, from) => feed({ type: 'datagram', bytes, from }));
        }
      },
      effect: (output) => ({
        do: 'perform',
        perform: () => {
          if (output.type === 'send') this.#send(output.family, output.bytes);
          else if (output.type === 'heard') this.#options.onHeard?.(output);
          else if (output.type === 'announced') this.#options.onAnnounce?.(output.torrents);
          else this.#tell(output.infoHash, output.peer);
        },
      }),
    });
  }

  #send(family: 4 | 6, bytes: Uint8Array): void {
    for (const [socket, door] of this.#senders) {
      if (door.family === family) socket.send(bytes, LPD_GROUPS[family]);
    }
  }

  #tell(infoHash: Uint8Array, peer: Endpoint): void {
    for (const listener of this.#peers.get(formatHex(infoHash)) ?? []) listener(peer);
  }
}

/** What of the doors could be opened. */
interface Opened {
  readonly doors: readonly Door[];
  readonly families: readonly (4 | 6)[];
  /** One for each family. */
  readonly listeners: readonly Datagrams[];
  readonly senders: ReadonlyMap<Datagrams, Door>;
}

/** A family that cannot be had, or an interface, is left out. @throws {NetworkError} when nothing is left. */
async function openSockets(
  { network }: World,
  doors: readonly Door[],
  signal: AbortSignal,
): Promise<Opened> {
  const listeners: Datagrams[] = [];
  const senders = new Map<Datagrams, Door>();
  let failure = new NetworkError('there is no interface with an address to announce from', {
    code: 'BIP_ADDRESS',
  });
  const families = ([4, 6] as const).filter((family) =>
    doors.some((door) => door.family === family),
  );
  const attempt = async (binding: Promise<Datagrams>): Promise<Datagrams | undefined> => {
    try {
      return await binding;
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error;
      failure = error;
      return undefined;
    }
  };
  try {
    for (const family of families) {
      const own = doors.filter((door) => door.family === family);
      const { host: address, port } = LPD_GROUPS[family];
      const group = { address, interfaces: own.map((door) => door.interface) };
      const listener = await attempt(network.bindDatagrams({ group, port, signal }));
      if (listener !== undefined) listeners.push(listener);
    }
    for (const door of doors) {
      const { address: host } = door;
      const multicast = { interface: door.interface, hops: HOPS };
      const sender = await attempt(network.bindDatagrams({ host, multicast, signal }));
      if (sender !== undefined) senders.set(sender, door);
    }
    if (senders.size === 0 || listeners.length === 0) throw failure;
    return { doors: [...senders.values()], families, listeners, senders };
  } catch (error) {
    await close([...listeners, ...senders.keys()]);
    throw error;
  }
}

async function close(sockets: readonly Datagrams[]): Promise<void> {
  await Promise.all(sockets.map((socket) => socket[Symbol.asyncDispose]()));
}
