/** HOST:PORT as users name nodes: checked, then looked up. @module */

import { decodeUtf8Lossy } from '../../src/base/bytes.ts';
import { type Endpoint, parseEndpoint } from '../../src/base/endpoint.ts';
import { NetworkError, UsageError } from '../../src/base/errors.ts';
import { formatIp, ipFamily, parseIp } from '../../src/base/ip.ts';
import type { Runtime } from '../../src/runtime/ports.ts';
import type { Context } from '../cli/context.ts';
import { readInput } from '../cli/input.ts';
import { printable } from '../cli/printable.ts';

/**
 * The nodes that `args` name, each once, in their order; `-` stands for the first words of the lines
 * of standard input.
 *
 * @throws {UsageError} for what is no HOST:PORT, and when there is none.
 */
export async function namedNodes(
  context: Context,
  args: readonly string[],
): Promise<readonly Endpoint[]> {
  const named = new Map<string, Endpoint>();
  for (const argument of args) {
    const words = argument === '-' ? await readWords(context) : [argument];
    for (const word of words) named.set(word, parseNode(word));
  }
  if (named.size === 0) throw new UsageError('standard input names no HOST:PORT');
  return [...named.values()];
}

/** @throws {UsageError} */
export function parseNode(text: string): Endpoint {
  const endpoint = parseEndpoint(text);
  if (endpoint !== undefined) return endpoint;
  const shown = printable(text.slice(0, 100));
  throw new UsageError(`\`${shown}\` is no HOST:PORT; write IPv6 like [2001:db8::1]:6881`);
}

/**
 * The literal address of a node in one of `families`; behind a proxy its name.
 *
 * @throws {NetworkError} `BIP_DNS` when there is none.
 */
export async function findAddress(
  { lookup }: Runtime,
  { host, port }: Endpoint,
  { families, signal }: { readonly families: readonly (4 | 6)[]; readonly signal: AbortSignal },
): Promise<Endpoint> {
  const addresses = await lookup.addresses(host, { signal });
  const [first = ''] = addresses;
  // A proxy looks it up.
  if (first === host && ipFamily(host) === undefined) return { host, port };
  const address = addresses.find((one) => families.some((family) => family === ipFamily(one)));
  // As answers will name it: IPv6 can be written in many ways.
  const ip = parseIp(address ?? '');
  if (ip !== undefined) return { host: formatIp(ip), port };
  const wanted = families.map((family) => `IPv${family}`).join(' or ');
  throw new NetworkError(`${host} has no address of ${wanted}, which is what bip asks over here`, {
    code: 'BIP_DNS',
  });
}

async function readWords(context: Context): Promise<readonly string[]> {
  const text = decodeUtf8Lossy(await readInput(context, '-', { maxBytes: MAX_LIST_BYTES }));
  return text
    .split('\n')
    .flatMap((line) => /^\s*([^\s#]+)/.exec(line)?.[1] ?? [])
    .slice(0, MAX_LISTED);
}

const MAX_LIST_BYTES: number = 16 * 2 ** 20;
const MAX_LISTED = 100_000;
