/** The flags that `tracker announce` and `tracker scrape` share. @module */

import { type Command, Option } from 'commander';
import { UsageError } from '../../src/base/errors.ts';
import {
  type ExchangeOptions,
  type Shared,
  TrackerPreferences,
  type TrackerRuntime,
} from '../../src/tracker/index.ts';
import { bindOption } from '../cli/bind.ts';
import { noProxyOption, proxyOption } from '../cli/proxy.ts';
import { parseDuration, parseWhole } from '../cli/units.ts';

export interface ExchangeFlags {
  readonly from?: string;
  /** Milliseconds. */
  readonly timeout?: number;
  readonly retries?: number;
  readonly concurrency: number;
  readonly ipv4?: true;
  readonly ipv6?: true;
  readonly bothFamilies?: true;
  readonly dnsPreferences: boolean;
  readonly allowLocal?: true;
  readonly raw?: true;
  readonly watch?: true;
  readonly limit?: number;
  readonly reveal?: true;
}

/** Adds the flags to a command; `repeated` says what `--watch` repeats, and when. */
export function withExchangeFlags(command: Command, repeated: string): Command {
  return withReach(
    command
      .addOption(
        new Option('--from <file>', 'ask the trackers in it, too: URLs, one a line; - for stdin'),
      )
      .addOption(
        new Option(
          '--timeout <duration>',
          'give up on a tracker after; default as BEP 15 says, 30s over HTTP',
        ).argParser((text) => parsePositive(text)),
      )
      .addOption(
        new Option(
          '--retries <n>',
          'ask again when there is no answer; default 8 over UDP (2 with --timeout), else 0',
        ).argParser((text) => parseWhole(text, '--retries', 0, 16)),
      )
      .addOption(
        new Option('--concurrency <n>', 'trackers to ask at once')
          .argParser((text) => parseWhole(text, '--concurrency', 1, 1000))
          .default(50),
      )
      .addOption(new Option('--watch', repeated))
      .addOption(
        new Option('--limit <n>', 'with --watch, ask each tracker so many times').argParser(
          (text) => parseWhole(text, '--limit', 1, 1_000_000_000),
        ),
      )
      .addOption(bindOption())
      .addOption(proxyOption())
      .addOption(noProxyOption())
      .addOption(new Option('--raw', 'show the bytes that were sent and received'))
      .addOption(new Option('--reveal', 'show passkeys in tracker URLs and bytes')),
  );
}

function withReach(command: Command): Command {
  return command
    .addOption(new Option('-4, --ipv4', 'use IPv4 only').conflicts('ipv6'))
    .addOption(new Option('-6, --ipv6', 'use IPv6 only').conflicts('ipv4'))
    .addOption(
      new Option('--both-families', 'ask each tracker over IPv4 and over IPv6').conflicts([
        'ipv4',
        'ipv6',
      ]),
    )
    .addOption(
      new Option(
        '--no-dns-preferences',
        'ask the trackers that are named, wherever DNS says that others are (BEP 34)',
      ),
    )
    .addOption(
      new Option(
        '--allow-local',
        'let torrents and redirects lead to any service of this machine and its network',
      ),
    );
}

/** @throws {UsageError} for flags that contradict each other. */
export function checkExchangeFlags({ watch, limit }: ExchangeFlags): void {
  if (limit !== undefined && watch !== true) {
    throw new UsageError('--limit is about --watch; without it each tracker is asked once');
  }
}

/** How every tracker of one run is asked. */
export function exchangeOptions(
  runtime: TrackerRuntime,
  flags: ExchangeFlags,
  signal: AbortSignal,
): ExchangeOptions & Shared {
  return {
    signal,
    timeoutMs: flags.timeout,
    retries: flags.retries,
    allowLocal: flags.allowLocal,
    keepRaw: flags.raw,
    ...(flags.dnsPreferences ? { preferences: new TrackerPreferences(runtime) } : {}),
  };
}

/** The families to ask over, each by itself; `undefined` lets the addresses of the name decide. */
export function familiesOf({
  ipv4,
  ipv6,
  bothFamilies,
}: ExchangeFlags): readonly (4 | 6 | undefined)[] {
  if (bothFamilies === true) return [4, 6];
  if (ipv4 === true) return [4];
  return [ipv6 === true ? 6 : undefined];
}

function parsePositive(text: string): number {
  const ms = parseDuration(text, '--timeout');
  if (ms > 0) return ms;
  throw new UsageError(`--timeout: \`${text}\` leaves no time for an answer`);
}
