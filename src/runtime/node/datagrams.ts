/** UDP sockets. @module */

import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { type Endpoint, formatEndpoint } from '../../base/endpoint.ts';
import { networkFailure } from '../failures.ts';
import type { BindOptions, Datagrams } from '../ports.ts';
import { abortReason } from './abort.ts';
import { literalFamily, mappedHost, plainEndpoint, plainHost } from './addresses.ts';
import { plainBytes } from './plain-bytes.ts';
import { systemCode } from './system-error.ts';

/** Asked of the system for each direction, bytes; it may give less (`net.core.rmem_max`). */
const SOCKET_BUFFER = 2 * 1024 * 1024;

/** Without a host, one socket serves both families where the machine has IPv6. */
export async function bindDatagrams(
  options: BindOptions & { readonly signal: AbortSignal },
): Promise<Datagrams> {
  const { host, signal, ...rest } = options;
  signal.throwIfAborted();
  if (host !== undefined) {
    return bind(literalFamily(host) === 6 ? 'udp6' : 'udp4', { ...rest, host, signal });
  }
  try {
    return await bind('udp6', { ...rest, signal });
  } catch (error) {
    const noIpv6 = ['EAFNOSUPPORT', 'EADDRNOTAVAIL'];
    const cause: unknown = error instanceof Error ? error.cause : undefined;
    if (!noIpv6.includes(systemCode(cause) ?? '')) throw error;
    return bind('udp4', { ...rest, signal });
  }
}

async function bind(
  type: 'udp4' | 'udp6',
  options: BindOptions & { readonly signal: AbortSignal },
): Promise<Datagrams> {
  const { host, port = 0, reusePort = false, signal } = options;
  const socket = createSocket({
    type,
    reusePort,
    // Who names `::` may want another socket for IPv4 on the same port.
    ipv6Only: host === '::',
    lookup: literalLookup,
    recvBufferSize: SOCKET_BUFFER,
    sendBufferSize: SOCKET_BUFFER,
  });
  try {
    // Before the call: with a lookup that answers at once, it may be bound when the call returns.
    const listening = once(socket, 'listening', { signal });
    socket.bind({ port, ...(host === undefined ? {} : { address: host }) });
    await listening;
  } catch (error) {
    socket.close();
    if (signal.aborted) throw abortReason(signal);
    const where = host === undefined ? `port ${port}` : formatEndpoint({ host, port });
    throw networkFailure(`cannot bind UDP ${where}`, systemCode(error), { cause: error });
  }
  return new UdpSocket(socket, { dual: type === 'udp6' && host === undefined });
}

class UdpSocket implements Datagrams {
  readonly local: Endpoint;
  readonly #socket: Socket;
  /** IPv4 goes through an IPv6 socket, in the mapped form. */
  readonly #dual: boolean;
  #closing: Promise<void> | undefined;

  constructor(socket: Socket, { dual }: { readonly dual: boolean }) {
    const { address, port } = socket.address();
    this.local = plainEndpoint(address, port);
    this.#socket = socket;
    this.#dual = dual;
    // What cannot be sent is lost; a failure of one datagram says nothing about the socket.
    socket.on('error', () => undefined);
  }

  send(bytes: Uint8Array, to: Endpoint): void {
    if (this.#closing !== undefined) return;
    // Node keeps the bytes when the system's buffer is full, so it gets its own (pooled) copy.
    const copy = Buffer.from(bytes);
    try {
      this.#socket.send(copy, to.port, this.#dual ? mappedHost(to.host) : to.host);
    } catch {
      // A port or address that cannot be sent to: lost, as the port says.
    }
  }

  receive(listener: (bytes: Uint8Array, from: Endpoint) => void): void {
    this.#socket.removeAllListeners('message');
    this.#socket.on('message', (bytes: Buffer, { address, port }: RemoteInfo) =>
      listener(plainBytes(bytes), { host: plainHost(address), port }),
    );
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      this.#socket.close(() => resolve());
    });
    return this.#closing;
  }
}

/** Addresses are literal here: answers at once, where Node's own way takes a turn of the loop. */
function literalLookup(
  host: string,
  _options: unknown,
  callback: (error: NodeJS.ErrnoException | null, address: string, family: number) => void,
): void {
  callback(null, host, literalFamily(host) ?? 4);
}
