/** The flags of `metainfo edit`. @module */

import { type Command, Option } from 'commander';
import type { Endpoint } from '../../src/base/endpoint.ts';
import { UsageError } from '../../src/base/errors.ts';
import type { Context } from '../cli/context.ts';
import { printable } from '../cli/printable.ts';
import { parseWhole } from '../cli/units.ts';
import { parseUpdateUrl } from './create-info.ts';
import { parseReplacement, type Replacement } from './edit-lists.ts';
import {
  type KeyValue,
  parseDate,
  parseKeyPath,
  parseNode,
  parseSet,
  parseTier,
  parseWebSeed,
} from './key-value.ts';

/** `false` where `--no-NAME` was given. */
export interface EditFlags {
  readonly tracker?: readonly (readonly string[])[];
  readonly addTracker?: readonly (readonly string[])[];
  readonly tier?: number;
  readonly removeTracker?: readonly string[];
  readonly trackers?: false;
  readonly replace?: readonly Replacement[];
  readonly webSeed?: readonly string[];
  readonly addWebSeed?: readonly string[];
  readonly removeWebSeed?: readonly string[];
  readonly webSeeds?: false;
  readonly httpSeed?: readonly string[];
  readonly addHttpSeed?: readonly string[];
  readonly removeHttpSeed?: readonly string[];
  readonly httpSeeds?: false;
  readonly node?: readonly Endpoint[];
  readonly addNode?: readonly Endpoint[];
  readonly removeNode?: readonly string[];
  readonly nodes?: false;
  readonly comment?: string | false;
  readonly createdBy?: string | false;
  /** Seconds since 1970. */
  readonly date?: number | false;
  readonly source?: string | false;
  readonly private?: boolean;
  readonly name?: string;
  /** `true`: whatever comes to mind. */
  readonly entropy?: string | boolean;
  readonly similar?: readonly string[] | false;
  readonly collection?: readonly string[] | false;
  readonly updateUrl?: string | false;
  readonly set?: readonly KeyValue[];
  readonly unset?: readonly (readonly string[])[];
  readonly merge?: readonly string[];
  readonly clean?: true;
}

/** Each with all that it cannot be together with. */
const CONTRADICTIONS: readonly (readonly [string, readonly string[]])[] = [
  ['tracker', ['add-tracker', 'remove-tracker', 'no-trackers', 'replace']],
  ['no-trackers', ['add-tracker', 'remove-tracker']],
  ['web-seed', ['add-web-seed', 'remove-web-seed', 'no-web-seeds']],
  ['no-web-seeds', ['add-web-seed', 'remove-web-seed']],
  ['http-seed', ['add-http-seed', 'remove-http-seed', 'no-http-seeds']],
  ['no-http-seeds', ['add-http-seed', 'remove-http-seed']],
  ['node', ['add-node', 'remove-node', 'no-nodes']],
  ['no-nodes', ['add-node', 'remove-node']],
  ['comment', ['no-comment']],
  ['created-by', ['no-created-by']],
  ['date', ['no-date']],
  ['source', ['no-source']],
  ['private', ['no-private']],
  ['entropy', ['no-entropy']],
  ['similar', ['no-similar']],
  ['collection', ['no-collection']],
  ['update-url', ['no-update-url']],
];

/** Where the value of a flag stands in a torrent. */
const PLACES: readonly (readonly [place: readonly string[], flags: readonly string[]])[] = [
  [['announce'], ['tracker', 'add-tracker', 'remove-tracker', 'no-trackers', 'replace']],
  [['announce-list'], ['tracker', 'add-tracker', 'remove-tracker', 'no-trackers', 'replace']],
  [['url-list'], ['web-seed', 'add-web-seed', 'remove-web-seed', 'no-web-seeds', 'replace']],
  [['httpseeds'], ['http-seed', 'add-http-seed', 'remove-http-seed', 'no-http-seeds', 'replace']],
  [['nodes'], ['node', 'add-node', 'remove-node', 'no-nodes']],
  [['comment'], ['comment', 'no-comment']],
  [['comment.utf-8'], ['comment', 'no-comment']],
  [['created by'], ['created-by', 'no-created-by']],
  [['created by.utf-8'], ['created-by', 'no-created-by']],
  [['creation date'], ['date', 'no-date']],
  [['similar'], ['no-similar']],
  [['collections'], ['no-collection']],
  [
    ['info', 'source'],
    ['source', 'no-source'],
  ],
  [
    ['info', 'source.utf-8'],
    ['source', 'no-source'],
  ],
  [
    ['info', 'private'],
    ['private', 'no-private'],
  ],
  [['info', 'name'], ['name']],
  [['info', 'name.utf-8'], ['name']],
  [['info', 'file tree'], ['name']],
  [
    ['info', 'entropy'],
    ['entropy', 'no-entropy'],
  ],
  [
    ['info', 'similar'],
    ['similar', 'no-similar'],
  ],
  [
    ['info', 'collections'],
    ['collection', 'no-collection'],
  ],
  [
    ['info', 'update-url'],
    ['update-url', 'no-update-url'],
  ],
  [
    ['info', 'update-url.utf-8'],
    ['update-url', 'no-update-url'],
  ],
];

