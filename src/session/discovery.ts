/** What a session finds peers by besides trackers, for all of its torrents: the DHT and the local network. @module */

import { NetworkError } from '../base/errors.ts';
import { DhtNode, type DhtOptions, type DhtState } from '../dht/index.ts';
import { Lpd } from '../lpd/index.ts';
import type { Millis, Network, Runtime } from '../runtime/ports.ts';
import { Saving } from '../runtime/saving.ts';

export type SessionDht = Omit<DhtOptions, 'signal' | 'port'> & {
  /** Saves what the next run can begin with, now and then and at the end; must not reject. */
  readonly keep?: { readonly everyMs: Millis; save(state: DhtState): Promise<void> };
};

export interface SessionLpd {
  /** The one address of this machine that is announced, on its interface alone; default all. */
  readonly address?: string;
  /** It cannot be had; the session goes on without. */
  readonly onUnavailable?: (error: NetworkError) => void;
}

export interface DiscoveryOptions {
  readonly dht?: SessionDht;
  readonly lpd?: SessionLpd;
  readonly signal: AbortSignal;
}

interface DiscoveryParts {
  /** Where peers can call us. */
  readonly port: number;
  readonly dhtNetwork: Network;
  readonly onBug: (error: unknown) => void;
}

/** To be disposed when no torrent needs it any more. */
export interface Discovery extends AsyncDisposable {
  readonly dht: DhtNode | undefined;
  readonly lpd: Lpd | undefined;
}

/** Takes part in both as the options say. @throws {NetworkError} when their sockets cannot be had. */
export async function openDiscovery(
  runtime: Runtime,
  { dht: wanted, lpd: local, signal }: DiscoveryOptions,
  { port, dhtNetwork, onBug }: DiscoveryParts,
): Promise<Discovery> {
  const dht =
    wanted && (await openDht({ ...runtime, network: dhtNetwork }, { ...wanted, port, signal }));
  let lpd: Lpd | undefined;
  try {
    lpd = local && (await openLpd(runtime, local, { port, signal, onBug }));
  } catch (error) {
    await dht?.[Symbol.asyncDispose]();
    throw error;
  }
  dht?.join().catch(onBug);
  const saving = savingOf(runtime, dht, wanted);
  return {
    dht,
    lpd,
    async [Symbol.asyncDispose]() {
      await saving?.[Symbol.asyncDispose]();
      await dht?.[Symbol.asyncDispose]();
      await lpd?.[Symbol.asyncDispose]();
    },
  };
}

/** The port is the listener's, else any: UDP and TCP have each their own. */
async function openDht(
  runtime: Runtime,
  options: SessionDht & { readonly port: number; readonly signal: AbortSignal },
): Promise<DhtNode> {
  try {
    return await DhtNode.open(runtime, options);
  } catch (error) {
    if (!(error instanceof NetworkError) || error.code !== 'BIP_PORT_IN_USE') throw error;
    return await DhtNode.open(runtime, { ...options, port: 0 });
  }
}

/** A machine that is on no network has no local peers. */
async function openLpd(
  runtime: Runtime,
  { address, onUnavailable }: SessionLpd,
  rest: Omit<Parameters<typeof Lpd.open>[1], 'address'>,
): Promise<Lpd | undefined> {
  try {
    return await Lpd.open(runtime, { ...rest, address });
  } catch (error) {
    if (!(error instanceof NetworkError)) throw error;
    onUnavailable?.(error);
    return undefined;
  }
}

function savingOf(
  { clock }: Runtime,
  dht: DhtNode | undefined,
  wanted: SessionDht | undefined,
): Saving | undefined {
  const keep = wanted?.keep;
  if (dht === undefined || keep === undefined) return undefined;
  return new Saving(clock, keep.everyMs, () => keep.save({ ...dht.save(), port: dht.port }));
}
