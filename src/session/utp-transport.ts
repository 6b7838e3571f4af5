/** uTP of a session: a socket for each family of addresses, on one port. @module */

import type { Endpoint } from '../base/endpoint.ts';
import { NetworkError } from '../base/errors.ts';
import { networkFailure } from '../runtime/failures.ts';
import type { ByteStream, Datagrams, Network, Runtime } from '../runtime/ports.ts';
import { UtpSocket } from '../utp/index.ts';

/** By which transports peers are called and listened to. */
export type TransportMode = 'tcp' | 'utp' | 'both';

export interface UtpTransportOptions {
  /** UDP port of all sockets; 0 for any that is free. */
  readonly port: number;
  /** The literal address to use; all of both families when absent. */
  readonly host: string | undefined;
  readonly accept: (stream: ByteStream) => void;
  readonly signal: AbortSignal;
}

/** What uTP touches of the world. */
export type UtpRuntime = Pick<Runtime, 'clock' | 'random'> & {
  readonly network: Pick<Network, 'bindDatagrams'>;
};

export class UtpTransport implements AsyncDisposable {
  readonly #parts: readonly Part[];
  #disposal: Promise<void> | undefined;

  private constructor(parts: readonly Part[]) {
    this.#parts = parts;
  }

  /** @throws {NetworkError} `BIP_PORT_IN_USE` when somebody else has the port; or when there is no family. */
  static async open(runtime: UtpRuntime, options: UtpTransportOptions): Promise<UtpTransport> {
    const { clock, random } = runtime;
    const parts: Part[] = [];
    try {
      for (const datagrams of await bindAll(runtime.network, options)) {
        const socket = UtpSocket.open(datagrams, { clock, random, accept: options.accept });
        parts.push({ datagrams, socket });
      }
      return new UtpTransport(parts);
    } catch (error) {
      await disposeAll(parts);
      throw error;
    }
  }

  /** The port of the sockets; with any free port asked for, of the first of them. */
  get local(): Endpoint {
    return this.#parts[0]?.socket.local ?? { host: '', port: 0 };
  }

  /** @throws {NetworkError} refused, no answer, or no socket of this family. */
  connect(to: Endpoint, options: { readonly signal: AbortSignal }): Promise<ByteStream> {
    const isSix = to.host.includes(':');
    const part = this.#parts.find(({ socket }) => socket.local.host.includes(':') === isSix);
    if (part === undefined) {
      return Promise.reject(networkFailure('cannot connect over uTP', 'EAFNOSUPPORT'));
    }
    return part.socket.connect(to, options);
  }

  /** Nobody else is let in from now on. */
  refuse(): void {
    for (const { socket } of this.#parts) socket.refuse();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposal ??= disposeAll(this.#parts);
    return this.#disposal;
  }
}

interface Part {
  readonly datagrams: Datagrams;
  readonly socket: UtpSocket;
}

async function disposeAll(parts: readonly Part[]): Promise<void> {
  await Promise.all(
    parts.map(async ({ socket, datagrams }) => {
      await socket[Symbol.asyncDispose]();
      await datagrams[Symbol.asyncDispose]();
    }),
  );
}

async function bindAll(
  network: Pick<Network, 'bindDatagrams'>,
  { host, port, signal }: UtpTransportOptions,
): Promise<readonly Datagrams[]> {
  const bound: Datagrams[] = [];
  const failures: unknown[] = [];
  for (const each of host === undefined ? ['0.0.0.0', '::'] : [host]) {
    try {
      bound.push(
        await network.bindDatagrams({ host: each, port: bound[0]?.local.port ?? port, signal }),
      );
    } catch (error) {
      failures.push(error);
    }
  }
  const [failure] = failures;
  const isTaken = failure instanceof NetworkError && failure.code === 'BIP_PORT_IN_USE';
  // A machine may lack one of the families, but a port is ours in both or in none.
  if (bound.length > 0 && !isTaken) return bound;
  await Promise.all(bound.map((datagrams) => datagrams[Symbol.asyncDispose]()));
  throw failure;
}
