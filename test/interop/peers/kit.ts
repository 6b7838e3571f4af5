/** Clients that are started by the scripts of ../shared/peers, where that folder is at hand. @module */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Child } from '../child.ts';
import { freePort } from '../free-port.ts';
import { isRecord, parseJson, textAt } from '../json.ts';
import { PYTHON } from '../require.ts';

const FOLDER = join(import.meta.dirname, '../../../../shared/peers');
const READY_MS = 60_000;

export const KIT_IS_THERE: boolean = existsSync(FOLDER);

/** For the names of tests that need it. */
export const KIT_NOTE: string = KIT_IS_THERE ? '' : ' (skipped: ../shared/peers is not there)';

export interface KitOptions {
  readonly program: 'qbittorrent' | 'rtorrent';
  readonly torrent: string;
  /** The folder that holds the torrent's file or folder. */
  readonly dir: string;
  /** Where the client keeps its state; without blanks, which rtorrent does not understand. */
  readonly state: string;
}

/**
 * Lets the client check the data and begin to seed, and ends it. Resolves to what it calls the torrent.
 *
 * @throws {Error} when it does not take the torrent or finds the data incomplete, with its log.
 */
export async function seedsByKit(options: KitOptions): Promise<Readonly<Record<string, unknown>>> {
  const script = join(FOLDER, `${options.program}-up`);
  const argv = [PYTHON, script, 'seed', options.torrent, options.dir, '--until-eof'];
  await using child = new Child(argv, { stopBy: 'eof', env: { PEERKIT_WORK: options.state } });
  const events = (): readonly Readonly<Record<string, unknown>>[] =>
    child.lines.map(parseJson).filter(isRecord);
  await child.until(
    () => {
      const failure = events().find((line) => line['event'] === 'error');
      if (failure !== undefined) throw new Error(textAt(failure, 'message'));
      return events().some((line) => line['event'] === 'ready');
    },
    { deadlineMs: READY_MS, what: `${options.program} to seed` },
  );
  const added = events().find((line) => line['event'] === 'added');
  if (added === undefined) throw new Error(`nothing was added\n${child.log}`);
  return added;
}

/** All that the kit can start as a peer. */
export type KitClient = 'libtorrent' | 'qbittorrent' | 'transmission' | 'aria2' | 'rtorrent';

export interface KitPeerOptions {
  readonly client: KitClient;
  readonly mode: 'seed' | 'download';
  /** Path of a .torrent. */
  readonly torrent: string;
  /** The folder that holds the torrent's file or folder, or will. */
  readonly dir: string;
  /** Where the client keeps its state; without blanks, which rtorrent does not understand. */
  readonly state: string;
  /**
   * `forced`: RC4 and nothing else. `disabled`: plain and nothing else, where the client has that.
   * `enabled`: what it likes.
   */
  readonly encryption: 'forced' | 'enabled' | 'disabled';
  /** Peers to dial, `host:port`, where the client can be told. */
  readonly peers?: readonly string[];
}

/** A client of the kit with one torrent, over TCP alone. */
export class KitPeer implements AsyncDisposable {
  readonly child: Child;
  /** Where it accepts connections: an address of its own, since rtorrent knows one peer of each. */
  readonly address: string;

  private constructor(child: Child, address: string) {
    this.child = child;
    this.address = address;
  }

  /** Ready when its data is checked. */
  static async start(options: KitPeerOptions): Promise<KitPeer> {
    const { client, mode, torrent, dir, state, encryption, peers = [] } = options;
    const script = join(FOLDER, client === 'libtorrent' ? 'lt.py' : `${client}-up`);
    const port = String(await freePort());
    const host = '127.0.0.21';
    const flags = ['--host', host, '--port', port, '--encryption', encryption, '--utp', 'off'];
    const dialled = peers.flatMap((peer) => ['--peer', peer]);
    const argv = [PYTHON, script, mode, torrent, dir, '--until-eof', ...flags, ...dialled];
    const child = new Child(argv, { stopBy: 'eof', env: { PEERKIT_WORK: state } });
    const peer = new KitPeer(child, `${host}:${port}`);
    try {
      await peer.#said('ready', READY_MS);
    } catch (error) {
      await child[Symbol.asyncDispose]();
      throw error;
    }
    return peer;
  }

  /** @throws {Error} when the torrent is not complete after `deadlineMs`, with the log. */
  async completed(deadlineMs: number): Promise<void> {
    await this.#said('complete', deadlineMs);
    await this.child.ended(deadlineMs); // only then is everything on disk
  }

  #said(event: string, deadlineMs: number): Promise<unknown> {
    return this.child.until(
      () =>
        this.child.lines.map(parseJson).some((line) => isRecord(line) && line['event'] === event),
      { deadlineMs, what: `${this.child.name} to be ${event}` },
    );
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.child[Symbol.asyncDispose]();
  }
}
