/** Flags of all commands that use the DHT: whom to begin with. @module */

import { InvalidArgumentError, Option } from 'commander';
import { parseEndpoint } from '../../src/base/endpoint.ts';
import { ipScope } from '../../src/base/ip-scope.ts';
import type { Router } from '../../src/dht/index.ts';

export interface BootstrapFlags {
  readonly bootstrap?: readonly Router[];
}

/** Whether a local address reaches this machine alone; one that stands for all addresses does not. */
export function isLoopback(host: string): boolean {
  return ipScope(host) === 'loopback' && host !== '0.0.0.0' && host !== '::';
}

/** `--bootstrap HOST:PORT`, repeatable; instead of the well-known routers. */
export function bootstrapOption(): Option {
  return new Option(
    '--bootstrap <host:port>',
    'a DHT node to begin with, repeatable; instead of the well-known ones',
  ).argParser(collectRouter);
}

function collectRouter(text: string, before: readonly Router[] | false = []): readonly Router[] {
  const router = parseEndpoint(text);
  if (router === undefined) {
    throw new InvalidArgumentError(`\`${text}\` is no HOST:PORT; write IPv6 like [::1]:6881`);
  }
  return [...(before === false ? [] : before), router];
}
