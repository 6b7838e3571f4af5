/** qbittorrent-nox, driven by its Web API. @module */

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Child } from '../child.ts';
import { freePort } from '../free-port.ts';
import { at, numberAt, parseJson, textAt } from '../json.ts';
import { endpointAt, type Peer, type PeerCounters, type PeerOptions, READY_MS } from './peer.ts';

/** Its state of a tracker that has answered. */
const WORKING = 2;

/** Ready when its data is checked and its tracker has answered. Takes .torrent files only. */
export async function startQbittorrent(options: PeerOptions): Promise<Peer> {
  const port = await freePort();
  const webPort = await freePort();
  const folder = join(options.state, 'qBittorrent', 'config');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'qBittorrent.conf'), settingsOf(options, port, webPort));
  const argv = ['qbittorrent-nox', `--profile=${options.state}`, `--webui-port=${webPort}`];
  const child = new Child(argv, { env: { HOME: options.state, XDG_RUNTIME_DIR: options.state } });
  const web = new QbittorrentWeb(webPort);
  try {
    await child.until(() => web.call('app/version').catch(() => undefined), {
      deadlineMs: READY_MS,
      what: 'the Web API of qBittorrent',
    });
    await web.add(options);
    await child.until(() => web.isReady(options.mode), {
      deadlineMs: READY_MS,
      what: 'qBittorrent to have checked its data and announced',
    });
  } catch (error) {
    await child[Symbol.asyncDispose]();
    throw error;
  }
  return {
    name: 'qbittorrent',
    address: endpointAt(options.host, port),
    child,
    counters: () => web.counters(),
    completed: async (deadlineMs) => {
      await child.until(async () => (await web.counters()).complete, {
        deadlineMs,
        what: 'qBittorrent to complete',
      });
    },
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}

function settingsOf(options: PeerOptions, port: number, webPort: number): string {
  const session = {
    Port: port,
    Interface: 'lo',
    InterfaceName: 'lo',
    InterfaceAddress: options.host ?? '127.0.0.1',
    DHTEnabled: false,
    PeXEnabled: false,
    LSDEnabled: false,
    BTProtocol: options.utpOnly === true ? 'UTP' : 'TCP',
    MultiConnectionsPerIp: true,
    SSRFMitigation: false,
    QueueingSystemEnabled: false,
    AddTrackersEnabled: false,
    DisableAutoTMMByDefault: true,
    DefaultSavePath: options.dir,
    TempPathEnabled: false,
    Preallocation: false,
    GlobalUPSpeedLimit: kibibytes(options.uploadLimit),
    GlobalDLSpeedLimit: kibibytes(options.downloadLimit),
    IgnoreLimitsOnLAN: false,
  };
  const web = {
    Enabled: true,
    Address: '127.0.0.1',
    Port: webPort,
    LocalHostAuth: false,
    CSRFProtection: false,
    HostHeaderValidation: false,
    UseUPnP: false,
  };
  return [
    '[LegalNotice]',
    'Accepted=true',
    '[Network]',
    'PortForwardingEnabled=false',
    '[Preferences]',
    'Connection\\ResolvePeerCountries=false',
    ...Object.entries(web).map(([name, value]) => `WebUI\\${name}=${value}`),
    '[BitTorrent]',
    ...Object.entries(session).map(([name, value]) => `Session\\${name}=${value}`),
    '',
  ].join('\n');
}

/** Whole KiB a second, the unit of qBittorrent's limits; 0 is without a limit. */
function kibibytes(rate: number | undefined): number {
  return rate === undefined ? 0 : Math.max(1, Math.round(rate / 1024));
}

class QbittorrentWeb {
  readonly #root: string;

  constructor(port: number) {
    this.#root = `http://127.0.0.1:${port}/api/v2`;
  }

  async call(path: string, body?: FormData): Promise<string> {
    const init = body === undefined ? {} : { method: 'POST', body };
    const response = await fetch(`${this.#root}/${path}`, init);
    const text = await response.text();
    if (!response.ok) throw new Error(`qBittorrent answers ${response.status} to ${path}: ${text}`);
    return text;
  }

  async add(options: PeerOptions): Promise<void> {
    const form = new FormData();
    form.set('torrents', new Blob([await readFile(options.torrent)]), 'added.torrent');
    form.set('savepath', options.dir);
    form.set('autoTMM', 'false');
    form.set('contentLayout', 'Original');
    const said = await this.call('torrents/add', form);
    if (said !== 'Ok.') throw new Error(`qBittorrent does not take the torrent: ${said}`);
  }

  async #torrent(): Promise<unknown> {
    return at(parseJson(await this.call('torrents/info')), 0);
  }

  async isReady(mode: PeerOptions['mode']): Promise<boolean> {
    const torrent = await this.#torrent();
    if (torrent === undefined) return false;
    const path = `torrents/trackers?hash=${textAt(torrent, 'hash')}`;
    const listed = parseJson(await this.call(path));
    // The first three are DHT, PeX and LSD, which have no URL.
    const trackers = (Array.isArray(listed) ? listed : []).filter((tracker) =>
      textAt(tracker, 'url').includes('://'),
    );
    const announced =
      trackers.length === 0 || trackers.some((tracker) => numberAt(tracker, 'status') === WORKING);
    return announced && (mode === 'download' || complete(torrent));
  }

  async counters(): Promise<PeerCounters> {
    const torrent = await this.#torrent();
    return {
      complete: complete(torrent),
      downloaded: numberAt(torrent, 'downloaded'),
      uploaded: numberAt(torrent, 'uploaded'),
    };
  }
}

function complete(torrent: unknown): boolean {
  return (
    numberAt(torrent, 'total_size') > 0 &&
    numberAt(torrent, 'progress') === 1 &&
    numberAt(torrent, 'amount_left') === 0 &&
    !textAt(torrent, 'state').startsWith('checking')
  );
}
