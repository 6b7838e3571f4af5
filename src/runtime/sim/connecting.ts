/** How simulated connections come about. @module */

import { type Endpoint, formatEndpoint } from '../../base/endpoint.ts';
import { invariant } from '../../base/errors.ts';
import { ipFamily } from '../../base/ip.ts';
import { networkFailure } from '../failures.ts';
import type { ByteStream, Millis } from '../ports.ts';
import { abortReason } from './aborting.ts';
import type { HostCore } from './core.ts';
import { Flow } from './flow.ts';
import { SimStream } from './stream.ts';

/** The first question is repeated after so many milliseconds, then after twice as many (Linux). */
const FIRST_REPEAT: Millis = 1000;

export async function connect(
  from: HostCore,
  to: Endpoint,
  { host, signal }: { readonly host?: string; readonly signal: AbortSignal },
): Promise<ByteStream> {
  invariant(ipFamily(to.host) !== undefined, `a literal address to connect to: ${to.host}`);
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const attempt = new Attempt(from, to, (outcome) => {
      signal.removeEventListener('abort', onAbort);
      if (typeof outcome !== 'string') resolve(outcome);
      else reject(networkFailure(`cannot connect to ${formatEndpoint(to)}`, outcome));
    });
    const onAbort = (): void => {
      attempt.abandon();
      reject(abortReason(signal));
    };
    signal.addEventListener('abort', onAbort, { once: true });
    attempt.start(host);
  });
}

/** One connection in the making; ends by a stream or by the system's name of a failure. */
class Attempt {
  readonly #from: HostCore;
  readonly #to: Endpoint;
  readonly #settle: (outcome: ByteStream | string) => void;
  readonly #began: Millis;
  readonly #epoch: number;
  #over = false;
  #abandoned = false;
  #answered = false;

  constructor(from: HostCore, to: Endpoint, settle: (outcome: ByteStream | string) => void) {
    this.#from = from;
    this.#to = to;
    this.#settle = settle;
    this.#began = from.world.timeline.now;
    this.#epoch = from.epoch;
  }

  start(localHost: string | undefined): void {
    const target = this.#from.world.hostAt(this.#to.host, this.#from);
    if (localHost !== undefined && this.#from.world.hostAt(localHost, this.#from) !== this.#from) {
      this.#after(0, () => this.#end('EADDRNOTAVAIL'));
    } else if (target === undefined) {
      this.#after(2 * this.#from.options.latencyMs, () => this.#end('EHOSTUNREACH'));
    } else this.#ask(target, FIRST_REPEAT);
  }

  /** Nobody waits for the outcome any more. */
  abandon(): void {
    this.#over = true;
    this.#abandoned = true;
  }

  #after(delay: Millis, run: () => void): void {
    this.#from.world.timeline.after(delay, () => {
      if (!this.#over && this.#from.epoch === this.#epoch) run();
    });
  }

  #ask(target: HostCore, repeatAfter: Millis): void {
    const { paths, random, timeline, tcp } = this.#from.world;
    const path = paths.between(this.#from, target);
    const hidden = target !== this.#from && target.nat.hides;
    const lost = hidden || random.chance(path.loss) || random.chance(path.loss);
    if (!lost) {
      this.#after(path.latencyMs, () => {
        if (paths.isOpen(this.#from, target)) this.#asked(target, path.latencyMs);
      });
    }
    this.#after(repeatAfter, () => {
      if (this.#answered) return;
      if (timeline.now - this.#began >= tcp.connectMs) this.#end('ETIMEDOUT');
      else this.#ask(target, Math.min(2 * repeatAfter, tcp.connectMs));
    });
  }

  /** The question has arrived. */
  #asked(target: HostCore, latency: Millis): void {
    if (this.#answered) return;
    this.#answered = true;
    if (target.listeners.has(this.#to.port)) this.#after(latency, () => this.#establish(target));
    else this.#after(latency, () => this.#end('ECONNREFUSED'));
  }

  #establish(target: HostCore): void {
    const from = this.#from;
    const { world } = from;
    const latency = world.paths.between(from, target).latencyMs;
    const notBefore = world.timeline.now + latency;
    const own = { host: from.addressFor(this.#to.host), port: from.freePort(from.streamPorts) };
    from.streamPorts.add(own.port);
    const subject = world.subject(from, target, this.#to.port);
    const out = new Flow(from, target, { subject, notBefore });
    const back = new Flow(target, from, {
      subject: world.subject(target, from, own.port),
      notBefore: 0,
    });
    const released = (): void => void from.streamPorts.delete(own.port);
    const ours = new SimStream({ host: from, local: own, remote: this.#to, out, back, released });
    const theirs = new SimStream({
      host: target,
      local: { host: this.#to.host, port: this.#to.port },
      remote: own,
      out: back,
      back: out,
      released: () => undefined,
    });
    // Until it is accepted it is the system's, not the program's: nobody has to dispose it.
    target.closed(theirs);
    out.join(ours, theirs);
    back.join(theirs, ours);
    world.timeline.trace.add('connect', world.timeline.now, subject);
    world.timeline.at(notBefore, () => accept(target, theirs));
    this.#end(ours);
  }

  #end(outcome: ByteStream | string): void {
    if (this.#abandoned) return;
    this.#over = true;
    this.#settle(outcome);
  }
}

function accept(target: HostCore, stream: SimStream): void {
  if (stream.isGone) return;
  const listener = target.listeners.get(stream.local.port);
  if (listener === undefined) {
    stream.refuse();
    return;
  }
  target.opened(stream);
  listener.accept(stream);
}
