/** The flags that both commands of the group share, and what becomes of them. @module */

import { type Command, Option } from 'commander';
import { UsageError } from '../../src/base/errors.ts';
import type { LpdOptions } from '../../src/lpd/index.ts';
import type { Runtime } from '../../src/runtime/ports.ts';
import { printable } from '../cli/printable.ts';
import { parseDuration } from '../cli/units.ts';

export interface LanFlags {
  readonly ipv4?: true;
  readonly ipv6?: true;
  /** Names, or addresses. */
  readonly interface?: readonly string[];
  /** Milliseconds. */
  readonly timeout?: number;
}

/** `gaveUp` says what `--timeout` does. */
export function withLanFlags(command: Command, gaveUp: string): Command {
  return command
    .addOption(new Option('-4, --ipv4', 'only over IPv4').conflicts('ipv6'))
    .addOption(new Option('-6, --ipv6', 'only over IPv6').conflicts('ipv4'))
    .addOption(
      new Option(
        '--interface <name>',
        'an interface by name or address, repeatable; default all that lead to others',
      ).argParser((name: string, before: readonly string[] | undefined) => [
        ...(before ?? []),
        name,
      ]),
    )
    .addOption(new Option('--timeout <duration>', gaveUp).argParser(parseTimeout));
}

/** @throws {UsageError} for an interface that is not there. */
export function reachOf(
  { lookup }: Pick<Runtime, 'lookup'>,
  { ipv4, ipv6, interface: wanted }: LanFlags,
): Pick<LpdOptions, 'families' | 'interfaces'> {
  const own = lookup.interfaces();
  const interfaces = wanted?.map((name) => {
    const found = own.find((one) => one.interface === name || one.address === name);
    if (found !== undefined) return found.interface;
    const names = [...new Set(own.map((one) => one.interface))].join(', ');
    throw new UsageError(
      `--interface: there is no \`${printable(name.slice(0, 100))}\` here; there are ${names}`,
    );
  });
  return {
    ...(ipv4 === true ? { families: [4] as const } : {}),
    ...(ipv6 === true ? { families: [6] as const } : {}),
    ...(interfaces === undefined ? {} : { interfaces }),
  };
}

function parseTimeout(text: string): number {
  const ms = parseDuration(text, '--timeout');
  if (ms > 0) return ms;
  throw new UsageError(`--timeout: \`${text}\` leaves no time to hear anybody`);
}
