/** The flags of `tracker serve`. @module */

import { type Command, Option } from 'commander';
import type { Endpoint } from '../../src/base/endpoint.ts';
import { UsageError } from '../../src/base/errors.ts';
import { collectHost, parseStatsPlace } from '../cli/serving-flags.ts';
import { parseSize, parseSpan, parseWhole } from '../cli/units.ts';

export interface ServeFlags {
  readonly port: number;
  readonly host?: readonly string[];
  readonly http: boolean;
  readonly udp: boolean;
  /** Durations in milliseconds. */
  readonly interval: number;
  readonly minInterval?: number;
  readonly peerLifetime?: number;
  readonly numwant: number;
  readonly maxNumwant: number;
  readonly allow?: string;
  readonly deny?: string;
  readonly passkeys?: string;
  readonly acceptIp: 'never' | 'local' | 'always';
  readonly trustedProxy?: readonly string[];
  readonly proxyHeader?: string;
  readonly fullScrape?: true;
  readonly state?: string;
  readonly saveEvery?: number;
  readonly store?: string;
  readonly storePrefix?: string;
  readonly workers: number;
  readonly stats?: Endpoint;
  /** Requests a second of one address; false without a limit. */
  readonly rateLimit: number | false;
  readonly maxSwarms: number;
  readonly maxPeers: number;
  /** Bytes. */
  readonly maxMemory: number;
  readonly maxConnections?: number;
  /** Milliseconds. */
  readonly requestTimeout: number;
  readonly logAnnounces?: true;
  readonly logEvery: number;
  readonly timeout?: number;
}

/** Adds the flags to a command. */
export function withServeFlags(command: Command): Command {
  return [addPlaces, addAnswers, addAccess, addState, addLimits, addLogs].reduce(
    (before, add) => add(before),
    command,
  );
}

function addPlaces(command: Command): Command {
  return command
    .addOption(
      new Option('-p, --port <n>', 'where to listen, over HTTP and UDP; 0 for any free port')
        .argParser((text) => parseWhole(text, '--port', 0, 65_535))
        .default(6969),
    )
    .addOption(
      new Option(
        '--host <addr>',
        'the address to listen on, repeatable; default all of IPv4 and IPv6',
      ).argParser(collectHost),
    )
    .addOption(new Option('--no-http', 'serve UDP only'))
    .addOption(new Option('--no-udp', 'serve HTTP only'))
    .addOption(
      new Option('--workers <n>', 'threads that share port and swarms')
        .argParser((text) => parseWhole(text, '--workers', 1, 64))
        .default(1),
    );
}

function addAnswers(command: Command): Command {
  return command
    .addOption(
      new Option('--interval <duration>', 'how often clients are asked to announce')
        .argParser((text) => parseSpan(text, '--interval', 1000, LONGEST))
        .default(30 * MINUTE, '30m'),
    )
    .addOption(
      new Option(
        '--min-interval <duration>',
        'how often they may at most; default half of --interval',
      ).argParser((text) => parseSpan(text, '--min-interval', 1000, LONGEST)),
    )
    .addOption(
      new Option(
        '--peer-lifetime <duration>',
        'forget who was silent for so long; default two intervals and a half',
      ).argParser((text) => parseSpan(text, '--peer-lifetime', 2000, LONGEST)),
    )
    .addOption(
      new Option('--numwant <n>', 'peers for clients that do not say how many they want')
        .argParser((text) => parseWhole(text, '--numwant', 0, 200))
        .default(50),
    )
    .addOption(
      new Option('--max-numwant <n>', 'peers in an answer at most')
        .argParser((text) => parseWhole(text, '--max-numwant', 0, 200))
        .default(200),
    )
    .addOption(new Option('--full-scrape', 'answer a scrape of everything'));
}

function addAccess(command: Command): Command {
  return command
    .addOption(new Option('--allow <file>', 'serve only the infohashes in it, one a line'))
    .addOption(
      new Option('--deny <file>', 'do not serve the infohashes, addresses and networks in it'),
    )
    .addOption(
      new Option('--passkeys <file>', 'private mode: serve only who names a passkey in it'),
    )
    .addOption(
      new Option('--accept-ip <whose>', 'let clients name the address they are reached at')
        .choices(['never', 'local', 'always'])
        .default('local'),
    )
    .addOption(
      new Option(
        '--trusted-proxy <network>',
        'a reverse proxy to believe about addresses (CIDR), repeatable',
      ).argParser((text, before?: readonly string[]) => [...(before ?? []), text]),
    )
    .addOption(
      new Option(
        '--proxy-header <name>',
        'where the proxy puts the address; default x-forwarded-for',
      ),
    );
}

function addState(command: Command): Command {
  return command
    .addOption(new Option('--state <file>', 'keep the swarms there over restarts'))
    .addOption(
      new Option(
        '--save-every <duration>',
        'how often the file of --state is written; default 5m',
      ).argParser((text) => parseSpan(text, '--save-every', 1000)),
    )
    .addOption(
      new Option(
        '--store <url>',
        'share the swarms with other trackers: redis://, rediss:// or redis+cluster://',
      ),
    )
    .addOption(
      new Option('--store-prefix <text>', 'what the keys in the store begin with; default bip:'),
    );
}

function addLimits(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--rate-limit <n>',
        'requests a second of one address; its network may do ten times',
      )
        .argParser((text) => parseWhole(text, '--rate-limit', 1, 1_000_000))
        .default(100),
    )
    .addOption(new Option('--no-rate-limit', 'answer everybody as fast as possible'))
    .addOption(
      new Option('--max-swarms <n>', 'torrents at most')
        .argParser((text) => parseWhole(text, '--max-swarms', 1, 100_000_000))
        .default(1_000_000),
    )
    .addOption(
      new Option('--max-peers <n>', 'peers at most')
        .argParser((text) => parseWhole(text, '--max-peers', 1, 100_000_000))
        .default(4_000_000),
    )
    .addOption(
      new Option('--max-memory <size>', 'memory for swarms and peers at most')
        .argParser(parseMemory)
        .default(1024 ** 3, '1GiB'),
    )
    .addOption(
      new Option(
        '--max-connections <n>',
        'connections over HTTP at most; default 10000, or what the limit of open files (ulimit -n) leaves',
      ).argParser((text) => parseWhole(text, '--max-connections', 1, 1_000_000)),
    )
    .addOption(
      new Option(
        '--request-timeout <duration>',
        'how long a request over HTTP may take to arrive, and its answer to leave',
      )
        .argParser((text) => parseSpan(text, '--request-timeout', 1000, LONGEST))
        .default(10_000, '10s'),
    );
}

function addLogs(command: Command): Command {
  return command
    .addOption(
      new Option('--stats <host:port>', 'serve /stats, /metrics and a status page there').argParser(
        parseStatsPlace,
      ),
    )
    .addOption(new Option('--log-announces', 'tell of every announce'))
    .addOption(
      new Option('--log-every <duration>', 'how often numbers are told')
        .argParser((text) => parseSpan(text, '--log-every', 1000))
        .default(MINUTE, '1m'),
    )
    .addOption(
      new Option('--timeout <duration>', 'stop after this time').argParser((text) =>
        parseSpan(text, '--timeout', 0),
      ),
    );
}

/** Less is no tracker. */
function parseMemory(text: string): number {
  const bytes = parseSize(text, '--max-memory');
  if (bytes >= 1024 ** 2) return bytes;
  throw new UsageError(`--max-memory: \`${text}\` is less than 1MiB`);
}

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
/** More is a slip of the pen, and soon more than 32 bits of seconds (BEP 15). */
const LONGEST = 30 * DAY;
