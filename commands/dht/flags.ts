/** The flags that all commands of the group share. @module */

import { type Command, Option } from 'commander';
import { UsageError } from '../../src/base/errors.ts';
import { bindOption } from '../cli/bind.ts';
import { type BootstrapFlags, bootstrapOption } from '../cli/dht-flags.ts';
import { noProxyOption, proxyOption } from '../cli/proxy.ts';
import { formatDuration, parseDuration, parseWhole } from '../cli/units.ts';

export interface DhtFlags extends BootstrapFlags {
  readonly ipv4?: true;
  readonly ipv6?: true;
  /** A literal address of this machine. */
  readonly bind?: string;
  /** Milliseconds. */
  readonly timeout?: number;
}

/** A command whose UDP port may be chosen. */
export interface PortFlags extends DhtFlags {
  readonly port?: number;
}

/** What `--timeout` is about, and its default in milliseconds. */
export interface TimeoutWords {
  readonly gaveUp: string;
  readonly ms?: number;
}

/** Adds the flags but `--bootstrap`. */
export function withReachFlags(command: Command, { gaveUp, ms }: TimeoutWords): Command {
  const timeout = new Option('--timeout <duration>', gaveUp).argParser(parseTimeout);
  if (ms !== undefined) timeout.default(ms, formatDuration(ms));
  return command
    .addOption(new Option('-4, --ipv4', 'only the DHT of IPv4').conflicts('ipv6'))
    .addOption(new Option('-6, --ipv6', 'only the DHT of IPv6').conflicts('ipv4'))
    .addOption(bindOption())
    .addOption(proxyOption())
    .addOption(noProxyOption())
    .addOption(timeout);
}

/** Adds the flags of a command that searches. */
export function withDhtFlags(command: Command): Command {
  return withReachFlags(command.addOption(bootstrapOption()), {
    gaveUp: 'stop after this time, keeping what was found',
  });
}

/** `--port`, where no other port is meant. */
export function withPortFlag(command: Command): Command {
  return command.addOption(
    new Option('--port <n>', 'the UDP port to ask from; default any that is free').argParser(
      (text) => parseWhole(text, '--port', 0, 65_535),
    ),
  );
}

/** `--limit N`, up to `most`; `what` says of what. */
export function limitOption(what: string, most = 1_000_000_000): Option {
  return new Option('--limit <n>', what).argParser((text) => parseWhole(text, '--limit', 1, most));
}

/** A duration above zero, in milliseconds. */
function parseTimeout(text: string): number {
  const ms = parseDuration(text, '--timeout');
  if (ms > 0) return ms;
  throw new UsageError(`--timeout: \`${text}\` leaves no time for an answer`);
}