/** Flags that change nothing by themselves. */
const NO_EDITS: ReadonlySet<string> = new Set(['tier', 'output', 'force', 'dry-run', 'reveal']);

/**
 * Adds the flags.
 *
 * @returns the names of those that were given, filled when the command line is parsed.
 */
export function addEditFlags(command: Command, context: Context): ReadonlySet<string> {
  const given = new Set<string>();
  for (const [heading, options] of groups(context)) {
    for (const option of options) {
      command.addOption(option.helpGroup(heading));
      command.on(`option:${option.name()}`, () => given.add(option.name()));
    }
  }
  return given;
}

/**
 * @param keys what `--set`, `--unset` and `--merge` change
 * @throws {UsageError} for flags that contradict each other, and when none changes anything.
 */
export function refuseContradictions(
  given: ReadonlySet<string>,
  keys: readonly (readonly [flag: string, path: readonly string[]])[],
): void {
  for (const [one, others] of CONTRADICTIONS) {
    const other = given.has(one) ? others.find((name) => given.has(name)) : undefined;
    if (other !== undefined) throw contradiction(`--${one}`, `--${other}`);
  }
  for (const [flag, path] of keys) refuseSharedPlace(given, flag, path);
  if (given.has('tier') && !given.has('add-tracker')) {
    throw new UsageError(
      '--tier says where --add-tracker puts its URLs; there is no --add-tracker',
    );
  }
  if ([...given].every((name) => NO_EDITS.has(name))) {
    throw new UsageError(
      'there is nothing to change: pass e.g. --add-tracker URL or --comment TEXT; see `bip metainfo edit --help`',
    );
  }
}

function refuseSharedPlace(
  given: ReadonlySet<string>,
  flag: string,
  path: readonly string[],
): void {
  for (const [place, names] of PLACES) {
    const name = names.find((known) => given.has(known));
    if (name === undefined || !overlap(place, path)) continue;
    throw contradiction(`--${name}`, `${flag} ${printable(path.join('.'))}`);
  }
}

/** `--one and --other contradict each other`. */
export function contradiction(one: string, other: string): UsageError {
  return new UsageError(`${one} and ${other} contradict each other`);
}

/** True when one place is the other or lies in it. */
export function overlap(one: readonly string[], other: readonly string[]): boolean {
  const shared = Math.min(one.length, other.length);
  return one.slice(0, shared).every((step, at) => step === other[at]);
}

function groups(context: Context): readonly (readonly [string, readonly Option[]])[] {
  const now = context.runtime.wallClock.now();
  return [
    ['Trackers:', trackerOptions()],
    ['Seeds and nodes:', seedOptions()],
    [
      'Other keys beside the info dictionary:',
      [
        new Option('-c, --comment <text>', 'a comment'),
        new Option('--no-comment', 'no comment'),
        new Option('--created-by <text>', 'who made it'),
        new Option('--no-created-by', 'do not say who made it'),
        single('--date <time>', 'ISO 8601, seconds since 1970, or now', (text) =>
          parseDate(text, now),
        ),
        new Option('--no-date', 'do not say when it was made'),
        new Option('--clean', 'take away the keys here that no BEP knows'),
      ],
    ],
    ['Inside of the torrent (these change the infohash):', infoOptions()],
    [
      'Any key:',
      [
        list('--set <key=json>', 'set a key; info.KEY changes the infohash', parseSet),
        list('--unset <key>', 'take a key away; info.KEY changes the infohash', parseKeyPath),
        list('--merge <file>', 'set keys from a JSON file, where null takes away', (text) => text),
      ],
    ],
    [
      'Result:',
      [
        new Option(
          '-o, --output <path>',
          'file or folder to write instead, with {name} and {infoHash}; - for stdout',
        ),
        new Option('--force', 'overwrite the output'),
        new Option('--dry-run', 'show what would change, and write nothing'),
        new Option('--reveal', 'show passkeys and other secrets in URLs'),
      ],
    ],
  ];
}

