/** The flags of `handshake probe`. @module */

import { type Command, Option } from 'commander';
import { UsageError } from '../../src/base/errors.ts';
import { ipFamily } from '../../src/base/ip.ts';
import type { Way } from '../../src/probe/index.ts';
import { noProxyOption, proxyOption } from '../cli/proxy.ts';
import { formatDuration, parseDuration, parseWhole } from '../cli/units.ts';

export interface ProbeFlags {
  /** Any TORRENT argument. */
  readonly infoHash: string;
  readonly v2?: true;
  readonly encryption: 'off' | 'prefer' | 'require';
  readonly transport: 'tcp' | 'utp' | 'both';
  readonly ipv4?: true;
  readonly ipv6?: true;
  /** A literal address of this machine. */
  readonly bind?: string;
  /** Milliseconds. */
  readonly timeout: number;
  /** Milliseconds. */
  readonly wait: number;
  readonly concurrency: number;
}

export function withProbeFlags(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--info-hash <torrent>',
        'of which torrent: infohash, .torrent file, magnet link, URL of a .torrent, or - for stdin',
      ).makeOptionMandatory(),
    )
    .addOption(new Option('--v2', 'of a hybrid torrent the v2 infohash'))
    .addOption(
      new Option('--wait <duration>', 'wait so long for peers that a peer names (PEX)')
        .argParser((text) => parseDuration(text, '--wait'))
        .default(0, 'do not wait'),
    )
    .addOption(
      new Option('--transport <name>', 'what to try: TCP, uTP, or one after the other')
        .choices(['tcp', 'utp', 'both'])
        .default('both'),
    )
    .addOption(
      new Option('--encryption <mode>', 'what to try: plain only, all, or encrypted only')
        .choices(['off', 'prefer', 'require'])
        .default('prefer'),
    )
    .addOption(proxyOption())
    .addOption(noProxyOption())
    .addOption(new Option('-4, --ipv4', 'only addresses of IPv4').conflicts('ipv6'))
    .addOption(new Option('-6, --ipv6', 'only addresses of IPv6').conflicts('ipv4'))
    .addOption(
      new Option('--bind <addr>', 'the address of this machine to call from').argParser(parseBind),
    )
    .addOption(
      new Option('--timeout <duration>', 'how long a peer may take to connect, and to shake hands')
        .argParser(parseTimeout)
        .default(5000, formatDuration(5000)),
    )
    .addOption(
      new Option('--concurrency <n>', 'peers to call at once')
        .argParser((text) => parseWhole(text, '--concurrency', 1, 1000))
        .default(50),
    );
}

/**
 * The families of addresses that the flags leave.
 *
 * @throws {UsageError} when there is none.
 */
export function familiesOf({ ipv4, ipv6, bind }: ProbeFlags): readonly (4 | 6)[] {
  const bound = bind === undefined ? undefined : ipFamily(bind);
  const families = ([4, 6] as const).filter(
    (family) =>
      (ipv4 !== true || family === 4) &&
      (ipv6 !== true || family === 6) &&
      (bound === undefined || family === bound),
  );
  if (families.length > 0) return families;
  throw new UsageError(`--bind ${bind}: the address is of the family that was excluded`);
}

/** How peers are called: in all ways that the flags leave, TCP and plain first. */
export function waysOf(
  { encryption, transport }: ProbeFlags,
  { proxied }: { readonly proxied: boolean },
): readonly Way[] {
  // As downloads do: through a proxy by TCP alone, unless uTP is asked for.
  const transports = TRANSPORTS[proxied && transport === 'both' ? 'tcp' : transport];
  return transports.flatMap((over) =>
    WAYS[encryption].map((way) => ({ transport: over, encryption: way })),
  );
}

const TRANSPORTS: Readonly<Record<ProbeFlags['transport'], readonly Way['transport'][]>> = {
  tcp: ['tcp'],
  utp: ['utp'],
  both: ['tcp', 'utp'],
};

const WAYS: Readonly<Record<ProbeFlags['encryption'], readonly Way['encryption'][]>> = {
  off: ['none'],
  prefer: ['none', 'rc4', 'plaintext'],
  require: ['rc4', 'plaintext'],
};

/** A duration above zero, in milliseconds. */
function parseTimeout(text: string): number {
  const ms = parseDuration(text, '--timeout');
  if (ms > 0) return ms;
  throw new UsageError(`--timeout: \`${text}\` leaves no time for an answer`);
}

function parseBind(text: string): string {
  if (ipFamily(text) !== undefined) return text;
  throw new UsageError(`--bind: \`${text}\` is no IP address`);
}
