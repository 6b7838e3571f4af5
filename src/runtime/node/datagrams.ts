/** UDP sockets. @module */

import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { platform } from 'node:os';
import { type Endpoint, formatEndpoint } from '../../base/endpoint.ts';
import { networkFailure } from '../failures.ts';
import type { DatagramOptions, Datagrams } from '../ports.ts';
import { abortReason } from './abort.ts';
import { literalFamily, mappedHost, plainEndpoint, plainHost } from './addresses.ts';
import { joinGroups } from './multicast.ts';
import { plainBytes } from './plain-bytes.ts';
import { systemCode } from './system-error.ts';

/** Asked of the system for each direction, bytes; it may give less (`net.core.rmem_max`). */
const SOCKET_BUFFER = 2 * 1024 * 1024;

/** Without a host, one socket serves both families where the machine has IPv6. */
export async function bindDatagrams(options: DatagramOptions): Promise<Datagrams> {
  const { host, group, signal } = options;
  signal.throwIfAborted();
  const literal = group?.address ?? host;
  if (literal !== undefined) {
    return bind(literalFamily(literal) === 6 ? 'udp6' : 'udp4', options);
  }
  try {
    return await bind('udp6', options);
  } catch (error) {
    const noIpv6 = ['EAFNOSUPPORT', 'EADDRNOTAVAIL'];
    const cause: unknown = error instanceof Error ? error.cause : undefined;
    if (!noIpv6.includes(systemCode(cause) ?? '')) throw error;
    return bind('udp4', options);
  }
}

async function bind(type: 'udp4' | 'udp6', options: DatagramOptions): Promise<Datagrams> {
  const { port = 0, group, signal } = options;
  const host = group?.address ?? options.host;
  const socket = socketOf(type, options);
  try {
    // Before the call: with a lookup that answers at once, it may be bound when the call returns.
    const listening = once(socket, 'listening', { signal });
    socket.bind({ port, ...addressOf(options) });
    await listening;
    joinGroups(socket, type, options);
  } catch (error) {
    socket.close();
    if (signal.aborted) throw abortReason(signal);
    const where = host === undefined ? `port ${port}` : formatEndpoint({ host, port });
    throw networkFailure(`cannot bind UDP ${where}`, systemCode(error), { cause: error });
  }
  const dual = type === 'udp6' && host === undefined;
  return new UdpSocket(socket, { dual, silent: group !== undefined });
}

function socketOf(
  type: 'udp4' | 'udp6',
  { host, group, reusePort = false }: DatagramOptions,
): Socket {
  return createSocket({
    type,
    reusePort,
    reuseAddr: group !== undefined,
    // Who names `::` may want another socket for IPv4 on the same port.
    ipv6Only: host === '::' || (group !== undefined && type === 'udp6'),
    lookup: literalLookup,
    recvBufferSize: SOCKET_BUFFER,
    sendBufferSize: SOCKET_BUFFER,
  });
}

/** Bound to the group, a socket gets nothing that is sent to the machine. Windows knows no such thing. */
function addressOf({ host, group }: DatagramOptions): { readonly address?: string } {
  if (group === undefined) return host === undefined ? {} : { address: host };
  if (platform() !== 'win32') return { address: group.address };
  return { address: group.address.includes(':') ? '::' : '0.0.0.0' };
}

class UdpSocket implements Datagrams {
  readonly local: Endpoint;
  readonly #socket: Socket;
  /** IPv4 goes through an IPv6 socket, in the mapped form. */
  readonly #dual: boolean;
  /** Its address is a group's, from which nothing can come. */
  readonly #silent: boolean;
  #closing: Promise<void> | undefined;

  constructor(
    socket: Socket,
    { dual, silent }: { readonly dual: boolean; readonly silent: boolean },
  ) {
    const { address, port } = socket.address();
    this.local = plainEndpoint(address, port);
    this.#socket = socket;
    this.#dual = dual;
    this.#silent = silent;
    // What cannot be sent is lost; a failure of one datagram says nothing about the socket.
    socket.on('error', () => undefined);
  }

  send(bytes: Uint8Array, to: Endpoint): void {
    if (this.#closing !== undefined || this.#silent) return;
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
