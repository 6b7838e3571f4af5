/** The flags of `tracker announce`. @module */

import { type Command, Option } from 'commander';
import { encodeUtf8, parseHex } from '../../src/base/bytes.ts';
import { UsageError } from '../../src/base/errors.ts';
import { PeerId } from '../../src/base/ids.ts';
import { ipFamily } from '../../src/base/ip.ts';
import type { AnnounceEvent } from '../../src/tracker/index.ts';
import { parseSize, parseWhole } from '../cli/units.ts';
import { type ExchangeFlags, withExchangeFlags } from './exchange-flags.ts';

export interface AnnounceFlags extends ExchangeFlags {
  readonly event: AnnounceEvent | 'none';
  readonly port: number;
  readonly left?: number;
  readonly uploaded: number;
  readonly downloaded: number;
  readonly numwant?: number;
  readonly key?: number;
  readonly peerId?: PeerId;
  readonly ip?: string;
  readonly stop: boolean;
}

/** A command with these flags and no action. */
export function withAnnounceFlags(command: Command): Command {
  return withExchangeFlags(
    withWords(command),
    'repeat it at the interval that the tracker asks for, until Ctrl-C',
  );
}

/** What is said to the tracker. */
function withWords(command: Command): Command {
  return command
    .addOption(
      new Option('--event <event>', 'what to say')
        .choices(['none', 'started', 'completed', 'stopped'])
        .default('started'),
    )
    .addOption(
      new Option('--port <n>', 'where peers would reach us')
        .argParser((text) => parseWhole(text, '--port', 1, 65_535))
        .default(6881),
    )
    .addOption(
      new Option(
        '--left <size>',
        'what we lack; default all of the torrent, 16 KiB when unknown',
      ).argParser((text) => parseSize(text, '--left')),
    )
    .addOption(
      new Option('--uploaded <size>', 'what we gave')
        .argParser((text) => parseSize(text, '--uploaded'))
        .default(0),
    )
    .addOption(
      new Option('--downloaded <size>', 'what we got')
        .argParser((text) => parseSize(text, '--downloaded'))
        .default(0),
    )
    .addOption(
      new Option(
        '--numwant <n>',
        'how many peers to ask for; default as the tracker likes',
      ).argParser((text) => parseWhole(text, '--numwant', 0, 2 ** 31 - 1)),
    )
    .addOption(
      new Option(
        '--key <hex>',
        'up to 8 hex digits that stay the same when our address changes',
      ).argParser(parseKey),
    )
    .addOption(
      new Option('--peer-id <id>', '20 characters or 40 hex digits; default a fresh one').argParser(
        parsePeerId,
      ),
    )
    .addOption(
      new Option('--ip <address>', 'our address for peers; over UDP only IPv4').argParser(
        parseAddress,
      ),
    )
    .addOption(new Option('--no-stop', 'stay listed: send no `stopped` at the end'));
}

function parseKey(text: string): number {
  if (!/^[0-9a-f]{1,8}$/i.test(text)) {
    throw new UsageError(`--key: \`${text}\` is no hex number of up to 8 digits`);
  }
  return Number.parseInt(text, 16);
}

function parsePeerId(text: string): PeerId {
  const bytes = text.length === 40 ? parseHex(text) : encodeUtf8(text);
  if (bytes?.length !== 20) {
    throw new UsageError(`--peer-id: \`${text}\` has neither 20 characters nor 40 hex digits`);
  }
  return new PeerId(bytes);
}

function parseAddress(text: string): string {
  if (ipFamily(text) !== undefined) return text;
  throw new UsageError(`--ip: \`${text}\` is no IPv4 or IPv6 address`);
}
