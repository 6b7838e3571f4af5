/** Connections for Node's HTTP that somebody else makes, such as a proxy's. @module */

import { Duplex } from 'node:stream';
import { connect as secure } from 'node:tls';
import type { Endpoint } from '../../base/endpoint.ts';
import type { ByteStream, Connect } from '../ports.ts';
import { literalFamily } from './addresses.ts';

export interface MadeConnections {
  /** An option of Node's requests. */
  readonly createConnection: (
    options: unknown,
    oncreate: (error: Error | null, socket: Duplex) => void,
  ) => undefined;
  /** Who is at the other side, as the connection calls it; `undefined` before there is one. */
  remote(): Endpoint | undefined;
}

/** For one request to `url`; `onReady` is called when it can be sent. */
export function madeConnections(
  url: URL,
  connect: Connect,
  { signal, onReady }: { readonly signal: AbortSignal; readonly onReady: () => void },
): MadeConnections {
  let remote: Endpoint | undefined;
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const isSecure = url.protocol === 'https:' || url.protocol === 'wss:';
  const port = url.port === '' ? (isSecure ? 443 : 80) : Number(url.port);
  const make = async (): Promise<Duplex> => {
    const stream = await connect({ host, port }, { signal });
    remote = stream.remote;
    const duplex = new StreamDuplex(stream);
    if (!isSecure) {
      onReady();
      return duplex;
    }
    const named = literalFamily(host) === undefined ? { servername: host } : {};
    const socket = secure({ socket: duplex, host, ...named });
    return socket.once('secureConnect', onReady);
  };
  return {
    createConnection: (_, oncreate) => {
      make().then(
        (socket) => oncreate(null, socket),
        // Node looks at the error first.
        (error: unknown) => oncreate(asError(error), new Duplex()),
      );
      return undefined;
    },
    remote: () => remote,
  };
}

/** A stream of bip as one of Node. */
class StreamDuplex extends Duplex {
  readonly #stream: ByteStream;
  #written: (() => void) | undefined;

  constructor(stream: ByteStream) {
    super({ allowHalfOpen: false });
    this.#stream = stream;
    stream.open({
      data: (bytes) => {
        if (!this.push(Buffer.from(bytes))) stream.pause();
      },
      drain: () => this.#flushed(),
      closed: (error) => {
        this.#flushed();
        if (error === undefined) this.push(null);
        else this.destroy(error);
      },
    });
  }

  override _read(): void {
    this.#stream.resume();
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, written: () => void): void {
    this.#stream.write(chunk);
    if (this.#stream.queuedBytes === 0) written();
    else this.#written = written;
  }

  override _destroy(error: Error | null, destroyed: (error: Error | null) => void): void {
    void this.#close(error, destroyed);
  }

  async #close(error: Error | null, closed: (error: Error | null) => void): Promise<void> {
    await this.#stream[Symbol.asyncDispose]();
    closed(error);
  }

  #flushed(): void {
    const written = this.#written;
    this.#written = undefined;
    written?.();
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error('unknown failure', { cause: error });
}
