/** A torrent and the hosts that have or want it, in a simulated world. @module */

import { formatHex } from '../../src/base/bytes.ts';
import type { Endpoint } from '../../src/base/endpoint.ts';
import { sha1 } from '../../src/base/sha.ts';
import {
  encodeMetainfo,
  type Metainfo,
  type MetainfoDraft,
  parseMetainfo,
} from '../../src/metainfo/index.ts';
import type { Runtime } from '../../src/runtime/ports.ts';
import type { HostOptions, SimHost, World, WorldOptions } from '../../src/runtime/sim/index.ts';
import {
  Session,
  type SessionOptions,
  type Torrent,
  type TorrentEvent,
  type TorrentOptions,
} from '../../src/session/index.ts';
import { makeWorld } from '../sim/world.ts';

export const PORT = 6881;
const ROOT = '/data';

export interface SwarmContent {
  readonly metainfo: Metainfo;
  /** The bytes of the .torrent. */
  readonly torrent: Uint8Array;
  /** By path with slashes. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** Three files, one of them empty, none aligned with the pieces. */
export function makeContent(
  bytes = 1_000_000,
  pieceLength = 32_768,
  more: Pick<MetainfoDraft, 'announce' | 'private'> = {},
): SwarmContent {
  const first = Math.floor(bytes / 3);
  const sizes: readonly [string, number][] = [
    ['album/a/first.bin', first],
    ['album/empty', 0],
    ['album/second.bin', bytes - first],
  ];
  const files = new Map<string, Uint8Array>();
  let state = 1;
  for (const [path, size] of sizes) {
    files.set(
      path,
      Uint8Array.from({ length: size }, () => {
        state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
        return state >>> 16;
      }),
    );
  }
  const whole = new Uint8Array([...files.values()].reduce((sum, file) => sum + file.length, 0));
  let at = 0;
  for (const file of files.values()) {
    whole.set(file, at);
    at += file.length;
  }
  const count = Math.ceil(whole.length / pieceLength);
  const pieces = new Uint8Array(count * 20);
  for (let piece = 0; piece < count; piece++) {
    pieces.set(sha1(whole.subarray(piece * pieceLength, (piece + 1) * pieceLength)), piece * 20);
  }
  const draft = sizes.map(([path, length]) => ({ path: path.split('/'), length }));
  const torrent = encodeMetainfo({ name: 'album', files: draft, pieceLength, pieces, ...more });
  return { metainfo: parseMetainfo(torrent), torrent, files };
}

/** One bip on one host. */
export interface Peer extends AsyncDisposable {
  readonly host: SimHost;
  readonly runtime: Runtime;
  readonly session: Session;
  readonly torrent: Torrent;
  readonly events: TorrentEvent[];
  readonly endpoint: Endpoint;
}

export class SwarmWorld {
  readonly world: World;
  readonly content: SwarmContent;
  /** What sessions are opened with besides. */
  session: Partial<SessionOptions> = {};
  #hosts = 0;

  constructor(content: SwarmContent = makeContent(), options: Partial<WorldOptions> = {}) {
    this.content = content;
    this.world = makeWorld(options);
  }

  host(options: Partial<HostOptions> = {}): SimHost {
    return this.world.host(`10.0.${this.#hosts >> 8}.${(this.#hosts++ & 255) + 1}`, options);
  }

  /** A host that has all data, and serves it. `spoil` changes what is on its disk behind its back. */
  async seed(
    options: Partial<HostOptions> & Pick<TorrentOptions, 'peers'> = {},
    spoil?: (path: string, bytes: Uint8Array) => Uint8Array,
    more: Partial<TorrentOptions> = {},
  ): Promise<Peer> {
    const { peers, ...hostOptions } = options;
    const host = this.host(hostOptions);
    for (const [path, bytes] of this.content.files) {
      await this.#write(host, path, spoil?.(path, bytes) ?? bytes);
    }
    const peer = await this.start(host, {
      seedOnly: true,
      verify: 'never',
      ...(peers === undefined ? {} : { peers }),
      ...more,
    });
    await peer.torrent.completed;
    return peer;
  }

  /** Starts bip on a host; `host.runtime` of now is used. */
  async start(host: SimHost, options: Partial<TorrentOptions> = {}): Promise<Peer> {
    const { runtime } = host;
    const events: TorrentEvent[] = [];
    const signal = new AbortController().signal;
    const session = await Session.open(runtime, { port: PORT, signal, ...this.session });
    const torrent = session.add({
      source: { type: 'metainfo', metainfo: this.content.metainfo },
      root: ROOT,
      onEvent: (event) => events.push(event),
      ...options,
    });
    return {
      host,
      runtime,
      session,
      torrent,
      events,
      endpoint: { host: host.address, port: PORT },
      [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
    };
  }

  /** A text for each file on a host's disk: its SHA-1, or what is wrong. */
  async digests(host: SimHost): Promise<Record<string, string>> {
    const found: Record<string, string> = {};
    for (const path of this.content.files.keys()) {
      const stat = await host.runtime.files.stat(`${ROOT}/${path}`);
      if (stat === undefined) found[path] = 'missing';
      else {
        const bytes = await host.runtime.files.readFile(`${ROOT}/${path}`, { maxBytes: 1e9 });
        found[path] = formatHex(sha1(bytes));
      }
    }
    return found;
  }

  /** What {@link digests} gives for a complete download. */
  get expected(): Record<string, string> {
    return Object.fromEntries(
      [...this.content.files].map(([path, bytes]) => [path, formatHex(sha1(bytes))]),
    );
  }

  async #write(host: SimHost, path: string, bytes: Uint8Array): Promise<void> {
    const full = `${ROOT}/${path}`;
    await host.runtime.files.makeDirectory(full.slice(0, full.lastIndexOf('/')));
    await host.runtime.files.writeFile(full, bytes);
  }
}

/** Codes of the warnings among events. */
export function warnings(events: readonly TorrentEvent[]): string[] {
  return events.flatMap((event) => (event.type === 'warning' ? [event.code] : []));
}
