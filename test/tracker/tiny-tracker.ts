/**
 * A tracker of a few lines for tests: one swarm for each infohash, over UDP packets and HTTP URLs.
 * It checks what it is sent and knows nothing of sockets.
 *
 * @module
 */

import { concatBytes, encodeUtf8, formatHex } from '../../src/base/bytes.ts';
import { type Endpoint, encodeCompact, formatEndpoint } from '../../src/base/endpoint.ts';
import { type BencodeInput, encode } from '../../src/bencode/index.ts';

/** One announce as it was understood. */
export interface Heard {
  readonly over: 'udp' | 'http';
  readonly from: Endpoint;
  /** Hex. */
  readonly infoHash: string;
  readonly peerId: string;
  readonly port: number;
  readonly left: number;
  readonly event: string | undefined;
  readonly key: number;
  readonly numWant: number;
  /** BEP 41 data, or the URL's path and query before our parameters. */
  readonly target: string;
  /** HTTP only. */
  readonly trackerId?: string | undefined;
}

/** What scrapes tell of every torrent. */
export const COMPLETED = 7;

interface Member {
  readonly endpoint: Endpoint;
  readonly seed: boolean;
}
type Swarm = Map<string, Member>;

const EVENTS = [undefined, 'completed', 'started', 'stopped'] as const;

export class TinyTracker {
  readonly heard: Heard[] = [];
  /** Peers by infohash; true for those with nothing left. */
  readonly swarms: Map<string, Swarm> = new Map();
  readonly #connections = new Map<bigint, string>();
  #next = 1n;
  /** Seconds. */
  interval = 1800;
  /** When set, every announce is refused with these words. */
  refusal: string | undefined;
  /** More keys for answers over HTTP. */
  extra: Readonly<Record<string, BencodeInput>> = {};
  connects = 0;
  /** How many torrents each scrape was for. */
  readonly scrapes: number[] = [];

  /** The answer to a packet; `undefined` when there is none. */
  udp(bytes: Uint8Array, from: Endpoint): Uint8Array | undefined {
    if (bytes.length < 16) return undefined;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const connection = view.getBigUint64(0);
    const transaction = view.getUint32(12);
    if (view.getUint32(8) === 0) {
      if (connection !== 0x41727101980n || bytes.length !== 16) return undefined;
      this.connects++;
      const id = this.#next++;
      this.#connections.set(id, formatEndpoint(from));
      const body = new Uint8Array(8);
      new DataView(body.buffer).setBigUint64(0, id);
      return reply(0, transaction, body);
    }
    const scrapes = view.getUint32(8) === 2;
    if (!scrapes && (view.getUint32(8) !== 1 || bytes.length < 98)) return undefined;
    if (this.#connections.get(connection) !== formatEndpoint(from)) {
      return reply(3, transaction, encodeUtf8('Connection ID missmatch.\0'));
    }
    if (this.refusal !== undefined) return reply(3, transaction, encodeUtf8(this.refusal));
    if (scrapes) return reply(2, transaction, this.#scrapeUdp(bytes));
    return reply(1, transaction, this.#announceUdp(bytes, view, from));
  }

  #scrapeUdp(bytes: Uint8Array): Uint8Array {
    const figures: Uint8Array[] = [];
    for (let at = 16; at + 20 <= bytes.length; at += 20) {
      const { seeders, leechers } = this.#count(formatHex(bytes.subarray(at, at + 20)));
      const out = new DataView(new ArrayBuffer(12));
      out.setUint32(0, seeders);
      out.setUint32(4, COMPLETED);
      out.setUint32(8, leechers);
      figures.push(new Uint8Array(out.buffer));
    }
    this.scrapes.push(figures.length);
    return concatBytes(...figures);
  }

  #count(infoHash: string): { seeders: number; leechers: number } {
    const members = [...(this.swarms.get(infoHash)?.values() ?? [])];
    const seeders = members.filter(({ seed }) => seed).length;
    return { seeders, leechers: members.length - seeders };
  }

  /** Forgets the connections, as after a restart. */
  restart(): void {
    this.#connections.clear();
  }

