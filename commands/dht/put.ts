/** `bip dht put`: leave an item in the DHT (BEP 44), or point to a torrent (BEP 46). @module */

import { Command, Option } from 'commander';
import { invariant, RemoteError } from '../../src/base/errors.ts';
import {
  type DhtItem,
  type DhtNode,
  encodeTorrentPointer,
  immutableTarget,
  type LookupEvent,
} from '../../src/dht/index.ts';
import type { Millis } from '../../src/runtime/ports.ts';
import { action, type Invocation } from '../cli/action.ts';
import type { Context } from '../cli/context.ts';
import { EXIT, ExitWith } from '../cli/exit-codes.ts';
import { limitOption, withDhtFlags, withPortFlag } from './flags.ts';
import { findNewest, type ItemPlace, placeOfKey } from './items.ts';
import { makeKey, readKey, type SigningKey } from './keys.ts';
import { nextItem } from './next-item.ts';
import { bootstrapOf, openNode } from './open.ts';
import { checkPutFlags, type PutFlags, parseSequence } from './put-flags.ts';
import { type Put, type PutOnce, putView } from './put-view.ts';
import { follow } from './steps.ts';
import { checkEnding, type SearchTools, streamed } from './streamed.ts';
import { Tally } from './tally.ts';
import { findTorrent } from './torrents.ts';
import { readValue, saltOf } from './values.ts';
import { intervalOption, Watching } from './watching.ts';
import { checkStored, explainWrite } from './writes.ts';

export function putCommand(context: Context): Command {
  const command = new Command('put')
    .description('leave an item in the DHT, for some two hours')
    .argument('[value]', 'text, or @FILE or - for what is in a file or on stdin')
    .addOption(new Option('--json-value', 'the value is JSON, of all that bencode can say'))
    .addOption(new Option('--torrent <torrent>', 'instead of a value, point to a torrent (BEP 46)'))
    .addOption(new Option('--v2', 'with --torrent, by the v2 infohash of a hybrid'))
    .addOption(
      new Option('--key <file>', 'sign it: it is found by the key, and can be changed later'),
    )
    .addOption(new Option('--new-key <file>', 'make such a key in a new file').conflicts('key'))
    .addOption(new Option('--salt <text>', 'tells items of one key apart, up to 64 bytes'))
    .addOption(
      new Option('--seq <n>', 'its sequence; default one more than is there').argParser((text) =>
        parseSequence(text, '--seq'),
      ),
    )
    .addOption(
      new Option('--cas <n>', 'replace only an item of this sequence').argParser((text) =>
        parseSequence(text, '--cas'),
      ),
    )
    .addOption(new Option('--target-only', 'only say where it would be, and ask nobody'));
  return withPortFlag(withDhtFlags(command))
    .addOption(new Option('--watch', 'put it again every --interval, until Ctrl-C'))
    .addOption(intervalOption(INTERVAL, 'an item for two hours'))
    .addOption(limitOption('with --watch, put it so many times'))
    .addHelpText('after', HELP)
    .action(action<PutFlags, Put>(context, run, putView));
}

async function* run(invocation: Invocation<PutFlags>): AsyncGenerator<Put> {
  const { context, args, options } = invocation;
  const [argument] = args;
  checkPutFlags(argument, options);
  const salt = saltOf(options.salt);
  const value = await valueOf(context, argument, options);
  const key = await keyOf(context, options);
  const place = placeOf(value, key, salt);
  if (value === undefined || options.targetOnly === true) {
    yield { type: 'place', place, value, isPointer: options.torrent !== undefined };
    return;
  }
  await using node = await openNode(context, options, {
    port: options.port ?? 0,
    bootstrap: bootstrapOf(options, []),
  });
  const putting = new Putting(invocation, { node, place, value, key });
  const ending = yield* streamed<Put>(invocation, options.timeout, (tools) => putting.run(tools));
  if (options.watch === true) yield putting.end();
  checkEnding(context, ending, options.timeout);
  if (putting.isFailing) throw new ExitWith(EXIT.network);
}

async function valueOf(
  context: Context,
  argument: string | undefined,
  { jsonValue, torrent, v2 }: PutFlags,
): Promise<Uint8Array | undefined> {
  if (torrent !== undefined) {
    const { target } = await findTorrent(context, torrent, { v2: v2 === true });
    return encodeTorrentPointer(target);
  }
  if (argument === undefined) return undefined;
  return await readValue(context, argument, { json: jsonValue === true });
}

async function keyOf(context: Context, { key, newKey }: PutFlags): Promise<SigningKey | undefined> {
  if (newKey !== undefined) return await makeKey(context, newKey);
  return key === undefined ? undefined : await readKey(context, key);
}

function placeOf(
  value: Uint8Array | undefined,
  key: SigningKey | undefined,
  salt: Uint8Array,
): ItemPlace {
  if (key !== undefined) return placeOfKey(key.publicKey, salt);
  invariant(value !== undefined, 'an item without a key has a value');
  return { target: immutableTarget(value), publicKey: undefined, salt };
}

interface Parts {
  readonly node: DhtNode;
  readonly place: ItemPlace;
  readonly value: Uint8Array;
  readonly key: SigningKey | undefined;
}

