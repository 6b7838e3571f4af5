/** One end of a simulated TCP connection. @module */

import { ByteQueue } from '../../base/byte-queue.ts';
import { type Endpoint, formatEndpoint } from '../../base/endpoint.ts';
import { invariant } from '../../base/errors.ts';
import { networkFailure } from '../failures.ts';
import type { ByteStream, StreamHandler } from '../ports.ts';
import type { HostCore, StreamTarget } from './core.ts';
import type { Flow, FlowEnd } from './flow.ts';
import type { SeededRandom } from './seeded-random.ts';

export interface StreamParts {
  readonly host: HostCore;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** From us to the other side, and back. */
  readonly out: Flow;
  readonly back: Flow;
  /** Called once when this end is closed. */
  readonly released: () => void;
}

export class SimStream implements ByteStream, FlowEnd, StreamTarget {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly #host: HostCore;
  readonly #out: Flow;
  readonly #back: Flow;
  readonly #random: SeededRandom;
  readonly #released: () => void;
  readonly #incoming = new ByteQueue();
  #handler: StreamHandler | undefined;
  #paused = false;
  #delivering = false;
  #finished = false;
  /** How it ended when not by us. */
  #outcome: { readonly error?: Error } | undefined;
  #told = false;
  #disposed = false;

  constructor({ host, local, remote, out, back, released }: StreamParts) {
    this.local = local;
    this.remote = remote;
    this.#host = host;
    this.#out = out;
    this.#back = back;
    // Where to cut what arrives.
    this.#random = host.world.random.fork(host.world.random.uint32());
    this.#released = released;
    host.streams.add(this);
    host.opened(this);
  }

  toString(): string {
    return `TCP connection ${formatEndpoint(this.local)} to ${formatEndpoint(this.remote)}`;
  }

  open(handler: StreamHandler): void {
    invariant(this.#handler === undefined, 'a stream is opened once');
    this.#handler = handler;
    this.#host.world.timeline.after(0, () => {
      if (this.#outcome !== undefined) this.#tellEnd();
      else this.#deliver();
    });
  }

  write(bytes: Uint8Array): void {
    if (!this.isGone) this.#out.write(bytes);
  }

  get queuedBytes(): number {
    return this.isGone ? 0 : this.#out.queuedBytes;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#host.world.timeline.after(0, () => this.#deliver());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.isGone) {
      this.#disposed = true;
      return;
    }
    this.#disposed = true;
    // As systems do: a close that throws away what arrived is a reset.
    if (this.#incoming.length > 0) this.#out.reset();
    else this.#out.finish();
    this.#release('end');
  }

  get isGone(): boolean {
    return this.#disposed || this.#outcome !== undefined;
  }
  get buffered(): number {
    return this.#incoming.length;
  }

  drained(): void {
    if (!this.isGone) this.#handler?.drain();
  }

  arrived(bytes: Uint8Array): void {
    this.#incoming.push(bytes);
    this.#deliver();
  }

  finished(): void {
    this.#finished = true;
    this.#deliver();
  }

  breakOff(system: string): void {
    if (this.isGone) return;
    const doing = `the connection to ${formatEndpoint(this.remote)} broke`;
    this.#out.stop();
    this.#end({ error: networkFailure(doing, system) });
  }

  breakBoth(system: string): void {
    this.#out.breakReceiver(system);
    this.breakOff(system);
  }

  /** To the side that was connected to: nobody takes the connection. */
  refuse(): void {
    this.#disposed = true;
    this.#out.reset();
    this.#release('break');
  }

  vanish(): void {
    if (this.isGone) return;
    this.#disposed = true;
    this.#out.stop();
    this.#release('break');
  }

  #deliver(): void {
    const handler = this.#handler;
    if (handler === undefined || this.#delivering) return;
    const before = this.#incoming.length;
    this.#delivering = true;
    try {
      while (this.#incoming.length > 0 && !this.#paused && !this.isGone) {
        const view = this.#incoming.take(this.#cut());
        handler.data(view);
        // Whoever kept the view is found out.
        view.fill(0xdd);
      }
    } finally {
      this.#delivering = false;
    }
    if (this.#paused || this.isGone) return;
    if (before > 0) this.#back.windowOpened();
    if (this.#finished) {
      this.#out.finish();
      this.#end({});
    }
  }

  /** Mostly all that is there, sometimes a part, sometimes a few bytes: parsers must not care. */
  #cut(): number {
    const dice = this.#random.below(8);
    if (dice === 0) return 1 + this.#random.below(16);
    return dice < 3 ? 1 + this.#random.below(this.#incoming.length) : this.#incoming.length;
  }

  #end(outcome: { readonly error?: Error }): void {
    this.#outcome = outcome;
    this.#incoming.clear();
    this.#release(outcome.error === undefined ? 'end' : 'break');
    if (this.#handler !== undefined) this.#tellEnd();
  }

  #tellEnd(): void {
    const { error } = this.#outcome ?? {};
    if (this.#disposed || this.#told) return;
    this.#told = true;
    if (error === undefined) this.#handler?.closed();
    else this.#handler?.closed(error);
  }

  #release(how: 'end' | 'break'): void {
    const { timeline } = this.#host.world;
    timeline.trace.add(how, timeline.now, { id: this.local.port, text: () => String(this) });
    this.#host.streams.delete(this);
    this.#released();
    this.#host.closed(this);
  }
}
