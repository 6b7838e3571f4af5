/** How a session reaches peers, and they it: TCP, uTP or both, on one port, which the DHT has its share of. @module */

import { NetworkError } from '../base/errors.ts';
import type { ByteStream, Listener, Network, Runtime } from '../runtime/ports.ts';
import { SharedDatagrams } from '../runtime/shared-datagrams.ts';
import { looksLikeUtp } from '../utp/index.ts';
import { either } from './either.ts';
import { type TransportMode, UtpTransport } from './utp-transport.ts';

export type { TransportMode } from './utp-transport.ts';

/** BEP 3: "Downloaders … try to listen on port 6881 … up to 6889". */
const USUAL_PORTS = [6881, 6882, 6883, 6884, 6885, 6886, 6887, 6888, 6889] as const;

export interface TransportOptions {
  readonly port?: number;
  readonly host?: string;
  readonly bind?: string;
  readonly transport?: TransportMode;
  readonly signal: AbortSignal;
}

type Accept = (stream: ByteStream) => void;

/** What a session listens on, and calls by. */
export interface Transports extends AsyncDisposable {
  /** Where peers can call us. */
  readonly port: number;
  /** Its `connect` is that of the transports. */
  readonly network: Network;
  /** Its `bindDatagrams` shares the UDP port with uTP. */
  readonly dhtNetwork: Network;
  /** Nobody else is let in from now on; what stands goes on. */
  refuse(): Promise<void>;
}

/**
 * With both transports, uTP takes another port when somebody else has the UDP port of the number: peers
 * cannot call it there then, but are called from it.
 *
 * @throws {NetworkError} when the port that was asked for is taken.
 */
export async function openTransports(
  runtime: Runtime,
  options: TransportOptions,
  accept: Accept,
): Promise<Transports> {
  const { transport = 'both' } = options;
  const shared = new SharedDatagrams(runtime.network, [
    { name: 'utp', owns: looksLikeUtp },
    { name: 'dht', owns: () => true },
  ]);
  const listener =
    transport === 'utp' ? undefined : await listen(options, tcpOf(runtime, options, accept));
  const utp = await openUtp(runtime, options, { accept, shared, port: listener?.local.port }).catch(
    async (error: unknown) => {
      await listener?.[Symbol.asyncDispose]();
      throw error;
    },
  );
  return {
    port: listener?.local.port ?? utp?.local.port ?? 0,
    network: { ...runtime.network, connect: connectBy(runtime, transport, utp) },
    dhtNetwork: { ...runtime.network, ...shared.for('dht') },
    async refuse() {
      utp?.refuse();
      await listener?.[Symbol.asyncDispose]();
    },
    async [Symbol.asyncDispose]() {
      await listener?.[Symbol.asyncDispose]();
      await utp?.[Symbol.asyncDispose]();
    },
  };
}

function connectBy(
  { network, clock }: Runtime,
  transport: TransportMode,
  utp: UtpTransport | undefined,
): Network['connect'] {
  const tcp: Network['connect'] = (to, options) => network.connect(to, options);
  if (utp === undefined) return tcp;
  const byUtp: Network['connect'] = (to, options) => utp.connect(to, options);
  return transport === 'utp' ? byUtp : either(tcp, byUtp, clock);
}

interface UtpParts {
  readonly accept: Accept;
  readonly shared: SharedDatagrams;
  /** Of the listener of TCP; absent without one. */
  readonly port: number | undefined;
}

async function openUtp(
  { clock, random }: Runtime,
  options: TransportOptions,
  { accept, shared, port }: UtpParts,
): Promise<UtpTransport | undefined> {
  if (options.transport === 'tcp') return undefined;
  const { bind, host, signal } = options;
  // The address that packets come from is the one that others are told; `::` means all of both families.
  const one = bind ?? host;
  const runtime = { clock, random, network: shared.for('utp') };
  const open = (wanted: number): Promise<UtpTransport> =>
    UtpTransport.open(runtime, {
      port: wanted,
      host: one === '::' ? undefined : one,
      accept,
      signal,
    });
  if (port === undefined) return await listen(options, open);
  return await orAny(port, open);
}

/** On the port that was asked for, else the first of the usual ones that is free, else any. */
async function listen<Opened>(
  { port }: TransportOptions,
  open: (port: number) => Promise<Opened>,
): Promise<Opened> {
  if (port !== undefined) return await open(port);
  for (const usual of USUAL_PORTS) {
    try {
      return await open(usual);
    } catch (error) {
      if (!isTaken(error)) throw error;
    }
  }
  return await open(0);
}

async function orAny<Opened>(
  port: number,
  open: (port: number) => Promise<Opened>,
): Promise<Opened> {
  try {
    return await open(port);
  } catch (error) {
    if (!isTaken(error)) throw error;
    return await open(0);
  }
}

function tcpOf(
  { network }: Runtime,
  { host, signal }: TransportOptions,
  accept: Accept,
): (port: number) => Promise<Listener> {
  const bound = host === undefined ? { signal } : { host, signal };
  return (port) => network.listen(accept, { ...bound, port });
}

function isTaken(error: unknown): boolean {
  return error instanceof NetworkError && error.code === 'BIP_PORT_IN_USE';
}
