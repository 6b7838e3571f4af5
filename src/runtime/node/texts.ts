/** TXT records, by a resolver of our own: the system's does not ask for them. @module */

import { Resolver } from 'node:dns/promises';
import { networkFailure } from '../failures.ts';
import type { Lookup } from '../ports.ts';
import { onAbort } from './abort.ts';
import { systemCode } from './system-error.ts';

/** Asks `nameServers` (literal addresses with or without a port), those of the system by default. */
export function textsBy(nameServers: readonly string[] | undefined): Lookup['texts'] {
  return async (host, { signal }) => {
    signal.throwIfAborted();
    const resolver = new Resolver();
    if (nameServers !== undefined) resolver.setServers(nameServers);
    const stop = onAbort(signal, () => resolver.cancel());
    try {
      const records = await resolver.resolveTxt(host);
      return records.map((strings) => strings.join(''));
    } catch (error) {
      signal.throwIfAborted();
      const system = systemCode(error) ?? '';
      if (NONE.has(system)) return [];
      const reason = SILENT.has(system) ? 'EAI_AGAIN' : system;
      throw networkFailure(`cannot find the TXT records of ${host}`, reason, {
        code: 'BIP_DNS',
        cause: error,
      });
    } finally {
      stop();
    }
  };
}

/** The name has none, or there is no such name. */
const NONE: ReadonlySet<string> = new Set(['ENODATA', 'ENOTFOUND']);
const SILENT: ReadonlySet<string> = new Set(['ETIMEOUT', 'ECONNREFUSED', 'ESERVFAIL', 'EREFUSED']);
