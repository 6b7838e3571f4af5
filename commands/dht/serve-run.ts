/** Running a node of the DHT until it is stopped. @module */

import { Repeating } from '../../src/runtime/repeating.ts';
import type { Invocation } from '../cli/action.ts';
import { LimitReached } from '../cli/exit-codes.ts';
import { Journal } from '../cli/journal.ts';
import { formatDuration } from '../cli/units.ts';
import { waitFor } from '../cli/wait-for.ts';
import type { ServeEvent } from './serve-events.ts';
import type { ServeFlags } from './serve-flags.ts';
import { ServedNode } from './serve-node.ts';
import { tellPeople } from './serve-notes.ts';
import { picture } from './serve-view.ts';

/**
 * Serves until it is stopped. What happens is yielded as it happens; the table is saved and the sockets
 * are closed before the last event.
 */
export async function* serve(
  invocation: Invocation<ServeFlags>,
  version: string,
): AsyncGenerator<ServeEvent> {
  const { context, options, reporter } = invocation;
  const journal: Journal<ServeEvent> = new Journal((event, closing) => {
    const { isFirst } = node;
    if (options.json !== true) tellPeople(event, reporter, { closing, isFirst });
  });
  const node = await ServedNode.open(invocation, {
    version,
    onEvent: (event) => journal.push(event),
  });
  journal.begin(node.listening());
  const ended = run(node, invocation, journal);
  // Looked at when the events have been read.
  ended.catch(() => undefined);
  yield* journal;
  const how = await ended;
  context.signal.throwIfAborted();
  if (how === 'timeout') {
    const limit = formatDuration(options.timeout ?? 0);
    throw new LimitReached(`stopped after the --timeout of ${limit}`);
  }
}

async function run(
  node: ServedNode,
  { context, options, reporter }: Invocation<ServeFlags>,
  journal: Journal<ServeEvent>,
): Promise<'done' | 'timeout' | 'interrupted'> {
  const repeating = new Repeating(context.runtime.clock);
  const draw = (): void => reporter.status(picture(node.numbers, reporter.style, reporter.columns));
  // Lines that come again and again to a pipe: its reader (`| jq`) may print to the same terminal.
  const streams = !context.stdout.isTTY && options.json === true;
  if (reporter.live && !streams) repeating.every(DRAW_EVERY, draw);
  // It joins, and stays; only a bug ends it.
  const broken = Promise.withResolvers<never>();
  node.run().catch(broken.reject);
  try {
    return await waitFor(context, broken.promise, options.timeout);
  } finally {
    repeating.stop();
    reporter.status([]);
    journal.close();
    const end = node.end();
    await node[Symbol.asyncDispose]();
    journal.end(end);
  }
}

/** Milliseconds between two states of the picture. */
const DRAW_EVERY = 1000;
