/** What a proxy leaves of a session, said once. @module */

import { NetworkError, UsageError } from '../../src/base/errors.ts';
import type { Context } from '../cli/context.ts';
import type { Reporter } from '../cli/reporter.ts';
import type { TransferFlags } from './flags.ts';

/**
 * The flags as far as the proxy goes: without UDP there is no DHT. A SOCKS5 proxy is tried, so that one that
 * lets nobody in does not look like a swarm without peers.
 *
 * @throws {NetworkError} when the proxy cannot be reached, or lets nobody in.
 */
export async function flagsWithin<Flags extends TransferFlags>(
  context: Context,
  flags: Flags,
  reporter: Pick<Reporter, 'warn' | 'explain'>,
): Promise<Flags> {
  if (context.proxy === undefined) return flags;
  if (flags.port !== undefined || flags.host !== undefined) {
    throw new UsageError(
      '--port and --host are for being called, and nobody can call through a proxy; leave them out, or give --no-proxy',
    );
  }
  const { network } = context.runtime;
  try {
    const probe = await network.bindDatagrams({ signal: context.signal });
    await probe[Symbol.asyncDispose]();
    return flags;
  } catch (error) {
    if (!(error instanceof NetworkError) || !NO_UDP.has(error.code)) throw error;
    const told = `${error.message}; the DHT is not used, and UDP trackers cannot be asked`;
    if (flags.dht) reporter.warn(told);
    else reporter.explain(told);
    return { ...flags, dht: false };
  }
}

/** The proxy is there, and does not want to. */
const NO_UDP: ReadonlySet<string> = new Set([
  'BIP_PROXY_UDP',
  'BIP_PROXY_REFUSED',
  'BIP_UNREACHABLE',
  'BIP_REFUSED',
]);
