/** Names of the simulated world. @module */

import { ipFamily } from '../../base/ip.ts';
import { networkFailure } from '../failures.ts';
import type { Lookup, Millis } from '../ports.ts';
import { abortable } from './aborting.ts';
import type { Timeline } from './timeline.ts';

/** How long the name server takes to answer, milliseconds. */
const ANSWER_AFTER: Millis = 20;

/** How long the resolver asks a name server that is silent, milliseconds (what glibc does). */
const PATIENCE: Millis = 10_000;

/** The name server of a world. */
export class Names {
  readonly #addresses = new Map<string, readonly string[]>([['localhost', ['127.0.0.1', '::1']]]);
  /** It answers nobody. */
  silent = false;

  /** Replaces what `name` meant before; no addresses: there is no such name. */
  set(name: string, addresses: readonly string[]): void {
    this.#addresses.set(name.toLowerCase(), addresses);
  }

  find(name: string): readonly string[] {
    return this.#addresses.get(name.toLowerCase().replace(/\.$/, '')) ?? [];
  }
}

/** `own`: the addresses of the host that asks. */
export function lookupIn(names: Names, timeline: Timeline, own: readonly string[]): Lookup {
  return {
    localAddresses: () => own,
    async addresses(host, { family, signal }) {
      signal.throwIfAborted();
      const literal = ipFamily(host);
      if (literal !== undefined) {
        if (family === undefined || family === literal) return [host];
        throw networkFailure(`cannot use ${host} as an IPv${family} address`, 'ENODATA');
      }
      const { silent } = names;
      const answered = new Promise<void>((resolve) => {
        timeline.after(silent ? PATIENCE : ANSWER_AFTER, resolve);
      });
      await abortable(signal, answered);
      const known = names.find(host);
      const found = known.filter((address) => family === undefined || ipFamily(address) === family);
      if (!silent && found.length > 0) return found;
      const what = family === undefined ? 'the address' : `an IPv${family} address`;
      throw networkFailure(`cannot find ${what} of ${host}`, silent ? 'EAI_AGAIN' : 'ENOTFOUND');
    },
  };
}
