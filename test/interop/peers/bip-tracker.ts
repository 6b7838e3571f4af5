/** `bip tracker serve`, on any free port of both families, telling of every announce or of none. @module */

import { Bip, type BipOptions } from '../bip.ts';
import type { Child } from '../child.ts';
import { at, isRecord, parseJson, textAt } from '../json.ts';
import { type Loopback, READY_MS } from './peer.ts';

export type Transport = 'http' | 'udp';

/** An announce as the tracker tells it. */
export interface ToldAnnounce {
  readonly event: string;
  readonly infoHash: string;
  /** `127.0.0.1:port` or `[::1]:port`. */
  readonly peer: string;
  readonly seeding: boolean;
  readonly transport: Transport;
  /** Why it was not taken. */
  readonly refused: string | undefined;
}

export interface BipTrackerOptions extends Pick<BipOptions, 'under'> {
  readonly hosts?: readonly Loopback[];
  /** Any free one by default. */
  readonly port?: number;
  /** Announces are not told: there will be thousands. */
  readonly isQuiet?: boolean;
}

export class BipTracker implements AsyncDisposable {
  readonly port: number;
  readonly #bip: Bip;

  private constructor(bip: Bip, port: number) {
    this.#bip = bip;
    this.port = port;
  }

  /** Listens on 127.0.0.1 and, when asked to, on ::1. */
  static async start(
    flags: readonly string[] = [],
    { hosts = ['127.0.0.1'], port = 0, isQuiet = false, ...how }: BipTrackerOptions = {},
  ): Promise<BipTracker> {
    const args = [
      ...['tracker', 'serve', '--port', String(port)],
      ...(isQuiet ? [] : ['--log-announces']),
      ...hosts.flatMap((host) => ['--host', host]),
      ...flags,
    ];
    const bip = new Bip(args, how);
    try {
      const url = await bip.child.until(() => listeningAt(bip.child), {
        deadlineMs: READY_MS,
        what: 'the tracker to listen',
      });
      return new BipTracker(bip, Number(new URL(url).port));
    } catch (error) {
      await bip[Symbol.asyncDispose]();
      throw error;
    }
  }

  get child(): Child {
    return this.#bip.child;
  }

  /** Where clients announce to; in private mode with their passkey. */
  url(by: Transport, host: Loopback = '127.0.0.1', passkey?: string): string {
    const where = host === '::1' ? '[::1]' : host;
    return `${by}://${where}:${this.port}/${passkey === undefined ? '' : `${passkey}/`}announce`;
  }

  /** What it told, by its `type`. */
  told(type: string): readonly Readonly<Record<string, unknown>>[] {
    return linesOf(this.child).filter((line) => line['type'] === type);
  }

  get announces(): readonly ToldAnnounce[] {
    return this.told('announce').map((line) => ({
      event: textAt(line, 'event'),
      infoHash: textAt(line, 'infoHash'),
      peer: textAt(line, 'peer'),
      seeding: line['seeding'] === true,
      transport: line['transport'] === 'udp' ? 'udp' : 'http',
      refused: typeof line['refused'] === 'string' ? line['refused'] : undefined,
    }));
  }

  /** The first announce that is like this, once it is there. @throws {Error} when none comes. */
  async heard(like: Partial<ToldAnnounce>, deadlineMs: number = READY_MS): Promise<ToldAnnounce> {
    const wanted = Object.entries(like);
    return await this.child.until(
      () => this.announces.find((told) => wanted.every(([key, value]) => at(told, key) === value)),
      { deadlineMs, what: `an announce with ${JSON.stringify(like)}` },
    );
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#bip[Symbol.asyncDispose]();
  }
}

function linesOf(child: Child): readonly Readonly<Record<string, unknown>>[] {
  return child.lines.map(parseJson).filter(isRecord);
}

function listeningAt(child: Child): string | undefined {
  const listening = linesOf(child).find((line) => line['type'] === 'listening');
  return listening === undefined ? undefined : textAt(listening, 'announce', 0);
}
