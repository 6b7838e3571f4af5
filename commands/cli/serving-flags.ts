/** Flags of commands that serve: where they listen, and where they show their numbers. @module */

import { type Endpoint, formatEndpoint, parseEndpoint } from '../../src/base/endpoint.ts';
import { NetworkError, UsageError } from '../../src/base/errors.ts';
import { formatIp, ipFamily, parseIp } from '../../src/base/ip.ts';
import { parseWhole } from './units.ts';

/**
 * `--host ADDR`, repeatable, in canonical form.
 * @throws {UsageError}
 */
export function collectHost(text: string, before: readonly string[] = []): readonly string[] {
  const bytes = parseIp(text);
  if (bytes !== undefined) return [...before, formatIp(bytes)];
  throw new UsageError(`--host: \`${text}\` is no IP address`);
}

/**
 * `--stats`: an address with a port, or a port of this machine alone.
 * @throws {UsageError}
 */
export function parseStatsPlace(text: string): Endpoint {
  if (/^\d+$/.test(text)) {
    return { host: '127.0.0.1', port: parseWhole(text, '--stats', 0, 65_535) };
  }
  const endpoint = parseEndpoint(text);
  if (endpoint !== undefined && ipFamily(endpoint.host) !== undefined) return endpoint;
  throw new UsageError(`--stats: \`${text}\` is no port and no ADDRESS:PORT`);
}

/** When a port is taken, the same error with the flag that helps; `undefined` for other errors. */
export function portTaken(error: unknown, stats: Endpoint | undefined): NetworkError | undefined {
  if (!(error instanceof NetworkError) || error.code !== 'BIP_PORT_IN_USE') return undefined;
  const isStats = stats !== undefined && error.message.includes(`${formatEndpoint(stats)}:`);
  const message = `${error.message}; choose another port with ${isStats ? '--stats' : '--port'}`;
  return new NetworkError(message, { code: error.code, cause: error });
}
