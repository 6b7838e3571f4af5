/** Queries over loopback to a program of the bench, as fast as it answers. @module */

import { createSocket, type Socket } from 'node:dgram';
import { join } from 'node:path';
import { npmPeers } from '../../../scripts/npm-peers.ts';
import { Child } from '../../interop/child.ts';
import { residentBytes, usageOf } from '../tracker/process.ts';
import { transactionAt } from './packets.ts';

const READY_MS = 60_000;
/** Queries that are out at once. */
const WINDOW = 64;
/** Without an answer for so long, those that are out are taken for lost. */
const LOST_MS = 200;

export interface Reached {
  readonly perSecond: number;
  /** Microseconds of the program's CPU for one message, all threads, kernel and user. */
  readonly micros: number;
  /** Of an answer. */
  readonly bytes: number;
  readonly lost: number;
}

/** A program that answers on a loopback port. */
export class Program implements AsyncDisposable {
  readonly #child: Child;
  readonly port: number;

  private constructor(child: Child, port: number) {
    this.#child = child;
    this.port = port;
  }

  /** `undefined` when it cannot be had here. */
  static async start(kind: 'bip' | 'npm' | 'echo'): Promise<Program | undefined> {
    const modules = kind === 'npm' ? npmPeers() : '';
    if (modules === undefined) return undefined;
    const script = join(import.meta.dirname, 'serve.ts');
    const child = new Child([process.execPath, script, kind, modules]);
    try {
      await child.until(() => /^\d+\n/.test(child.stdout), {
        deadlineMs: READY_MS,
        what: `${kind} to listen`,
      });
    } catch (error) {
      await child[Symbol.asyncDispose]();
      throw error;
    }
    return new Program(child, Number(child.stdout));
  }

  async residentBytes(): Promise<number> {
    return await residentBytes(this.#child.pid);
  }

  /** Sends the packets over and over for so many seconds. @throws {Error} when nothing is answered. */
  async load(packets: readonly Uint8Array[], seconds: number): Promise<Reached> {
    const before = await usageOf([this.#child.pid]);
    const counts = await blast(packets, { port: this.port, seconds });
    const after = await usageOf([this.#child.pid]);
    if (counts.answered === 0) throw new Error('nothing was answered');
    return {
      perSecond: counts.answered / counts.seconds,
      micros: ((after.cpuSeconds - before.cpuSeconds) * 1e6) / counts.answered,
      bytes: counts.bytes / counts.answered,
      lost: counts.lost,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]();
  }
}

interface Counts {
  answered: number;
  bytes: number;
  lost: number;
  seconds: number;
}

async function blast(
  packets: readonly Uint8Array[],
  { port, seconds }: { readonly port: number; readonly seconds: number },
): Promise<Counts> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 2 ** 21, sendBufferSize: 2 ** 21 });
  await new Promise<void>((resolve) => socket.connect(port, '127.0.0.1', resolve));
  const gun = new Gun(socket, packets);
  const startedAt = performance.now();
  const endsAt = startedAt + seconds * 1000;
  gun.fire(WINDOW);
  while (performance.now() < endsAt) {
    const { answered } = gun.counts;
    await new Promise((resolve) => setTimeout(resolve, LOST_MS));
    if (gun.counts.answered === answered) gun.reload();
  }
  gun.stop();
  const { counts } = gun;
  counts.seconds = (performance.now() - startedAt) / 1000;
  await new Promise<void>((resolve) => socket.close(resolve));
  return counts;
}

/** Sends a packet for each that is answered. */
class Gun {
  readonly counts: Counts = { answered: 0, bytes: 0, lost: 0, seconds: 0 };
  readonly #socket: Socket;
  readonly #packets: readonly Uint8Array[];
  readonly #at: readonly number[];
  #next = 0;
  #out = 0;
  #stopped = false;

  constructor(socket: Socket, packets: readonly Uint8Array[]) {
    this.#socket = socket;
    this.#packets = packets;
    this.#at = packets.map(transactionAt);
    socket.on('message', ({ length }) => {
      if (this.#stopped) return;
      this.counts.answered++;
      this.counts.bytes += length;
      this.#out--;
      this.fire(1);
    });
    // A program that is gone is found out by its silence.
    socket.on('error', () => undefined);
  }

  fire(count: number): void {
    for (let shot = 0; shot < count; shot++) {
      const which = this.#next++ % this.#packets.length;
      const packet = this.#packets[which] ?? new Uint8Array(0);
      new DataView(packet.buffer, packet.byteOffset).setUint32(this.#at[which] ?? 0, this.#next);
      this.#socket.send(packet);
      this.#out++;
    }
  }

  reload(): void {
    this.counts.lost += this.#out;
    this.#out = 0;
    this.fire(WINDOW);
  }

  stop(): void {
    this.#stopped = true;
  }
}
