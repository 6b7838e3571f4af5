/** `--proxy`, and its twin in the environment: what of the world a command touches goes through it. @module */

import { Option } from 'commander';
import { ProtocolError, UsageError } from '../../src/base/errors.ts';
import { type Proxy, parseProxyUrl } from '../../src/proxy/index.ts';
import { boundTo } from '../../src/runtime/bound.ts';
import type { Context } from './context.ts';

export interface ProxyFlags {
  /** False with `--no-proxy`. */
  readonly proxy?: Proxy | false;
}

/** `--proxy`. */
export function proxyOption(): Option {
  return new Option(
    '--proxy <url>',
    'go through socks5://[user:password@]host:port or http://…; default $BIP_PROXY',
  ).argParser((text) => readProxy(text, '--proxy'));
}

/** `--no-proxy`: whatever the environment says. */
export function noProxyOption(): Option {
  return new Option('--no-proxy', 'go straight, whatever $BIP_PROXY says').default(undefined);
}

/**
 * The context in which everything goes through the proxy of `--proxy`, or else of `BIP_PROXY`, and leaves
 * from the address of `--bind`; the same one when there is neither.
 *
 * @throws {UsageError} for an environment that names no proxy.
 */
export async function reachThrough(
  context: Context,
  { proxy: wanted, bind }: ProxyFlags & { readonly bind?: string },
): Promise<Context> {
  const { runtime, env } = context;
  const named = env['BIP_PROXY'] ?? '';
  const proxy = wanted ?? (named === '' ? false : readProxy(named, 'BIP_PROXY'));
  if (proxy === false && bind === undefined) return context;
  if (proxy !== false) {
    const { proxied } = await import('../../src/proxy/index.ts');
    return { ...context, proxy, runtime: { ...runtime, ...proxied(runtime, proxy, { bind }) } };
  }
  if (bind === undefined) return context;
  return { ...context, runtime: { ...runtime, ...boundTo(runtime, bind) } };
}

function readProxy(text: string, where: string): Proxy {
  try {
    return parseProxyUrl(text);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new UsageError(`${where}: ${error.message}`, { cause: error });
  }
}
