/** Names of the simulated world. @module */

import { ipFamily } from '../../base/ip.ts';
import { networkFailure } from '../failures.ts';
import type { InterfaceAddress, Lookup, Millis } from '../ports.ts';
import { abortable } from './aborting.ts';
import type { Timeline } from './timeline.ts';

/** How long the name server takes to answer, milliseconds. */
const ANSWER_AFTER: Millis = 20;

/** How long the resolver asks a name server that is silent, milliseconds (what glibc does). */
const PATIENCE: Millis = 10_000;

/** The name server of a world. */
export class Names {
  readonly #addresses = new Map<string, readonly string[]>([['localhost', ['127.0.0.1', '::1']]]);
  readonly #texts = new Map<string, readonly string[]>();
  /** It answers nobody. */
  silent = false;
  /** Names, in lower case, about which it is silent. */
  readonly unanswered: Set<string> = new Set();

  /** Replaces what `name` meant before; no addresses: there is no such name. */
  set(name: string, addresses: readonly string[]): void {
    this.#addresses.set(name.toLowerCase(), addresses);
  }

  /** Replaces the TXT records of `name`. */
  setTexts(name: string, texts: readonly string[]): void {
    this.#texts.set(name.toLowerCase(), texts);
  }

  find(name: string): readonly string[] {
    return this.#addresses.get(key(name)) ?? [];
  }

  findTexts(name: string): readonly string[] {
    return this.#texts.get(key(name)) ?? [];
  }
}

function key(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}

/** What a host knows of itself. */
interface Own {
  readonly addresses: readonly string[];
  readonly interfaces: readonly InterfaceAddress[];
}

/** `own`: of the host that asks. */
export function lookupIn(names: Names, timeline: Timeline, own: Own): Lookup {
  /** True when nobody answered. */
  const asked = async (name: string, signal: AbortSignal): Promise<boolean> => {
    const silent = names.silent || names.unanswered.has(key(name));
    const answered = new Promise<void>((resolve) => {
      timeline.after(silent ? PATIENCE : ANSWER_AFTER, resolve);
    });
    await abortable(signal, answered);
    return silent;
  };
  return {
    localAddresses: () => own.addresses,
    interfaces: () => own.interfaces,
    async addresses(host, { family, signal }) {
      signal.throwIfAborted();
      const literal = ipFamily(host);
      if (literal !== undefined) {
        if (family === undefined || family === literal) return [host];
        throw networkFailure(`cannot use ${host} as an IPv${family} address`, 'ENODATA');
      }
      const silent = await asked(host, signal);
      const known = names.find(host);
      const found = known.filter((address) => family === undefined || ipFamily(address) === family);
      if (!silent && found.length > 0) return found;
      const what = family === undefined ? 'the address' : `an IPv${family} address`;
      throw networkFailure(`cannot find ${what} of ${host}`, silent ? 'EAI_AGAIN' : 'ENOTFOUND');
    },
    async texts(host, { signal }) {
      signal.throwIfAborted();
      if (!(await asked(host, signal))) return names.findTexts(host);
      throw networkFailure(`cannot find the TXT records of ${host}`, 'EAI_AGAIN');
    },
  };
}
