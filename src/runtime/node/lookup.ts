/** Names to addresses, by the resolver of the system. @module */

import { lookup as resolve } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';
import { networkFailure } from '../failures.ts';
import type { Lookup } from '../ports.ts';
import { onAbort } from './abort.ts';
import { literalFamily } from './addresses.ts';
import { systemCode } from './system-error.ts';
import { textsBy } from './texts.ts';

/**
 * Follows /etc/hosts and the order of addresses that the system prefers. `nameServers` are asked for
 * TXT records instead of those of the system.
 */
export function nodeLookup(nameServers?: readonly string[]): Lookup {
  return { ...system, texts: textsBy(nameServers) };
}

/** Of no use without the interface that they belong to. */
const LINK_LOCAL = /^fe80:|^169\.254\./i;

const system: Omit<Lookup, 'texts'> = {
  localAddresses() {
    return Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .filter(({ internal, address }) => !internal && !LINK_LOCAL.test(address))
      .map(({ address }) => address);
  },

  interfaces() {
    return Object.entries(networkInterfaces()).flatMap(([name, addresses]) =>
      (addresses ?? []).map(({ address, internal }) => ({
        interface: name,
        address: /^fe[89ab].:/i.test(address) ? `${address}%${name}` : address,
        isLoopback: internal,
      })),
    );
  },

  async addresses(host, { family, signal }) {
    signal.throwIfAborted();
    const literal = literalFamily(host);
    if (literal !== undefined) {
      if (family === undefined || family === literal) return [host];
      throw networkFailure(`cannot use ${host} as an IPv${family} address`, 'ENODATA');
    }
    try {
      const found = await abandonable(
        resolve(host, {
          all: true,
          order: 'verbatim',
          ...(family === undefined ? {} : { family }),
        }),
        signal,
      );
      return found.map(({ address }) => address);
    } catch (error) {
      signal.throwIfAborted();
      const what = family === undefined ? 'the address' : `an IPv${family} address`;
      throw networkFailure(`cannot find ${what} of ${host}`, systemCode(error), {
        code: 'BIP_DNS',
        cause: error,
      });
    }
  },
};

/** The system's resolver cannot be stopped: an aborted question is left to itself. */
async function abandonable<T>(question: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop: (() => void) | undefined;
  try {
    return await Promise.race([
      question,
      new Promise<never>((_, reject) => {
        stop = onAbort(signal, reject);
      }),
    ]);
  } finally {
    stop?.();
  }
}
