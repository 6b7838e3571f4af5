/** Flags that `download` and `seed` share, and what becomes of them. @module */

import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Endpoint, parseEndpoint } from '../../src/base/endpoint.ts';
import { UsageError } from '../../src/base/errors.ts';
import { ipFamily } from '../../src/base/ip.ts';
import type {
  EncryptionMode,
  SessionOptions,
  TransportMode,
  VerifyMode,
} from '../../src/session/index.ts';
import { bindOption } from '../cli/bind.ts';
import type { Context } from '../cli/context.ts';
import { bootstrapOption } from '../cli/dht-flags.ts';
import { noProxyOption, proxyOption } from '../cli/proxy.ts';
import type { Reporter } from '../cli/reporter.ts';
import { parseDuration, parseWhole } from '../cli/units.ts';
import { type BlocklistFlags, blocklistOption } from './blocklist.ts';
import { type DhtFlags, type DhtWishes, dhtOptions } from './dht.ts';
import { type LpdFlags, lpdOptions } from './lpd.ts';

export interface TransferFlags extends DhtFlags, LpdFlags, BlocklistFlags {
  readonly port?: number;
  /** Milliseconds. */
  readonly timeout?: number;
  /** True with `--verify`, false with `--no-verify`. */
  readonly verify?: boolean;
  readonly trackers: boolean;
  readonly encryption: EncryptionMode;
  /** Beginnings of names of clients, or of peer ids. */
  readonly blockClient?: readonly string[];
  /** False with `--no-pex`. */
  readonly pex: boolean;
  readonly transport: TransportMode;
  readonly reveal?: true;
}

/** Adds the shared flags to a command; `gaveUp` says what `--timeout` does. */
export function addTransferFlags(
  command: Command,
  gaveUp = 'stop after this time, keeping what was done',
): Command {
  return command
    .addOption(
      new Option('--peer <host:port>', 'a peer to call, repeatable').argParser(collectEndpoint),
    )
    .addOption(
      new Option('--port <n>', 'where to listen; default the first free of 6881-6889').argParser(
        (text) => parseWhole(text, '--port', 0, 65_535),
      ),
    )
    .addOption(
      new Option('--host <addr>', 'the address to listen on').argParser(parseAddress('--host')),
    )
    .addOption(bindOption())
    .addOption(
      new Option('--timeout <duration>', gaveUp).argParser((text) =>
        parseDuration(text, '--timeout'),
      ),
    )
    .addOption(
      new Option('--transport <name>', 'how to connect: TCP, uTP, or whichever answers first')
        .choices(['tcp', 'utp', 'both'])
        .default('both'),
    )
    .addOption(
      new Option(
        '--encryption <mode>',
        'plain connections only, encrypted where it helps, or RC4 only',
      )
        .choices(['off', 'prefer', 'require'])
        .default('prefer'),
    )
    .addOption(new Option('--no-trackers', 'ask no tracker'))
    .addOption(new Option('--no-dht', 'stay out of the DHT'))
    .addOption(new Option('--no-pex', 'neither tell peers of each other nor ask them'))
    .addOption(bootstrapOption().conflicts('dht'))
    .addOption(
      new Option(
        '--dht-table <file>',
        'where to keep nodes of the DHT for the next run; default $XDG_STATE_HOME/bip/dht.bin',
      ).conflicts('dht'),
    )
    .addOption(new Option('--no-dht-table', 'keep no nodes of the DHT for the next run'))
    .addOption(new Option('--no-lpd', 'neither ask nor tell the local network'))
    .addOption(blocklistOption())
    .addOption(
      new Option(
        '--block-client <text>',
        'turn clients away whose name, or peer id, begins so, repeatable: Xunlei, -XL',
      ).argParser(collectClient),
    )
    .addOption(proxyOption())
    .addOption(noProxyOption())
    .addOption(new Option('--reveal', 'show passkeys and other secrets in tracker URLs'));
}

/** `--verify`, `--no-verify`, or neither. */
export function verifyMode(verify: boolean | undefined): VerifyMode {
  if (verify === undefined) return 'auto';
  return verify ? 'always' : 'never';
}

export async function sessionOptions(
  flags: TransferFlags,
  wishes: DhtWishes & { readonly context: Context },
): Promise<SessionOptions> {
  const dht = await dhtOptions(flags, wishes);
  const lpd = lpdOptions(flags, wishes);
  return {
    signal: wishes.context.signal,
    encryption: flags.encryption,
    onNote: (message) => wishes.reporter.explain(message),
    ...transportOf(flags, wishes),
    ...(await filterOf(flags)),
    ...(dht === undefined ? {} : { dht }),
    ...(lpd === undefined ? {} : { lpd }),
    ...(flags.port === undefined ? {} : { port: flags.port }),
    ...(flags.host === undefined ? {} : { host: flags.host }),
    ...(flags.bind === undefined ? {} : { bind: flags.bind }),
  };
}

/** Through a proxy by TCP alone, unless uTP is asked for: packets go around by way of the proxy, and nobody can call. */
function transportOf(
  { transport }: Pick<TransferFlags, 'transport'>,
  {
    context,
    reporter,
  }: { readonly context: Context; readonly reporter: Pick<Reporter, 'explain'> },
): Pick<SessionOptions, 'transport'> {
  if (context.proxy === undefined || transport !== 'both') return { transport };
  reporter.explain('peers are called over TCP alone: that is what a proxy is good at');
  return { transport: 'tcp' };
}

async function filterOf({
  blockClient = [],
}: Pick<TransferFlags, 'blockClient'>): Promise<Pick<SessionOptions, 'filter'>> {
  if (blockClient.length === 0) return {};
  const { clientRule, HandshakeFilter } = await import('../../src/handshake/index.ts');
  const filter = new HandshakeFilter();
  for (const text of blockClient) filter.block(clientRule(text));
  return { filter };
}

/** A folder as the file system port wants it, without a slash at the end. */
export function plainPath(path: string): string {
  return path.length > 1 ? path.replace(/\/+$/, '') || '/' : path;
}

function collectClient(text: string, before: readonly string[] = []): readonly string[] {
  if (text.trim() === '') throw new InvalidArgumentError('nothing would turn everybody away');
  return [...before, text];
}

function collectEndpoint(text: string, before: readonly Endpoint[] = []): readonly Endpoint[] {
  const endpoint = parseEndpoint(text);
  if (endpoint === undefined) {
    throw new InvalidArgumentError(`\`${text}\` is no HOST:PORT; write IPv6 like [::1]:6881`);
  }
  return [...before, endpoint];
}

function parseAddress(flag: string): (text: string) => string {
  return (text) => {
    if (ipFamily(text) !== undefined) return text;
    throw new UsageError(`${flag}: \`${text}\` is no IP address`);
  };
}