  #announceUdp(bytes: Uint8Array, view: DataView, from: Endpoint): Uint8Array {
    const { seeders, leechers, peers } = this.#announce({
      over: 'udp',
      from,
      infoHash: formatHex(bytes.subarray(16, 36)),
      peerId: formatHex(bytes.subarray(36, 56)),
      left: Number(view.getBigUint64(64)),
      event: EVENTS[view.getUint32(80)],
      key: view.getUint32(88),
      numWant: view.getInt32(92),
      port: view.getUint16(96),
      target: urlData(bytes.subarray(98)),
    });
    const head = new Uint8Array(12);
    const out = new DataView(head.buffer);
    out.setUint32(0, this.interval);
    out.setUint32(4, leechers);
    out.setUint32(8, seeders);
    return concatBytes(head, ...peers);
  }

  /** The answer to a GET of this path and query. */
  http(target: string, from: Endpoint): { status: number; body: Uint8Array } {
    const [path = '', query = ''] = target.split('?', 2);
    if (path.startsWith('/scrape')) return { status: 200, body: this.#scrapeHttp(query) };
    if (!path.startsWith('/announce')) return { status: 404, body: encodeUtf8('not here') };
    const raw = new Map(query.split('&').map((pair) => [pair.split('=')[0], pair.split('=')[1]]));
    const number = (name: string): number => Number(raw.get(name) ?? -1);
    if (this.refusal !== undefined) {
      return { status: 200, body: encode({ 'failure reason': this.refusal, ...this.extra }) };
    }
    const trackerId = raw.get('trackerid');
    const { seeders, leechers, peers } = this.#announce({
      over: 'http',
      from,
      infoHash: unescaped(raw.get('info_hash') ?? ''),
      peerId: unescaped(raw.get('peer_id') ?? ''),
      left: number('left'),
      event: raw.get('event'),
      key: Number.parseInt(raw.get('key') ?? '', 16),
      numWant: number('numwant'),
      port: number('port'),
      target: target.slice(0, target.indexOf('info_hash') - 1),
      trackerId,
    });
    const body = encode({
      interval: this.interval,
      complete: seeders,
      incomplete: leechers,
      peers: concatBytes(...peers.filter(({ length }) => length === 6)),
      peers6: concatBytes(...peers.filter(({ length }) => length === 18)),
      ...this.extra,
    });
    return { status: 200, body };
  }

  /** Of the torrents that are known. */
  #scrapeHttp(query: string): Uint8Array {
    if (this.refusal !== undefined) return encode({ 'failure reason': this.refusal });
    const hashes = query
      .split('&')
      .filter((pair) => pair.startsWith('info_hash='))
      .map((pair) => unescaped(pair.slice('info_hash='.length)));
    this.scrapes.push(hashes.length);
    const files = hashes
      .filter((hash) => this.swarms.has(hash))
      .map((hash) => {
        const { seeders, leechers } = this.#count(hash);
        const figures = { complete: seeders, incomplete: leechers, downloaded: COMPLETED };
        return [Uint8Array.from(Buffer.from(hash, 'hex')), figures] as const;
      });
    return encode({ files: new Map(files), ...this.extra });
  }

  /** Everybody else in the swarm, in the compact form. */
  #announce(heard: Heard): { seeders: number; leechers: number; peers: Uint8Array[] } {
    this.heard.push(heard);
    const swarm = this.swarms.get(heard.infoHash) ?? new Map<string, Member>();
    this.swarms.set(heard.infoHash, swarm);
    const self = { host: heard.from.host, port: heard.port };
    if (heard.event === 'stopped') swarm.delete(formatEndpoint(self));
    else swarm.set(formatEndpoint(self), { endpoint: self, seed: heard.left === 0 });
    const all = [...swarm.values()];
    const others = heard.event === 'stopped' ? [] : all.filter(({ endpoint }) => endpoint !== self);
    return {
      seeders: all.filter(({ seed }) => seed).length,
      leechers: all.filter(({ seed }) => !seed).length,
      peers: others
        .map(({ endpoint }) => encodeCompact(endpoint) ?? new Uint8Array())
        .filter(({ length }) => heard.over === 'http' || length === familyLength(heard.from)),
    };
  }
}

function familyLength({ host }: Endpoint): number {
  return host.includes(':') ? 18 : 6;
}

function reply(action: number, transaction: number, body: Uint8Array): Uint8Array {
  const head = new Uint8Array(8);
  new DataView(head.buffer).setUint32(0, action);
  new DataView(head.buffer).setUint32(4, transaction);
  return concatBytes(head, body);
}

/** Joined data of the options of BEP 41. */
function urlData(options: Uint8Array): string {
  let text = '';
  for (let at = 0; at < options.length && options[at] === 2; ) {
    const end = at + 2 + (options[at + 1] ?? 0);
    text += Buffer.from(options.subarray(at + 2, end)).toString('latin1');
    at = end;
  }
  return text;
}

function unescaped(text: string): string {
  return text.replace(/%([0-9a-f]{2})|(.)/gis, (_, digits?: string, character?: string) =>
    (digits ?? character?.charCodeAt(0).toString(16).padStart(2, '0') ?? '').toLowerCase(),
  );
}
