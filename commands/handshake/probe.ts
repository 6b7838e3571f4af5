/** `bip handshake probe`: who is a peer, and what can it do? @module */

import { Command } from 'commander';
import type { Endpoint } from '../../src/base/endpoint.ts';
import { BipError, TimeoutError, UsageError } from '../../src/base/errors.ts';
import { Reserved } from '../../src/handshake/index.ts';
import { type ProbeOptions, probePeer } from '../../src/probe/index.ts';
import { bounded } from '../../src/runtime/aborting.ts';
import { UtpTransport } from '../../src/utp/index.ts';
import { action, type Invocation } from '../cli/action.ts';
import type { Context } from '../cli/context.ts';
import { EXIT, ExitWith } from '../cli/exit-codes.ts';
import { formatDuration } from '../cli/units.ts';
import { findAddress } from '../dht/addresses.ts';
import { inOrder } from './in-order.ts';
import { namedPeers } from './peers.ts';
import { familiesOf, type ProbeFlags, waysOf, withProbeFlags } from './probe-flags.ts';
import { probeView } from './probe-view.ts';
import type { Probed, ProbedPeer, UnknownPeer } from './probed.ts';
import { type ProbedTorrent, probedTorrent } from './torrent.ts';

export function probeCommand(context: Context): Command {
  const command = new Command('probe')
    .description('ask peers who they are, what they can do and what they have')
    .argument(
      '[host:port...]',
      'peers, or - for a list of them on stdin; default those that a magnet link names',
    );
  return withProbeFlags(command)
    .addHelpText('after', HELP)
    .action(action<ProbeFlags, Probed>(context, run, probeView));
}

async function* run({ context, args, options }: Invocation<ProbeFlags>): AsyncGenerator<Probed> {
  if (options.infoHash === '-' && args.includes('-')) {
    throw new UsageError('standard input cannot be both the torrent and the list of peers');
  }
  const families = familiesOf(options);
  const torrent = await probedTorrent(context, options.infoHash, { v2: options.v2 === true });
  const ways = waysOf(options, { proxied: context.proxy !== undefined });
  await using utp = ways.some(({ transport }) => transport === 'utp')
    ? await openUtp(context, options)
    : undefined;
  const shared = { ...sharedOptions(context, options, torrent), ways, utp };
  const { concurrency } = options;
  const { signal } = context;
  const alone = args.length === 1 && !args.includes('-');
  const peers = namedPeers(context, args, torrent.peers);
  let failed = false;
  let first = true;
  const results = inOrder(peers, { concurrency, signal }, (named) =>
    probeNamed(context, named, { families, shared, alone }),
  );
  for await (const result of results) {
    signal.throwIfAborted();
    failed ||= 'error' in result;
    yield { ...result, alone, first };
    first = false;
  }
  if (failed) throw new ExitWith(EXIT.network);
}

type Shared = Omit<ProbeOptions, 'endpoint'>;

/** One port for all calls over uTP. */
function openUtp({ runtime, signal }: Context, { bind }: ProbeFlags): Promise<UtpTransport> {
  return UtpTransport.open(runtime, { port: 0, host: bind, signal });
}

function sharedOptions(
  { signal }: Context,
  flags: ProbeFlags,
  { infoHash, otherHash, pieceCount, private: isPrivate }: ProbedTorrent,
): Omit<Shared, 'ways' | 'utp'> {
  const isV2 = infoHash.version === 'v2';
  return {
    infoHash: infoHash.wire,
    otherHash: otherHash?.wire,
    // Some close the connection when they are told of v2 for a torrent that is none.
    reserved: Reserved.of('fast', 'extended', ...(isV2 ? (['v2'] as const) : [])),
    pieceCount,
    timeoutMs: flags.timeout,
    pexWaitMs: isPrivate ? undefined : flags.wait,
    bind: flags.bind,
    signal,
  };
}

type Result = Omit<ProbedPeer, 'alone' | 'first'> | Omit<UnknownPeer, 'alone' | 'first'>;

async function probeNamed(
  context: Context,
  named: Endpoint,
  options: {
    readonly families: readonly (4 | 6)[];
    readonly shared: Shared;
    /** Nobody else is asked: its failure is that of the command. */
    readonly alone: boolean;
  },
): Promise<Result> {
  const { families, shared, alone } = options;
  const { runtime, signal } = context;
  const { clock } = runtime;
  const ms = shared.timeoutMs;
  const late = (): TimeoutError =>
    new TimeoutError(`nobody told the address of ${named.host} within ${formatDuration(ms)}`, ms);
  try {
    const endpoint = await bounded({ signal, clock, limit: { ms, error: late } }, (inner) =>
      findAddress(runtime, named, { families, signal: inner }),
    );
    const found = await probePeer(runtime, { ...shared, endpoint });
    if (!('error' in found)) return { named, report: found };
    if (alone) throw found.error;
    return { named, error: found.error, attempts: found.attempts };
  } catch (error) {
    if (alone || signal.aborted || !(error instanceof BipError)) throw error;
    return { named, error, attempts: [] };
  }
}

const HELP = `
Shakes hands and listens for a moment; nothing is downloaded. Shows the client by its peer id,
reserved bits by the names of their BEPs, what the extended handshake says, what the peer has,
how long connection and handshake took, whether it lets in who comes plain, with RC4, or with a
hidden handshake and plaintext behind it, and over which transports. Each is tried on a connection
of its own, one after the other: when the peer shook hands over TCP, uTP is tried once. Through a
proxy only TCP is tried, unless uTP is asked for. Exit code 1 when any peer did not answer.

Several peers are a table on a terminal. In a pipe each peer is a line: address, ok, client, peer
id, transport, encryption, extensions, pieces it has, pieces in all, share in percent, milliseconds
to connect and for the handshake, peers it named, all transports; or address, error, code, message.

Examples:
  $ bip handshake probe "$peer" --info-hash "$infoHash"
  $ bip handshake probe "$peer" --info-hash "$infoHash" --json | jq -r .client
  $ bip handshake probe "$peer" --info-hash "$infoHash" --transport utp
  $ bip handshake probe --info-hash "$link" --wait 10s
  $ bip dht lookup "$infoHash" --bootstrap "$node" | bip handshake probe --info-hash "$infoHash" -
`;