function trackerOptions(): readonly Option[] {
  return [
    list('-t, --tracker <url>', 'these instead of all: a tier, by commas; repeatable', parseTier),
    list('--add-tracker <url>', 'one more, in a tier of its own; commas as above', parseTier),
    single('--tier <n>', 'where --add-tracker puts them instead, from 1', (text) =>
      parseWhole(text, '--tier', 1, 1_000_000),
    ),
    list('--remove-tracker <url>', 'without this one; * stands for anything', (text) => text),
    new Option('--no-trackers', 'without any'),
    list('--replace <regex=>text>', 'in URLs of trackers, web and HTTP seeds', parseReplacement),
  ];
}

function seedOptions(): readonly Option[] {
  return [
    list('-w, --web-seed <url>', 'these web seeds (BEP 19) instead of all', parseWebSeed),
    list('--add-web-seed <url>', 'one more', parseWebSeed),
    list('--remove-web-seed <url>', 'without this one; * stands for anything', (text) => text),
    new Option('--no-web-seeds', 'without any'),
    list('--http-seed <url>', 'these HTTP seeds (BEP 17) instead of all', parseWebSeed),
    list('--add-http-seed <url>', 'one more', parseWebSeed),
    list('--remove-http-seed <url>', 'without this one; * stands for anything', (text) => text),
    new Option('--no-http-seeds', 'without any'),
    list('--node <host:port>', 'these DHT nodes (BEP 5) instead of all', parseNode),
    list('--add-node <host:port>', 'one more', parseNode),
    list('--remove-node <host:port>', 'without this one; * stands for anything', (text) => text),
    new Option('--no-nodes', 'without any'),
  ];
}

function infoOptions(): readonly Option[] {
  return [
    new Option('-n, --name <text>', 'the name of the file or folder'),
    new Option('-p, --private', 'peers from its trackers only (BEP 27)'),
    new Option('--no-private', 'peers from everywhere'),
    new Option('--source <text>', 'what private trackers tell torrents apart by'),
    new Option('--no-source', 'no source'),
    single(
      '--entropy [text]',
      'another infohash for the same content; random without TEXT',
      parseEntropy,
    ),
    new Option('--no-entropy', 'no entropy'),
    list(
      '--similar <torrent>',
      'these torrents share files (BEP 38): infohashes or .torrents, instead of all',
      (text) => text,
    ),
    new Option('--no-similar', 'none, also beside the info dictionary'),
    list('--collection <name>', 'it belongs to these (BEP 38), instead of all', (text) => text),
    new Option('--no-collection', 'to none, also beside the info dictionary'),
    single('--update-url <url>', 'where newer versions are announced (BEP 39)', parseUpdateUrl),
    new Option('--no-update-url', 'nowhere'),
  ];
}

/** The value may be left out, and then the next word is taken for it. */
function parseEntropy(text: string, flag: string): string {
  if (!/\.torrent$/i.test(text)) return text;
  throw new UsageError(
    `${flag}: \`${printable(text)}\` would be its TEXT; put ${flag} behind the torrents, or write ${flag}=TEXT`,
  );
}

type Parse<Value> = (text: string, flag: string) => Value;

/** A flag that may be given several times. */
function list<Value>(flags: string, about: string, parse: Parse<Value>): Option {
  const option = new Option(flags, about);
  return option.argParser((text: string, before: readonly Value[] | false | undefined) => [
    ...(before || []),
    parse(text, `--${option.name()}`),
  ]);
}

function single<Value>(flags: string, about: string, parse: Parse<Value>): Option {
  const option = new Option(flags, about);
  return option.argParser((text: string) => parse(text, `--${option.name()}`));
}
