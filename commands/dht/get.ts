/** `bip dht get`: an item that somebody put into the DHT (BEP 44). @module */

import { Command, Option } from 'commander';
import { formatHex } from '../../src/base/bytes.ts';
import { NetworkError, RemoteError, UsageError } from '../../src/base/errors.ts';
import type { DhtItem, DhtNode } from '../../src/dht/index.ts';
import { action, type Invocation } from '../cli/action.ts';
import type { Context } from '../cli/context.ts';
import { checkOutput, writeOutput } from '../cli/output.ts';
import { type PortFlags, withDhtFlags, withPortFlag } from './flags.ts';
import { type Got, getView } from './get-view.ts';
import { findNewest, type ItemPlace, newer, parsePlace, torrentOf } from './items.ts';
import { bootstrapOf, openNode } from './open.ts';
import { follow } from './steps.ts';
import { checkEnding, type SearchTools, streamed } from './streamed.ts';
import { Tally } from './tally.ts';
import { valueBytes } from './values.ts';
import { countOf } from './words.ts';

interface GetFlags extends PortFlags {
  readonly salt?: string;
  readonly torrent?: true;
  readonly output?: string;
  readonly force?: true;
}

export function getCommand(context: Context): Command {
  const command = new Command('get')
    .description('find an item that somebody put into the DHT')
    .argument('<target|public-key>', 'where it belongs (40 hex digits), or who puts it (64)')
    .addOption(new Option('--salt <text>', 'which of the items of a key'))
    .addOption(new Option('--torrent', 'the torrent that it points to (BEP 46), and nothing else'))
    .addOption(
      new Option(
        '-o, --output <file>',
        'write the value there: text as it is, all else as bencode',
      ),
    )
    .addOption(new Option('--force', 'overwrite the output file'));
  return withPortFlag(withDhtFlags(command))
    .addHelpText('after', HELP)
    .action(action<GetFlags, Got>(context, run, getView));
}

async function* run(invocation: Invocation<GetFlags>): AsyncGenerator<Got> {
  const { context, args, options, reporter } = invocation;
  const { output } = options;
  if (output !== undefined && options.torrent === true) {
    throw new UsageError('--torrent prints a link, and --output writes a value');
  }
  const place = parsePlace(args[0] ?? '', options.salt);
  if (output !== undefined) await checkOutput(context, output, options);
  await using node = await openNode(context, options, {
    port: options.port ?? 0,
    bootstrap: bootstrapOf(options, []),
  });
  const search = new Search(invocation, place);
  const ending = yield* streamed<never>(invocation, options.timeout, (tools) =>
    search.run(node, tools),
  );
  const got = search.result();
  if (got === undefined) {
    checkEnding(context, ending, options.timeout);
    throw search.failure();
  }
  if (output !== undefined) {
    await writeOutput(context, output, valueBytes(got.item.value), options);
    reporter.explain(`wrote ${output}`);
  }
  if (output !== '-') yield got;
  checkEnding(context, ending, options.timeout);
}

class Search {
  readonly #invocation: Invocation<GetFlags>;
  readonly #place: ItemPlace;
  readonly #startedAt: number;
  readonly #tally = new Tally();
  #item: DhtItem | undefined;
  #forgeries = 0;

  constructor(invocation: Invocation<GetFlags>, place: ItemPlace) {
    this.#invocation = invocation;
    this.#place = place;
    this.#startedAt = this.#now;
  }

  async run(node: DhtNode, { signal, enough }: SearchTools<never>): Promise<void> {
    const { reporter } = this.#invocation;
    await findNewest(node, this.#place, {
      signal,
      onEvent: follow(reporter, this.#tally, this.#place.target),
      onItem: (item) => {
        this.#item = newer(this.#item, item);
        // There is no other of this hash; of a mutable one there may be a newer one.
        if (item.type === 'immutable') enough();
      },
      onForgery: () => {
        this.#forgeries++;
      },
    });
  }

  /** @throws {RemoteError} for an item that is to point to a torrent, and does not. */
  result(): Got | undefined {
    const { options } = this.#invocation;
    const item = this.#item;
    if (item === undefined) return undefined;
    const { target } = this.#place;
    if (options.torrent === true && torrentOf(item) === undefined) {
      throw new RemoteError(`the item of ${formatHex(target)} points to no torrent`, {
        code: 'BIP_DHT_NO_POINTER',
      });
    }
    return {
      ...{ item, target, tally: this.#tally, elapsedMs: this.#now - this.#startedAt },
      only: options.torrent === true ? 'torrent' : options.output === undefined ? 'all' : 'nothing',
    };
  }

  /** @throws {NetworkError} when nobody answered. */
  failure(): NetworkError {
    this.#tally.check();
    const hex = formatHex(this.#place.target);
    const forged =
      this.#forgeries === 0
        ? ''
        : `; ${countOf(this.#forgeries, 'item')} that came did not belong there: is --salt as it has to be?`;
    return new NetworkError(
      `none of the ${countOf(this.#tally.answered, 'node')} that answered has the item of ${hex}${forged}`,
      { code: 'BIP_DHT_NO_ITEM' },
    );
  }

  get #now(): number {
    return this.#invocation.context.runtime.clock.now();
  }
}

const HELP = `
An item without a key is found by its hash, and printed as soon as one node gave it; of one with a
key all nodes near it are asked, and the newest is printed. What does not match its hash or its
signature counts for nothing. Exit code 1 when no node answered, and when none has it.

In a pipe the value is printed: text as it is, all else as JSON with {"$hex":"…"} for bytes that
are no text; with --torrent an infohash. --json has the rest: target, sequence, key, signature.

Examples:
  $ bip dht get "$target" --bootstrap "$node"
  $ bip dht get "$target" --bootstrap "$node" --output notes.txt
  $ bip dht get "$key" --salt news --bootstrap "$node" --json | jq .value
  $ bip dht get "magnet:?xs=urn:btpk:$key" --torrent --bootstrap "$node"
`;
