/** `bip dht ping`: is a node there, and who is it? @module */

import { Command, Option } from 'commander';
import { type Endpoint, formatEndpoint } from '../../src/base/endpoint.ts';
import { BipError, TimeoutError } from '../../src/base/errors.ts';
import type { DhtNode, PingResult } from '../../src/dht/index.ts';
import { bounded } from '../../src/runtime/aborting.ts';
import { action, type Invocation } from '../cli/action.ts';
import type { Context } from '../cli/context.ts';
import { EXIT, ExitWith } from '../cli/exit-codes.ts';
import { Slots } from '../cli/slots.ts';
import { formatDuration, parseWhole } from '../cli/units.ts';
import { findAddress, namedNodes } from './addresses.ts';
import { type PortFlags, withPortFlag, withReachFlags } from './flags.ts';
import { openNode } from './open.ts';
import { type Pinged, pingView } from './ping-view.ts';

interface PingFlags extends Omit<PortFlags, 'bootstrap'> {
  readonly timeout: number;
  readonly retries: number;
  readonly concurrency: number;
}

export function pingCommand(context: Context): Command {
  const command = new Command('ping')
    .description('ask nodes whether they are there, and who they are')
    .argument('<host:port...>', 'nodes, or - for a list of them on stdin');
  return withPortFlag(withReachFlags(command, { gaveUp: 'give up on a node after', ms: 5000 }))
    .addOption(
      new Option('--retries <n>', 'ask again so often within that time, since packets get lost')
        .argParser((text) => parseWhole(text, '--retries', 0, 16))
        .default(1),
    )
    .addOption(
      new Option('--concurrency <n>', 'nodes to ask at once')
        .argParser((text) => parseWhole(text, '--concurrency', 1, 1000))
        .default(50),
    )
    .addHelpText('after', HELP)
    .action(action<PingFlags, Pinged>(context, run, pingView));
}

async function* run({ context, args, options }: Invocation<PingFlags>): AsyncGenerator<Pinged> {
  const nodes = await namedNodes(context, args);
  const { signal } = context;
  await using own = await openNode(context, options, {
    port: options.port ?? 0,
    anywhere: true,
    bootstrap: [],
    // A little more, so that it is always this command that gives up.
    longMs: options.timeout + 1,
  });
  const slots = new Slots(options.concurrency);
  const pinged = nodes.map((node) =>
    slots.run(() => pingNamed(own, node, { ...options, context, alone: nodes.length === 1 })),
  );
  // Each is looked at in its turn.
  for (const one of pinged) one.catch(() => undefined);
  let failed = false;
  for (const one of pinged) {
    const result = await one;
    signal.throwIfAborted();
    failed ||= 'error' in result;
    yield result;
  }
  if (failed) throw new ExitWith(EXIT.network);
}

interface Asking extends Pick<PingFlags, 'timeout' | 'retries'> {
  readonly context: Context;
  /** Nobody else is asked: its failure is that of the command. */
  readonly alone: boolean;
}

async function pingNamed(own: DhtNode, named: Endpoint, asking: Asking): Promise<Pinged> {
  const { context, alone, timeout: ms } = asking;
  const { signal } = context;
  const late = (): TimeoutError =>
    new TimeoutError(`${formatEndpoint(named)} did not answer within ${formatDuration(ms)}`, ms);
  try {
    return await bounded(
      { signal, clock: context.runtime.clock, limit: { ms, error: late } },
      (inner) => pingAgain(own, named, { ...asking, signal: inner }),
    );
  } catch (error) {
    if (alone || signal.aborted || !(error instanceof BipError)) throw error;
    return { named, error };
  }
}

/** Asks again and again as long as there is no answer; the first one counts, whichever question it is to. */
async function pingAgain(
  own: DhtNode,
  named: Endpoint,
  { context, signal, timeout, retries }: Asking & { readonly signal: AbortSignal },
): Promise<Pinged> {
  const { runtime } = context;
  const { clock } = runtime;
  const families = own.realms.map(({ family }) => family);
  const endpoint = await findAddress(runtime, named, { families, signal });
  const { promise, resolve, reject } = Promise.withResolvers<PingResult>();
  const ask = (): void => {
    own.ping(endpoint, signal).then(resolve, reject);
  };
  ask();
  const pauseMs = timeout / (retries + 1);
  const cancels = Array.from({ length: retries }, (_, at) =>
    clock.schedule(clock.now() + pauseMs * (at + 1), ask),
  );
  try {
    return { named, endpoint, answer: await promise };
  } finally {
    for (const cancel of cancels) cancel();
  }
}

const HELP = `
Shows the id of a node, the client by what it says of itself, how long the answer took, whether
its id follows from its address (BEP 42), and where it sees us. Exit code 1 when any node did not
answer.

In a pipe each node is a line: address, ok, id, milliseconds, secure or insecure, client, our
address; or address, error, code, message.

Examples:
  $ bip dht ping "$node"
  $ bip dht ping "$node" --timeout 10s --json | jq -r .nodeId
  $ bip dht ping router.bittorrent.com:6881 dht.libtorrent.org:25401
  $ bip dht lookup "$hash" --nodes --bootstrap "$node" | cut -f1 | bip dht ping -
`;
