/** transmission-daemon, driven by its RPC. @module */

import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { concatBytes } from '../../../src/base/bytes.ts';
import { type Endpoint, encodeCompact } from '../../../src/base/endpoint.ts';
import { encode } from '../../../src/bencode/index.ts';
import { Child } from '../child.ts';
import { freePort } from '../free-port.ts';
import { at, numberAt, parseJson, textAt } from '../json.ts';
import { endpointAt, type Peer, type PeerCounters, type PeerOptions, READY_MS } from './peer.ts';

const CHECKING: readonly number[] = [1, 2]; // tr_torrent_activity: check queued, checking
const SESSION_HEADER = 'x-transmission-session-id';

export interface TransmissionOptions extends PeerOptions {
  /** Turns its DHT on, which begins with these; over eight, or it does nothing. */
  readonly dhtNodes?: readonly Endpoint[];
}

/**
 * Ready when its data is checked and its tracker has answered. Transmission takes every address in
 * 127/8, and ::1, for an impossible one and never dials it: the other side has to connect.
 */
export async function startTransmission(options: TransmissionOptions): Promise<Peer> {
  const port = await freePort();
  const rpcPort = await freePort();
  await mkdir(options.state, { recursive: true });
  const settings = JSON.stringify(settingsOf(options, port, rpcPort));
  await writeFile(join(options.state, 'settings.json'), settings);
  if (options.dhtNodes !== undefined) {
    await writeFile(join(options.state, 'dht.dat'), encodeNodes(options.dhtNodes));
  }
  const child = new Child(['transmission-daemon', '-f', '-g', options.state, '--log-info'], {
    env: { HOME: options.state, TRANSMISSION_HOME: options.state },
  });
  const rpc = new TransmissionRpc(rpcPort);
  try {
    await child.until(() => rpc.call('session-get').catch(() => undefined), {
      deadlineMs: READY_MS,
      what: 'the RPC of transmission',
    });
    await rpc.add(options);
    await child.until(() => rpc.isReady(options.mode), {
      deadlineMs: READY_MS,
      what: 'transmission to have checked its data and announced',
    });
  } catch (error) {
    await child[Symbol.asyncDispose]();
    throw error;
  }
  return {
    name: 'transmission',
    address: endpointAt(options.host, port),
    child,
    counters: () => rpc.counters(),
    completed: async (deadlineMs) => {
      await child.until(async () => (await rpc.counters()).complete, {
        deadlineMs,
        what: 'transmission to complete',
      });
    },
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}

/** As it saves them at its end; the id is its own. */
function encodeNodes(nodes: readonly Endpoint[]): Uint8Array {
  const compact = nodes.map((node) => encodeCompact(node) ?? new Uint8Array(0));
  return encode({ id: randomBytes(20), nodes: concatBytes(...compact) });
}

function settingsOf(options: TransmissionOptions, port: number, rpcPort: number): object {
  return {
    // Its HTTP client uses this address alone, for trackers of either family, unless it is "any".
    'bind-address-ipv4': options.host === '::1' ? '0.0.0.0' : (options.host ?? '127.0.0.1'),
    'bind-address-ipv6': '::1',
    'peer-port': port,
    'peer-port-random-on-start': false,
    'port-forwarding-enabled': false,
    'rpc-enabled': true,
    'rpc-bind-address': '127.0.0.1',
    'rpc-port': rpcPort,
    'rpc-authentication-required': false,
    'rpc-whitelist-enabled': false,
    'rpc-host-whitelist-enabled': false,
    'dht-enabled': options.dhtNodes !== undefined,
    'lpd-enabled': options.lpd === true,
    'utp-enabled': options.utpOnly === true,
    'download-dir': options.dir,
    'incomplete-dir-enabled': false,
    'rename-partial-files': false,
    'download-queue-enabled': false,
    'seed-queue-enabled': false,
    'ratio-limit-enabled': false,
    'idle-seeding-limit-enabled': false,
    'speed-limit-up-enabled': options.uploadLimit !== undefined,
    'speed-limit-up': kilobytes(options.uploadLimit),
    'speed-limit-down-enabled': options.downloadLimit !== undefined,
    'speed-limit-down': kilobytes(options.downloadLimit),
    'watch-dir-enabled': false,
  };
}

/** Whole kilobytes a second, the unit of Transmission's limits. */
function kilobytes(rate: number | undefined): number {
  return Math.max(1, Math.round((rate ?? 0) / 1000));
}

class TransmissionRpc {
  readonly #url: string;
  #session = '';
  #id = 0;

  constructor(port: number) {
    this.#url = `http://127.0.0.1:${port}/transmission/rpc`;
  }

  async call(method: string, given: object = {}): Promise<unknown> {
    const body = JSON.stringify({ method, arguments: given });
    let response = await this.#post(body);
    if (response.status === 409) {
      // The first answer of every session is a refusal that carries the word of the day.
      this.#session = response.headers.get(SESSION_HEADER) ?? '';
      response = await this.#post(body);
    }
    const answer = parseJson(await response.text());
    const result = textAt(answer, 'result');
    if (result !== 'success') throw new Error(`transmission refuses ${method}: ${result}`);
    return at(answer, 'arguments');
  }

  #post(body: string): Promise<Response> {
    return fetch(this.#url, {
      method: 'POST',
      body,
      headers: this.#session === '' ? {} : { [SESSION_HEADER]: this.#session },
    });
  }

  async add(options: PeerOptions): Promise<void> {
    const what = options.torrent.startsWith('magnet:')
      ? { filename: options.torrent }
      : { metainfo: (await readFile(options.torrent)).toString('base64') };
    const added = await this.call('torrent-add', { ...what, 'download-dir': options.dir });
    this.#id = numberAt(added, 'torrent-added', 'id');
  }

  async #torrent(): Promise<unknown> {
    const fields = [
      'status',
      'percentDone',
      'metadataPercentComplete',
      'downloadedEver',
      'uploadedEver',
      'trackerStats',
    ];
    return at(await this.call('torrent-get', { ids: [this.#id], fields }), 'torrents', 0);
  }

  async isReady(mode: PeerOptions['mode']): Promise<boolean> {
    const torrent = await this.#torrent();
    const stats = at(torrent, 'trackerStats');
    const trackers: readonly unknown[] = Array.isArray(stats) ? stats : [];
    const announced =
      trackers.length === 0 ||
      trackers.some((tracker) => textAt(tracker, 'lastAnnounceResult') === 'Success');
    return announced && (mode === 'download' || complete(torrent));
  }

  async counters(): Promise<PeerCounters> {
    const torrent = await this.#torrent();
    return {
      complete: complete(torrent),
      downloaded: numberAt(torrent, 'downloadedEver'),
      uploaded: numberAt(torrent, 'uploadedEver'),
    };
  }
}

function complete(torrent: unknown): boolean {
  return (
    numberAt(torrent, 'percentDone') === 1 &&
    numberAt(torrent, 'metadataPercentComplete') === 1 &&
    !CHECKING.includes(numberAt(torrent, 'status'))
  );
}
