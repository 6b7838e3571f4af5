/** `--proxy`, and its twin in the environment: what of the world a command touches goes through it. @module */

import { Option } from 'commander';
import { ProtocolError, UsageError } from '../../src/base/errors.ts';
import type { Proxy } from '../../src/proxy/index.ts';
import { boundTo } from '../../src/runtime/bound.ts';
import type { Context } from './context.ts';

export interface ProxyFlags {
  /** As it was given; false with `--no-proxy`. */
  readonly proxy?: string | false;
}

/** `--proxy`. */
export function proxyOption(): Option {
  return new Option(
    '--proxy <url>',
    'go through socks5://[user:password@]host:port or http://…; default $BIP_PROXY',
  );
}

/** `--no-proxy`: whatever the environment says. */
export function noProxyOption(): Option {
  return new Option('--no-proxy', 'go straight, whatever $BIP_PROXY says').default(undefined);
}

/**
 * The context in which everything goes through the proxy of `--proxy`, or else of `BIP_PROXY`, and leaves
 * from the address of `--bind`; the same one when there is neither.
 *
 * @throws {UsageError} for what is no proxy.
 */
export async function reachThrough(
  context: Context,
  { proxy: wanted, bind }: ProxyFlags & { readonly bind?: string },
): Promise<Context> {
  const { runtime, env } = context;
  const where = wanted === undefined ? 'BIP_PROXY' : '--proxy';
  const text = wanted ?? env['BIP_PROXY'] ?? '';
  if (text !== false && (text !== '' || wanted === '')) {
    // Loaded by whoever needs it only.
    const { parseProxyUrl, proxied } = await import('../../src/proxy/index.ts');
    const proxy = readProxy(parseProxyUrl, text, where);
    return { ...context, proxy, runtime: { ...runtime, ...proxied(runtime, proxy, { bind }) } };
  }
  if (bind === undefined) return context;
  return { ...context, runtime: { ...runtime, ...boundTo(runtime, bind) } };
}

function readProxy(parse: (text: string) => Proxy, text: string, where: string): Proxy {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new UsageError(`${where}: ${error.message}`, { cause: error });
  }
}
