/** The flags of `dht serve`. @module */

import { type Command, Option } from 'commander';
import type { Endpoint } from '../../src/base/endpoint.ts';
import type { Router } from '../../src/dht/index.ts';
import { bootstrapOption } from '../cli/dht-flags.ts';
import { collectHost, parseStatsPlace } from '../cli/serving-flags.ts';
import { parseSpan, parseWhole } from '../cli/units.ts';

export interface ServeFlags {
  readonly port: number;
  readonly host?: readonly string[];
  readonly ipv4?: true;
  readonly ipv6?: true;
  /** False with `--no-bootstrap`. */
  readonly bootstrap?: readonly Router[] | false;
  readonly readOnly?: true;
  readonly table?: string;
  /** Durations in milliseconds. */
  readonly saveEvery?: number;
  /** Queries a second of one address; false without a limit. */
  readonly rateLimit: number | false;
  readonly maxTorrents: number;
  readonly maxPeers: number;
  readonly maxItems: number;
  readonly stats?: Endpoint;
  readonly logEvery: number;
  readonly timeout?: number;
}

/** Adds the flags to a command. */
export function withServeFlags(command: Command): Command {
  return [addPlaces, addTable, addLimits, addLogs].reduce((before, add) => add(before), command);
}

function addPlaces(command: Command): Command {
  return command
    .addOption(
      new Option('-p, --port <n>', 'the UDP port to listen on; 0 for any free one')
        .argParser((text) => parseWhole(text, '--port', 0, 65_535))
        .default(6881),
    )
    .addOption(
      new Option(
        '--host <addr>',
        'the address to listen on, one of each family at most; default all',
      ).argParser(collectHost),
    )
    .addOption(new Option('-4, --ipv4', 'only the DHT of IPv4').conflicts('ipv6'))
    .addOption(new Option('-6, --ipv6', 'only the DHT of IPv6').conflicts('ipv4'))
    .addOption(bootstrapOption())
    .addOption(
      new Option('--no-bootstrap', 'begin with nobody: the first node of a network of its own'),
    )
    .addOption(
      new Option('--read-only', 'ask, and answer nobody (BEP 43): behind a NAT, or to look on'),
    );
}

function addTable(command: Command): Command {
  return command
    .addOption(new Option('--table <file>', 'keep id and nodes there over restarts'))
    .addOption(
      new Option(
        '--save-every <duration>',
        'how often the file of --table is written; default 5m',
      ).argParser((text) => parseSpan(text, '--save-every', 1000)),
    );
}

function addLimits(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--rate-limit <n>',
        'queries a second of one address; its network may do ten times',
      )
        .argParser((text) => parseWhole(text, '--rate-limit', 1, 1_000_000))
        .default(20),
    )
    .addOption(new Option('--no-rate-limit', 'answer everybody as fast as possible'))
    .addOption(
      new Option('--max-torrents <n>', 'torrents whose peers are kept for others, at most')
        .argParser((text) => parseWhole(text, '--max-torrents', 1, 10_000_000))
        .default(20_000),
    )
    .addOption(
      new Option('--max-peers <n>', 'peers of all torrents, at most')
        .argParser((text) => parseWhole(text, '--max-peers', 1, 100_000_000))
        .default(200_000),
    )
    .addOption(
      new Option('--max-items <n>', 'items (BEP 44) kept for others, at most')
        .argParser((text) => parseWhole(text, '--max-items', 1, 100_000))
        .default(1000),
    );
}

function addLogs(command: Command): Command {
  return command
    .addOption(
      new Option('--stats <host:port>', 'serve /stats (JSON) and /metrics there').argParser(
        parseStatsPlace,
      ),
    )
    .addOption(
      new Option('--log-every <duration>', 'with --json, how often numbers are told')
        .argParser((text) => parseSpan(text, '--log-every', 1000))
        .default(60_000, '1m'),
    )
    .addOption(
      new Option('--timeout <duration>', 'stop after this time').argParser((text) =>
        parseSpan(text, '--timeout', 0),
      ),
    );
}
