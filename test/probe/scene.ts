/** Peers of all kinds at one address of a simulated world, and a probe that calls them. @module */

import { PeerId } from '../../src/base/ids.ts';
import { sha1 } from '../../src/base/sha.ts';
import { encodeHandshake, Reserved, type ReservedBit } from '../../src/handshake/index.ts';
import { Outbox } from '../../src/peer/index.ts';
import {
  type ProbeFailure,
  type ProbeOptions,
  type ProbeReport,
  probePeer,
  type Way,
} from '../../src/probe/index.ts';
import type { ByteStream } from '../../src/runtime/ports.ts';
import type { SimHost, World } from '../../src/runtime/sim/index.ts';
import { UtpTransport } from '../../src/utp/index.ts';
import { makeWorld } from '../sim/world.ts';

export const INFO_HASH: Uint8Array = sha1(Uint8Array.of(1, 2, 3));
export const PEER = { host: '10.0.0.2', port: 6881 } as const;

/** How a peer behaves. */
export interface Behaviour {
  /** Sent as soon as somebody calls. */
  readonly first?: Uint8Array;
  /** Sent after each chunk that comes in. */
  readonly answer?: (bytes: Uint8Array) => Uint8Array | undefined;
  /** Sent again and again at this pause in milliseconds; `at` counts from 0. */
  readonly drip?: { readonly everyMs: number; readonly bytes: (at: number) => Uint8Array };
  /** At once, or when something has come in. */
  readonly hangsUp?: 'at once' | 'later';
}

export function hello(
  bits: readonly ReservedBit[] = ['fast', 'extended'],
  {
    infoHash = INFO_HASH,
    peerId = '-TR3000-abcdefghijkl',
  }: { readonly infoHash?: Uint8Array; readonly peerId?: string } = {},
): Uint8Array {
  const id = new PeerId(Uint8Array.from(peerId, (character) => character.charCodeAt(0)));
  return encodeHandshake({ reserved: Reserved.of(...bits), infoHash, peerId: id });
}

export function said(speak: (box: Outbox) => void): Uint8Array {
  const box = new Outbox();
  speak(box);
  return box.take();
}

export class ProbeScene implements AsyncDisposable {
  readonly world: World = makeWorld();
  readonly us: SimHost = this.world.host('10.0.0.1');
  readonly them: SimHost = this.world.host(PEER.host);
  /** What we sent, connection by connection. */
  readonly heard: Uint8Array[][] = [];
  readonly #streams: ByteStream[] = [];
  readonly #closers: AsyncDisposable[] = [];
  readonly #ends: (() => void)[] = [];

  /** Closed at the end. */
  keep(resource: AsyncDisposable): void {
    this.#closers.push(resource);
  }

  async peer(behaviour: Behaviour, over: Way['transport'] = 'tcp'): Promise<void> {
    const { signal } = new AbortController();
    const { network } = this.them.runtime;
    const accept = (stream: ByteStream): void => this.#behave(stream, behaviour);
    const { port } = PEER;
    this.keep(
      over === 'tcp'
        ? await network.listen(accept, { port, signal })
        : await UtpTransport.open(this.them.runtime, { port, host: undefined, accept, signal }),
    );
  }

  /** Calls the peer, virtual time until it is done. */
  probe(options: Partial<ProbeOptions> = {}): Promise<ProbeReport | ProbeFailure> {
    return this.world.run(this.#probe(options));
  }

  async #probe(options: Partial<ProbeOptions>): Promise<ProbeReport | ProbeFailure> {
    const { signal } = new AbortController();
    await using utp = await UtpTransport.open(this.us.runtime, {
      port: 0,
      host: undefined,
      signal,
    });
    return await probePeer(this.us.runtime, {
      endpoint: PEER,
      infoHash: INFO_HASH,
      reserved: Reserved.of('fast', 'extended'),
      pieceCount: 40,
      timeoutMs: 5000,
      pexWaitMs: 0,
      ways: [{ transport: 'tcp', encryption: 'none' }],
      utp,
      signal,
      ...options,
    });
  }

  #behave(stream: ByteStream, behaviour: Behaviour): void {
    const { clock } = this.them.runtime;
    const heard: Uint8Array[] = [];
    this.heard.push(heard);
    this.#streams.push(stream);
    let open = true;
    let cancelDrip: () => void = () => undefined;
    this.#ends.push(() => cancelDrip());
    stream.open({
      data: (bytes) => {
        heard.push(bytes.slice());
        const answer = behaviour.answer?.(bytes);
        if (answer !== undefined) stream.write(answer);
        if (behaviour.hangsUp === 'later') {
          clock.schedule(clock.now() + 20, () => void stream[Symbol.asyncDispose]());
        }
      },
      drain: () => undefined,
      closed: () => {
        open = false;
        cancelDrip();
      },
    });
    if (behaviour.first !== undefined) stream.write(behaviour.first);
    const { drip } = behaviour;
    const next = (at: number): void => {
      if (!open || drip === undefined) return;
      stream.write(drip.bytes(at));
      cancelDrip = clock.schedule(clock.now() + drip.everyMs, () => next(at + 1));
    };
    next(0);
    if (behaviour.hangsUp === 'at once') void stream[Symbol.asyncDispose]();
  }

  /** @throws {Error} when somebody left something open. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const end of this.#ends) end();
    const closing = [...this.#closers, ...this.#streams].map((each) => each[Symbol.asyncDispose]());
    await this.world.run(Promise.all(closing));
    this.world.assertClosed();
  }
}