class Putting {
  readonly #invocation: Invocation<PutFlags>;
  readonly #parts: Parts;
  readonly #startedAt: Millis;
  readonly #watching: Watching;
  /** Once it was put, it is this one for good. */
  #item: DhtItem | undefined;

  constructor(invocation: Invocation<PutFlags>, parts: Parts) {
    this.#invocation = invocation;
    this.#parts = parts;
    this.#startedAt = this.#now;
    this.#watching = new Watching(invocation, INTERVAL);
  }

  get isFailing(): boolean {
    return this.#watching.isFailing;
  }

  /** @throws {NetworkError} when nobody takes it; {RemoteError} when what is there is newer. */
  async run({ signal, emit }: SearchTools<Put>): Promise<void> {
    if (this.#invocation.options.watch !== true) return emit(await this.#put(signal));
    const { place } = this.#parts;
    await this.#watching.run<PutOnce>(
      {
        attempt: () => this.#put(signal),
        isFinal: (error) => error instanceof RemoteError,
        failed: (error) => ({ type: 'failure', error, place, isPointer: this.#isPointer }),
        emit: (put, nextMs) => emit({ ...put, nextMs, watched: true }),
      },
      signal,
    );
  }

  end(): Put {
    const { successes, failures } = this.#watching;
    return { type: 'end', puts: successes, failures, elapsedMs: this.#now - this.#startedAt };
  }

  async #put(signal: AbortSignal): Promise<PutOnce> {
    const { options, reporter } = this.#invocation;
    const { node, place } = this.#parts;
    const startedAt = this.#now;
    const tally = new Tally();
    const how = { signal, onEvent: follow(reporter, tally, place.target) };
    const before = this.#item;
    const item = before ?? (await this.#firstItem(how));
    const found = await node.putItem(place.target, {
      ...how,
      salt: place.salt,
      make: (current) => stillNewest(item, current),
      // What it was compared with was replaced by the first put.
      compareSequence: before === undefined ? options.cas : undefined,
      onWrite: (result) => explainWrite(reporter, result),
    });
    tally.check();
    const writes = found.flatMap((result) => result.writes);
    checkStored(writes, 'the item');
    this.#item = item;
    const elapsedMs = this.#now - startedAt;
    return { type: 'put', place, item, isPointer: this.#isPointer, writes, tally, elapsedMs };
  }

  /** What is there is looked for first in the DHTs of all families, so that they get one and the same. */
  async #firstItem(how: {
    readonly signal: AbortSignal;
    readonly onEvent: (event: LookupEvent) => void;
  }): Promise<DhtItem> {
    const { node, place, value, key } = this.#parts;
    if (key === undefined) return { type: 'immutable', value };
    const current = await findNewest(node, place, how);
    const { seq: sequence, cas: compareSequence } = this.#invocation.options;
    const { salt } = place;
    return nextItem(current, {
      ...{ value, salt, sequence, compareSequence },
      secretKey: key.secretKey,
    });
  }

  get #isPointer(): boolean {
    return this.#invocation.options.torrent !== undefined;
  }

  get #now(): Millis {
    return this.#invocation.context.runtime.clock.now();
  }
}

/** @throws {RemoteError} `BIP_DHT_SEQUENCE` when somebody has put a newer one meanwhile. */
function stillNewest(item: DhtItem, current: DhtItem | undefined): DhtItem {
  if (item.type !== 'mutable' || current?.type !== 'mutable') return item;
  if (current.sequence <= item.sequence) return item;
  throw new RemoteError(
    `the item was replaced by one of sequence ${current.sequence}, after the ${item.sequence} of this one`,
    { code: 'BIP_DHT_SEQUENCE' },
  );
}

/** BEP 44: items are put again every hour. */
const INTERVAL = '1h';

const HELP = `
Without a key the item is found by its hash, the target, which is printed, and never changes. With
a key it is found by the public key and can be changed by who has the file: each change has a
higher sequence. Whatever is put with the sequence and value that are there already is put once
more, as it has to be every hour or so to stay: --watch does that, until a newer one is there. A
value has up to 1000 bytes as bencode. A text that begins with @ or is - comes from stdin.

Key files hold 32 or 64 bytes, as they are (libtorrent) or in hex, or a PKCS #8 key in PEM
(OpenSSL). --new-key makes one for its owner alone, without a VALUE nothing else is done; it
overwrites nothing, and a key is never printed. Exit code 1 when no node answered or took the
item, or when what is there is newer.

In a pipe there is one line: target, nodes that took it, sequence, public key, with --torrent the
link that leads to it; with --target-only: target, public key, link. With --watch --json there is a
line for each time, \`put\` or \`failure\`, and a last one, \`end\`, unless a newer item ended it.

Examples:
  $ bip dht put 'hello world' --bootstrap "$node"
  $ echo '{"name":"bip","age":9}' | bip dht put - --json-value --target-only
  $ bip dht put --new-key my.key && bip dht put 'news' --key my.key --salt a --bootstrap "$node"
  $ bip dht put 'here to stay' --watch --limit 1 --bootstrap "$node"
  $ bip dht put --torrent debian.torrent --new-key my.key --bootstrap "$node"
`;
