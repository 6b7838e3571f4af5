/** `--bind`: the address of this machine that everything leaves from, or the interface that has it. @module */

import { Option } from 'commander';
import { UsageError } from '../../src/base/errors.ts';
import { ipFamily } from '../../src/base/ip.ts';
import type { Lookup } from '../../src/runtime/ports.ts';
import { printable } from './printable.ts';

export interface BindFlags {
  /** As the user gave it; {@link boundAddress} makes an address of it before a command runs. */
  readonly bind?: string;
  readonly ipv6?: true;
}

export function bindOption(): Option {
  return new Option(
    '--bind <address|interface>',
    'send everything from this address of the machine, or from that of an interface',
  );
}

/**
 * The address that is meant: of an interface the IPv4 one, or the IPv6 one when there is no other and
 * with `-6`.
 *
 * @throws {UsageError} for what is neither.
 */
export function boundAddress(lookup: Lookup, { bind, ipv6 }: BindFlags): string | undefined {
  if (bind === undefined || ipFamily(bind) !== undefined) return bind;
  const interfaces = lookup.interfaces();
  const own = interfaces.filter((one) => one.interface === bind);
  if (own.length === 0) {
    const names = [...new Set(interfaces.map((one) => one.interface))].join(', ') || 'none';
    throw new UsageError(
      `--bind: \`${printable(bind)}\` is no IP address, and no interface of this machine has that name; there are: ${names}`,
    );
  }
  const wanted = ipv6 === true ? [6] : [4, 6];
  // Link-local ones have a zone, and are no literal addresses.
  const found = wanted.flatMap((family) =>
    own.map(({ address }) => address).filter((one) => ipFamily(one) === family),
  );
  if (found[0] !== undefined) return found[0];
  const kind = ipv6 === true ? 'IPv6 address' : 'address';
  throw new UsageError(`--bind: the interface ${printable(bind)} has no ${kind} to send from`);
}
